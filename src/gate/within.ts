/** Deadlines for what the database is asked: a question that hangs must not hang calls. */
import type { Clock } from '../kernel/clock.ts';
import { KeywardError } from '../kernel/errors.ts';

/**
 * The same promise, given up after `timeoutMs`. What was asked goes on; its answer is dropped.
 *
 * @throws KeywardError Transient TimedOut
 */
export function within<T>(clock: Clock, timeoutMs: number, asked: Promise<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const cancel = clock.after(timeoutMs, () => {
    reject(
      new KeywardError('Transient', {
        reason: 'TimedOut',
        message: `the database did not answer within ${timeoutMs} ms`,
      }),
    );
  });
  asked.then(
    (answer) => {
      cancel();
      resolve(answer);
    },
    (error: unknown) => {
      cancel();
      reject(error instanceof Error ? error : new Error('rejected without an error'));
    },
  );
  return promise;
}
