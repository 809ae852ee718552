/**
 * Refs waiting to be reconciled: each once, never two at once for one ref, now or at an instant.
 * Triggers add, controllers take and settle. Nothing here survives the process or needs to: what
 * must be done follows from the objects.
 */
import { parseRef, refText, type Ref } from '../api/meta.ts';
import type { Clock } from '../kernel/clock.ts';
import { MINUTE_MS } from '../kernel/time.ts';
import { TokenBucket, type BucketLimits } from '../kernel/bucket.ts';
import { Deadlines } from './deadlines.ts';
import { Lanes, LANES, sooner, type Lane, type Ready } from './lanes.ts';
import type { QueueMeter, QueueSource, RuntimeMetrics } from './metrics.ts';
import { retryPauseMs } from './pauses.ts';

/** All retries of a queue together; 1 000 refs that failed in an outage are through in 18 s. */
const RETRY_LIMITS: BucketLimits = { burst: 100, perSecond: 50 };

/** A stepped wall clock is noticed within a minute at the latest; well below MAX_TIMER_MS. */
const NAP_MAX_MS = MINUTE_MS;
/** Less than this a clock is set back without a word; instants are late by no more. */
const STEP_BACK_MS = MINUTE_MS;

/** What a queue works with. */
type QueueOptions = {
  /** Label value in metrics; the controller's name. */
  readonly name: string;
  readonly clock: Clock;
  /** A number in [0, 1) for jitter. */
  readonly random: () => number;
  readonly metrics: RuntimeMetrics;
  /** All retries together; absent: 100 at once, 50 per second. */
  readonly retryLimits?: BucketLimits;
  /** Called after each ref that was handed out. */
  readonly onHandOut?: () => void;
};

/** A ref that was handed out, and the lane it came through. */
export type Work = { readonly ref: Ref; readonly lane: Lane };

type Processing = { readonly sinceMs: number; again: Lane | undefined };

/**
 * The work queue.
 *
 * Guarantees:
 * - A ref that waits is in the queue once, however often it is added; the more urgent lane counts.
 * - A ref that is being worked on is not handed out again before `done`; if it was added in the
 *   meantime, it is back in line right after.
 * - An instant in the future is kept until it comes (by the wall clock, also when that is stepped)
 *   or until `cancelAt`; an immediate add and the work on it leave it alone. When the wall clock is set
 *   back, all instants come at once: they may have been worked out by the wrong time, and years away.
 * - Pauses of retries run on the monotonic clock, so a stepped wall clock does not stretch them.
 * - After `shutDown` nothing is handed out and nothing is taken in.
 */
export class WorkQueue implements QueueSource {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #meter: QueueMeter;
  readonly #bucket: TokenBucket;
  readonly #onHandOut: () => void;
  readonly #lanes = new Lanes();
  readonly #processing = new Map<string, Processing>();
  /** By the wall clock. */
  readonly #instants = new Deadlines();
  /** By the monotonic clock. */
  readonly #retries = new Deadlines();
  /** How far the wall clock was ahead of the monotonic one when it was last looked at. */
  #leadMs: number;
  readonly #failures = new Map<string, number>();
  readonly #takers: Array<(work: Work | undefined) => void> = [];
  readonly #idlers: Array<() => void> = [];
  #timer: { readonly dueMs: number; readonly cancel: () => void } | undefined;
  #isShut = false;

