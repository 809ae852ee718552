/** What is measured of debts. */
import { Counter, Gauge, type Registry } from '../../kernel/metrics.ts';
import type { StoreBinding } from '../../ledger/record.ts';

/** Stores that are named; what is owed to all others is one sum. */
const STORES_MAX = 50;
const OTHERS = { kind: '', namespace: '', name: '(others)' };

/** What one store is owed. */
export type StoreDebts = {
  readonly store: StoreBinding;
  /** Of the keys; a cluster store is owed by many. */
  readonly namespace: string;
  readonly credentials: number;
};

/** What is counted is told here. */
export type DebtMetrics = {
  /** All that is owed, after it was counted anew. */
  owed(stores: readonly StoreDebts[]): void;
  /** A credential was ended that was a debt. */
  paid(): void;
  /** A debt could not be paid for this reason. */
  failed(reason: string): void;
};

/** Registers the metrics; once per registry. */
export function createDebtMetrics(registry: Registry): DebtMetrics {
  const registers = [registry];
  const debts = new Gauge({
    name: 'keyward_store_debts',
    help: 'Credentials of keys that are gone which must still be ended at a vendor, by store.',
    labelNames: ['kind', 'namespace', 'name'],
    registers,
  });
  const total = new Gauge({
    name: 'keyward_debts',
    help: 'Credentials of keys that are gone which must still be ended at a vendor.',
    registers,
  });
  const paid = new Counter({
    name: 'keyward_debts_paid_total',
    help: 'Credentials that were ended at a vendor after their key was gone.',
    registers,
  });
  const failures = new Counter({
    name: 'keyward_debt_failures_total',
    help: 'How often a debt could not be paid, by reason.',
    labelNames: ['reason'],
    registers,
  });
  return {
    owed(stores) {
      debts.reset();
      total.set(stores.reduce((sum, { credentials }) => sum + credentials, 0));
      const sorted = stores.toSorted((a, b) => b.credentials - a.credentials);
      for (const [index, { store, namespace, credentials }] of sorted.entries()) {
        const { kind, name } = store;
        const own = { kind, namespace: kind === 'KeyStore' ? namespace : '', name };
        debts.inc(index < STORES_MAX ? own : OTHERS, credentials);
      }
    },
    paid: () => paid.inc(),
    failed: (reason) => failures.inc({ reason }),
  };
}
