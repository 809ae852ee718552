/** Opens the file of a ledger, or makes a new one; refuses what is not a ledger in good health. */
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { syncFile } from '../../kernel/files.ts';
import { requireNewest } from '../migrations.ts';
import { terminal } from '../refusals.ts';
import { corrupt } from './failures.ts';
import { checkApplied, migrate, MIGRATIONS } from './migrate.ts';
import { BEFORE, RESTORING } from './place.ts';
import { prepare, ROW_OPTIONS } from './statements.ts';

/** "KEYW": tells our databases from other SQLite files. */
const APPLICATION_ID = 0x4b455957;

/** How long to wait for a lock that somebody else (a backup, a shell) holds; all calls wait along. */
export const BUSY_MS = 2_000;

/**
 * The writer's connection: durable at each COMMIT, checked, migrated. Call it under the lock.
 *
 * @throws KeywardError Terminal DatabaseMissing, DatabaseCorrupt, ForeignDatabase,
 * FilesystemUnsupported, and those of `migrate`
 */
export function openFile(path: string, missing: 'Create' | 'Refuse'): DatabaseSync {
  if (!existsSync(path)) createFile(path, missing);
  const db = connect(path, 'Writer');
  try {
    setDurable(db, path);
    migrate(db, path);
    return db;
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

/**
 * A reader's connection beside a running writer: sees what is committed, blocks nobody.
 *
 * @throws KeywardError as `openFile`
 */
export function openFileForReading(path: string): DatabaseSync {
  if (!existsSync(path)) throw missingFile(path);
  const db = connect(path, 'Reader');
  try {
    checkApplied(db, path);
    return db;
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

/**
 * A gate's connection for what it counts, beside an operator that may be writing: durable at each
 * COMMIT. Makes and migrates nothing.
 *
 * @throws KeywardError as `openFileForReading`, and as `requireNewest`
 */
export function openFileForUses(path: string): DatabaseSync {
  if (!existsSync(path)) throw missingFile(path);
  const db = connect(path, 'Gate');
  try {
    requireNewest(checkApplied(db, path), MIGRATIONS, path);
    setDurable(db, path);
    return db;
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

function connect(path: string, as: 'Writer' | 'Reader' | 'Gate'): DatabaseSync {
  if (statSync(path).size === 0) {
    // A new ledger appears complete or not at all, so an empty file is what is left of an old one.
    throw terminal(
      'DatabaseCorrupt',
      `database "${path}" is empty; restore it from a backup, or remove the file to begin anew`,
    );
  }
  const db = new DatabaseSync(path, {
    ...ROW_OPTIONS,
    timeout: BUSY_MS,
    readOnly: as === 'Reader',
  });
  try {
    if (prepare(db, 'PRAGMA application_id').get()?.[0] !== APPLICATION_ID) {
      throw terminal('ForeignDatabase', `file "${path}" is not a Keyward database`);
    }
    expectNoPlants(db, path);
    if (as === 'Writer') checkHealth(db, path);
    return db;
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

/** What acts by itself when rows are read or written. No migration makes any: somebody changed the file, or made it. */
function expectNoPlants(db: DatabaseSync, path: string): void {
  const sql = "SELECT type, name FROM sqlite_schema WHERE type IN ('trigger', 'view') LIMIT 1";
  const [type, name] = prepare(db, sql).get() ?? [];
  if (type === undefined) return;
  throw terminal(
    'ForeignDatabase',
    `database "${path}" has the ${String(type)} "${String(name)}", which Keyward never makes; look who changed it, or take another copy`,
  );
}

function checkHealth(db: DatabaseSync, path: string): void {
  const complaint = prepare(db, 'PRAGMA quick_check(1)').get()?.[0];
  if (complaint !== 'ok') throw corrupt(path, complaint);
}

function setDurable(db: DatabaseSync, path: string): void {
  if (prepare(db, 'PRAGMA journal_mode = WAL').get()?.[0] !== 'wal') {
    throw terminal(
      'FilesystemUnsupported',
      `database "${path}" lies where SQLite cannot share memory; use a local disk or PostgreSQL`,
    );
  }
  // FULL: fdatasync of the log before each COMMIT returns. Without it a power cut takes commits.
  db.exec('PRAGMA synchronous = FULL');
  // Erased values must not survive in free space.
  db.exec('PRAGMA secure_delete = ON');
  db.exec('PRAGMA foreign_keys = ON');
  db.exec('PRAGMA temp_store = MEMORY');
  // 2 MiB: what is missed here lies in the system's own cache of files.
  db.exec('PRAGMA cache_size = -2048');
  // Fewer checkpoints copy each page less often: 4 000 pages keep the log below some 16 MiB.
  db.exec('PRAGMA wal_autocheckpoint = 4000');
}

/** Written aside and renamed when it is complete, so that a crash leaves no half-made ledger. */
function createFile(path: string, missing: 'Create' | 'Refuse'): void {
  if (missing === 'Refuse') throw missingFile(path);
  expectNothingLost(path);
  const draft = `${path}-new`;
  for (const suffix of ['', '-wal', '-shm']) rmSync(draft + suffix, { force: true });
  closeSync(openSync(draft, 'wx', 0o600));
  const db = new DatabaseSync(draft, ROW_OPTIONS);
  try {
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    setDurable(db, draft);
    migrate(db, draft);
  } finally {
    db.close();
  }
  renameSync(draft, path);
  syncFile(dirname(path));
}

/** What lies there without its database says that there was one: a new one would take its place unnoticed. */
function expectNothingLost(path: string): void {
  if (existsSync(`${path}-wal`)) {
    throw terminal(
      'DatabaseMissing',
      `database "${path}" is gone, but its log "${path}-wal" is there; restore both from a backup`,
    );
  }
  const name = basename(path);
  const left = readdirSync(dirname(path)).find(
    (other) => other.startsWith(name + RESTORING) || other.startsWith(name + BEFORE),
  );
  if (left === undefined) return;
  throw terminal(
    'DatabaseMissing',
    `database "${path}" is gone, but "${left}" of a restore is there, which may have been cut off: run keyward restore again, or move that file away to begin anew`,
  );
}

function missingFile(path: string) {
  return terminal(
    'DatabaseMissing',
    `database "${path}" does not exist; its operator makes it when it first runs: start that, or look at --database`,
  );
}
