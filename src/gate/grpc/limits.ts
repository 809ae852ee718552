/** Pure; what a connection may cost. Gateways are few; whoever exceeds this is something else. */
import { SECOND_MS } from '../../kernel/time.ts';

/** Bounds of the port. */
export type GrpcLimits = {
  /** See ../http/connections.ts for who goes when there are more. */
  readonly connections: number;
  /** Calls that one connection may have open. */
  readonly calls: number;
  /** From the headers of a call to the end of its answer. */
  readonly callTimeMs: number;
  /** Between questions whether the peer is still there; the answer must come before the next one. */
  readonly pingTimeMs: number;
  /** For the handshake of TLS. */
  readonly handshakeTimeMs: number;
  /** How long answers may still be on their way when the port closes. */
  readonly drainTimeMs: number;
};

/** What holds where nothing else is said. */
export const DEFAULT_LIMITS: GrpcLimits = {
  connections: 1_024,
  calls: 2_048,
  callTimeMs: 10 * SECOND_MS,
  pingTimeMs: 20 * SECOND_MS,
  handshakeTimeMs: 5 * SECOND_MS,
  drainTimeMs: 5 * SECOND_MS,
};
