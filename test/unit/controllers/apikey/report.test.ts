import { describe, expect, test } from 'vitest';
import { createReporter } from '../../../../src/controllers/apikey/report.ts';
import type { World } from '../../../../src/controllers/apikey/world.ts';

/** As much of a world as an event is about. */
const WORLD = {
  key: { ref: { namespace: 'ns', name: 'maps' }, uid: 'uid-1' },
} as unknown as World;

describe('what somebody did at the vendor', () => {
  test('has a reason of its own for values, because a repeated reason is only counted', () => {
    const told: { readonly reason: string; readonly note: string }[] = [];
    const reporter = createReporter({ record: (event) => void told.push(event) });
    reporter.remoteChanged(WORLD, 'settings');
    reporter.remoteChanged(WORLD, 'values');
    expect(told.map(({ reason }) => reason)).toEqual(['RemoteChanged', 'RemoteValuesChanged']);
    expect(told.map(({ note }) => note)).toEqual([
      expect.stringContaining('set back'),
      expect.stringContaining('taken over into the Secret'),
    ]);
  });
});
