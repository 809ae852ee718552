/**
 * The one reconcile: observe, then one step after the other, then report. A controller hands in the
 * functions that know its kind; everything about failures, bounds and time is here.
 */
import type { Ref } from '../api/meta.ts';
import type { Clock } from '../kernel/clock.ts';
import { classify, KeywardError } from '../kernel/errors.ts';
import { MINUTE_MS, SECOND_MS } from '../kernel/time.ts';
import type { Lane } from './lanes.ts';
import { afterFailure, afterSuccess, weightier, type LookAgain, type Result } from './result.ts';

/** Steps of one reconcile; an issue needs about 6, so more than this is a plan that runs in circles. */
const STEPS_MAX = 24;
/** Time for one reconcile; single calls have shorter deadlines of their own. */
const DEADLINE_MS = MINUTE_MS;
/** Time for the report of a failure, apart from the deadline: passing that must be reported too. */
const REPORT_DEADLINE_MS = 10 * SECOND_MS;

/** Reason of the failure of a reconcile that was cut off because the process ends. */
export const STOPPING = 'Stopping';

/**
 * What a controller knows about its kind.
 *
 * Expected flow: `observe`, then `next` and `apply` in turns until `next` has nothing left, then
 * `report`. After a failure of `next` or `apply`, `report` is called with it and the world as it was
 * last known; after a failure of `observe` there is no world, so nothing is reported.
 *
 * Guarantees: one ref is never in two reconciles at once. `report` is not called after a Conflict
 * (the world is out of date) or when the process must stop (nothing may be written any more).
 *
 * Assumptions: every promise settles soon after `signal` is aborted. The pipeline does not leave a
 * reconcile that hangs behind, because its ref would then be worked on twice.
 *
 * Errors: KeywardErrors by class (see `Result`); whatever else is thrown is a Bug.
 */
export interface Steps<World, Action> {
  /** The controller's name in metrics and logs, such as `apikey`. */
  readonly name: string;
  /** Reads everything the decision needs. undefined: nothing to do (object and its books are gone). */
  observe(ref: Ref, signal: AbortSignal): Promise<World | undefined>;
  /** Pure: the next single step towards the desired state, or undefined when there is none. */
  next(world: World): Action | undefined;
  /** Carries out one action and returns the world as it is afterwards. Must be safe to repeat after a crash. */
  apply(world: World, action: Action, signal: AbortSignal): Promise<World>;
  /** Writes the status if it differs; `failure` is what stopped the steps. */
  report(world: World, failure: KeywardError | undefined, signal: AbortSignal): Promise<void>;
  /** Pure: when to look again although nothing changed (wall clock); undefined: never. */
  lookAgainAtMs(world: World): number | undefined;
  /** Pure: through which lane to look again then; absent: normal. */
  lookAgainLane?(world: World): Lane;
}

/** What a reconcile needs beside its steps. */
type PipelineDeps = {
  readonly clock: Clock;
  /** Aborted when the process must stop: with leadership lost, nothing may be written any more. */
  readonly stop: AbortSignal;
  /** Time for one reconcile; absent: 60 s. */
  readonly deadlineMs?: number;
};

/** How a reconcile ended, and how many actions it carried out. */
export type Outcome = { readonly result: Result; readonly actions: number };

/** What is known of a reconcile while it runs; read when a step has thrown. */
type Progress<World> = {
  world: World | undefined;
  again: LookAgain | undefined;
  actions: number;
  isReportTried: boolean;
};

/** Reconciles one ref. Never rejects: whatever happens becomes a result. */
export async function reconcile<World, Action>(
  steps: Steps<World, Action>,
  ref: Ref,
  deps: PipelineDeps,
): Promise<Outcome> {
  const startedAtMs = deps.clock.nowMs();
  const progress: Progress<World> = {
    world: undefined,
    again: undefined,
    actions: 0,
    isReportTried: false,
  };
  const failure = await within(deps, deps.deadlineMs ?? DEADLINE_MS, (signal) =>
    walk(steps, ref, progress, signal),
  );
  const decisive =
    failure && weightier(failure, await reportFailure(steps, progress, failure, deps));
  const ended = {
    startedAtMs,
    endedAtMs: deps.clock.nowMs(),
    isWorldKnown: progress.world !== undefined,
    again: progress.again,
  };
  const result = decisive ? afterFailure(decisive, ended) : afterSuccess(ended);
  return { result, actions: progress.actions };
}

