/** Migrations, whatever the database, against their rule in docs/releases.md: each adds and takes nothing away. */
import { describe, expect, it, test } from 'vitest';
import { MIGRATIONS as POSTGRES } from '../../../src/ledger/postgres/migrate.ts';
import { MIGRATIONS as SQLITE } from '../../../src/ledger/sqlite/migrate.ts';

/** Went before there was a release, empty as it had always been. */
const GONE_BEFORE_RELEASES = /^DROP TABLE debts$/;

/** Statements after which processes of the version before could not go on; empty: none. */
function harmful(sql: string): readonly string[] {
  const statements = sql
    .replaceAll(/--.*$/gm, '')
    .replaceAll('{schema}.', '')
    .split(';')
    .map((statement) => statement.replaceAll(/\s+/g, ' ').trim())
    .filter((statement) => statement !== '');
  const made = new Set(statements.map((each) => /^CREATE TABLE (\w+)/.exec(each)?.[1]));
  return statements.filter((each) => !isAddition(each, made) && !GONE_BEFORE_RELEASES.test(each));
}

function isAddition(statement: string, made: ReadonlySet<string | undefined>): boolean {
  if (/^CREATE TABLE \w+ \(/.test(statement)) return true;
  const [, unique, table] = /^CREATE (UNIQUE )?INDEX \w+ ON (\w+) \(/.exec(statement) ?? [];
  // Old processes know nothing of what must be single.
  if (table !== undefined) return unique === undefined || made.has(table);
  const [, column] = /^ALTER TABLE \w+ ADD COLUMN (\w+ .*)$/.exec(statement) ?? [];
  if (column === undefined) return false;
  // They do not fill it either.
  const isFilled = !/ NOT NULL\b/.test(column) || / DEFAULT /.test(column);
  return isFilled && !/ (UNIQUE|PRIMARY KEY|REFERENCES)\b/.test(column);
}

describe.each([
  ['SQLite', SQLITE],
  ['PostgreSQL', POSTGRES],
])('a migration of %s', (_, migrations) => {
  it.each(migrations.slice(1).map(({ version, sql }) => [version, sql] as const))(
    'only adds: number %i',
    (_version, sql) => {
      expect(harmful(sql)).toEqual([]);
    },
  );
});

test.each([
  'DROP TABLE keys',
  'DROP INDEX keys_name',
  'ALTER TABLE keys DROP COLUMN state',
  'ALTER TABLE keys RENAME TO old_keys',
  'ALTER TABLE keys RENAME COLUMN state TO condition',
  'ALTER TABLE keys ALTER COLUMN state TYPE TEXT',
  'ALTER TABLE keys ADD COLUMN colour TEXT NOT NULL',
  'ALTER TABLE keys ADD COLUMN colour TEXT UNIQUE',
  'ALTER TABLE keys ADD CONSTRAINT few CHECK (id < 9)',
  'CREATE UNIQUE INDEX keys_single ON keys (name)',
  'CREATE TRIGGER t AFTER UPDATE ON keys BEGIN SELECT 1',
  "UPDATE keys SET state = 'Active'",
  'DELETE FROM slots',
])('%s would be no addition', (sql) => {
  expect(harmful(sql)).toEqual([sql]);
});

test('a column with a default, and what is single in a table of its own, are additions', () => {
  expect(
    harmful(`ALTER TABLE keys ADD COLUMN colour TEXT NOT NULL DEFAULT 'red';
      CREATE TABLE tags (name TEXT); -- not; DROP
      CREATE UNIQUE INDEX tags_name ON tags (name);`),
  ).toEqual([]);
});
