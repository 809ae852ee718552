/** Keeps a ledger file ours: one writer at a time, and the very file that was opened. */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { terminal } from '../refusals.ts';
import { isBusy } from './failures.ts';

/** Network and plan 9 filesystems (statfs(2)): a write-ahead log needs memory shared by all users. */
const UNSUPPORTED = new Map([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x01021997, '9p'],
]);

/**
 * Refuses a place where SQLite cannot write, or its write-ahead log cannot work.
 *
 * @throws KeywardError Terminal DatabaseMissing, DatabaseReadOnly, FilesystemUnsupported
 */
export function checkPlace(path: string): void {
  const directory = dirname(path);
  if (!existsSync(directory)) {
    throw terminal(
      'DatabaseMissing',
      `directory "${directory}" of database "${path}" does not exist`,
    );
  }
  if (!isWritable(directory) || (existsSync(path) && !isWritable(path))) {
    throw terminal(
      'DatabaseReadOnly',
      `database "${path}" or its directory cannot be written by this process`,
    );
  }
  const filesystem = UNSUPPORTED.get(statfsSync(directory).type);
  if (filesystem === undefined) return;
  throw terminal(
    'FilesystemUnsupported',
    `database "${path}" lies on ${filesystem}, where SQLite cannot work safely; use a local disk or PostgreSQL`,
  );
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Takes the writer's lock: an open transaction on an empty database beside the file, which the
 * kernel releases when the process dies in whatever way. Not on the file itself: readers must be
 * able to open it meanwhile. Close the result to give the lock up.
 *
 * @throws KeywardError Terminal DatabaseInUse
 */
export function lock(path: string): DatabaseSync {
  makeLock(lockPath(path));
  const holder = new DatabaseSync(lockPath(path), { timeout: 0 });
  try {
    holder.exec('BEGIN EXCLUSIVE');
  } catch (thrown) {
    holder.close();
    if (!isBusy(thrown)) throw thrown;
    throw terminal(
      'DatabaseInUse',
      `database "${path}" is in use by another operator; a SQLite database has one operator only`,
    );
  }
  return holder;
}

/** For its owner only: whoever may read it could hold it, and keep every operator out. */
function makeLock(path: string): void {
  if (existsSync(path)) return;
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch {
    // Somebody else was faster, or the place is unfit, which SQLite says next.
  }
}

/**
 * Notices that the files were deleted, moved or replaced while they are open. Whoever goes on with a log or a
 * `-shm` that is not there any more neither sees what others commit nor keeps out of their way.
 */
export class FileWatch {
  readonly #path: string;
  readonly #files: readonly { readonly path: string; readonly inode: Inode }[];
  #isReplaced = false;

  private constructor(path: string, paths: readonly string[]) {
    this.#path = path;
    this.#files = paths.map((each) => ({ path: each, inode: inode(each) }));
  }

  /** Remembers the files of the database that is open at `path`, and its lock. */
  static ofWriter(path: string): FileWatch {
    return new FileWatch(path, [...filesOf(path), lockPath(path)]);
  }

  /** Remembers the files of a database that is open beside its operator; the lock is not ours. */
  static ofGate(path: string): FileWatch {
    return new FileWatch(path, filesOf(path));
  }

  /** Remembers the database file; its log comes and goes with the writer. */
  static ofReader(path: string): FileWatch {
    return new FileWatch(path, [path]);
  }

  /**
   * One stat call per file, 1 or 2 us each. Once it failed it fails for ever: what we hold open is
   * not what lies there.
   *
   * @throws KeywardError Terminal DatabaseReplaced
   */
  check(): void {
    this.#isReplaced ||= this.#files.some((file) => !isSame(inode(file.path), file.inode));
    if (!this.#isReplaced) return;
    throw terminal(
      'DatabaseReplaced',
      `database "${this.#path}" was deleted or replaced while it was open; nothing more is written`,
    );
  }
}

type Inode = { readonly dev: number; readonly ino: number } | undefined;

function inode(path: string): Inode {
  // Never open the file for this: closing it would drop SQLite's locks in this process (POSIX).
  return statSync(path, { throwIfNoEntry: false });
}

function isSame(a: Inode, b: Inode): boolean {
  return a?.dev === b?.dev && a?.ino === b?.ino;
}

/** All that SQLite keeps while a database is open. */
function filesOf(path: string): readonly string[] {
  return [path, `${path}-wal`, `${path}-shm`];
}

function lockPath(path: string): string {
  return `${path}-lock`;
}
