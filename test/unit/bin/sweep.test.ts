import { expect, test } from 'vitest';
import { startSweep } from '../../../src/bin/sweep.ts';
import { RetainedEnds } from '../../../src/controllers/apikey/retained.ts';
import { SIGHTING_PAUSE_MS, VanishedGuard } from '../../../src/controllers/apikey/vanished.ts';
import { KeywardError } from '../../../src/kernel/errors.ts';
import { silentLogger } from '../../../src/kernel/log.ts';
import { MINUTE_MS, SECOND_MS } from '../../../src/kernel/time.ts';
import type { KeyRecord } from '../../../src/ledger/record.ts';
import { FakeClock, settle } from '../../support/clock.ts';
import { MemoryLedger } from '../../support/memory.ts';
import { aRecord } from '../../support/world.ts';

/** A sweep after a first list without any object, over a ledger with one record; `failures`: that many scans fail. */
function sweeping(record: KeyRecord, failures: number) {
  const clock = new FakeClock();
  const stop = new AbortController();
  const keys = { get: () => undefined, synced: true, completeLists: 1 };
  const seen = { scans: 0, added: [] as string[] };
  const failing = { until: failures };
  const ledger = {
    ...new MemoryLedger().port,
    scan: async () => {
      seen.scans += 1;
      if (seen.scans <= failing.until) {
        throw new KeywardError('Transient', { reason: 'LedgerUnavailable', message: 'away' });
      }
      return { records: [record], next: undefined };
    },
  };
  const guard = new VanishedGuard(clock, 'Few');
  const client = { isClockTrusted: true };
  startSweep({
    deps: { ledger, guard, clock, keys, client, epoch: () => 1, log: silentLogger },
    isWatched: () => true,
    relist: async () => void (keys.completeLists += 1),
    retained: new RetainedEnds(),
    queue: { add: ({ namespace, name }) => void seen.added.push(`${namespace}/${name}`) },
    log: silentLogger,
    stop: stop.signal,
  });
  const fail = (scans: number) => void (failing.until = seen.scans + scans);
  return { clock, stop, keys, seen, guard, fail };
}

test('a first sweep that met a ledger in trouble is repeated every five seconds until one succeeds, without another list', async () => {
  const { clock, seen, keys } = sweeping(aRecord({ phase: 'Ending' }), 2);
  await settle();
  expect(seen).toEqual({ scans: 1, added: [] });
  await clock.advanceSettled(5 * SECOND_MS - 1);
  expect(seen.scans).toBe(1);
  await clock.advanceSettled(5 * SECOND_MS + 1);
  expect(seen).toEqual({ scans: 3, added: ['team/web'] });
  await clock.advanceSettled(10 * MINUTE_MS);
  expect([seen.scans, keys.completeLists]).toEqual([3, 1]);
});

test('a later sweep that met a ledger in trouble is repeated every minute', async () => {
  const { clock, seen, keys, fail } = sweeping(aRecord({ phase: 'Ending' }), 0);
  await settle();
  keys.completeLists = 2;
  fail(2);
  await clock.advanceSettled(3 * MINUTE_MS);
  expect([seen.scans, seen.added]).toEqual([4, ['team/web', 'team/web']]);
});

test('what was held back before the vanished were counted is looked at as soon as they are', async () => {
  const { clock, seen, guard } = sweeping(aRecord({ phase: 'Ended' }), 1);
  await settle();
  expect(guard.permits({ namespace: 'team', name: 'recreated' })).toBe(false);
  await clock.advanceSettled(5 * SECOND_MS);
  expect(seen.added).toContain('team/recreated');
  expect(guard.permits()).toBe(true);
});

test('what is done after a trouble still takes two sightings with a complete list between them', async () => {
  const { clock, seen, keys } = sweeping(aRecord(), 1);
  await clock.advanceSettled(5 * SECOND_MS);
  expect([seen.added, keys.completeLists]).toEqual([[], 1]);
  await clock.advanceSettled(SIGHTING_PAUSE_MS);
  expect([seen.added, keys.completeLists]).toEqual([['team/web'], 2]);
});

test('a list that came during a sweep is swept by the next one', async () => {
  const { clock, seen, keys } = sweeping(aRecord({ phase: 'Ending' }), 0);
  keys.completeLists = 2;
  await clock.advanceSettled(MINUTE_MS);
  expect(seen.scans).toBe(2);
});

test('a sweep that is told to stop between two tries leaves no timer behind', async () => {
  const { clock, stop, seen } = sweeping(aRecord(), 9);
  await settle();
  stop.abort();
  await settle();
  expect([clock.pendingTimers, seen.scans]).toEqual([0, 1]);
});
