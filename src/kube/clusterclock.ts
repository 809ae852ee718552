/**
 * The time of the cluster, by two of three witnesses: the machine's clock, that of the API server, and what
 * the time was before, carried on by the monotonic clock.
 *
 * What is written down for good (ends, retire times, when a round was opened) is compared later with stamps
 * of the API server and at other machines, so it must not be taken from a clock that is known to be wrong:
 *
 *     the machine steps            the time goes on as the API server had it
 *     the API server's steps       the time goes on as the machine has it
 *     both step, or we slept       the time is theirs
 *     they differ from the start   the time is the API server's, which all share
 *
 * While the witnesses disagree nothing is ended because of a date (`isTrusted`).
 */
import type { Clock } from '../kernel/clock.ts';
import { MINUTE_MS } from '../kernel/time.ts';

/** Kubernetes itself tolerates minutes, and a stepped clock is off by hours. */
export const SKEW_MAX_MS = 5 * MINUTE_MS;
/** The Date header has whole seconds: differences below are not measurable. */
const DATE_RESOLUTION_MS = 1_000;
/** Clocks that are set wrong together are usually put right by then. */
const STEADY_MS = 10 * MINUTE_MS;

/** See the file comment. Before the API server has answered it is the machine's clock. */
export class ClusterClock implements Clock {
  readonly #own: Clock;
  #lastDate = '';
  /** How far the API server's clock is ahead of our monotonic one, by its answers. */
  #serverLeadMs: number | undefined;
  /** The same of the time that is believed. */
  #leadMs: number | undefined;
  /** By the monotonic clock. */
  #steadyFromMs = -Infinity;

  constructor(own: Clock) {
    this.#own = own;
  }

  nowMs(): number {
    const ownMs = this.#own.nowMs();
    const believedMs = this.#at(this.#leadMs) ?? ownMs;
    return isFar(believedMs - ownMs) ? believedMs : ownMs;
  }

  monotonicMs(): number {
    return this.#own.monotonicMs();
  }

  after(delayMs: number, act: () => void): () => void {
    return this.#own.after(delayMs, act);
  }

  /** False while the witnesses disagree by more than SKEW_MAX_MS, and for a while after a step of all: nothing that cannot be undone may be done because of a date. */
  get isTrusted(): boolean {
    const [believedMs, serverMs] = [this.#at(this.#leadMs), this.#at(this.#serverLeadMs)];
    if (believedMs === undefined || serverMs === undefined) return true;
    if (isFar(believedMs - this.#own.nowMs()) || isFar(serverMs - believedMs)) return false;
    return this.#own.monotonicMs() >= this.#steadyFromMs;
  }

  /**
   * How far the API server's clock is ahead of the machine's at this moment; up to a second counts as 0. A
   * step is seen at once, because the monotonic clock says what the server's clock shows by now.
   */
  get machineSkewMs(): number {
    return this.#skewFrom(this.#own.nowMs());
  }

  /** How far the API server's clock is ahead of `nowMs`; up to a second counts as 0. */
  get skewMs(): number {
    return this.#skewFrom(this.nowMs());
  }

  /**
   * @param date header of an answer that has come just now; what is no date is left out
   * @param roundTripMs since it was asked for, at some moment of which the header was written
   */
  note(date: string, roundTripMs: number): void {
    if (date === this.#lastDate) return;
    this.#lastDate = date;
    const writtenMs = Date.parse(date) + DATE_RESOLUTION_MS / 2;
    if (Number.isNaN(writtenMs)) return;
    const monotonicMs = this.#own.monotonicMs();
    this.#serverLeadMs = withinAnswer(this.#serverLeadMs, writtenMs - monotonicMs, roundTripMs);
    if (this.#leadMs !== undefined && isFar(this.#serverLeadMs - this.#leadMs)) {
      if (isFar(this.#serverLeadMs + monotonicMs - this.#own.nowMs())) return;
      this.#steadyFromMs = monotonicMs + STEADY_MS;
    }
    this.#leadMs = this.#serverLeadMs;
  }

  #skewFrom(nowMs: number): number {
    const skewMs = (this.#at(this.#serverLeadMs) ?? nowMs) - nowMs;
    return Math.abs(skewMs) <= DATE_RESOLUTION_MS ? 0 : skewMs;
  }

  /** In whole milliseconds, as all instants are kept; the monotonic clock has fractions. */
  #at(leadMs: number | undefined): number | undefined {
    return leadMs === undefined ? undefined : Math.floor(leadMs + this.#own.monotonicMs());
  }
}

function isFar(differenceMs: number): boolean {
  return Math.abs(differenceMs) > SKEW_MAX_MS;
}

/**
 * The lead that is believed after an answer: the old one if the answer allows for it, so that neither whole
 * seconds nor slow answers make the time jitter, and otherwise the nearest that it allows for. That is never
 * beyond the truth, so it is not taken back by the next answer.
 * @param leadMs if the header was written just now; it is more by as much as it was written before
 */
function withinAnswer(oldMs: number | undefined, leadMs: number, roundTripMs: number): number {
  if (oldMs === undefined) return leadMs + roundTripMs / 2;
  const halfMs = DATE_RESOLUTION_MS / 2;
  const nearestMs = Math.min(Math.max(oldMs, leadMs - halfMs), leadMs + roundTripMs + halfMs);
  // The old lead is as coarse itself: what it lacks in fractions of a second is no reason to move.
  return Math.abs(nearestMs - oldMs) <= halfMs ? oldMs : nearestMs;
}
