/** What `npm run image` prints. Pure. */
import type { Image } from './image.ts';
import type { Figures } from './measure.ts';

/** Layers and sizes, one line each. @param packedBytes size of each layer when a registry has packed it */
export function sizeLines(
  { facts, id, layers }: Image,
  packedBytes: readonly number[],
): readonly string[] {
  const sum = (each: readonly number[]): number => each.reduce((total, one) => total + one, 0);
  const unpacked = sum(layers.map(({ bytes }) => bytes));
  return [
    `${facts.name} for linux/${facts.architecture}, sha256:${id}`,
    `  unpacked     packed  layer`,
    ...layers.map(({ name, bytes, sha256 }, n) =>
      [inMib(bytes), inMib(packedBytes[n] ?? 0), `${name}, sha256:${sha256}`].join('  '),
    ),
    [inMib(unpacked), inMib(sum(packedBytes)), 'in all'].join('  '),
  ];
}

/** Times and memory, one line each. */
export function figureLines({ startMs, servers, leftOut }: Figures): readonly string[] {
  const figures = servers.map(({ name, liveMs, readyMs, processorMs, memory }) =>
    [
      `${name.padEnd(8)} /livez after ${inMs(liveMs)}, /readyz after ${inMs(readyMs)} and ${inMs(processorMs)} of a core`,
      `${inMib(memory.resident).trim()} resident at rest, ${inMib(memory.own).trim()} of it its own`,
    ].join('; '),
  );
  return [
    `keyward version takes ${inMs(startMs)}`,
    ...figures,
    ...leftOut.map((what) => `left out: ${what}`),
  ];
}

function inMib(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`.padStart(10);
}

function inMs(time: number): string {
  return `${time.toFixed(0)} ms`;
}