  constructor(options: QueueOptions) {
    this.#clock = options.clock;
    this.#leadMs = options.clock.nowMs() - options.clock.monotonicMs();
    this.#random = options.random;
    this.#meter = options.metrics.forQueue(options.name, this);
    this.#onHandOut = options.onHandOut ?? (() => undefined);
    this.#bucket = new TokenBucket(
      options.retryLimits ?? RETRY_LIMITS,
      options.clock.monotonicMs(),
    );
  }

  /** Refs that are ready and not yet handed out. */
  get depth(): number {
    return this.#lanes.size;
  }

  /** Refs that wait for an instant or a retry. */
  get delayed(): number {
    return this.#instants.size + this.#retries.size;
  }

  /** Puts a ref in line now. May be repeated at no cost. */
  add(ref: Ref, lane: Lane): void {
    this.#ready(refText(ref), lane);
    this.#dispatch();
  }

  /**
   * Puts a ref in line at an instant; of two instants the earlier one counts.
   * @param atMs wall clock; in the past means now, infinite means never
   */
  addAt(ref: Ref, atMs: number, lane: Lane): void {
    if (this.#isShut || atMs === Infinity) return;
    if (Number.isNaN(atMs)) throw new RangeError('an instant must be a number');
    if (atMs <= this.#clock.nowMs()) return this.add(ref, lane);
    this.#instants.add(refText(ref), atMs, LANES.indexOf(lane));
    this.#arm();
  }

  /** Forgets the instant of a ref; for whoever is about to work it out anew. */
  cancelAt(ref: Ref): void {
    this.#instants.delete(refText(ref));
  }

  /**
   * Puts a ref in line after a pause that grows with each call until `forget` (pauses.ts). Retries of all refs
   * share one token bucket. A ref that is handed out before, because of an add, is not retried.
   * @param atLeastMs the pause is not shorter than this (what the other side asked for)
   */
  retry(ref: Ref, lane: Lane, atLeastMs: number = 0): void {
    if (this.#isShut) return;
    const text = refText(ref);
    const failures = this.#failures.get(text) ?? 0;
    this.#failures.set(text, failures + 1);
    const pauseMs = retryPauseMs(failures, this.#random());
    this.#pause(text, Math.max(pauseMs, atLeastMs), lane);
  }

  /** Puts a ref in line after a fixed pause on the monotonic clock; not counted as a failure. */
  addAfter(ref: Ref, pauseMs: number, lane: Lane): void {
    if (!this.#isShut) this.#pause(refText(ref), pauseMs, lane);
  }

  /**
   * Ends all pauses, because what they waited for is back (API server, database). The token bucket
   * spreads what follows.
   */
  hastenRetries(): void {
    this.#retries.hasten(this.#clock.monotonicMs());
    this.#arm();
  }

  /** The next failure of this ref counts as its first. */
  forget(ref: Ref): void {
    this.#failures.delete(refText(ref));
  }

  /** The next ref, when there is one; undefined once the queue is shut. Each must be given to `done`. */
  take(): Promise<Work | undefined> {
    if (this.#isShut) return Promise.resolve(undefined);
    const { promise, resolve } = Promise.withResolvers<Work | undefined>();
    this.#takers.push(resolve);
    this.#dispatch();
    return promise;
  }

  /** The work on a ref has ended, whatever came of it. Unknown refs are ignored. */
  done(ref: Ref): void {
    const text = refText(ref);
    const processing = this.#processing.get(text);
    if (!processing) return;
    this.#processing.delete(text);
    const nowMs = this.#clock.monotonicMs();
    this.#meter.finished(nowMs - processing.sinceMs);
    if (processing.again && !this.#isShut) this.#lanes.add(text, processing.again, nowMs);
    this.#dispatch();
    if (this.#processing.size === 0) for (const wake of this.#idlers.splice(0)) wake();
  }

  /** Hands out nothing more and drops what waits; refs being worked on go on. May be repeated. */
  shutDown(): void {
    this.#isShut = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#lanes.clear();
    this.#instants.clear();
    this.#retries.clear();
    for (const refuse of this.#takers.splice(0)) refuse(undefined);
  }

  /** Resolves when no ref is being worked on. */
  whenIdle(): Promise<void> {
    if (this.#processing.size === 0) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#idlers.push(resolve);
    return promise;
  }

  unfinishedMs(): readonly number[] {
    const nowMs = this.#clock.monotonicMs();
    return Array.from(this.#processing.values(), (processing) => nowMs - processing.sinceMs);
  }

  #pause(text: string, pauseMs: number, lane: Lane): void {
    this.#meter.retried();
    this.#retries.add(text, this.#clock.monotonicMs() + pauseMs, LANES.indexOf(lane));
    this.#arm();
  }

  #ready(text: string, lane: Lane): void {
    if (this.#isShut) return;
    const processing = this.#processing.get(text);
    if (!processing) {
      if (this.#lanes.add(text, lane, this.#clock.monotonicMs())) this.#meter.added();
      return;
    }
    if (!processing.again) this.#meter.added();
    processing.again = sooner(processing.again, lane);
  }

  #dispatch(): void {
    while (this.#takers.length > 0) {
      const ready = this.#lanes.take();
      if (!ready) return;
      this.#takers.shift()?.(this.#handOut(ready));
      this.#onHandOut();
    }
  }

  #handOut(ready: Ready): Work {
    const nowMs = this.#clock.monotonicMs();
    this.#meter.started(nowMs - ready.sinceMs);
    this.#processing.set(ready.text, { sinceMs: nowMs, again: undefined });
    // This work decides anew whether and when to retry.
    this.#retries.delete(ready.text);
    return { ref: parseRef(ready.text), lane: ready.lane };
  }

  #promote(): void {
    const nowMs = this.#clock.nowMs();
    const leadMs = nowMs - this.#clock.monotonicMs();
    if (leadMs < this.#leadMs - STEP_BACK_MS) this.#instants.hasten(nowMs);
    this.#leadMs = leadMs;
    for (let due = this.#instants.takeDue(nowMs); due; due = this.#instants.takeDue(nowMs)) {
      this.#ready(due.text, LANES[due.tag] ?? 'normal');
    }
    const monotonicMs = this.#clock.monotonicMs();
    while ((this.#retries.nextMs ?? Infinity) <= monotonicMs && this.#bucket.take(monotonicMs)) {
      const due = this.#retries.takeDue(monotonicMs);
      if (due) this.#ready(due.text, LANES[due.tag] ?? 'normal');
    }
    this.#dispatch();
  }

  /** One real timer for whatever comes first; it looks again at both clocks when it fires. */
  #arm(): void {
    const napMs = this.#napMs();
    const dueMs = this.#clock.monotonicMs() + (napMs ?? Infinity);
    if (napMs === undefined || (this.#timer && this.#timer.dueMs <= dueMs)) return;
    this.#timer?.cancel();
    const cancel = this.#clock.after(napMs, () => {
      this.#timer = undefined;
      this.#promote();
      this.#arm();
    });
    this.#timer = { dueMs, cancel };
  }

  /** Milliseconds until there may be something to do; undefined when nothing waits. */
  #napMs(): number | undefined {
    const { nextMs: instantMs } = this.#instants;
    const { nextMs: retryMs } = this.#retries;
    if (instantMs === undefined && retryMs === undefined) return undefined;
    const nowMs = this.#clock.monotonicMs();
    const untilInstantMs = (instantMs ?? Infinity) - this.#clock.nowMs();
    const untilRetryMs =
      retryMs === undefined ? Infinity : Math.max(retryMs - nowMs, this.#bucket.waitMs(nowMs));
    return Math.ceil(Math.max(0, Math.min(untilInstantMs, untilRetryMs, NAP_MAX_MS)));
  }
}
