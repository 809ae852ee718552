import { expect, test } from 'vitest';
import { untilItWorks } from '../../../src/bin/repeating.ts';
import { KeywardError } from '../../../src/kernel/errors.ts';
import { silentLogger } from '../../../src/kernel/log.ts';
import { SECOND_MS } from '../../../src/kernel/time.ts';
import { FakeClock, settle } from '../../support/clock.ts';

/** Something that fails so many times. */
function trying(failing: number) {
  const clock = new FakeClock();
  const stop = new AbortController();
  const said: unknown[] = [];
  const log = { ...silentLogger, warn: (...line: unknown[]) => void said.push(line) };
  let tries = 0;
  const ended = untilItWorks(
    { clock, log },
    'it was not found',
    async () => {
      tries += 1;
      if (tries > failing) return;
      throw new KeywardError('Transient', { reason: 'LedgerUnavailable', message: 'away' });
    },
    stop.signal,
  );
  return { clock, stop, said, ended, tries: () => tries };
}

test('what fails at first is tried again soon, then each minute until it has worked, and each failure is told', async () => {
  const { clock, said, ended, tries } = trying(6);
  const seen: number[] = [];
  for (const pauseS of [5, 10, 20, 40, 60, 60]) {
    // oxlint-disable-next-line no-await-in-loop
    await clock.advanceSettled(pauseS * SECOND_MS - 1);
    seen.push(tries());
    // oxlint-disable-next-line no-await-in-loop
    await clock.advanceSettled(1);
  }
  await ended;
  expect([seen, tries(), clock.pendingTimers]).toEqual([[1, 2, 3, 4, 5, 6], 7, 0]);
  const facts = { failure: 'it was not found', reason: 'LedgerUnavailable' };
  const line = ['It did not work and is tried again', facts];
  expect(said).toEqual(Array.from({ length: 6 }, () => line));
});

test('what is told to stop is not tried again', async () => {
  const { clock, stop, ended, tries } = trying(9);
  await settle();
  stop.abort();
  await ended;
  expect([tries(), clock.pendingTimers]).toEqual([1, 0]);
});
