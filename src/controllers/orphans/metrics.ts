/** What is measured of orphans. */
import { Counter, Gauge, type Registry } from '../../kernel/metrics.ts';

/** What a sweep found is told here. */
export type OrphanMetrics = {
  /** Orphans of an account that are not dealt with; `type` is KeyStore.spec.type. */
  found(store: string, type: string, count: number): void;
  /** One was switched off or deleted; or a sweep stopped, or held what the ledger never knew. */
  done(type: string, what: 'Quarantined' | 'Deleted' | 'Stopped' | 'Held'): void;
  /** Class D: young credentials that no key has; perhaps somebody else's. */
  unclaimed(store: string, type: string, count: number): void;
  /** The store is swept no more. */
  gone(store: string): void;
};

/** Registers the metrics; once per registry. */
export function createOrphanMetrics(registry: Registry): OrphanMetrics {
  const registers = [registry];
  const counts = {
    orphans: new Map<string, { readonly type: string; readonly count: number }>(),
    unclaimed: new Map<string, { readonly type: string; readonly count: number }>(),
  };
  const gauge = (name: 'orphans' | 'unclaimed', help: string) =>
    new Gauge({
      name: `keyward_store_${name}`,
      help,
      labelNames: ['type'],
      registers,
      collect() {
        this.reset();
        for (const { type, count } of counts[name].values()) this.inc({ type }, count);
      },
    });
  gauge('orphans', 'Credentials at vendors that bear our mark and that no key has, by type.');
  gauge('unclaimed', 'Unmarked credentials younger than a day that no key has, by type.');
  const actions = new Counter({
    name: 'keyward_orphan_actions_total',
    help: 'What was done about orphans; Stopped (too many at once) and Held (never known): a person must look.',
    labelNames: ['type', 'action'],
    registers,
  });
  return {
    found: (store, type, count) => void counts.orphans.set(store, { type, count }),
    unclaimed: (store, type, count) => void counts.unclaimed.set(store, { type, count }),
    done: (type, action) => actions.inc({ type, action }),
    gone(store) {
      counts.orphans.delete(store);
      counts.unclaimed.delete(store);
    },
  };
}
