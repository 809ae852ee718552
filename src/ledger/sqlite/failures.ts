/**
 * SQLite's failures as KeywardErrors: the one place that knows its result codes.
 * https://www.sqlite.org/rescode.html
 */
import { KeywardError } from '../../kernel/errors.ts';
import { constraintViolated, terminal, unavailable, unexpected } from '../refusals.ts';

/** Primary result codes, the lowest byte of an extended one. */
const RESULT = {
  PERM: 3,
  BUSY: 5,
  LOCKED: 6,
  READONLY: 8,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  CANTOPEN: 14,
  CONSTRAINT: 19,
  AUTH: 23,
  NOTADB: 26,
} as const;

/** The same troubles, met while the file itself is made. */
const SYSTEM_ERRORS: ReadonlyMap<unknown, number> = new Map([
  ['ENOSPC', RESULT.FULL],
  ['EDQUOT', RESULT.FULL],
  ['EROFS', RESULT.READONLY],
  ['EACCES', RESULT.PERM],
  ['EPERM', RESULT.PERM],
  ['EIO', RESULT.IOERR],
  ['EMFILE', RESULT.CANTOPEN],
]);

/**
 * A failure of the database at `path`. Not the text but the result code decides:
 * busy, full, read-only and unreadable may pass (Transient LedgerUnavailable), damage may not
 * (Terminal DatabaseCorrupt); a broken constraint is a Bug of ours.
 */
export function translate(thrown: unknown, path: string): KeywardError {
  if (thrown instanceof KeywardError) return thrown;
  switch (resultCode(thrown)) {
    case RESULT.BUSY:
    case RESULT.LOCKED:
      return unavailable(path, 'another process holds a write lock on it', thrown);
    case RESULT.FULL:
      return unavailable(path, 'its disk is full', thrown);
    case RESULT.READONLY:
    case RESULT.PERM:
    case RESULT.AUTH:
      return unavailable(path, 'it cannot be written', thrown);
    case RESULT.IOERR:
    case RESULT.CANTOPEN:
      return unavailable(path, 'reading or writing it failed', thrown);
    case RESULT.CORRUPT:
    case RESULT.NOTADB:
      return corrupt(path, thrown);
    case RESULT.CONSTRAINT:
      return constraintViolated(path, thrown);
    case undefined:
    default:
      return unexpected(path, thrown);
  }
}

/** True when the database itself is well, and only this statement was refused. */
export function isConstraint(thrown: unknown): boolean {
  return resultCode(thrown) === RESULT.CONSTRAINT;
}

/** True when somebody else holds the lock that was asked for. */
export function isBusy(thrown: unknown): boolean {
  return resultCode(thrown) === RESULT.BUSY;
}

/** The failure of a file that SQLite cannot make sense of. */
export function corrupt(path: string, cause?: unknown): KeywardError {
  return terminal(
    'DatabaseCorrupt',
    `database "${path}" is damaged or not a SQLite file; restore it from a backup, do not delete it`,
    cause,
  );
}

function resultCode(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error)) return undefined;
  if ('errcode' in thrown && typeof thrown.errcode === 'number') return thrown.errcode & 0xff;
  return 'code' in thrown ? SYSTEM_ERRORS.get(thrown.code) : undefined;
}
