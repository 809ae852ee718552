import { expect, test } from 'vitest';
import { sweepStores } from '../../../src/bin/storesweep.ts';
import { KeywardError } from '../../../src/kernel/errors.ts';
import { silentLogger } from '../../../src/kernel/log.ts';
import { MINUTE_MS } from '../../../src/kernel/time.ts';
import { FakeClock, settle } from '../../support/clock.ts';
import { MemoryDocuments } from '../../support/documents.ts';

/** A ledger that knows one store, of which no object is left; `failing`: that many scans fail. */
function sweeping(failing: number) {
  const clock = new FakeClock();
  const stop = new AbortController();
  const documents = new MemoryDocuments();
  const { scanDocuments } = documents.reads();
  const head = { uid: 'store-1', clusterId: 'c', namespace: 'team', name: 'shop', revision: 1 };
  documents.put({
    kind: 'Store',
    document: { ...head, phase: 'Live', profile: 'Keyward' },
  });
  const seen = { scans: 0, added: [] as string[] };
  const scan: typeof scanDocuments = async (...wanted) => {
    seen.scans += 1;
    if (seen.scans > failing) return scanDocuments(...wanted);
    throw new KeywardError('Transient', { reason: 'LedgerUnavailable', message: 'away' });
  };
  const none = { get: () => undefined };
  const ended = sweepStores(
    {
      cluster: { clock },
      log: silentLogger,
      ledger: { scanDocuments: scan },
      caches: { isWatched: () => true, keyStores: none, clusterKeyStores: none },
      storeQueues: new Map([
        ['KeyStore', { add: ({ name }: { name: string }) => void seen.added.push(name) }],
      ]),
    },
    stop.signal,
  );
  return { clock, stop, seen, ended };
}

test('stores that went are looked for until the ledger answers, and then no more', async () => {
  const { clock, seen, ended } = sweeping(2);
  await settle();
  expect(seen).toEqual({ scans: 1, added: [] });
  await clock.advanceSettled(MINUTE_MS);
  expect(seen).toEqual({ scans: 3, added: ['shop'] });
  await ended;
  expect(clock.pendingTimers).toBe(0);
});

test('a search for stores that is told to stop ends without a failure', async () => {
  const { clock, stop, seen, ended } = sweeping(9);
  await settle();
  stop.abort();
  await ended;
  expect([clock.pendingTimers, seen.scans]).toEqual([0, 1]);
});
