/**
 * Whether the wall clock can be trusted with what nobody brings back: a clock that was stepped forward would
 * have the counts of running windows forgotten, and with them every quota would begin anew. Who forgets
 * nothing for a day loses nothing.
 */
import type { Clock } from '../kernel/clock.ts';
import { DAY_MS, MINUTE_MS } from '../kernel/time.ts';
import type { Moment } from './view/freshness.ts';

/** Less is no trouble: what is forgotten is a day old, or ten minutes. */
const STEP_MS = MINUTE_MS;
/** Clocks that are wrong after a start are usually put right by then. */
const START_MS = 10 * MINUTE_MS;

/** Compares both clocks from look to look; the first look may be any time after this was made. */
export class SteadyTime {
  readonly #clock: Clock;
  #last: Moment;
  #steadyFromMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#last = this.#now();
    this.#steadyFromMs = this.#last.monotonicMs + START_MS;
  }

  /** Whether the wall clock has gone on without a step for long enough. Look often: each look compares with the one before. */
  isSteady(): boolean {
    const before = this.#last;
    const now = this.#now();
    this.#last = now;
    const steppedMs = now.nowMs - before.nowMs - (now.monotonicMs - before.monotonicMs);
    if (Math.abs(steppedMs) > STEP_MS) this.#steadyFromMs = now.monotonicMs + DAY_MS;
    return now.monotonicMs >= this.#steadyFromMs;
  }

  #now(): Moment {
    return { monotonicMs: this.#clock.monotonicMs(), nowMs: this.#clock.nowMs() };
  }
}
