import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Clock } from '../../../src/kernel/clock.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../../src/kernel/time.ts';
import { ClusterClock, SKEW_MAX_MS } from '../../../src/kube/clusterclock.ts';
import { FakeClock } from '../../support/clock.ts';

const START_MS = Date.UTC(2026, 0, 1) + 250;

let machine: FakeClock;
let time: ClusterClock;
/** What the API server's clock shows. */
let server: FakeClock;
beforeEach(() => {
  machine = new FakeClock(START_MS);
  server = new FakeClock(START_MS);
  time = new ClusterClock(machine);
});

function pass(ms: number): void {
  machine.advance(ms);
  server.advance(ms);
}

function answer(): void {
  time.note(new Date(server.nowMs()).toUTCString(), 0);
}

/** An answer that was on its way for `backMs` of the time since it was asked for. */
function slowAnswer(roundTripMs: number, backMs: number): void {
  pass(roundTripMs - backMs);
  const date = new Date(server.nowMs()).toUTCString();
  pass(backMs);
  time.note(date, roundTripMs);
}

/** One call: pause, duration, and how much of that was the way back. */
const CALLS = fc.array(
  fc.record({
    pauseMs: fc.nat(2_000),
    roundTripMs: fc.oneof(
      { weight: 9, arbitrary: fc.nat(200) },
      { weight: 1, arbitrary: fc.nat(30_000) },
    ),
    back: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  { minLength: 50, maxLength: 200 },
);

describe('the time', () => {
  test('is the machine’s before the first answer, and where that has no date', () => {
    time.note('soon', 0);
    expect([time.nowMs(), time.isTrusted, time.skewMs]).toEqual([START_MS, true, 0]);
  });

  test('is the machine’s while both agree, as far as anything that cannot be undone goes', () => {
    machine.step(-SKEW_MAX_MS + SECOND_MS);
    answer();
    expect([time.nowMs(), time.isTrusted]).toEqual([machine.nowMs(), true]);
    expect(time.skewMs).toBe(time.machineSkewMs);
    expect(Math.abs(time.skewMs - SKEW_MAX_MS + SECOND_MS)).toBeLessThanOrEqual(SECOND_MS / 2);
  });

  test('of which seconds that the header cannot show are no part', () => {
    machine.step(700);
    answer();
    expect(time.skewMs).toBe(0);
  });

  test.each([
    ['a year ahead', 365 * DAY_MS],
    ['a day behind', -DAY_MS],
  ])('is the server’s where the machine is %s, and nothing may end because of it', (_why, ms) => {
    machine.step(ms);
    answer();
    expect(Math.abs(time.nowMs() - server.nowMs())).toBeLessThanOrEqual(SECOND_MS / 2);
    expect([time.isTrusted, time.skewMs]).toEqual([false, 0]);
    expect(Math.abs(time.machineSkewMs + ms)).toBeLessThanOrEqual(SECOND_MS);
  });

  test.each([
    ['far', DAY_MS],
    ['near', MINUTE_MS],
  ])('has whole milliseconds, as instants are kept, where both are %s', (_where, aheadMs) => {
    let readMs = 0;
    const fine: Clock = {
      nowMs: () => server.nowMs() + aheadMs,
      monotonicMs: () => (readMs += 0.37),
      after: () => () => undefined,
    };
    time = new ClusterClock(fine);
    answer();
    expect([time.nowMs(), time.skewMs, time.machineSkewMs].map(Number.isInteger)).not.toContain(
      false,
    );
  });

  test('knows of a step, and of its end, before anybody answers', () => {
    answer();
    pass(90 * MINUTE_MS);
    machine.step(DAY_MS);
    expect(time.isTrusted).toBe(false);
    expect(Math.abs(time.nowMs() - server.nowMs())).toBeLessThanOrEqual(SECOND_MS / 2);
    machine.step(-DAY_MS);
    expect([time.isTrusted, time.nowMs()]).toEqual([true, machine.nowMs()]);
  });

  test('never goes back by what whole seconds round away', () => {
    machine.step(DAY_MS);
    answer();
    for (let lastMs = time.nowMs(), calls = 0; calls < 50; calls += 1) {
      pass(1_337);
      answer();
      expect(time.nowMs() - lastMs).toBe(1_337);
      lastMs = time.nowMs();
    }
  });

  test.each([
    ['the machine is', 10 * MINUTE_MS],
    ['nobody is', 3 * SECOND_MS],
  ])('does not jump because answers are slow where %s far off', (_who, offMs) => {
    const atServer = (): number => time.nowMs() + time.skewMs - machine.monotonicMs();
    fc.assert(
      fc.property(CALLS, (calls) => {
        machine = new FakeClock(START_MS + offMs);
        server = new FakeClock(START_MS);
        time = new ClusterClock(machine);
        answer();
        const firstMs = atServer();
        for (const { pauseMs, roundTripMs, back } of calls) {
          pass(pauseMs);
          slowAnswer(roundTripMs, Math.round(roundTripMs * back));
          expect(atServer()).toBe(firstMs);
        }
      }),
    );
  });

  test('that began with a slow answer is put right by a quick one, and stays', () => {
    machine.step(DAY_MS);
    slowAnswer(20_000, 0);
    const seen = Array.from({ length: 50 }, () => {
      pass(1_337);
      answer();
      expect(Math.abs(time.nowMs() - server.nowMs())).toBeLessThanOrEqual(SECOND_MS);
      slowAnswer(3_000, 3_000);
      return time.nowMs() - machine.monotonicMs();
    });
    const movesMs = seen.slice(1).map((leadMs, index) => Math.abs(leadMs - (seen[index] ?? 0)));
    expect(Math.max(...movesMs)).toBeLessThanOrEqual(SECOND_MS);
  });

  test('follows a server that drifts without a step of a second', () => {
    machine.step(DAY_MS);
    answer();
    for (let calls = 0; calls < 500; calls += 1) {
      const lastMs = time.nowMs() - machine.monotonicMs();
      pass(1_337);
      server.step(100);
      slowAnswer(calls % 10 === 0 ? 3_000 : 20, 10);
      expect(Math.abs(time.nowMs() - machine.monotonicMs() - lastMs)).toBeLessThan(SECOND_MS);
    }
    expect(Math.abs(time.nowMs() - server.nowMs())).toBeLessThanOrEqual(SECOND_MS);
  });

  test('follows a step of the server by seconds at once', () => {
    machine.step(DAY_MS);
    answer();
    for (const stepMs of [10 * SECOND_MS, -10 * SECOND_MS]) {
      pass(MINUTE_MS);
      server.step(stepMs);
      answer();
      expect(Math.abs(time.nowMs() - server.nowMs())).toBeLessThanOrEqual(SECOND_MS);
    }
  });

  test('is the machine’s where the API server’s steps alone, and nothing may end meanwhile', () => {
    answer();
    pass(MINUTE_MS);
    server.step(DAY_MS);
    answer();
    expect([time.nowMs(), time.isTrusted]).toEqual([machine.nowMs(), false]);
    expect(Math.abs(time.skewMs - DAY_MS)).toBeLessThanOrEqual(SECOND_MS);
    server.step(-DAY_MS);
    answer();
    expect([time.nowMs(), time.isTrusted, time.skewMs]).toEqual([machine.nowMs(), true, 0]);
  });

  test('is that of both where both step, as on one machine, and believed after ten minutes', () => {
    answer();
    machine.step(DAY_MS);
    server.step(DAY_MS);
    expect(time.isTrusted).toBe(false);
    answer();
    expect([time.nowMs(), time.isTrusted]).toEqual([machine.nowMs(), false]);
    pass(10 * MINUTE_MS - 1);
    answer();
    expect(time.isTrusted).toBe(false);
    pass(1);
    expect(time.isTrusted).toBe(true);
  });

  test('follows when first one and then the other is put right', () => {
    machine.step(DAY_MS);
    server.step(DAY_MS);
    answer();
    server.step(-DAY_MS);
    answer();
    expect([time.nowMs(), time.isTrusted]).toEqual([machine.nowMs(), false]);
    machine.step(-DAY_MS);
    pass(SECOND_MS);
    answer();
    expect(time.nowMs()).toBe(machine.nowMs());
    pass(10 * MINUTE_MS);
    expect(time.isTrusted).toBe(true);
  });

  test('follows a server that was wrong from the start and is put right', () => {
    server.step(DAY_MS);
    answer();
    expect(time.isTrusted).toBe(false);
    server.step(-DAY_MS);
    answer();
    expect([time.nowMs(), time.skewMs]).toEqual([machine.nowMs(), 0]);
    pass(10 * MINUTE_MS);
    expect(time.isTrusted).toBe(true);
  });

  test('is slewed along with the server without a doubt', () => {
    answer();
    for (let calls = 0; calls < 10; calls += 1) {
      pass(MINUTE_MS);
      machine.step(MINUTE_MS);
      server.step(MINUTE_MS);
      answer();
      expect([time.nowMs(), time.isTrusted, time.skewMs]).toEqual([machine.nowMs(), true, 0]);
    }
  });
});
