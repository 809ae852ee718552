/** How a reconcile ended, told as what the queue must do next. Pure. */
import type { ErrorClass, KeywardError } from '../kernel/errors.ts';
import { SECOND_MS } from '../kernel/time.ts';
import type { Lane } from './lanes.ts';
import { RETRY_PAUSE_MAX_MS } from './pauses.ts';

/** When to look again although nothing changed; wall clock, milliseconds. */
export type LookAgain = { readonly atMs: number; readonly lane: Lane };

/**
 * What follows a reconcile.
 *
 * - done: nothing, until something changes.
 * - again: look again at an instant.
 * - wait: something else must happen first; look again after a fixed pause.
 * - retry: try again after a growing pause, not shorter than `atLeastMs`.
 * - stop: a person must change something; no retry.
 * - conflict: decide again at once, on a fresh look; the caller bounds how often.
 *
 * `again` beside a failure: the instant at which to look in any case, always in the future.
 */
export type Result =
  | { readonly kind: 'done' }
  | { readonly kind: 'again'; readonly again: LookAgain }
  | ({ readonly kind: 'wait'; readonly pauseMs: number } & Failed)
  | ({ readonly kind: 'retry'; readonly atLeastMs: number } & Failed)
  | ({ readonly kind: 'stop' } & Failed)
  | ({ readonly kind: 'conflict' } & Failed);

type Failed = { readonly failure: KeywardError; readonly again: LookAgain | undefined };

/** What `afterSuccess` and `afterFailure` need to know of the reconcile. */
export type Ended = {
  /** Wall clock at its start and end. */
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** False when observing failed, so nobody knows the world. */
  readonly isWorldKnown: boolean;
  readonly again: LookAgain | undefined;
};

/** A world that asks to be looked at in its own past is looked at once a second, not in a hot loop. */
const AGAIN_FLOOR_MS = SECOND_MS;
/** For a Waiting error that names no time; what it waits for wakes the ref anyway. */
const WAIT_MS = 30 * SECOND_MS;
/** The same against hot loops for one that names a very short time. */
const WAIT_FLOOR_MS = SECOND_MS;
/**
 * Rights are granted, and quotas raised, without any change of the object, so these Terminal errors are tried again: a
 * repaired role must not need a restart. With growing pauses, not with the longest at once: an API
 * server that has just started answers 403 until it has read its own roles.
 */
const RECOVERS_UNSEEN: ReadonlySet<string> = new Set(['Forbidden', 'QuotaExceeded']);

/** Heaviest first: of two failures the one that wants the sooner repetition decides. */
const WEIGHTS: readonly ErrorClass[] = ['Conflict', 'Bug', 'Transient', 'Waiting', 'Terminal'];

/** What follows when every step and the report went well. */
export function afterSuccess(ended: Ended): Result {
  const { again } = ended;
  if (!again) return { kind: 'done' };
  const isAhead = again.atMs > ended.startedAtMs;
  const atMs = isAhead ? again.atMs : ended.endedAtMs + AGAIN_FLOOR_MS;
  return { kind: 'again', again: { ...again, atMs } };
}

/** What follows a failure; the class decides, as errors.ts says. */
export function afterFailure(failure: KeywardError, ended: Ended): Result {
  const isAhead = ended.again !== undefined && ended.again.atMs > ended.endedAtMs;
  const failed = { failure, again: isAhead ? ended.again : undefined };
  switch (failure.class) {
    case 'Transient':
    case 'Bug':
      return { kind: 'retry', atLeastMs: failure.retryAfterMs ?? 0, ...failed };
    case 'Waiting':
      return {
        kind: 'wait',
        pauseMs: Math.max(failure.retryAfterMs ?? WAIT_MS, WAIT_FLOOR_MS),
        ...failed,
      };
    case 'Conflict':
      return { kind: 'conflict', ...failed };
    case 'Terminal':
      if (RECOVERS_UNSEEN.has(failure.reason)) return { kind: 'retry', atLeastMs: 0, ...failed };
      // Without a world no status could say that a person must act, so it is tried again too.
      return ended.isWorldKnown
        ? { kind: 'stop', ...failed }
        : { kind: 'retry', atLeastMs: RETRY_PAUSE_MAX_MS, ...failed };
  }
}

/** Of what stopped the steps and what stopped the report, the failure that decides what follows. */
export function weightier(
  a: KeywardError | undefined,
  b: KeywardError | undefined,
): KeywardError | undefined {
  if (!a || !b) return a ?? b;
  return WEIGHTS.indexOf(a.class) <= WEIGHTS.indexOf(b.class) ? a : b;
}
