/** The metrics registry of one process, in the Prometheus text format. */
import { collectDefaultMetrics, Registry } from 'prom-client';

export { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/**
 * Node measures how late a timer of this period fires. At its usual 10 ms that is 100 wake-ups a
 * second, more than everything else that an operator at rest does.
 */
const LAG_PRECISION_MS = 500;

/** A fresh registry with the process and Node.js metrics; each process makes exactly one. */
export function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_PRECISION_MS });
  return registry;
}
