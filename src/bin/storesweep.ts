/** Looks for stores that went while no operator ran, and of which gates still know something. */
import { classify } from '../kernel/errors.ts';
import type { StoreRecord } from '../ledger/documents.ts';
import type { Parts } from './controllers.ts';

/** Stores at a time that are looked for after a start. */
const PAGE = 500;

/** Once, when leadership begins. Never rejects. */
export async function sweepStores(parts: Parts, stop: AbortSignal): Promise<void> {
  const { ledger, log } = parts;
  try {
    for (let after: string | undefined; !stop.aborted;) {
      // Each page begins where the one before ended.
      // oxlint-disable-next-line no-await-in-loop
      const page = await ledger.scanDocuments('Store', PAGE, after);
      for (const record of page) look(parts, record);
      if (page.length < PAGE) return;
      after = page.at(-1)?.uid;
    }
  } catch (error) {
    if (stop.aborted) return;
    log.warn('Stores that went could not be looked for', { reason: classify(error).reason });
  }
}

function look({ caches, storeQueues }: Parts, { namespace, name, uid }: StoreRecord): void {
  const isShared = namespace === '';
  if (!isShared && !caches.isWatched(namespace)) return;
  const cache = isShared ? caches.clusterKeyStores : caches.keyStores;
  if (cache.get({ namespace, name })?.uid === uid) return;
  // The controller proves by a live read that it is gone.
  storeQueues.get(isShared ? 'ClusterKeyStore' : 'KeyStore')?.add({ namespace, name }, 'bulk');
}
