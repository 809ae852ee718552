/** The proof of the policies is remembered over restarts, and its beginning and end can be looked up. */
import { expect, test } from 'vitest';
import { proofStore } from '../../../src/bin/identity.ts';
import { FakeClock } from '../../support/clock.ts';
import { MemoryLedger } from '../../support/memory.ts';

const CHAIN = { sinceMs: 1_000, lastMs: 2_000, fingerprint: 'a' };

test('a chain is read back as it was kept, and one that ended is none', async () => {
  const ledger = new MemoryLedger();
  const clock = new FakeClock();
  const deps = { ledger: ledger.port, clock, clusterId: 'c', epoch: () => ledger.epoch };
  const store = proofStore(deps);
  expect(await store.load()).toBeUndefined();
  await store.save(CHAIN, '');
  expect(await proofStore(deps).load()).toEqual(CHAIN);
  await store.save(undefined, 'the API server accepted a forgery');
  expect(await store.load()).toBeUndefined();
  await store.save({ ...CHAIN, sinceMs: 3_000 }, '');
  expect(await store.load()).toEqual({ ...CHAIN, sinceMs: 3_000 });
});
