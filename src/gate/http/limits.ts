/** What a connection may cost. Gateways are few and quick; whoever exceeds this is something else. */
import { SECOND_MS } from '../../kernel/time.ts';

/** Bounds of the listener; each holds for one connection but for the number of them. */
export type HttpLimits = {
  /** Request line and headers together. Behind nginx and Envoy the client's own headers come along. */
  readonly headerBytes: number;
  readonly headers: number;
  /** From the first byte, or the opening of the connection, to the end of the headers. */
  readonly headerTimeMs: number;
  /** To the end of the body. */
  readonly requestTimeMs: number;
  /** Between requests. Longer than gateways keep connections, else they meet one that just closed. */
  readonly idleTimeMs: number;
  /** See connections.ts for who goes when there are more. */
  readonly connections: number;
  /** How long answers may still be on their way when the listener closes. */
  readonly drainTimeMs: number;
};

/** What holds where nothing else is said. */
export const DEFAULT_LIMITS: HttpLimits = {
  headerBytes: 32 * 1_024,
  headers: 128,
  headerTimeMs: 5 * SECOND_MS,
  requestTimeMs: 10 * SECOND_MS,
  idleTimeMs: 75 * SECOND_MS,
  connections: 8_192,
  drainTimeMs: 5 * SECOND_MS,
};

/** Longest body that is read, or let pass unread on a connection that is kept. */
export const BODY_BYTES_MAX = 64 * 1_024;
