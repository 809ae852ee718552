/**
 * Brings a database to the newest schema: ordered migrations, each once, all or nothing.
 * A stored checksum tells when the text of an applied migration is not the one we know.
 */
import type { DatabaseSync } from 'node:sqlite';
import { checksum, compareApplied, type Migration } from '../migrations.ts';
import type { Row } from '../rows.ts';
import { MIGRATION_0001 } from './migrations/0001.ts';
import { MIGRATION_0002 } from './migrations/0002.ts';
import { MIGRATION_0003 } from './migrations/0003.ts';
import { MIGRATION_0004 } from './migrations/0004.ts';
import { MIGRATION_0005 } from './migrations/0005.ts';
import { MIGRATION_0006 } from './migrations/0006.ts';
import { MIGRATION_0007 } from './migrations/0007.ts';
import { MIGRATION_0008 } from './migrations/0008.ts';

/** All migrations in order; versions count from 1 without gaps. */
export const MIGRATIONS: readonly Migration[] = [
  { version: 1, sql: MIGRATION_0001 },
  { version: 2, sql: MIGRATION_0002 },
  { version: 3, sql: MIGRATION_0003 },
  { version: 4, sql: MIGRATION_0004 },
  { version: 5, sql: MIGRATION_0005 },
  { version: 6, sql: MIGRATION_0006 },
  { version: 7, sql: MIGRATION_0007 },
  { version: 8, sql: MIGRATION_0008 },
];

/**
 * Applies what is missing, in one transaction. Repeatable.
 *
 * @throws KeywardError Terminal SchemaTooNew (a newer Keyward was here: its rows could not be
 * understood), SchemaChanged (an applied migration had another text)
 */
export function migrate(db: DatabaseSync, path: string, migrations = MIGRATIONS): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    db.exec(
      'CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, checksum TEXT NOT NULL) STRICT',
    );
    const applied = checkApplied(db, path, migrations);
    for (const { version, sql } of migrations.slice(applied)) {
      db.exec(sql);
      db.prepare('INSERT INTO migrations VALUES (?, ?)').run(version, checksum(sql));
    }
    db.exec('COMMIT');
  } catch (thrown) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw thrown;
  }
}

/**
 * Compares what was applied with what we know; how many were applied.
 *
 * @throws KeywardError as `migrate`
 */
export function checkApplied(db: DatabaseSync, path: string, migrations = MIGRATIONS): number {
  const statement = db.prepare('SELECT version, checksum FROM migrations ORDER BY version');
  statement.setReturnArrays(true);
  // With `returnArrays` the library returns arrays of exactly these values.
  const applied = statement.all() as unknown as readonly Row[];
  return compareApplied(applied, migrations, path);
}
