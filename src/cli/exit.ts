/** How commands end: their exit codes, and the failure that most of them share. Pure; docs/commands.md explains the codes. */
import { KeywardError } from '../kernel/errors.ts';

/** What each exit code means; scripts rely on them. */
export const EXIT = {
  done: 0,
  failed: 1,
  /** The command line itself is wrong. */
  usage: 2,
  notFound: 3,
  notPermitted: 4,
  /** What was waited for has not happened yet; it may still. */
  timedOut: 5,
  /** A reviewer denied or returned the application, or nobody decided in time. */
  refused: 6,
} as const;

/** One of them. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const BY_REASON: ReadonlyMap<string, ExitCode> = new Map([
  ['Usage', EXIT.usage],
  ['NotFound', EXIT.notFound],
  ['Forbidden', EXIT.notPermitted],
  ['Unauthorized', EXIT.notPermitted],
  ['TimedOut', EXIT.timedOut],
  ['Refused', EXIT.refused],
]);

/** The exit code that a failure ends the program with. */
export function exitCodeOf(error: Pick<KeywardError, 'reason'>): ExitCode {
  return BY_REASON.get(error.reason) ?? EXIT.failed;
}

/**
 * The failure of a command that was not called as it can be.
 *
 * @param message which word or flag is wrong, and what to say in its place
 */
export function usageError(message: string): KeywardError {
  return new KeywardError('Terminal', { reason: 'Usage', message });
}
