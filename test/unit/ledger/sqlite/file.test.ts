import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFile } from '../../../../src/ledger/sqlite/file.ts';
import { prepare } from '../../../../src/ledger/sqlite/statements.ts';

describe('The file of a ledger', () => {
  it.each([
    { why: 'readers do not wait for the writer', pragma: 'journal_mode', value: 'wal' },
    { why: 'each commit is on the disk before it is answered', pragma: 'synchronous', value: 2 },
    { why: 'erased values leave no trace', pragma: 'secure_delete', value: 1 },
    { why: 'no slot is without its credential', pragma: 'foreign_keys', value: 1 },
  ])('is opened with $pragma = $value: $why', ({ pragma, value }) => {
    const directory = mkdtempSync(join(tmpdir(), 'keyward-file-'));
    const db = openFile(join(directory, 'keyward.db'), 'Create');
    expect(prepare(db, `PRAGMA ${pragma}`).get()?.[0]).toBe(value);
    db.close();
    rmSync(directory, { recursive: true });
  });
});