async function walk<World, Action>(
  steps: Steps<World, Action>,
  ref: Ref,
  progress: Progress<World>,
  signal: AbortSignal,
): Promise<void> {
  let world = await steps.observe(ref, signal);
  if (world === undefined) return;
  progress.world = world;
  try {
    for (let action = steps.next(world); action !== undefined; action = steps.next(world)) {
      if (progress.actions === STEPS_MAX) throw runsInCircles();
      signal.throwIfAborted();
      world = await steps.apply(world, action, signal);
      progress.actions += 1;
      progress.world = world;
    }
  } finally {
    // Of the newest world, and also after a failure, because dates go on whatever failed.
    progress.again = lookAgain(steps, world);
  }
  progress.isReportTried = true;
  await steps.report(world, undefined, signal);
}

function lookAgain<World, Action>(
  steps: Steps<World, Action>,
  world: World,
): LookAgain | undefined {
  const atMs = steps.lookAgainAtMs(world);
  if (Number.isNaN(atMs)) throw new RangeError('lookAgainAtMs is not a number');
  const lane = steps.lookAgainLane?.(world) ?? 'normal';
  return atMs === undefined ? undefined : { atMs, lane };
}

/** Lets the status tell what stopped the steps; answers what stopped that, if anything did. */
async function reportFailure<World, Action>(
  steps: Steps<World, Action>,
  progress: Progress<World>,
  failure: KeywardError,
  deps: PipelineDeps,
): Promise<KeywardError | undefined> {
  const { world, isReportTried } = progress;
  if (world === undefined || isReportTried) return undefined;
  if (failure.class === 'Conflict' || deps.stop.aborted) return undefined;
  return within(deps, REPORT_DEADLINE_MS, (signal) => steps.report(world, failure, signal));
}

/** Runs `act` under a deadline and the stop signal; answers its failure. The only catch there is. */
async function within(
  deps: PipelineDeps,
  limitMs: number,
  act: (signal: AbortSignal) => Promise<void>,
): Promise<KeywardError | undefined> {
  const limit = new AbortController();
  if (deps.stop.aborted) return stopping(deps.stop);
  const forget = whenStopped(deps.stop, () => limit.abort(stopping(deps.stop)));
  const cancel = deps.clock.after(limitMs, () => limit.abort(deadlineExceeded()));
  try {
    await act(limit.signal);
    return undefined;
  } catch (thrown) {
    // An abort surfaces in many shapes; the signal knows the true reason.
    return classify(
      limit.signal.aborted && !(thrown instanceof KeywardError) ? limit.signal.reason : thrown,
    );
  } finally {
    cancel();
    forget();
  }
}

/** What to do when a signal is aborted; one listener on it for all reconciles under way. */
const STOPPED = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `act` when `stop` is aborted, until what it returns is called. */
function whenStopped(stop: AbortSignal, act: () => void): () => void {
  const known = STOPPED.get(stop);
  // A listener of its own for each reconcile is looked for among all others, twice.
  const acts = known ?? new Set();
  if (known === undefined) {
    STOPPED.set(stop, acts);
    const onStop = (): void => acts.forEach((each) => each());
    stop.addEventListener('abort', onStop, { once: true });
  }
  acts.add(act);
  return () => acts.delete(act);
}

function runsInCircles(): KeywardError {
  return new KeywardError('Bug', {
    reason: 'TooManySteps',
    message: `the object is not in its desired state after ${STEPS_MAX} steps`,
  });
}

function deadlineExceeded(): KeywardError {
  return new KeywardError('Transient', {
    reason: 'DeadlineExceeded',
    message: 'the work on the object took too long and was stopped; it will be tried again',
  });
}

function stopping(stop: AbortSignal): KeywardError {
  return new KeywardError('Transient', {
    reason: STOPPING,
    message: 'the operator is stopping',
    cause: stop.reason,
  });
}
