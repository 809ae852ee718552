import { expect, test } from 'vitest';
import { startSweep } from '../../../src/bin/sweep.ts';
import { RetainedEnds } from '../../../src/controllers/apikey/retained.ts';
import { SIGHTING_PAUSE_MS, VanishedGuard } from '../../../src/controllers/apikey/vanished.ts';
import { KeywardError } from '../../../src/kernel/errors.ts';
import { silentLogger, type Logger } from '../../../src/kernel/log.ts';
import { MINUTE_MS, SECOND_MS } from '../../../src/kernel/time.ts';
import type { Ref } from '../../../src/api/meta.ts';
import type { KeyRecord } from '../../../src/ledger/record.ts';
import { FakeClock, settle } from '../../support/clock.ts';
import { MemoryLedger } from '../../support/memory.ts';
import { aRecord } from '../../support/world.ts';

/** A sweep after a first list without any object, over a ledger with one record; `failures`: that many scans fail. */
function sweeping(record: KeyRecord | readonly KeyRecord[], failures: number) {
  const clock = new FakeClock();
  const stop = new AbortController();
  const records = [record].flat() as KeyRecord[];
  /** UIDs of the objects that are there. */
  const objects = new Set<string>();
  const get = ({ name }: Ref) => {
    const there = records.find(({ uid, ...its }) => its.name === name && objects.has(uid));
    return there as ReturnType<Parameters<typeof startSweep>[0]['deps']['keys']['get']>;
  };
  const keys = { get, synced: true, completeLists: 1 };
  const seen = { scans: 0, added: [] as string[] };
  const errors: unknown[] = [];
  const log: Logger = { ...silentLogger, error: (_, fields) => void errors.push(fields) };
  const failing = { until: failures };
  const ledger = {
    ...new MemoryLedger().port,
    scan: async () => {
      seen.scans += 1;
      if (seen.scans <= failing.until) {
        throw new KeywardError('Transient', { reason: 'LedgerUnavailable', message: 'away' });
      }
      return { records: [...records], next: undefined };
    },
  };
  const guard = new VanishedGuard(clock, 'Few');
  const client = { isClockTrusted: true };
  startSweep({
    deps: { ledger, guard, clock, keys, client, epoch: () => 1, log },
    isWatched: () => true,
    relist: async () => void (keys.completeLists += 1),
    retained: new RetainedEnds(),
    queue: { add: ({ namespace, name }) => void seen.added.push(`${namespace}/${name}`) },
    log,
    stop: stop.signal,
  });
  const fail = (scans: number) => void (failing.until = seen.scans + scans);
  return { clock, stop, keys, seen, guard, fail, records, objects, errors };
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
  expect(guard.permits({ namespace: 'team', name: 'recreated', uid: 'uid-0' })).toBe(false);
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

/** 40 keys under a sweep that found all of them; `vanish`: so many objects go while it runs, and the watch tells of each. */
async function fortyKeys() {
  const forty = Array.from({ length: 40 }, (_, i) =>
    aRecord({ uid: `uid-${i}`, name: `web-${i}` }),
  );
  const at = sweeping(forty, 0);
  for (const { uid } of forty) at.objects.add(uid);
  await at.clock.advanceSettled(10 * SECOND_MS);
  at.seen.added.length = 0;
  /** What a pass does with each of these. */
  const pass = (gone: readonly KeyRecord[]) => {
    const ended = gone.filter((record) => at.guard.admits(record));
    for (const record of ended) at.records.splice(at.records.indexOf(record), 1);
    return ended.length;
  };
  const vanish = (count: number) => {
    const gone = forty.slice(0, count);
    for (const { uid } of gone) at.objects.delete(uid);
    return pass(gone);
  };
  const passQueued = () => {
    const names = new Set(at.seen.added.splice(0));
    return pass(at.records.filter(({ name }) => names.has(`team/${name}`)));
  };
  return { ...at, vanish, passQueued };
}

test('keys that are held back while the operator runs are told of once and ended when the ten minutes are over', async () => {
  const { clock, errors, vanish, passQueued, records } = await fortyKeys();
  expect(vanish(6)).toBe(3);
  for (let minute = 0; minute < 9; minute += 1) {
    // Each minute is looked at by itself.
    // oxlint-disable-next-line no-await-in-loop
    await clock.advanceSettled(MINUTE_MS);
    expect(passQueued()).toBe(0);
  }
  expect(errors).toEqual([{ vanished: 3, examples: ['team/web-3', 'team/web-4', 'team/web-5'] }]);
  await clock.advanceSettled(4 * MINUTE_MS);
  expect([passQueued(), records.length, errors.length]).toEqual([3, 34, 1]);
});

test('keys that stay too many are held back for ever, and counted anew once in ten minutes', async () => {
  const { clock, errors, vanish, passQueued, keys } = await fortyKeys();
  expect(vanish(7)).toBe(3);
  for (let window = 0; window < 6; window += 1) {
    // oxlint-disable-next-line no-await-in-loop
    await clock.advanceSettled(10 * MINUTE_MS);
    expect(passQueued()).toBe(0);
  }
  expect(errors).toHaveLength(1);
  expect(keys.completeLists).toBeLessThanOrEqual(7);
});

test('keys whose objects came back are not counted among those that are held back', async () => {
  const { clock, objects, vanish, passQueued } = await fortyKeys();
  expect(vanish(9)).toBe(3);
  for (const i of [3, 4, 5, 6]) objects.add(`uid-${i}`);
  await clock.advanceSettled(13 * MINUTE_MS);
  expect(passQueued()).toBe(2);
});
