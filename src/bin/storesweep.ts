/** Looks for stores that went while no operator ran, and of which gates still know something. */
import type { Clock } from '../kernel/clock.ts';
import type { StoreRecord } from '../ledger/documents.ts';
import type { WorkQueue } from '../runtime/queue.ts';
import type { Caches } from './cluster.ts';
import type { Parts } from './controllers.ts';
import { untilItWorks } from './repeating.ts';

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
export function sweepStores(parts: StoreSweepParts, stop: AbortSignal): Promise<void> {
  const { cluster, ledger, log } = parts;
  const sweep = async (): Promise<void> => {
    for (let after: string | undefined; !stop.aborted;) {
      // Each page begins where the one before ended.
      // oxlint-disable-next-line no-await-in-loop
      const page = await ledger.scanDocuments('Store', PAGE, after);
      for (const record of page) look(parts, record);
      if (page.length < PAGE) return;
      after = page.at(-1)?.uid;
    }
  };
  const to = { clock: cluster.clock, log };
  return untilItWorks(to, 'Stores that went could not be looked for', sweep, stop);
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
