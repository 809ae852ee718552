/** Failures that every database tells in the same words. Pure. */
import { KeywardError } from '../kernel/errors.ts';

/** A failure that a person has to look at. */
export function terminal(reason: string, message: string, cause?: unknown): KeywardError {
  return new KeywardError('Terminal', { reason, message, cause });
}

/** The database, which people know as `label`, cannot serve now. */
export function unavailable(label: string, why: string, cause?: unknown): KeywardError {
  return new KeywardError('Transient', {
    reason: 'LedgerUnavailable',
    message: `database "${label}" is not available: ${why}`,
    cause,
  });
}

/** What was written breaks a rule of the database's own. */
export function constraintViolated(label: string, cause: unknown): KeywardError {
  return new KeywardError('Bug', {
    reason: 'ConstraintViolated',
    message: `database "${label}" refused a commit that breaks one of its rules`,
    cause,
  });
}

/** Nobody has thought of this failure. */
export function unexpected(label: string, cause: unknown): KeywardError {
  return new KeywardError('Bug', {
    reason: 'InternalError',
    message: `database "${label}" failed in an unexpected way; the operator log has the details`,
    cause,
  });
}

/** A leader writes that is not the newest any more; `newest` 0: no epoch was opened yet. */
export function fenced(epoch: number, newest: number): KeywardError {
  const why = newest === 0 ? 'no epoch was opened' : `the newest is ${newest}`;
  return terminal('Fenced', `epoch ${epoch} may not write to the database: ${why}`);
}

/** The database is bound to another cluster, or to none yet (`bound` undefined). */
export function foreign(bound: string | undefined, clusterId: string): KeywardError {
  const to = bound === undefined ? 'no cluster yet' : `cluster "${bound}"`;
  return terminal(
    'ForeignDatabase',
    `the database belongs to ${to}, and this is cluster "${clusterId}"`,
  );
}

/** A version of the master key is known with other bytes behind it. */
export function masterKeyMismatch(version: number): KeywardError {
  return terminal(
    'MasterKeyMismatch',
    `master key v${version} is not the one that the database was written with`,
  );
}
