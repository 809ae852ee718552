/** Metrics of calls to the API server, under the names that client-go uses, so that dashboards fit. */
import { Counter, Histogram, type Registry } from '../kernel/metrics.ts';

/** Reports one finished call. `code` is the HTTP status, or '<error>' when no answer came. */
export type CallMetrics = {
  /** A call without a meaningful duration, such as a watch. */
  count(method: string, code: string): void;
  observe(method: string, code: string, seconds: number): void;
};

/** Registers the metrics; once per registry. @param host `host:port` of the API server */
export function createCallMetrics(registry: Registry, host: string): CallMetrics {
  const total = new Counter({
    name: 'rest_client_requests_total',
    help: 'Number of HTTP requests, partitioned by status code, method, and host.',
    labelNames: ['code', 'method', 'host'],
    registers: [registry],
  });
  const duration = new Histogram({
    name: 'rest_client_request_duration_seconds',
    help: 'Request latency in seconds, by verb and host; waiting for a free place is not counted.',
    labelNames: ['verb', 'host'],
    buckets: [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30],
    registers: [registry],
  });
  // Looking a series up by its labels costs more than counting in it, so each is looked up once.
  const counterOf = remembered((method, code) => total.labels({ code, method, host }));
  const timerOf = remembered((method) => duration.labels({ verb: method, host }));
  return {
    count: (method, code) => counterOf(method, code).inc(),
    observe(method, code, seconds) {
      counterOf(method, code).inc();
      timerOf(method, '').observe(seconds);
    },
  };
}

/** There are as many series as methods and status codes: a few dozen. */
function remembered<T>(find: (method: string, code: string) => T): typeof find {
  const found = new Map<string, T>();
  return (method, code) => {
    const text = `${method} ${code}`;
    let each = found.get(text);
    if (each === undefined) found.set(text, (each = find(method, code)));
    return each;
  };
}
