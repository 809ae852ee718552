/**
 * Pure, on a clock that is handed in; when a store may be asked again after it failed.
 *
 * Wrong credentials and a wrong clock stay wrong until somebody acts, so one failure closes the way
 * for ten minutes, and one request looks whether it is still so. A store that does not answer is
 * left alone after three failures in a row, for pauses that grow from five seconds to a minute.
 */
import { MINUTE_MS, SECOND_MS } from '../kernel/time.ts';
import { StoreFailure, type FailureKind } from './contract.ts';

/** For how long a store that refuses us is not asked, unless something changed. */
const REFUSED_PAUSE_MS = 10 * MINUTE_MS;
const FAILURES_MAX = 3;
const DEAD_PAUSE_MS = { first: 5 * SECOND_MS, last: MINUTE_MS } as const;

const LASTING: ReadonlySet<FailureKind> = new Set(['Denied', 'ClockSkew']);
const DEAD: ReadonlySet<FailureKind> = new Set(['Unavailable', 'Garbled']);

type Closed = { readonly failure: StoreFailure; readonly untilMs: number; isProbing: boolean };

/** The way to one store: open, or closed because of a failure that is remembered. */
export class Circuit {
  #closed: Closed | undefined;
  #deadInARow = 0;

  /** Why nobody may pass at `nowMs`; undefined: go on, and tell how it ended. */
  refusal(nowMs: number): StoreFailure | undefined {
    const closed = this.#closed;
    if (closed === undefined) return undefined;
    if (nowMs >= closed.untilMs && !closed.isProbing) {
      closed.isProbing = true;
      return undefined;
    }
    const { kind, message } = closed.failure;
    const retryAfterMs = Math.max(closed.untilMs - nowMs, SECOND_MS);
    return new StoreFailure(kind, { message, executed: 'No', retryAfterMs });
  }

  /** Why the way is closed, if it is. */
  get reason(): StoreFailure | undefined {
    return this.#closed?.failure;
  }

  /** The store answered. */
  succeeded(): void {
    this.#closed = undefined;
    this.#deadInARow = 0;
  }

  /** A request failed. Failures that only concern the request show that the store is well. */
  failed(failure: StoreFailure, nowMs: number): void {
    const isLasting = LASTING.has(failure.kind);
    if (!isLasting && !DEAD.has(failure.kind)) return this.succeeded();
    // Requests that were under way when the way was closed must not make the pause longer.
    const closedBy = this.#isShut(nowMs) ? this.#closed?.failure.kind : undefined;
    if (closedBy !== undefined && (!isLasting || LASTING.has(closedBy))) return;
    if (isLasting) return this.#close(failure, nowMs + REFUSED_PAUSE_MS);
    this.#deadInARow += 1;
    const beyond = this.#deadInARow - FAILURES_MAX;
    if (beyond < 0) return this.givenUp();
    const pauseMs = Math.min(DEAD_PAUSE_MS.first * 2 ** Math.min(beyond, 10), DEAD_PAUSE_MS.last);
    this.#close(failure, nowMs + pauseMs);
  }

  /**
   * A login failed: even when the failure only concerns the request, the way stays closed for a
   * moment, because nothing else works without one.
   */
  hold(failure: StoreFailure, nowMs: number): void {
    if (this.#isShut(nowMs)) return;
    const wishMs = failure.retryAfterMs ?? DEAD_PAUSE_MS.first;
    const pauseMs = Math.min(Math.max(wishMs, SECOND_MS), DEAD_PAUSE_MS.last);
    this.#close(failure, nowMs + pauseMs);
  }

  /** A request ended without telling anything: another one may look. */
  givenUp(): void {
    if (this.#closed !== undefined) this.#closed.isProbing = false;
  }

  /** False, too, when the pause is over and somebody may look. */
  #isShut(nowMs: number): boolean {
    return this.#closed !== undefined && nowMs < this.#closed.untilMs;
  }

  #close(failure: StoreFailure, untilMs: number): void {
    this.#closed = { failure, untilMs, isProbing: false };
  }
}
