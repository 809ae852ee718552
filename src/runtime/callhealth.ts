/** Whether calls to something that this process depends on come to an end, and a good one. Pure. */
import { MINUTE_MS, SECOND_MS } from '../kernel/time.ts';

/** Calls are under way, and for so long none of them has ended. */
const FROZEN_MS = 10 * SECOND_MS;
/** A failure that nobody met again for so long says nothing about now: longer than any retry waits. */
const REMEMBERED_MS = 11 * MINUTE_MS;

/** Counts calls; some nanoseconds each. Times are on a clock that only grows. */
export class CallHealth {
  #pending = 0;
  /** When the last call ended, or began while there was none. */
  #movedMs = 0;
  #failure: { readonly reason: string; readonly atMs: number } | undefined;

  /** A call begins; it must be told to `ended`, whatever becomes of it. */
  begun(nowMs: number): void {
    if (this.#pending === 0) this.#movedMs = nowMs;
    this.#pending += 1;
  }

  /** A call has come back. */
  ended(nowMs: number): void {
    this.#pending -= 1;
    this.#movedMs = nowMs;
  }

  /** One of those that had failed works again. */
  worked(): void {
    this.#failure = undefined;
  }

  /** One failed, and not because of what was asked. */
  failed(reason: string, nowMs: number): void {
    this.#failure = { reason, atMs: nowMs };
  }

  /** What is wrong, for anybody to read; undefined: nothing that was met. */
  trouble(nowMs: number): string | undefined {
    if (this.#pending > 0 && nowMs - this.#movedMs >= FROZEN_MS) {
      return `no answer for ${Math.floor((nowMs - this.#movedMs) / SECOND_MS)} s`;
    }
    const failure = this.#failure;
    if (failure === undefined || nowMs - failure.atMs > REMEMBERED_MS) return undefined;
    return `calls fail: ${failure.reason}`;
  }
}
