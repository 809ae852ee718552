/**
 * Positions in the change feed: the number of a commit, bound to the incarnation of the database, so
 * that a reader notices a restored backup. Pure.
 */
import { KeywardError } from '../kernel/errors.ts';
import type { LedgerIdentity } from './port.ts';

/** The position after this commit, as text that only this incarnation of the database takes back. */
export function writeCursor(incarnation: string, commitNumber: number): string {
  return `${incarnation}/${commitNumber}`;
}

/**
 * The commit number of a position.
 *
 * @throws KeywardError Conflict CursorUnknown: the position is of another incarnation
 */
export function readCursor(incarnation: string, cursor: string): number {
  const [bound, commitNumber] = cursor.split('/');
  if (bound === incarnation && commitNumber !== undefined) return Number(commitNumber);
  throw new KeywardError('Conflict', {
    reason: 'CursorUnknown',
    message:
      'the database was restored since this position of its change feed; read everything again',
  });
}

/**
 * Whether everything that was committed when the database was as in `identity` is before this position.
 *
 * @throws KeywardError Conflict CursorUnknown: the position is of another incarnation
 */
export function hasReached(
  cursor: string,
  { incarnation, commitCounter }: Pick<LedgerIdentity, 'incarnation' | 'commitCounter'>,
): boolean {
  return readCursor(incarnation, cursor) >= commitCounter;
}
