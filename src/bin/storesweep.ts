/** Looks for stores that went while no operator ran, and of which gates still know something. */
import { type Clock, sleep } from '../kernel/clock.ts';
import { classify } from '../kernel/errors.ts';
import { MINUTE_MS } from '../kernel/time.ts';
import type { StoreRecord } from '../ledger/documents.ts';
import type { WorkQueue } from '../runtime/queue.ts';
import type { Caches } from './cluster.ts';
import type { Parts } from './controllers.ts';

/** Stores at a time that are looked for after a start. */
const PAGE = 500;

type Stores = Pick<Caches['keyStores'], 'get'>;
type StoreSweepParts = Pick<Parts, 'log'> & {
  readonly cluster: { readonly clock: Clock };
  readonly ledger: Pick<Parts['ledger'], 'scanDocuments'>;
  readonly caches: Pick<Caches, 'isWatched'> & {
    readonly keyStores: Stores;
    readonly clusterKeyStores: Stores;
  };
  readonly storeQueues: ReadonlyMap<'KeyStore' | 'ClusterKeyStore', Pick<WorkQueue, 'add'>>;
};

/** Once, when leadership begins; where that fails, again until it works. Never rejects. */
export async function sweepStores(parts: StoreSweepParts, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    // One try after the other is what this loop is for.
    // oxlint-disable-next-line no-await-in-loop
    if (await sweepOnce(parts, stop)) return;
    // oxlint-disable-next-line no-await-in-loop
    await sleep(parts.cluster.clock, MINUTE_MS, stop).catch(() => undefined);
  }
}

/** False: it failed before its end. */
async function sweepOnce(parts: StoreSweepParts, stop: AbortSignal): Promise<boolean> {
  const { ledger, log } = parts;
  try {
    for (let after: string | undefined; !stop.aborted;) {
      // Each page begins where the one before ended.
      // oxlint-disable-next-line no-await-in-loop
      const page = await ledger.scanDocuments('Store', PAGE, after);
      for (const record of page) look(parts, record);
      if (page.length < PAGE) break;
      after = page.at(-1)?.uid;
    }
    return true;
  } catch (error) {
    if (!stop.aborted) {
      const { reason } = classify(error);
      log.warn('Stores that went could not be looked for; it is tried again', { reason });
    }
    return false;
  }
}

function look(
  { caches, storeQueues }: StoreSweepParts,
  { namespace, name, uid }: StoreRecord,
): void {
  const isShared = namespace === '';
  if (!isShared && !caches.isWatched(namespace)) return;
  const cache = isShared ? caches.clusterKeyStores : caches.keyStores;
  if (cache.get({ namespace, name })?.uid === uid) return;
  // The controller proves by a live read that it is gone.
  storeQueues.get(isShared ? 'ClusterKeyStore' : 'KeyStore')?.add({ namespace, name }, 'bulk');
}
