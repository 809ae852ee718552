/** Workers that take refs from the queue, run the pipeline, and turn each result into queue calls. */
import { refText } from '../api/meta.ts';
import { sleep, type Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';
import { SECOND_MS } from '../kernel/time.ts';
import { FailureLog } from './failurelog.ts';
import type { ControllerMeter, ReconcileResult, RuntimeMetrics } from './metrics.ts';
import { reconcile, type Steps } from './pipeline.ts';
import type { Work, WorkQueue } from './queue.ts';
import type { Result } from './result.ts';

/** Enough to keep an API server busy (1 500 writes/s of 5 ms each are 8 in flight), few enough to be gentle. */
const WORKERS = 32;
/** Conflicts in a row that are decided again at once; further ones pause, since the cache lags. */
const CONFLICTS_MAX = 3;
/** After the grace period: time for aborted calls to come back. */
const ABORT_GRACE_MS = 2 * SECOND_MS;

/** What a controller works with. */
type ControllerOptions<World, Action> = {
  readonly steps: Steps<World, Action>;
  /** Used by this controller alone. */
  readonly queue: WorkQueue;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: RuntimeMetrics;
  /** Reconciles at the same time; absent: 32. */
  readonly workers?: number;
  /** Time for one reconcile; absent: 60 s. */
  readonly deadlineMs?: number;
};

/**
 * One kind's controller.
 *
 * Guarantees: a ref whose reconcile fails, hangs until its deadline or throws nonsense delays only
 * itself. Every failure is logged once per change of reason, not once per try; a reconcile that
 * changed nothing is not logged above debug.
 */
export class Controller<World, Action> {
  readonly name: string;
  readonly #options: ControllerOptions<World, Action>;
  readonly #meter: ControllerMeter;
  readonly #failures: FailureLog;
  readonly #conflicts = new Map<string, number>();
  readonly #abort = new AbortController();
  #started = 0;

  constructor(options: ControllerOptions<World, Action>) {
    this.name = options.steps.name;
    this.#options = options;
    this.#meter = options.metrics.forController(this.name, options.workers ?? WORKERS);
    this.#failures = new FailureLog(options.log.with({ controller: this.name }));
  }

  /** Starts the workers; once only. They end when the queue is shut down. */
  start(): void {
    for (let n = this.#options.workers ?? WORKERS; n > 0; n -= 1) void this.#work();
  }

  /**
   * Takes nothing new and lets what runs end. What still runs after `graceMs` is aborted.
   * May be repeated. @returns false when a reconcile did not even end then: its effects are unknown
   */
  async stop(graceMs: number): Promise<boolean> {
    this.#options.queue.shutDown();
    if (await this.#isIdleWithin(graceMs)) return true;
    this.abandon(new Error('the grace period is over'));
    return this.#isIdleWithin(ABORT_GRACE_MS);
  }

  /** Aborts everything at once, without reports: for lost leadership. May be repeated. */
  abandon(reason: Error): void {
    this.#options.queue.shutDown();
    this.#abort.abort(reason);
  }

  async #work(): Promise<void> {
    const { queue } = this.#options;
    for (let work = await queue.take(); work; work = await queue.take()) {
      await this.#process(work);
      queue.done(work.ref);
    }
  }

  async #process(work: Work): Promise<void> {
    const { clock, queue, steps, deadlineMs } = this.#options;
    const startedMs = clock.monotonicMs();
    this.#started += 1;
    const id = this.#started;
    this.#meter.started();
    // The world says anew when to look again.
    queue.cancelAt(work.ref);
    const outcome = await reconcile(steps, work.ref, {
      clock,
      stop: this.#abort.signal,
      ...(deadlineMs !== undefined && { deadlineMs }),
    });
    this.#settle(work, outcome.result);
    const tookMs = clock.monotonicMs() - startedMs;
    if (outcome.result.kind === 'stop') this.#meter.terminal();
    this.#meter.finished(label(outcome.result), tookMs);
    this.#failures.note(work.ref, outcome, { reconcileID: id, tookMs: Math.round(tookMs) });
  }

  /** The one place where a result becomes queue calls. */
  #settle(work: Work, result: Result): void {
    const { queue } = this.#options;
    const { ref, lane } = work;
    if (result.kind === 'conflict') return this.#settleConflict(work);
    this.#conflicts.delete(refText(ref));
    if (result.kind !== 'retry') queue.forget(ref);
    if (result.kind === 'retry') queue.retry(ref, lane, result.atLeastMs);
    if (result.kind === 'wait') queue.addAfter(ref, result.pauseMs, lane);
    if (result.kind !== 'done' && result.again) {
      queue.addAt(ref, result.again.atMs, result.again.lane);
    }
  }

  #settleConflict({ ref, lane }: Work): void {
    const text = refText(ref);
    const conflicts = (this.#conflicts.get(text) ?? 0) + 1;
    this.#conflicts.set(text, conflicts);
    if (conflicts <= CONFLICTS_MAX) this.#options.queue.add(ref, lane);
    else this.#options.queue.retry(ref, lane);
  }

  async #isIdleWithin(limitMs: number): Promise<boolean> {
    const { clock, queue } = this.#options;
    const over = new AbortController();
    const idle = queue.whenIdle().then(() => true);
    const late = sleep(clock, limitMs, over.signal).then(
      () => false,
      () => false,
    );
    const isIdle = await Promise.race([idle, late]);
    over.abort();
    return isIdle;
  }
}

/** As controller-runtime names results. */
function label(result: Result): ReconcileResult {
  switch (result.kind) {
    case 'done':
      return 'success';
    case 'again':
    case 'wait':
      return 'requeue_after';
    case 'conflict':
      return 'requeue';
    case 'retry':
    case 'stop':
      return 'error';
  }
}
