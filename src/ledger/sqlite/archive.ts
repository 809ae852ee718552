/** A SQLite ledger as a whole; see ../archive.ts. Holds the writer's lock, so no operator runs. */
import type { DatabaseSync } from 'node:sqlite';
import { type Archive, type ArchiveMode, pageQuery } from '../archive.ts';
import { decodeIdentity, identityQuery } from '../identity.ts';
import { type Row, text } from '../rows.ts';
import { translate } from './failures.ts';
import { openFile } from './file.ts';
import { checkPlace, lock } from './guard.ts';
import { placeOf } from './place.ts';
import { prepare } from './statements.ts';

/**
 * Opens the file and begins.
 *
 * @throws KeywardError Terminal DatabaseInUse while an operator runs, and those of `openFile`
 */
export async function openSqliteArchive(url: string, mode: ArchiveMode): Promise<Archive> {
  const path = placeOf(url);
  try {
    checkPlace(path);
    const held = lock(path);
    try {
      const db = openFile(path, mode === 'Fill' ? 'Create' : 'Refuse');
      db.exec('BEGIN IMMEDIATE');
      return createArchive(db, { path, release: () => held.close() });
    } catch (thrown) {
      held.close();
      throw thrown;
    }
  } catch (thrown) {
    throw translate(thrown, path);
  }
}

function createArchive(
  db: DatabaseSync,
  { path, release }: { readonly path: string; readonly release: () => void },
): Archive {
  const all = (sql: string, values: Row = []): readonly Row[] => {
    try {
      return prepare(db, sql).all(...values);
    } catch (thrown) {
      throw translate(thrown, path);
    }
  };
  const meta = async () => decodeIdentity(all(identityQuery(''))[0]);
  return {
    label: path,
    meta,
    newest: meta,
    tables: async () =>
      all(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`).map(
        (row) => text(row[0]),
      ),
    columns: async (table) =>
      all('SELECT name FROM pragma_table_info(?) ORDER BY name', [table]).map((row) =>
        text(row[0]),
      ),
    page: async (table, after) =>
      all(pageQuery(table, after, { tableName: table.name, place: () => '?' }), after),
    ...writes(db),
    commit: async () => db.exec('COMMIT'),
    close: async () => {
      if (!db.isOpen) return;
      if (db.isTransaction) db.exec('ROLLBACK');
      db.close();
      release();
    },
  };
}

function writes(db: DatabaseSync): Pick<Archive, 'insert' | 'clear' | 'remove' | 'setCluster'> {
  return {
    insert: async ({ name, columns }, rows) => {
      const places = columns.map(() => '?').join(', ');
      const statement = prepare(
        db,
        `INSERT INTO ${name} (${columns.join(', ')}) VALUES (${places})`,
      );
      for (const row of rows) statement.run(...row);
    },
    clear: async (table) => {
      prepare(db, `DELETE FROM ${table}`).run();
    },
    remove: async ({ name, by }, keys) => {
      const where = by.map((column) => `${column} = ?`).join(' AND ');
      const statement = prepare(db, `DELETE FROM ${name} WHERE ${where}`);
      for (const key of keys) statement.run(...key);
    },
    setCluster: async (table, clusterId) => {
      prepare(db, `UPDATE ${table} SET cluster_id = ?`).run(clusterId);
    },
  };
}
