import fc from 'fast-check';
import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import type { Ref } from '../../../src/api/meta.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../src/kernel/time.ts';
import type { BucketLimits } from '../../../src/kernel/bucket.ts';
import { LANES } from '../../../src/runtime/lanes.ts';
import { RuntimeMetrics } from '../../../src/runtime/metrics.ts';
import { WorkQueue, type Work } from '../../../src/runtime/queue.ts';
import { FakeClock, settle } from '../../support/clock.ts';

const A: Ref = { namespace: 'team', name: 'a' };
const B: Ref = { namespace: 'team', name: 'b' };
const C: Ref = { namespace: '', name: 'c' };

type Options = { random?: number; retryLimits?: BucketLimits; onHandOut?: () => void };

function setUp(options: Options = {}) {
  const clock = new FakeClock();
  const registry = new Registry();
  const queue = new WorkQueue({
    name: 'test',
    clock,
    random: () => options.random ?? 0.5,
    metrics: new RuntimeMetrics(registry),
    ...(options.retryLimits && { retryLimits: options.retryLimits }),
    ...(options.onHandOut && { onHandOut: options.onHandOut }),
  });
  return { clock, queue, registry };
}

/** What a free worker would get right now; takes nothing out when the queue has nothing. */
async function takeNow(queue: WorkQueue): Promise<Work | undefined> {
  return queue.depth === 0 ? undefined : queue.take();
}

async function takeAndEnd(queue: WorkQueue): Promise<string | undefined> {
  const work = await takeNow(queue);
  if (work) queue.done(work.ref);
  return work?.ref.name;
}

describe('immediate refs', () => {
  test('a ref added twice is handed out once', async () => {
    const { queue } = setUp();
    queue.add(A, 'normal');
    queue.add(A, 'normal');
    expect(await takeAndEnd(queue)).toBe('a');
    expect(await takeAndEnd(queue)).toBeUndefined();
  });

  test('whoever wants to hears of each ref that is handed out, when it is not in line any more', async () => {
    const depths: number[] = [];
    const onHandOut = (): unknown => depths.push(queue.depth);
    const { queue } = setUp({ onHandOut });
    queue.add(A, 'normal');
    queue.add(B, 'normal');
    expect(depths).toEqual([]);
    await queue.take();
    await queue.take();
    expect(depths).toEqual([1, 0]);
  });

  test('a worker that waits gets the ref as soon as it is added', async () => {
    const { queue } = setUp();
    const taken = queue.take();
    queue.add(C, 'urgent');
    expect(await taken).toEqual({ ref: C, lane: 'urgent' });
  });

  test('a ref is never handed out while it is being worked on, and comes back right after', async () => {
    const { queue } = setUp();
    queue.add(A, 'normal');
    await queue.take();
    queue.add(A, 'bulk');
    queue.add(A, 'urgent');
    expect(queue.depth).toBe(0);
    queue.done(A);
    expect(await takeNow(queue)).toEqual({ ref: A, lane: 'urgent' });
    queue.done(A);
    expect(queue.depth).toBe(0);
  });

  test('done for a ref that nobody works on is ignored', () => {
    const { queue } = setUp();
    queue.done(A);
    expect(queue.depth).toBe(0);
  });
});

