/** What the listener measures, beside the decisions. Labels come from closed lists. */
import { Counter, Gauge, type Registry } from '../../kernel/metrics.ts';
import type { TlsReport } from './tls.ts';

/** Why a request, or a connection, was turned away before anybody decided about it. */
export type BadRequest =
  | 'Malformed'
  | 'TooLarge'
  | 'TooSlow'
  | 'UnknownPath'
  | 'TlsHandshake'
  | 'TooMany';

/** What the listener reports. */
export type HttpMeter = {
  bad(kind: BadRequest): void;
  readonly tls: TlsReport;
  /** Whose number is shown from now on. */
  watch(connections: { readonly count: number }): void;
};

/** One meter per registry. */
export function createHttpMeter(registry: Registry): HttpMeter {
  let watched: { readonly count: number } = { count: 0 };
  const registers = [registry];
  const bad = new Counter({
    name: 'keyward_gate_http_bad_requests_total',
    help: 'Requests that were turned away before a decision.',
    labelNames: ['kind'],
    registers,
  });
  new Gauge({
    name: 'keyward_gate_http_connections',
    help: 'Open connections of the HTTP listener.',
    registers,
    collect() {
      this.set(watched.count);
    },
  });
  const reloads = new Counter({
    name: 'keyward_gate_tls_loads_total',
    help: 'Times that certificate files were read anew, by result; Failed: the former ones are in use.',
    labelNames: ['result'],
    registers,
  });
  const expiry = new Gauge({
    name: 'keyward_gate_tls_certificate_expiry_timestamp_seconds',
    help: 'When the served certificate ends; 0: no TLS.',
    registers,
  });
  return {
    bad: (kind) => bad.inc({ kind }),
    watch(connections) {
      watched = connections;
    },
    tls(result, expiresMs) {
      reloads.inc({ result });
      if (expiresMs !== undefined) expiry.set(expiresMs / 1_000);
    },
  };
}
