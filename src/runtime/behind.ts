/** Failures of a step that was decided on what has moved on; the ref is looked at again by itself. */
import { KeywardError } from '../kernel/errors.ts';
import { SECOND_MS } from '../kernel/time.ts';

/**
 * Waiting CacheBehind: a live read shows what the cache does not have.
 *
 * @param what kind and ref of the object
 * @param fact what the read says of it
 * @param pauseMs how soon to look again; a watch that lags catches up within seconds
 */
export function cacheBehind(what: string, fact = 'exists', pauseMs = 5 * SECOND_MS): KeywardError {
  return new KeywardError('Waiting', {
    reason: 'CacheBehind',
    message: `${what} ${fact}, although the watch does not show it yet`,
    retryAfterMs: pauseMs,
  });
}

/** Conflict ObjectGone: `what`, kind and ref, was to be written or read, and is not there. */
export function objectGone(what: string): KeywardError {
  return new KeywardError('Conflict', {
    reason: 'ObjectGone',
    message: `${what} was deleted meanwhile`,
  });
}

/** Conflict: the ledger has another revision of `what` than the step was decided on. */
export function ledgerMoved(what: string, reason = 'Stale'): KeywardError {
  return new KeywardError('Conflict', {
    reason,
    message: `${what} changed in the ledger meanwhile; it is looked at again`,
  });
}