describe('instants', () => {
  test('a ref comes at its instant, not before', async () => {
    const { clock, queue } = setUp();
    queue.addAt(A, clock.nowMs() + 1_000, 'urgent');
    clock.advance(999);
    expect(queue.depth).toBe(0);
    clock.advance(1);
    expect(await takeNow(queue)).toEqual({ ref: A, lane: 'urgent' });
    expect(clock.pendingTimers).toBe(0);
  });

  test('an instant in the past means now, and an infinite one never', async () => {
    const { clock, queue } = setUp();
    queue.addAt(A, clock.nowMs() - 1, 'normal');
    queue.addAt(B, Infinity, 'normal');
    expect(await takeAndEnd(queue)).toBe('a');
    expect(queue.delayed).toBe(0);
    expect(() => queue.addAt(A, Number.NaN, 'normal')).toThrow(RangeError);
  });

  test('of two instants the earlier one counts, whichever was added first', async () => {
    const { clock, queue } = setUp();
    const nowMs = clock.nowMs();
    queue.addAt(A, nowMs + 2_000, 'normal');
    queue.addAt(A, nowMs + 1_000, 'normal');
    queue.addAt(A, nowMs + 3_000, 'normal');
    clock.advance(1_000);
    expect(await takeAndEnd(queue)).toBe('a');
    clock.advance(HOUR_MS);
    expect(await takeAndEnd(queue)).toBeUndefined();
  });

  test('an immediate add and the work on it leave a later instant alone', async () => {
    const { clock, queue } = setUp();
    queue.addAt(A, clock.nowMs() + 1_000, 'normal');
    queue.add(A, 'normal');
    expect(await takeAndEnd(queue)).toBe('a');
    clock.advance(1_000);
    expect(await takeAndEnd(queue)).toBe('a');
  });

  test('an instant is forgotten when told', () => {
    const { clock, queue } = setUp();
    queue.addAt(A, clock.nowMs() + 1_000, 'normal');
    queue.cancelAt(A);
    clock.advance(HOUR_MS);
    expect(queue.depth).toBe(0);
  });

  test('an instant beyond 24.8 days comes on time and is not looked at in a hot loop', async () => {
    const { clock, queue } = setUp();
    queue.addAt(A, clock.nowMs() + 60 * DAY_MS, 'normal');
    expect(clock.nextTimerInMs).toBe(MINUTE_MS);
    clock.advance(60 * DAY_MS - 1);
    expect(queue.depth).toBe(0);
    clock.advance(1);
    expect(await takeAndEnd(queue)).toBe('a');
  });

  test('a wall clock stepped forward is noticed within a minute', async () => {
    const { clock, queue } = setUp();
    queue.addAt(A, clock.nowMs() + 5 * HOUR_MS, 'normal');
    clock.advance(10);
    clock.step(6 * HOUR_MS);
    clock.advance(MINUTE_MS);
    expect(await takeAndEnd(queue)).toBe('a');
  });

  test('a wall clock stepped back by seconds delays the instant without losing it or spinning', async () => {
    const { clock, queue } = setUp();
    queue.addAt(A, clock.nowMs() + 30_000, 'normal');
    clock.step(-MINUTE_MS);
    clock.advance(30_000);
    expect(queue.depth).toBe(0);
    expect(clock.nextTimerInMs).toBe(MINUTE_MS);
    clock.advance(MINUTE_MS);
    expect(await takeAndEnd(queue)).toBe('a');
  });

  test('when the wall clock is set back, all instants come within a minute and once: they may be years away', async () => {
    const { clock, queue } = setUp();
    const A_YEAR_MS = 365 * DAY_MS;
    clock.step(A_YEAR_MS);
    queue.addAt(A, clock.nowMs() + 10 * MINUTE_MS, 'normal');
    clock.advance(MINUTE_MS);
    clock.step(-A_YEAR_MS);
    clock.advance(MINUTE_MS);
    expect(await takeAndEnd(queue)).toBe('a');
    queue.addAt(A, clock.nowMs() + 10 * MINUTE_MS, 'normal');
    clock.advance(9 * MINUTE_MS);
    expect(queue.depth).toBe(0);
    clock.advance(MINUTE_MS);
    expect(await takeAndEnd(queue)).toBe('a');
  });

  test('100 000 instants share one timer', () => {
    const { clock, queue } = setUp();
    for (let i = 0; i < 100_000; i += 1) {
      queue.addAt({ namespace: 'n', name: `k${i}` }, clock.nowMs() + 1 + (i % 1_000), 'bulk');
    }
    expect(clock.pendingTimers).toBe(1);
    clock.advance(1_000);
    expect(queue.depth).toBe(100_000);
  });
});

