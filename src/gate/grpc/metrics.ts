/** What the port measures, beside the decisions. Labels come from closed lists. */
import { Counter, Gauge, type Registry } from '../../kernel/metrics.ts';
import { ERROR, type ErrorCode } from './http2/constants.ts';

/** What the port reports. */
export type GrpcMeter = {
  /** A call that nobody decided about. */
  failed(reason: string): void;
  /** A connection that broke the rules of HTTP/2. */
  broken(error: ErrorCode): void;
};

/** One meter per registry. */
export function createGrpcMeter(registry: Registry, connections: () => number): GrpcMeter {
  const registers = [registry];
  const failures = new Counter({
    name: 'keyward_gate_grpc_failures_total',
    help: 'Calls of the gRPC port that came to no decision.',
    labelNames: ['reason'],
    registers,
  });
  const broken = new Counter({
    name: 'keyward_gate_grpc_broken_connections_total',
    help: 'Connections of the gRPC port that were ended because they broke the rules of HTTP/2.',
    labelNames: ['error'],
    registers,
  });
  new Gauge({
    name: 'keyward_gate_grpc_connections',
    help: 'Open connections of the gRPC port.',
    registers,
    collect() {
      this.set(connections());
    },
  });
  return {
    failed: (reason) => failures.inc({ reason }),
    broken: (error) => broken.inc({ error: NAMES.get(error) ?? 'None' }),
  };
}

const NAMES = new Map<ErrorCode, string>(Object.entries(ERROR).map(([name, code]) => [code, name]));
