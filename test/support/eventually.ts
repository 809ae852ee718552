/** Waiting for what another process will bring about: look again until it is so, within a deadline. */
import { setTimeout as pause } from 'node:timers/promises';

const LOOK_AGAIN_MS = 50;
const LOOK_AGAIN_MAX_MS = 400;
/** Generous: a deadline is for what never happens, not a statement about speed. */
const WITHIN_MS = 40_000;

/**
 * Repeats `look` until it no longer throws and answers what it answered; put assertions into it.
 * At the deadline the last failure is thrown, so a test fails with what it saw last.
 */
export async function eventually<T>(
  look: () => T | Promise<T>,
  withinMs: number = WITHIN_MS,
): Promise<T> {
  const endMs = performance.now() + withinMs;
  for (let pauseMs = LOOK_AGAIN_MS; ; pauseMs = Math.min(pauseMs * 1.5, LOOK_AGAIN_MAX_MS)) {
    try {
      // Looking once more only after the last look is over is what this loop is for.
      // oxlint-disable-next-line no-await-in-loop
      return await look();
    } catch (failure) {
      if (performance.now() > endMs) throw failure;
    }
    // oxlint-disable-next-line no-await-in-loop
    await pause(pauseMs);
  }
}