describe('retries', () => {
  /** Fails a ref again and again for an hour; returns when it was tried, in milliseconds. */
  async function failForAnHour(random: number): Promise<readonly number[]> {
    const { clock, queue } = setUp({ random });
    const triesMs: number[] = [];
    queue.add(A, 'normal');
    while (clock.monotonicMs() <= HOUR_MS) {
      const work = await takeNow(queue);
      if (work) {
        triesMs.push(clock.monotonicMs());
        queue.retry(work.ref, work.lane);
        queue.done(work.ref);
      }
      clock.advance(clock.nextTimerInMs ?? 1);
    }
    return triesMs;
  }

  test.each([0, 0.5, 0.999])(
    'a failing ref is tried soon after, but at most 12 times in the first hour (jitter %f)',
    async (random) => {
      const triesMs = await failForAnHour(random);
      expect(triesMs[1]).toBeLessThanOrEqual(200);
      expect(triesMs.length).toBeLessThanOrEqual(12);
      expect(triesMs.length).toBeGreaterThanOrEqual(10);
    },
  );

  test('after forget the first pause is short again', () => {
    const { clock, queue } = setUp();
    for (let i = 0; i < 5; i += 1) queue.retry(A, 'normal');
    queue.forget(A);
    queue.retry(B, 'normal');
    queue.forget(B);
    queue.retry(B, 'normal');
    clock.advance(200);
    expect(queue.depth).toBe(2);
  });

  test('a pause is not shorter than the other side asked for', () => {
    const { clock, queue } = setUp();
    queue.retry(A, 'normal', 30_000);
    clock.advance(29_999);
    expect(queue.depth).toBe(0);
    clock.advance(1);
    expect(queue.depth).toBe(1);
  });

  test('a wall clock stepped back does not stretch a pause', () => {
    const { clock, queue } = setUp();
    queue.retry(A, 'normal');
    clock.step(-DAY_MS);
    clock.advance(200);
    expect(queue.depth).toBe(1);
  });

  test('a change ends the pause, and the retry that it replaces does not come as well', async () => {
    const { clock, queue } = setUp();
    queue.retry(A, 'normal');
    queue.add(A, 'normal');
    expect(await takeAndEnd(queue)).toBe('a');
    clock.advance(HOUR_MS);
    expect(queue.depth).toBe(0);
  });

  test('retries of all refs share one budget', () => {
    const { clock, queue } = setUp({ retryLimits: { burst: 10, perSecond: 5 } });
    for (let i = 0; i < 100; i += 1) queue.retry({ namespace: 'n', name: `k${i}` }, 'normal');
    clock.advance(200);
    expect(queue.depth).toBe(10);
    clock.advance(2_000);
    expect(queue.depth).toBe(20);
    clock.advance(16_000);
    expect(queue.depth).toBe(100);
  });

  test('a first issue is not held up by a used up budget', () => {
    const { clock, queue } = setUp({ retryLimits: { burst: 1, perSecond: 0.001 } });
    for (const ref of [A, B]) queue.retry(ref, 'normal');
    clock.advance(200);
    expect(queue.depth).toBe(1);
    queue.add(C, 'urgent');
    queue.addAt(B, clock.nowMs() + 10, 'normal');
    clock.advance(10);
    expect(queue.depth).toBe(3);
  });

  test('when an outage has ended all pauses end, at the pace of the budget', () => {
    const { clock, queue } = setUp();
    for (let i = 0; i < 1_000; i += 1) {
      const ref = { namespace: 'n', name: `k${i}` };
      for (let tries = 0; tries < 6; tries += 1) queue.forget(ref);
      queue.retry(ref, 'normal', 10 * MINUTE_MS);
    }
    clock.advance(1_000);
    queue.hastenRetries();
    clock.advance(1_000);
    expect(queue.depth).toBeLessThanOrEqual(150);
    clock.advance(29_000);
    expect(queue.depth).toBe(1_000);
  });

  test('a plain pause does not count as a failure', () => {
    const { clock, queue } = setUp();
    for (let i = 0; i < 4; i += 1) {
      queue.addAfter(A, 1_000, 'normal');
      clock.advance(1_000);
    }
    queue.retry(B, 'normal');
    clock.advance(200);
    expect(queue.depth).toBe(2);
  });
});

