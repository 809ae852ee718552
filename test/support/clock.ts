/** A clock that tests move by hand: time passes only when a test says so. */
import { MAX_TIMER_MS, type Clock } from '../../src/kernel/clock.ts';

type Timer = { readonly dueMs: number; readonly order: number; readonly act: () => void };

/** A controllable Clock. `advance` lets time pass, `step` sets the wall clock as an operator would. */
export class FakeClock implements Clock {
  #wallMs: number;
  #monotonicMs = 0;
  #order = 0;
  readonly #timers = new Set<Timer>();

  /** @param startMs the wall clock at the beginning, milliseconds since the epoch */
  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.#wallMs = startMs;
  }

  nowMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  /** As the port says; a delay beyond MAX_TIMER_MS is refused, because real timers would cut it. */
  after(delayMs: number, act: () => void): () => void {
    if (!(delayMs <= MAX_TIMER_MS)) throw new RangeError(`timer of ${delayMs} ms`);
    this.#order += 1;
    const dueMs = this.#monotonicMs + Math.max(delayMs, 0);
    const timer: Timer = { dueMs, order: this.#order, act };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Timers that wait; for tests that prove that nothing is left behind. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** How long until the next timer fires; undefined without timers. */
  get nextTimerInMs(): number | undefined {
    const next = this.#next();
    return next && next.dueMs - this.#monotonicMs;
  }

  /** Lets `ms` pass and fires what falls due, in order, each at its own instant. */
  advance(ms: number): void {
    const endMs = this.#monotonicMs + ms;
    for (let next = this.#next(); next && next.dueMs <= endMs; next = this.#next()) {
      this.#pass(next.dueMs - this.#monotonicMs);
      this.#timers.delete(next);
      next.act();
    }
    this.#pass(endMs - this.#monotonicMs);
  }

  /** Like `advance`, but promises settle after each timer, so that loops which await can go on. */
  async advanceSettled(ms: number): Promise<void> {
    const endMs = this.#monotonicMs + ms;
    await settle();
    for (let next = this.#next(); next && next.dueMs <= endMs; next = this.#next()) {
      this.advance(next.dueMs - this.#monotonicMs);
      // One instant after the other is the point of this method.
      // oxlint-disable-next-line no-await-in-loop
      await settle();
    }
    this.advance(endMs - this.#monotonicMs);
    await settle();
  }

  /** Time passes while the process is stopped: no timer fires, and all that fell due is late. */
  freeze(ms: number): void {
    this.#pass(ms);
  }

  /** Steps the wall clock without any time passing; negative steps go back. */
  step(ms: number): void {
    this.#wallMs += ms;
  }

  #pass(ms: number): void {
    this.#wallMs += ms;
    this.#monotonicMs += ms;
  }

  #next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      const isSooner =
        !first ||
        timer.dueMs < first.dueMs ||
        (timer.dueMs === first.dueMs && timer.order < first.order);
      if (isSooner) first = timer;
    }
    return first;
  }
}

/** Lets every promise that can go on now go on. No time passes. */
export async function settle(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setImmediate(resolve);
  await promise;
}
