import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import type { Migration } from '../../../../src/ledger/migrations.ts';
import { migrate, MIGRATIONS } from '../../../../src/ledger/sqlite/migrate.ts';
import { prepare, ROW_OPTIONS } from '../../../../src/ledger/sqlite/statements.ts';

const FIRST: Migration = { version: 1, sql: 'CREATE TABLE one (id INTEGER)' };
const SECOND: Migration = { version: 2, sql: 'CREATE TABLE two (id INTEGER)' };
const BROKEN: Migration = { version: 3, sql: 'CREATE TABLE three (id INTEGER); CREATE TABEL x' };

function tables(db: DatabaseSync): unknown[] {
  const sql = `SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`;
  return prepare(db, sql)
    .all()
    .map(([name]) => name);
}

describe('Migrations', () => {
  it('are numbered from 1 without gaps', () => {
    expect(MIGRATIONS.map((each) => each.version)).toEqual(MIGRATIONS.map((_, index) => index + 1));
  });

  it('are applied once, in order, and continue where they ended', () => {
    const db = new DatabaseSync(':memory:', ROW_OPTIONS);
    migrate(db, 'x', [FIRST]);
    migrate(db, 'x', [FIRST, SECOND]);
    migrate(db, 'x', [FIRST, SECOND]);
    expect(tables(db)).toEqual(['migrations', 'one', 'two']);
  });

  it('leave everything as it was when one of them fails', () => {
    const db = new DatabaseSync(':memory:', ROW_OPTIONS);
    migrate(db, 'x', [FIRST]);
    expect(() => migrate(db, 'x', [FIRST, SECOND, BROKEN])).toThrow('TABEL');
    expect(tables(db)).toEqual(['migrations', 'one']);
    expect(db.isTransaction).toBe(false);
  });

  it('refuse a database of a newer version', () => {
    const db = new DatabaseSync(':memory:', ROW_OPTIONS);
    migrate(db, 'x', [FIRST, SECOND]);
    expect(() => migrate(db, 'x', [FIRST])).toThrow('has schema 2, and this Keyward knows only 1');
  });

  it('refuse a database that was made by another text of the same number', () => {
    const db = new DatabaseSync(':memory:', ROW_OPTIONS);
    migrate(db, 'x', [FIRST]);
    const other = { ...FIRST, sql: `${FIRST.sql} STRICT` };
    expect(() => migrate(db, 'x', [other])).toThrow('migration 1 is not the one');
  });
});
