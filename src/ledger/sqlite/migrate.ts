/**
 * Brings a database to the newest schema: ordered migrations, each once, all or nothing.
 * A stored checksum tells when the text of an applied migration is not the one we know.
 */
import { hash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { terminal } from './failures.ts';
import { MIGRATION_0001 } from './migrations/0001.ts';

/** A schema change; `sql` may hold several statements and must not manage transactions. */
export type Migration = { readonly version: number; readonly sql: string };

/** All migrations in order; versions count from 1 without gaps. */
export const MIGRATIONS: readonly Migration[] = [{ version: 1, sql: MIGRATION_0001 }];

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
  statement.setReturnArrays(false);
  const rows = statement.all();
  const newest = migrations.length;
  if (rows.length > newest) {
    throw terminal(
      'SchemaTooNew',
      `database "${path}" has schema ${rows.length}, and this Keyward knows only ${newest}; start the newer version`,
    );
  }
  rows.forEach((row, index) => {
    const known = migrations[index];
    if (known !== undefined && row['version'] === known.version) {
      if (row['checksum'] === checksum(known.sql)) return;
    }
    throw terminal(
      'SchemaChanged',
      `database "${path}" was made by a different build: its migration ${String(row['version'])} is not the one this Keyward knows`,
    );
  });
  return rows.length;
}

function checksum(sql: string): string {
  return hash('sha256', sql, 'hex');
}
