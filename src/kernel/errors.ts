/**
 * The error classes. A class says what to do about a failure, so nobody ever looks at message text
 * or status codes: foreign errors are translated once, where they enter.
 */

/**
 * What the queue does with a failure.
 *
 * - Transient: try again with back-off.
 * - Waiting: something else must happen first; look again after `retryAfterMs`.
 * - Terminal: a person must change something; no retry before the object changes.
 * - Conflict: somebody else wrote; read again and decide again, silently.
 * - Bug: everything unknown; try again with back-off, and log as an error.
 */
export type ErrorClass = 'Transient' | 'Waiting' | 'Terminal' | 'Conflict' | 'Bug';

/** What an error says besides its class. */
export type ErrorDetails = {
  /** CamelCase constant, as in condition reasons and API status reasons. */
  readonly reason: string;
  /** Safe to show to any user: what failed, on which object, why. Never key material. */
  readonly message: string;
  /** For the log only. */
  readonly cause?: unknown;
  /** When the other side said how long to wait (Retry-After). */
  readonly retryAfterMs?: number;
};

/** An error whose class tells what to do about it. */
export class KeywardError extends Error {
  readonly class: ErrorClass;
  readonly reason: string;
  readonly retryAfterMs: number | undefined;

  constructor(errorClass: ErrorClass, details: ErrorDetails) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = `${errorClass}Error`;
    this.class = errorClass;
    this.reason = details.reason;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** Any thrown value as a KeywardError; what is not one yet is a Bug whose text stays in `cause`. */
export function classify(thrown: unknown): KeywardError {
  if (thrown instanceof KeywardError) return thrown;
  return new KeywardError('Bug', {
    reason: 'InternalError',
    message: 'an unexpected error occurred; the operator log has the details',
    cause: thrown,
  });
}
