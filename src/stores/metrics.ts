/** What is measured of vendors. Labels name types and outcomes, never accounts. */
import { Counter, Histogram, type Registry } from '../kernel/metrics.ts';
import { SECOND_MS } from '../kernel/time.ts';
import type { StoreHealth } from './health.ts';
import type { SessionStore, StoreCall } from './sessions.ts';

/** What happens is told here. */
type StoreMetrics = {
  called(call: StoreCall): void;
  health(store: SessionStore, health: StoreHealth): void;
};

/** Vendors answer in tenths of a second; 15 s is the deadline of a request, lists have several. */
const BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60];

/** Registers the metrics; once per registry. */
export function createStoreMetrics(registry: Registry): StoreMetrics {
  const registers = [registry];
  const seconds = new Histogram({
    name: 'keyward_store_operation_seconds',
    help: 'Calls at vendors, by type of store, operation and result.',
    labelNames: ['type', 'operation', 'result'],
    buckets: BUCKETS,
    registers,
  });
  const turns = new Counter({
    name: 'keyward_store_health_changes_total',
    help: 'Changes of the health of stores at vendors, by the state that came.',
    labelNames: ['type', 'state'],
    registers,
  });
  return {
    called({ type, operation, result, tookMs }) {
      seconds.observe({ type, operation, result }, tookMs / SECOND_MS);
    },
    health({ type }, { state }) {
      turns.inc({ type, state });
    },
  };
}
