/**
 * Time as plain numbers: milliseconds since the epoch inside, RFC 3339 or dates outside.
 * Pure; the clock itself is in clock.ts.
 */

/** One second in milliseconds. */
export const SECOND_MS = 1_000;
/** One minute in milliseconds. */
export const MINUTE_MS = 60 * SECOND_MS;
/** One hour in milliseconds. */
export const HOUR_MS = 60 * MINUTE_MS;
/** One day of 24 hours in milliseconds; calendar days are in terms/zone.ts. */
export const DAY_MS = 24 * HOUR_MS;

/**
 * The latest instant Keyward accepts: the last millisecond of the year 9999, the end of what
 * RFC 3339 can write.
 */
export const LATEST_MS = 253_402_300_799_999;

/**
 * An instant as Kubernetes writes it: RFC 3339, UTC, whole seconds (metav1.Time).
 * A fraction is cut off, never rounded up: an end must not look later than it is.
 */
export function formatTime(atMs: number): string {
  return new Date(Math.floor(atMs / SECOND_MS) * SECOND_MS).toISOString().replace('.000Z', 'Z');
}

/**
 * Milliseconds of an instant that a machine wrote; undefined when the text is none. It takes more than RFC 3339 allows:
 * what people wrote goes through `parseInstant`.
 */
export function parseTime(text: string): number | undefined {
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : atMs;
}

/** How often to try again, and how fast the pauses grow. */
export type Backoff = {
  readonly baseMs: number;
  readonly maxMs: number;
};

/**
 * Pause before try `attempt` (0 = the first repetition): exponential with equal jitter.
 *
 * @param random a number in [0, 1), handed in so that the function stays pure
 */
export function backoffMs(backoff: Backoff, attempt: number, random: number): number {
  // 2^30 already exceeds every maxMs in use; the cap keeps the power finite.
  const ceiling = Math.min(backoff.maxMs, backoff.baseMs * 2 ** Math.min(attempt, 30));
  return Math.round(ceiling / 2 + (ceiling / 2) * random);
}

/** The earlier of two instants, where undefined means never. */
export function earlier(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined) return b;
  return b === undefined ? a : Math.min(a, b);
}
