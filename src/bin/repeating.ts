/** What is done once when leadership begins, and may fail for a while. */
import { type Clock, sleep } from '../kernel/clock.ts';
import { classify } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import { MINUTE_MS, SECOND_MS } from '../kernel/time.ts';

/** After the first failure; twice as long after each further one, up to a minute. */
const FIRST_PAUSE_MS = 5 * SECOND_MS;

/**
 * Does it, and again in growing pauses until it has worked, at least once a minute. Never rejects.
 *
 * @param failure what it means that it has not, for the log
 * @param act may be repeated
 */
export async function untilItWorks(
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
  failure: string,
  act: () => Promise<void>,
  stop: AbortSignal,
): Promise<void> {
  for (let pauseMs = FIRST_PAUSE_MS; !stop.aborted; pauseMs = Math.min(MINUTE_MS, 2 * pauseMs)) {
    try {
      // One try after the other is what this loop is for.
      // oxlint-disable-next-line no-await-in-loop
      return await act();
    } catch (error) {
      if (stop.aborted) return;
      log.warn('It did not work and is tried again', {
        failure,
        reason: classify(error).reason,
      });
    }
    // oxlint-disable-next-line no-await-in-loop
    await sleep(clock, pauseMs, stop).catch(() => undefined);
  }
}
