/** What is done once when leadership begins, and may fail for a while. */
import { type Clock, sleep } from '../kernel/clock.ts';
import { classify } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import { MINUTE_MS } from '../kernel/time.ts';

/**
 * Does it, and again each minute until it has worked. Never rejects.
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
  while (!stop.aborted) {
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
    await sleep(clock, MINUTE_MS, stop).catch(() => undefined);
  }
}
