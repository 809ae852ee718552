import { describe, expect, it } from 'vitest';
import { KeywardError } from '../../../../src/kernel/errors.ts';
import { translate } from '../../../../src/ledger/sqlite/failures.ts';

/** As node:sqlite throws them; extended codes carry the primary one in their lowest byte. */
function sqliteError(errcode: number): Error {
  return Object.assign(new Error('UNIQUE constraint failed'), {
    code: 'ERR_SQLITE_ERROR',
    errcode,
  });
}

describe('A failure of SQLite', () => {
  it.each([
    { what: 'busy', code: 5, class: 'Transient', reason: 'LedgerUnavailable' },
    {
      what: 'busy with a stale snapshot',
      code: 517,
      class: 'Transient',
      reason: 'LedgerUnavailable',
    },
    { what: 'disk full', code: 13, class: 'Transient', reason: 'LedgerUnavailable' },
    { what: 'read-only', code: 8, class: 'Transient', reason: 'LedgerUnavailable' },
    { what: 'input or output', code: 778, class: 'Transient', reason: 'LedgerUnavailable' },
    { what: 'cannot open', code: 14, class: 'Transient', reason: 'LedgerUnavailable' },
    { what: 'corrupt', code: 11, class: 'Terminal', reason: 'DatabaseCorrupt' },
    { what: 'not a database', code: 26, class: 'Terminal', reason: 'DatabaseCorrupt' },
    { what: 'constraint', code: 2067, class: 'Bug', reason: 'ConstraintViolated' },
    { what: 'misuse', code: 21, class: 'Bug', reason: 'InternalError' },
  ])('because of $what is $class $reason', ({ code, class: errorClass, reason }) => {
    const error = translate(sqliteError(code), '/data/keyward.db');
    expect(error).toMatchObject({ class: errorClass, reason });
    expect(error.message).toContain('/data/keyward.db');
    expect(error.message).not.toContain('UNIQUE');
  });

  it('of the file system is one of the same', () => {
    const full = Object.assign(new Error('write'), { code: 'ENOSPC' });
    expect(translate(full, 'x')).toMatchObject({ reason: 'LedgerUnavailable' });
  });

  it('that is ours already stays as it is', () => {
    const ours = new KeywardError('Terminal', { reason: 'Fenced', message: 'x' });
    expect(translate(ours, 'x')).toBe(ours);
  });
});
