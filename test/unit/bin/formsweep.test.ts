import { expect, test } from 'vitest';
import type { Ref } from '../../../src/api/meta.ts';
import { sweepForms } from '../../../src/bin/formsweep.ts';
import { VanishedGuard } from '../../../src/controllers/apikey/vanished.ts';
import { silentLogger, type Logger } from '../../../src/kernel/log.ts';
import { MINUTE_MS } from '../../../src/kernel/time.ts';
import type { FormRecord } from '../../../src/ledger/form.ts';
import { FakeClock, settle } from '../../support/clock.ts';

type Parts = Parameters<typeof sweepForms>[0];

/** 40 forms, whose objects are there but for the first `gone`. */
async function sweeping(gone: number) {
  const clock = new FakeClock();
  const stop = new AbortController();
  const records = Array.from(
    { length: 40 },
    (_, i) => ({ uid: `uid-${i}`, namespace: 'team', name: `form-${i}` }) as FormRecord,
  );
  const objects = new Set(records.slice(gone).map(({ uid }) => uid));
  const get = ({ name }: Ref) =>
    records.find(({ uid, ...its }) => its.name === name && objects.has(uid));
  const seen = { scans: 0, errors: [] as unknown[], added: new Set<string>() };
  const log: Logger = { ...silentLogger, error: (_, fields) => void seen.errors.push(fields) };
  const guard = new VanishedGuard(clock, 'Few');
  const scanDocuments = async () => {
    seen.scans += 1;
    return [...records];
  };
  const caches = { isWatched: () => true, forms: { get, whenSynced: async () => undefined } };
  const queue = { add: ({ name }: Ref) => void seen.added.add(name) };
  const ended = sweepForms(
    { clock, log, guard, queue, caches, ledger: { scanDocuments } } as unknown as Parts,
    stop.signal,
  );
  await settle();
  /** What a pass does with each of these; how many it ends. */
  const pass = (forms: readonly FormRecord[]) => {
    const over = forms.filter((form) => guard.admits(form));
    for (const form of over) records.splice(records.indexOf(form), 1);
    return over.length;
  };
  const passQueued = () => {
    const queued = records.filter(({ name }) => seen.added.has(name));
    seen.added.clear();
    return pass(queued);
  };
  const vanish = (count: number) => {
    const forms = records.slice(0, count);
    for (const { uid } of forms) objects.delete(uid);
    return pass(forms);
  };
  return { clock, stop, seen, ended, vanish, passQueued };
}

test('forms that are held back while the operator runs are told of once and ended when the ten minutes are over', async () => {
  const { clock, seen, vanish, passQueued } = await sweeping(0);
  expect(vanish(6)).toBe(3);
  for (let minute = 0; minute < 9; minute += 1) {
    // Each minute is looked at by itself.
    // oxlint-disable-next-line no-await-in-loop
    await clock.advanceSettled(MINUTE_MS);
    expect(passQueued()).toBe(0);
  }
  const examples = ['team/form-3', 'team/form-4', 'team/form-5'];
  expect(seen.errors).toEqual([{ vanished: 3, examples }]);
  await clock.advanceSettled(4 * MINUTE_MS);
  expect([passQueued(), seen.errors.length]).toEqual([3, 1]);
});

test('too many forms that went while no operator ran are told of at once and none is ended', async () => {
  const { clock, seen, passQueued } = await sweeping(7);
  expect(seen.errors).toEqual([expect.objectContaining({ vanished: 7 })]);
  await clock.advanceSettled(30 * MINUTE_MS);
  expect([passQueued(), seen.errors.length]).toEqual([0, 1]);
});

test('few forms that went while no operator ran are looked at, and the ledger is not read again', async () => {
  const { clock, seen, passQueued } = await sweeping(3);
  expect(passQueued()).toBe(3);
  await clock.advanceSettled(30 * MINUTE_MS);
  expect([seen.errors, seen.scans]).toEqual([[], 1]);
});

test('a search for forms that is told to stop leaves no timer behind', async () => {
  const { clock, stop, ended } = await sweeping(7);
  stop.abort();
  await ended;
  expect(clock.pendingTimers).toBe(0);
});
