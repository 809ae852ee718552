import { describe, expect, test } from 'vitest';
import { KeywardError, type ErrorClass } from '../../../src/kernel/errors.ts';
import { RETRY_PAUSE_MAX_MS, retryPauseMs } from '../../../src/runtime/pauses.ts';
import { afterFailure, afterSuccess, weightier, type Ended } from '../../../src/runtime/result.ts';

const ENDED: Ended = {
  startedAtMs: 1_000,
  endedAtMs: 5_000,
  isWorldKnown: true,
  again: undefined,
};

function failure(errorClass: ErrorClass, reason = 'Because', retryAfterMs?: number): KeywardError {
  const more = retryAfterMs === undefined ? {} : { retryAfterMs };
  return new KeywardError(errorClass, { reason, message: 'it failed', ...more });
}

describe('after success', () => {
  test('there is nothing to do when the world names no instant', () => {
    expect(afterSuccess(ENDED)).toEqual({ kind: 'done' });
  });

  test('the world is looked at again at its instant, also when that passed meanwhile', () => {
    for (const atMs of [1_001, 9_000]) {
      const again = { atMs, lane: 'bulk' as const };
      expect(afterSuccess({ ...ENDED, again })).toEqual({ kind: 'again', again });
    }
  });

  test('an instant from before the start is looked at a second later, never in a hot loop', () => {
    const again = { atMs: 1_000, lane: 'normal' as const };
    expect(afterSuccess({ ...ENDED, again })).toMatchObject({ again: { atMs: 6_000 } });
  });
});

describe('after a failure', () => {
  test.each([
    { errorClass: 'Transient', result: { kind: 'retry', atLeastMs: 0 } },
    { errorClass: 'Bug', result: { kind: 'retry', atLeastMs: 0 } },
    { errorClass: 'Waiting', result: { kind: 'wait', pauseMs: 30_000 } },
    { errorClass: 'Conflict', result: { kind: 'conflict' } },
    { errorClass: 'Terminal', result: { kind: 'stop' } },
  ] as const)('the class $errorClass decides what follows', ({ errorClass, result }) => {
    expect(afterFailure(failure(errorClass), ENDED)).toMatchObject(result);
  });

  test('the time the other side asked for is kept', () => {
    const asked = failure('Transient', 'TooManyRequests', 7_000);
    expect(afterFailure(asked, ENDED)).toMatchObject({ kind: 'retry', atLeastMs: 7_000 });
    const waiting = failure('Waiting', 'StoreNotReady', 7_000);
    expect(afterFailure(waiting, ENDED)).toMatchObject({ kind: 'wait', pauseMs: 7_000 });
  });

  test('waiting for no time at all still pauses a second', () => {
    expect(afterFailure(failure('Waiting', 'X', 0), ENDED)).toMatchObject({ pauseMs: 1_000 });
  });

  test.each(['Forbidden', 'QuotaExceeded'])(
    '%s is tried again with growing pauses, because no object will change',
    (reason) => {
      const result = afterFailure(failure('Terminal', reason), ENDED);
      expect(result).toMatchObject({ kind: 'retry', atLeastMs: 0 });
    },
  );

  test('a terminal failure before anything was seen is tried again, because no status tells it', () => {
    const result = afterFailure(failure('Terminal'), { ...ENDED, isWorldKnown: false });
    expect(result).toMatchObject({ kind: 'retry', atLeastMs: RETRY_PAUSE_MAX_MS });
  });

  test('an instant ahead is kept beside the failure, one in the past is not', () => {
    const ahead = { atMs: 5_001, lane: 'urgent' as const };
    const past = { atMs: 5_000, lane: 'urgent' as const };
    const terminal = failure('Terminal');
    expect(afterFailure(terminal, { ...ENDED, again: ahead })).toMatchObject({ again: ahead });
    expect(afterFailure(terminal, { ...ENDED, again: past })).toMatchObject({ again: undefined });
  });

  test('of two failures the one that wants the sooner repetition decides', () => {
    const terminal = failure('Terminal');
    const transient = failure('Transient');
    expect(weightier(terminal, transient)).toBe(transient);
    expect(weightier(transient, terminal)).toBe(transient);
    expect(weightier(terminal, undefined)).toBe(terminal);
    expect(weightier(undefined, undefined)).toBeUndefined();
  });
});

test('the pauses of one ref are 0.2, 1, 5, 25, 125 and then 600 seconds, at most 15 % less', () => {
  const longest = [0, 1, 2, 3, 4, 5, 6, 50].map((n) => retryPauseMs(n, 0.999_999));
  expect(longest).toEqual([200, 1_000, 5_000, 25_000, 125_000, 600_000, 600_000, 600_000]);
  expect(retryPauseMs(5, 0)).toBe(510_000);
});