describe('shutting down', () => {
  test('refuses waiting workers, later workers and later refs', async () => {
    const { clock, queue } = setUp();
    const waiting = queue.take();
    queue.addAt(A, clock.nowMs() + 10, 'normal');
    queue.shutDown();
    queue.add(B, 'urgent');
    queue.addAt(B, clock.nowMs() + 10, 'normal');
    queue.retry(B, 'normal');
    clock.advance(HOUR_MS);
    expect(await waiting).toBeUndefined();
    expect(await queue.take()).toBeUndefined();
    expect(queue.depth + queue.delayed + clock.pendingTimers).toBe(0);
  });

  test('is idle once what was handed out has ended', async () => {
    const { queue } = setUp();
    queue.add(A, 'normal');
    await queue.take();
    queue.add(A, 'normal');
    queue.shutDown();
    let isIdle = false;
    const idle = queue.whenIdle().then(() => (isIdle = true));
    await settle();
    expect(isIdle).toBe(false);
    queue.done(A);
    await idle;
    expect(isIdle).toBe(true);
    expect(await queue.take()).toBeUndefined();
  });
});

test('metrics carry the names and labels of client-go', async () => {
  const { clock, queue, registry } = setUp();
  queue.add(A, 'normal');
  queue.add(B, 'normal');
  await queue.take();
  clock.advance(2_000);
  queue.retry(A, 'normal');
  const text = await registry.metrics();
  const labels = '{name="test",controller="test"}';
  expect(text).toContain(`workqueue_depth${labels} 1`);
  expect(text).toContain(`workqueue_adds_total${labels} 2`);
  expect(text).toContain(`workqueue_retries_total${labels} 1`);
  expect(text).toContain(`workqueue_unfinished_work_seconds${labels} 2`);
  expect(text).toContain(`workqueue_longest_running_processor_seconds${labels} 2`);
  expect(text).toContain(`workqueue_queue_duration_seconds_count${labels} 1`);
  expect(text).toContain('workqueue_work_duration_seconds');
});

test('under any sequence of calls no ref is worked on twice at once and none is lost', async () => {
  const ref = fc.integer({ min: 0, max: 4 }).map((n): Ref => ({ namespace: 'n', name: `k${n}` }));
  const lane = fc.constantFrom(...LANES);
  const ms = fc.integer({ min: -100, max: 5_000 });
  const call = fc.oneof(
    fc.record({ does: fc.constant('add' as const), ref, lane }),
    fc.record({ does: fc.constant('addAt' as const), ref, lane, ms }),
    fc.record({ does: fc.constant('retry' as const), ref, lane }),
    fc.record({ does: fc.constant('take' as const) }),
    fc.record({ does: fc.constant('done' as const), ref }),
    fc.record({ does: fc.constant('advance' as const), ms: fc.nat(3_000) }),
    fc.record({ does: fc.constant('step' as const), ms: fc.integer({ min: -9_000, max: 9_000 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 120 }), async (calls) => {
      const { clock, queue } = setUp();
      const working = new Set<string>();
      /** Refs that were added and not handed out since. */
      const owed = new Set<string>();
      const takeOne = async (): Promise<void> => {
        const work = await takeNow(queue);
        if (!work) return;
        if (working.has(work.ref.name)) throw new Error(`${work.ref.name} twice at once`);
        working.add(work.ref.name);
        owed.delete(work.ref.name);
      };
      const end = (name: string): void => {
        if (working.delete(name)) queue.done({ namespace: 'n', name });
      };
      for (const c of calls) {
        if (c.does === 'add' || c.does === 'addAt' || c.does === 'retry') owed.add(c.ref.name);
        if (c.does === 'add') queue.add(c.ref, c.lane);
        else if (c.does === 'addAt') queue.addAt(c.ref, clock.nowMs() + c.ms, c.lane);
        else if (c.does === 'retry') queue.retry(c.ref, c.lane);
        else if (c.does === 'take') await takeOne();
        else if (c.does === 'done') end(c.ref.name);
        else if (c.does === 'advance') clock.advance(c.ms);
        else clock.step(c.ms);
      }
      for (const name of working) end(name);
      clock.advance(3 * HOUR_MS);
      while (queue.depth > 0) {
        await takeOne();
        for (const name of working) end(name);
      }
      expect([...owed]).toEqual([]);
      expect(queue.delayed).toBe(0);
    }),
    { numRuns: 300 },
  );
});
