/** The metrics registry of one process, in the Prometheus text format. */
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';

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

/**
 * A histogram without labels that counts in plain numbers: observing takes some nanoseconds, where the
 * library's own takes most of a microsecond.
 */
export class PlainHistogram extends Histogram {
  readonly #about: { readonly name: string; readonly help: string };
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  /** @param bounds upper ends of the buckets, ascending; the one without end is added */
  constructor(
    about: { readonly name: string; readonly help: string },
    bounds: readonly number[],
    registry: Registry,
  ) {
    super({ ...about, buckets: [...bounds], registers: [registry] });
    this.#about = about;
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  /** Counts one value. */
  count(value: number): void {
    let at = 0;
    while (at < this.#bounds.length && value > (this.#bounds[at] ?? 0)) at += 1;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sum += value;
  }

  /** What the library asks for when metrics are read; it has no name for this in its types. */
  getForPromString() {
    const { name, help } = this.#about;
    let total = 0;
    const buckets = [...this.#bounds, '+Inf'].map((le, at) => {
      total += this.#counts[at] ?? 0;
      return { metricName: `${name}_bucket`, labels: { le }, sharedLabels: {}, value: total };
    });
    const values = [
      ...buckets,
      { metricName: `${name}_sum`, labels: {}, sharedLabels: {}, value: this.#sum },
      { metricName: `${name}_count`, labels: {}, sharedLabels: {}, value: total },
    ];
    return Promise.resolve({ name, help, type: 'histogram', aggregator: 'sum', values });
  }
}
