/**
 * Notices that something came back: after an outage the refs that wait out long pauses are looked at
 * again at once, instead of up to ten minutes later.
 */
import type { Clock } from '../kernel/clock.ts';
import { SECOND_MS } from '../kernel/time.ts';

/** Retries are hastened this often at most: a server that fails every other call is no recovery. */
const PAUSE_MS = 10 * SECOND_MS;

/** What was down and is up again: the API server, the database. */
export class Recovery {
  readonly #clock: Clock;
  readonly #hasten: () => void;
  #isDown = false;
  #hastenedMs = -Infinity;

  /** @param hasten makes waiting retries due at once */
  constructor(clock: Clock, hasten: () => void) {
    this.#clock = clock;
    this.#hasten = hasten;
  }

  /** A call found the other side out of order. */
  failed(): void {
    this.#isDown = true;
  }

  /** A call was answered. Cheap: called for each. */
  worked(): void {
    if (!this.#isDown) return;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#hastenedMs < PAUSE_MS) return;
    this.#isDown = false;
    this.#hastenedMs = nowMs;
    this.#hasten();
  }
}
