/** Whether there is so much to do that the rate counts and the single ref's wait does not. Pure. */
import type { QueueSource } from './metrics.ts';

/**
 * With fewer workers the company to wait for cannot come: in a model with calls of 2 ms waiting made 16 of them
 * three times slower. What it gains was measured with 64.
 */
const WORKERS_MIN = 64;

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
  return workers >= WORKERS_MIN && queues.some(({ depth }) => depth >= workers);
}
