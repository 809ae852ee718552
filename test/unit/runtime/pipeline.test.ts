import { describe, expect, test } from 'vitest';
import { KeywardError, type ErrorClass } from '../../../src/kernel/errors.ts';
import { reconcile, type Steps } from '../../../src/runtime/pipeline.ts';
import { FakeClock, settle } from '../../support/clock.ts';

/** A counter that should reach `goal`; each action adds one. */
type Counter = { readonly value: number; readonly goal: number; readonly lookAgainAtMs?: number };

const REF = { namespace: 'team', name: 'a' };

function failure(errorClass: ErrorClass, reason = 'Because'): KeywardError {
  return new KeywardError(errorClass, { reason, message: 'it failed' });
}

function setUp(world: Counter | undefined, changes: Partial<Steps<Counter, 'add'>> = {}) {
  const clock = new FakeClock();
  const stop = new AbortController();
  const reports: Array<{ value: number; failure: string | undefined }> = [];
  const steps: Steps<Counter, 'add'> = {
    name: 'counter',
    observe: () => Promise.resolve(world),
    next: ({ value, goal }) => (value < goal ? 'add' : undefined),
    apply: (seen) => Promise.resolve({ ...seen, value: seen.value + 1 }),
    report: (seen, stopped) => {
      reports.push({ value: seen.value, failure: stopped?.reason });
      return Promise.resolve();
    },
    lookAgainAtMs: (seen) => seen.lookAgainAtMs,
    ...changes,
  };
  const run = () => reconcile(steps, REF, { clock, stop: stop.signal });
  return { clock, stop, reports, run, steps };
}

/** Fails as a call does whose signal is aborted. */
function untilAborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
  return promise;
}

