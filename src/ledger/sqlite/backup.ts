/** Copies of a SQLite ledger: one taken while it is in use, and one put back in its place. */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { syncFile, systemCode } from '../../kernel/files.ts';
import { DAY_MS } from '../../kernel/time.ts';
import { terminal } from '../refusals.ts';
import { translate } from './failures.ts';
import { openFileForReading } from './file.ts';
import { checkPlace, lock } from './guard.ts';
import { BEFORE, placeOf, RESTORING } from './place.ts';
import { prepare } from './statements.ts';

/** Files that belong together, by what follows their common name. */
const PARTS = ['', '-wal', '-shm'] as const;

/** From filesystems that have no links, such as FAT. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/** What a killed backup left is removed by a later one when nothing was written to it for so long. */
const ABANDONED_MS = DAY_MS;

/**
 * Writes all that is committed into a new file, readable by its owner only, while operator and gates go on.
 *
 * @param to a file that does not exist
 * @throws KeywardError Terminal BackupExists, BackupFolderMissing, DatabaseMissing and those of reading; Transient
 * LedgerUnavailable, also where the disk is full
 */
export function backUpFile(url: string, to: string): void {
  const path = placeOf(url);
  const target = resolve(to);
  try {
    if (lstatSync(target, { throwIfNoEntry: false }) !== undefined) throw existing(target);
    publish(writeDraft(path, target), target);
  } catch (thrown) {
    throw translate(thrown, path);
  }
}

/**
 * As `backUpFile`, into a file without a name, which goes when it is closed.
 *
 * @returns its descriptor, for reading
 */
export function openBackupFile(url: string): number {
  const path = placeOf(url);
  try {
    const draft = writeDraft(path, path);
    try {
      return openSync(draft, 'r');
    } finally {
      rmSync(draft);
    }
  } catch (thrown) {
    throw translate(thrown, path);
  }
}

/** How the name of a draft ends. */
const DRAFT = /^[0-9a-f]{8}$/;

/** Whoever is killed leaves nothing that has the name of a backup. @param beside the file whose folder it lies in */
function writeDraft(path: string, beside: string): string {
  const db = openFileForReading(path);
  const prefix = `${beside}.part-`;
  const draft = `${prefix}${randomBytes(4).toString('hex')}`;
  try {
    removeAbandoned(prefix);
    closeSync(openSync(draft, 'wx', 0o600));
    prepare(db, 'VACUUM INTO ?').run(draft);
    syncFile(draft);
    return draft;
  } catch (thrown) {
    rmSync(draft, { force: true });
    if (systemCode(thrown) !== 'ENOENT') throw thrown;
    throw terminal('BackupFolderMissing', `the folder of "${beside}" does not exist`);
  } finally {
    db.close();
  }
}

/** Only what `writeDraft` may have made: others use such names, too, for the parts of a file. */
function removeAbandoned(prefix: string): void {
  const folder = dirname(prefix);
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (!path.startsWith(prefix) || !DRAFT.test(path.slice(prefix.length))) continue;
    const about = lstatSync(path, { throwIfNoEntry: false });
    if (about?.isFile() !== true || Date.now() - about.mtimeMs <= ABANDONED_MS) continue;
    rmSync(path, { force: true });
  }
}

/** A link fails where the name is taken by now, which a rename would not. */
function publish(draft: string, to: string): void {
  try {
    linkOrMove(draft, to);
    syncFile(dirname(to));
  } catch (thrown) {
    if (systemCode(thrown) === 'EEXIST') throw existing(to);
    throw thrown;
  } finally {
    rmSync(draft, { force: true });
  }
}

function linkOrMove(draft: string, to: string): void {
  try {
    linkSync(draft, to);
  } catch (thrown) {
    if (!NO_LINKS.has(systemCode(thrown) ?? '')) throw thrown;
    closeSync(openSync(to, 'wx', 0o600));
    renameSync(draft, to);
  }
}

function existing(path: string): Error {
  return terminal('BackupExists', `"${path}" exists; a backup is never written over another file`);
}

/**
 * Puts a copy in the place of the ledger, checked before anything is moved. What was there is moved aside, log
 * and all, never removed.
 *
 * @param at for the name of what was there, such as 20261123T101500Z
 * @returns that name; undefined: there was nothing
 * @throws KeywardError Terminal DatabaseInUse while an operator runs, ForeignDatabase, DatabaseCorrupt
 */
export async function putBackFile(
  url: string,
  { copy, at }: { readonly copy: AsyncIterable<Uint8Array>; readonly at: string },
): Promise<string | undefined> {
  const path = placeOf(url);
  const draft = path + RESTORING;
  try {
    checkPlace(path);
    const held = lock(path);
    try {
      rmSync(draft, { force: true });
      await write(draft, copy);
      checkCopy(draft);
      const hadOne = existsSync(path);
      const before = `${path}${BEFORE}${at}`;
      exchange(draft, path, before);
      return hadOne ? before : undefined;
    } finally {
      held.close();
    }
  } catch (thrown) {
    rmSync(draft, { force: true });
    throw translate(thrown, path);
  }
}

/** From the first step to the last there is no database; `openFile` makes none meanwhile. */
function exchange(draft: string, path: string, before: string): void {
  const there = PARTS.filter((part) => existsSync(path + part));
  const taken = PARTS.map((part) => before + part).find((each) => existsSync(each));
  if (taken !== undefined) throw existing(taken);
  const moved: string[] = [];
  try {
    for (const part of there) {
      renameSync(path + part, before + part);
      moved.push(part);
    }
    renameSync(draft, path);
  } catch (thrown) {
    for (const part of moved) renameSync(before + part, path + part);
    throw thrown;
  }
  syncFile(dirname(path));
}

async function write(path: string, copy: AsyncIterable<Uint8Array>): Promise<void> {
  const file = openSync(path, 'wx', 0o600);
  try {
    for await (const chunk of copy) writeAll(file, chunk);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function writeAll(file: number, chunk: Uint8Array): void {
  for (let at = 0; at < chunk.length;) at += writeSync(file, chunk, at);
}

/** A whole ledger of Keyward, from its first page to its last. */
function checkCopy(path: string): void {
  const db = openFileForReading(path);
  try {
    const complaint = prepare(db, 'PRAGMA integrity_check(1)').get()?.[0];
    if (complaint === 'ok') return;
    throw terminal('DatabaseCorrupt', `the copy is damaged: ${String(complaint)}; take another`);
  } finally {
    db.close();
    // A copy that was made as a file opens with a log.
    for (const part of ['-wal', '-shm']) rmSync(`${path}${part}`, { force: true });
  }
}
