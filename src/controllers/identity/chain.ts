/**
 * A time without a gap in which the admission policies were in force, and what it says about objects.
 * Two proofs with the same policies at both ends cover the time between them, because whatever is done
 * to a policy or its binding changes UID or generation. Pure.
 *
 * Kept in the API server's clock: that one stamps the objects, and it stays when another replica leads.
 */
import { SECOND_MS } from '../../kernel/time.ts';

/** See the file comment. Times in milliseconds since the epoch, by the API server's clock. */
export type Chain = {
  /** What is created from here on is covered. */
  readonly sinceMs: number;
  /** When the newest proof that was kept began. */
  readonly lastMs: number;
  /** Of policies and bindings. */
  readonly fingerprint: string;
};

/**
 * Between the first proof and the beginning of the chain. The difference of the clocks is known to one
 * and a half seconds, and another replica of the API server may take up a policy a second later than the
 * one that was asked.
 */
export const SETTLE_MS = 3 * SECOND_MS;

/** When a proof was made, by the API server's clock. */
type Proven = {
  readonly beganMs: number;
  readonly endedMs: number;
  readonly fingerprint: string;
};

/** The chain after a proof: longer, or a new one where the policies are not the same as before. */
export function extend(chain: Chain | undefined, proven: Proven): Chain {
  const { beganMs, endedMs, fingerprint } = proven;
  if (chain?.fingerprint === fingerprint) {
    return { ...chain, lastMs: Math.max(chain.lastMs, beganMs) };
  }
  // Whole seconds, as objects are stamped: else one that is created right then looks older than this.
  const sinceMs = Math.ceil((endedMs + SETTLE_MS) / SECOND_MS) * SECOND_MS;
  return { sinceMs, lastMs: sinceMs, fingerprint };
}

/**
 * By so much an object may look older than the instant at which we see it: its stamp is cut to a whole
 * second, and where the clock of the API server is ahead of what we know of it, that adds up.
 */
const STAMP_MS = 2 * SECOND_MS;

/** How long until objects that are created now will be covered, whatever their stamp; 0: they are. */
export function settlesInMs({ sinceMs }: Chain, nowMs: number): number {
  return Math.max(0, sinceMs + STAMP_MS - nowMs);
}

/** Whether both say the same about when the chain began; how far it reaches need not be kept. */
export function isSameChain(a: Chain | undefined, b: Chain | undefined): boolean {
  return a?.sinceMs === b?.sinceMs && a?.fingerprint === b?.fingerprint;
}