describe('the flow', () => {
  test('takes one step after the other until there is none, then reports once', async () => {
    const { run, reports } = setUp({ value: 0, goal: 3 });
    expect(await run()).toEqual({ result: { kind: 'done' }, actions: 3 });
    expect(reports).toEqual([{ value: 3, failure: undefined }]);
  });

  test('does nothing at all when there is nothing to see', async () => {
    const { run, reports } = setUp(undefined);
    expect(await run()).toEqual({ result: { kind: 'done' }, actions: 0 });
    expect(reports).toEqual([]);
  });

  test('looks again when the world of the last step says so, through its lane', async () => {
    const { run, clock } = setUp(
      { value: 0, goal: 1 },
      {
        lookAgainAtMs: ({ value }) => clock.nowMs() + value * 500,
        lookAgainLane: () => 'bulk',
      },
    );
    const again = { atMs: clock.nowMs() + 500, lane: 'bulk' };
    expect((await run()).result).toEqual({ kind: 'again', again });
  });

  test('ends a plan that runs in circles as a bug, and reports it', async () => {
    const { run, reports } = setUp({ value: 0, goal: 1_000 });
    const { result, actions } = await run();
    expect(result).toMatchObject({
      kind: 'retry',
      failure: { class: 'Bug', reason: 'TooManySteps' },
    });
    expect(actions).toBe(24);
    expect(reports).toEqual([{ value: 24, failure: 'TooManySteps' }]);
  });

  test('accepts a plan of exactly as many steps as are allowed', async () => {
    expect((await setUp({ value: 0, goal: 24 }).run()).result.kind).toBe('done');
  });

  test('leaves no timer behind', async () => {
    const { run, clock } = setUp({ value: 0, goal: 1 });
    await run();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('failures', () => {
  test('of a step are reported with the world as it was after the last good step', async () => {
    const { run, reports } = setUp(
      { value: 0, goal: 3 },
      {
        apply: (seen) =>
          seen.value === 2
            ? Promise.reject(failure('Terminal', 'SecretNameTaken'))
            : Promise.resolve({ ...seen, value: seen.value + 1 }),
      },
    );
    const { result, actions } = await run();
    expect(result).toMatchObject({ kind: 'stop', failure: { reason: 'SecretNameTaken' } });
    expect(actions).toBe(2);
    expect(reports).toEqual([{ value: 2, failure: 'SecretNameTaken' }]);
  });

  test('of observing are retried and not reported, because there is no world', async () => {
    const { run, reports } = setUp(undefined, {
      observe: () => Promise.reject(failure('Transient', 'ServiceUnavailable')),
    });
    expect((await run()).result).toMatchObject({ kind: 'retry', atLeastMs: 0 });
    expect(reports).toEqual([]);
  });

  test.each(['observe', 'next', 'apply', 'report', 'lookAgainAtMs'] as const)(
    'of any kind thrown by %s are bugs that touch nothing else',
    async (step) => {
      const { run } = setUp(
        { value: 0, goal: 1 },
        {
          [step]: () => {
            throw new TypeError('boom');
          },
        },
      );
      const { result } = await run();
      expect(result).toMatchObject({ kind: 'retry', failure: { class: 'Bug' } });
    },
  );

  test('an instant that is not a number is a bug, not a lost deadline', async () => {
    const { run } = setUp({ value: 0, goal: 0, lookAgainAtMs: Number.NaN });
    expect((await run()).result).toMatchObject({ kind: 'retry', failure: { class: 'Bug' } });
  });

  test('a conflict is silent: nothing is reported', async () => {
    const { run, reports } = setUp(
      { value: 0, goal: 1 },
      { apply: () => Promise.reject(failure('Conflict')) },
    );
    expect((await run()).result.kind).toBe('conflict');
    expect(reports).toEqual([]);
  });

  test('a report that fails is classified like a step and not tried twice', async () => {
    let tries = 0;
    const { run } = setUp(
      { value: 0, goal: 0 },
      {
        report: () => {
          tries += 1;
          return Promise.reject(failure('Conflict'));
        },
      },
    );
    expect((await run()).result.kind).toBe('conflict');
    expect(tries).toBe(1);
  });

  test('a terminal failure whose report could not be written is tried again', async () => {
    const { run } = setUp(
      { value: 0, goal: 1 },
      {
        apply: () => Promise.reject(failure('Terminal')),
        report: () => Promise.reject(failure('Transient', 'ServiceUnavailable')),
      },
    );
    const { result } = await run();
    expect(result).toMatchObject({ kind: 'retry', failure: { reason: 'ServiceUnavailable' } });
  });
});

describe('time', () => {
  test('a step that hangs is aborted after a minute, and the status says so', async () => {
    const { run, clock, reports } = setUp(
      { value: 0, goal: 1 },
      { apply: (_world, _action, signal) => untilAborted(signal) },
    );
    const running = run();
    await settle();
    clock.advance(60_000);
    expect((await running).result).toMatchObject({
      kind: 'retry',
      failure: { class: 'Transient', reason: 'DeadlineExceeded' },
    });
    expect(reports).toEqual([{ value: 0, failure: 'DeadlineExceeded' }]);
    expect(clock.pendingTimers).toBe(0);
  });

  test('a report that hangs is aborted too', async () => {
    const { run, clock } = setUp(
      { value: 0, goal: 1 },
      {
        apply: () => Promise.reject(failure('Terminal')),
        report: (_world, _failure, signal) => untilAborted(signal),
      },
    );
    const running = run();
    await settle();
    clock.advance(10_000);
    expect((await running).result).toMatchObject({ failure: { reason: 'DeadlineExceeded' } });
  });

  test('when the process must stop no further step is taken and nothing is reported', async () => {
    let taken = 0;
    const { run, stop, reports } = setUp(
      { value: 0, goal: 5 },
      {
        apply: (seen) => {
          taken += 1;
          stop.abort(new Error('leadership lost'));
          return Promise.resolve({ ...seen, value: seen.value + 1 });
        },
      },
    );
    expect((await run()).result).toMatchObject({ kind: 'retry', failure: { reason: 'Stopping' } });
    expect(taken).toBe(1);
    expect(reports).toEqual([]);
  });

  test('after the stop not even observing begins', async () => {
    let isObserved = false;
    const { run, stop } = setUp(undefined, {
      observe: () => {
        isObserved = true;
        return Promise.resolve(undefined);
      },
    });
    stop.abort();
    await run();
    expect(isObserved).toBe(false);
  });
});
