import { expect, test } from 'vitest';
import { figureLines } from '../../../../tools/image/report.ts';

const MIB = 1_048_576;

test('figures are told with their units, and so is what was left out', () => {
  const lines = figureLines({
    startMs: 61.7,
    servers: [
      {
        name: 'gate',
        liveMs: 180.2,
        readyMs: 220,
        processorMs: 190,
        memory: { resident: 104.5 * MIB, own: 34.26 * MIB },
      },
    ],
    leftOut: ['the operator'],
  });
  expect(lines).toEqual([
    'keyward version takes 62 ms',
    'gate     /livez after 180 ms, /readyz after 220 ms and 190 ms of a core; 104.5 MiB resident at rest, 34.3 MiB of it its own',
    'left out: the operator',
  ]);
});
