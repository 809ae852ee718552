/**
 * The clock port. Everything that waits or asks for the time is handed one of these, so that
 * tests move time instead of sleeping.
 */

/** Wall clock, monotonic clock and timers. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. May step in either direction. */
  nowMs(): number;
  /** Milliseconds that only ever grow; for measuring how long something took. */
  monotonicMs(): number;
  /**
   * Calls `act` once when `delayMs` have passed; returns what cancels it.
   * @param delayMs at most MAX_TIMER_MS; whoever waits longer looks again in between
   */
  after(delayMs: number, act: () => void): () => void;
}

/**
 * Longest single timer. Node fires timers beyond 2^31 - 1 ms (24.8 days) at once, and a wall clock
 * that is stepped while a long timer runs would be noticed only at its end, so far instants are
 * waited for in hops of at most one hour.
 */
export const MAX_TIMER_MS = 3_600_000;

/** The machine's clock. Only `bin` may hand it out. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, act) {
    const timer = setTimeout(act, Math.min(Math.max(delayMs, 0), MAX_TIMER_MS));
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delayMs`, or rejects with the signal's reason when it is aborted first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  if (signal?.aborted) {
    reject(abortError(signal));
    return promise;
  }
  const onAbort = (): void => {
    cancel();
    reject(abortError(signal));
  };
  const cancel = clock.after(delayMs, () => {
    signal?.removeEventListener('abort', onAbort);
    resolve();
  });
  signal?.addEventListener('abort', onAbort, { once: true });
  return promise;
}

function abortError(signal: AbortSignal | undefined): Error {
  return signal?.reason instanceof Error ? signal.reason : new Error('aborted');
}
