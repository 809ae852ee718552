/** What a disk may look like after the power went, and whether a ledger survives it. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openFile } from '../../src/ledger/sqlite/file.ts';
import { prepareQueries } from '../../src/ledger/sqlite/queries.ts';
import { bytes, integer, text } from '../../src/ledger/rows.ts';
import { prepare } from '../../src/ledger/sqlite/statements.ts';

/** What a disk writes as a whole. */
export const SECTOR = 512;

/** The audit entries that are checked per image; all of them in each of thousands takes minutes. */
const AUDIT_TAIL = 100;

/** The two files of a ledger that outlive a crash; its shared memory does not. */
export type Image = { readonly db: Buffer; readonly wal: Buffer };

/** Newest acknowledged revision by UID. */
export type Acknowledged = ReadonlyMap<string, number>;

/** Acknowledgements as the child prints them; a line that is not complete yet does not count. */
export function parseAcknowledged(output: string): Acknowledged {
  const complete = output.slice(0, output.lastIndexOf('\n') + 1);
  const lines = complete.split('\n').filter((line) => /^e\d+-\d+ \d+$/.test(line));
  return new Map(
    lines.map((line) => {
      const [uid = '', revision] = line.split(' ');
      return [uid, Number(revision)];
    }),
  );
}

/** Opens the image as an operator would at its next start; what is wrong with it, if anything. */
export function inspect(
  directory: string,
  image: Image,
  acknowledged: Acknowledged,
): string | undefined {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const path = join(directory, 'keyward.db');
  writeFileSync(path, image.db);
  if (image.wal.length > 0) writeFileSync(`${path}-wal`, image.wal);
  try {
    return findLoss(path, acknowledged);
  } catch (thrown) {
    return `it does not open: ${String(thrown)}`;
  }
}

function findLoss(path: string, acknowledged: Acknowledged): string | undefined {
  const db = openFile(path, 'Refuse');
  try {
    const rows = prepare(db, 'SELECT uid, revision FROM keys').all();
    const revisions = new Map(rows.map((row) => [text(row[0]), integer(row[1])]));
    for (const [uid, revision] of acknowledged) {
      const kept = revisions.get(uid) ?? 0;
      if (kept < revision) return `${uid} is at revision ${kept}, and ${revision} was acknowledged`;
    }
    const queries = prepareQueries(db);
    const { commitCounter } = queries.identity();
    const entries = Math.max(0, commitCounter - AUDIT_TAIL);
    const hash = prepare(db, 'SELECT hash FROM audit WHERE commit_number = ?').get(entries)?.[0];
    const from = { entries, hash: hash === undefined ? new Uint8Array(32) : bytes(hash) };
    const { verdict, reached } = queries.verifyAudit(from);
    return verdict === 'Whole' ? undefined : `the audit chain breaks after ${reached.entries}`;
  } finally {
    db.close();
  }
}

/**
 * The file when some of the sectors that differ between two states were written and some were not:
 * each is taken from `after` where `isWritten` says so.
 */
export function mixSectors(
  before: Buffer,
  after: Buffer,
  isWritten: (sector: number) => boolean,
): Buffer {
  const sectors = Math.ceil(Math.max(before.length, after.length) / SECTOR);
  const pieces = Array.from({ length: sectors }, (_, sector) => {
    const [from, to] = [sector * SECTOR, (sector + 1) * SECTOR];
    const old = before.subarray(from, to);
    if (isWritten(sector)) return after.length > from ? after.subarray(from, to) : old;
    // A hole: the file is longer already, but these bytes never arrived.
    return old.length > 0 ? old : Buffer.alloc(Math.min(SECTOR, Math.max(0, after.length - from)));
  });
  return Buffer.concat(pieces);
}

/** Numbers of the sectors in which two states of a file differ. */
export function differingSectors(before: Buffer, after: Buffer): readonly number[] {
  const sectors = Math.ceil(Math.max(before.length, after.length) / SECTOR);
  return Array.from({ length: sectors }, (_, sector) => sector).filter((sector) => {
    const [from, to] = [sector * SECTOR, (sector + 1) * SECTOR];
    return !before.subarray(from, to).equals(after.subarray(from, to));
  });
}
