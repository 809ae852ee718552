/** How long one ref pauses before it is tried again. Pure; randomness is an argument. */
import { backoffMs, MINUTE_MS } from '../kernel/time.ts';

/**
 * 0.2, 1, 5, 25, 125 seconds, then 10 minutes, each with up to 15 % taken off at random.
 * Derivation: at most 12 tries in the first hour (12 pauses of at least 85 % sum up to 61.7
 * minutes), which neither a ceiling of 5 minutes nor plain doubling allows. Whoever knows that the
 * reason has gone ends the pauses (`WorkQueue.hastenRetries`) instead of waiting for them.
 */
const PAUSES = { baseMs: 200, maxMs: 10 * MINUTE_MS };
/** `backoffMs` doubles per attempt; five times as long is log2(5) doublings. */
const DOUBLINGS_PER_RETRY = Math.log2(5);
/** `backoffMs` takes off up to half; with numbers from here upwards it is at most 15 %. */
const JITTER_FLOOR = 0.7;

/** The longest pause, milliseconds. */
export const RETRY_PAUSE_MAX_MS = PAUSES.maxMs;

/**
 * Pause before the next try.
 *
 * @param failures how often this ref has failed before, 0 for the first time
 * @param random a number in [0, 1)
 */
export function retryPauseMs(failures: number, random: number): number {
  const narrowed = JITTER_FLOOR + (1 - JITTER_FLOOR) * random;
  return backoffMs(PAUSES, failures * DOUBLINGS_PER_RETRY, narrowed);
}
