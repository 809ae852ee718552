/** Composition of what keeps the quotas in status: what is counted, and whose status is looked at. */
import type { ApiKeyStatus } from '../api/generated/apikey.ts';
import type { Ref } from '../api/meta.ts';
import { QuotaWorker } from '../controllers/quotas/worker.ts';
import { SECOND_MS } from '../kernel/time.ts';
import type { UseReads } from '../ledger/gate.ts';
import type { WorkQueue } from '../runtime/queue.ts';
import type { ToldQuota } from '../terms/quotasteps.ts';
import type { Caches } from './cluster.ts';
import type { Parts } from './controllers.ts';

/** Starts the worker; it ends with `stop`. */
export function startQuotas(
  parts: Pick<Parts, 'metered' | 'caches' | 'cluster' | 'log' | 'config'> & {
    readonly uses: Pick<UseReads, 'counts'>;
    readonly queues: { readonly keys: WorkQueue; readonly forms: WorkQueue };
    readonly stop: AbortSignal;
  },
): void {
  const { metered, uses, caches, cluster, log, config, queues, stop } = parts;
  const worker = new QuotaWorker({
    keys: metered,
    reads: uses,
    clock: cluster.clock,
    log,
    roundMs: config.quotaRereadSeconds * SECOND_MS,
    told: (ref) => toldOf(caches, ref),
    wake(ref) {
      queues.keys.add(ref, 'bulk');
      const name = caches.keys.get(ref)?.applicationName;
      if (name !== undefined) queues.forms.add({ namespace: ref.namespace, name }, 'bulk');
    },
  });
  void worker.run(stop);
}

function toldOf({ keys }: Pick<Caches, 'keys'>, ref: Ref): ToldQuota | undefined {
  const text = keys.get(ref)?.statusText;
  if (text === undefined) return undefined;
  // Our own text of what the API server sent.
  const { limit, remaining } = (JSON.parse(text) as ApiKeyStatus).quota ?? {};
  return limit === undefined || remaining === undefined ? undefined : { limit, remaining };
}
