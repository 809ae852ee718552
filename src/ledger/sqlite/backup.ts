/** Copies of a SQLite ledger: one taken while it is in use, and one put back in its place. */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { syncFile, systemCode } from '../../kernel/files.ts';
import { terminal } from '../refusals.ts';
import { translate } from './failures.ts';
import { openFileForReading } from './file.ts';
import { checkPlace, lock } from './guard.ts';
import { placeOf } from './place.ts';
import { prepare } from './statements.ts';

/** Files that belong together, by what follows their common name. */
const PARTS = ['', '-wal', '-shm'] as const;

/**
 * Writes all that is committed into a new file, readable by its owner only, while operator and gates go on.
 *
 * @param to a file that does not exist
 * @throws KeywardError Terminal BackupExists, BackupFolderMissing, DatabaseMissing and those of reading; Transient
 * LedgerUnavailable, also where the disk is full
 */
export function backUpFile(url: string, to: string): void {
  const path = placeOf(url);
  try {
    const db = openFileForReading(path);
    try {
      writeTo(resolve(to), db);
    } finally {
      db.close();
    }
  } catch (thrown) {
    throw translate(thrown, path);
  }
}

/** Under another name until all of it is on the disk: whoever is killed leaves nothing that has the name of a backup. */
function writeTo(to: string, db: DatabaseSync): void {
  if (lstatSync(to, { throwIfNoEntry: false }) !== undefined) throw existing(to);
  const draft = `${to}.part-${randomBytes(4).toString('hex')}`;
  take(draft, to);
  try {
    prepare(db, 'VACUUM INTO ?').run(draft);
    syncFile(draft);
    // Somebody may have been there meanwhile. What we made a moment ago is ours to replace.
    take(to, to);
    renameSync(draft, to);
    syncFile(dirname(to));
  } catch (thrown) {
    rmSync(draft, { force: true });
    throw thrown;
  }
}

/** Makes an empty file, where there is none. @param to the backup that it is for */
function take(path: string, to: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (thrown) {
    const code = systemCode(thrown);
    if (code === 'EEXIST') throw existing(to);
    if (code === 'ENOENT') {
      throw terminal('BackupFolderMissing', `the folder of "${to}" does not exist`);
    }
    throw thrown;
  }
}

function existing(path: string): Error {
  return terminal('BackupExists', `"${path}" exists; a backup is never written over another file`);
}

/**
 * Puts a copy in the place of the ledger, checked before anything is moved. What was there is moved aside, log
 * and all, never removed.
 *
 * @param aside what is added to the name of the files that were there, such as `.before-20261123`
 * @returns whether there was one before
 * @throws KeywardError Terminal DatabaseInUse while an operator runs, ForeignDatabase, DatabaseCorrupt
 */
export async function putBackFile(
  url: string,
  { copy, aside }: { readonly copy: AsyncIterable<Uint8Array>; readonly aside: string },
): Promise<'Replaced' | 'New'> {
  const path = placeOf(url);
  const draft = `${path}.restoring`;
  try {
    checkPlace(path);
    const held = lock(path);
    try {
      rmSync(draft, { force: true });
      await write(draft, copy);
      checkCopy(draft);
      const hadOne = existsSync(path);
      moveAside(path, aside);
      renameSync(draft, path);
      syncFile(dirname(path));
      return hadOne ? 'Replaced' : 'New';
    } finally {
      held.close();
    }
  } catch (thrown) {
    rmSync(draft, { force: true });
    throw translate(thrown, path);
  }
}

function moveAside(path: string, aside: string): void {
  const there = PARTS.filter((part) => existsSync(`${path}${part}`));
  const taken = PARTS.map((part) => `${path}${aside}${part}`).find((each) => existsSync(each));
  if (taken !== undefined) throw existing(taken);
  for (const part of there) renameSync(`${path}${part}`, `${path}${aside}${part}`);
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
