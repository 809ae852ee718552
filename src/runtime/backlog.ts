/** Whether there is so much to do that the rate counts and the single ref's wait does not. Pure. */
import type { QueueSource } from './metrics.ts';

/**
 * True when some queue has a whole round of its workers waiting in line: then every ref that is
 * worked on has another one behind it. A few refs in line are no backlog: what makes each step wait
 * for company would keep them there.
 *
 * @param workers of each queue
 */
export function isBacklogged(
  queues: readonly Pick<QueueSource, 'depth'>[],
  workers: number,
): boolean {
  return queues.some(({ depth }) => depth >= workers);
}
