/**
 * The audit chain: every commit appends one entry whose hash covers the entry and the hash before
 * it, so that an entry cannot be changed, dropped or moved without breaking all that follow.
 * Pure; the databases keep the rows, `keyward audit verify` walks them.
 */
import { hash } from 'node:crypto';
import type { AuditLine } from './port.ts';
import { bytes, integer, type Row, text } from './rows.ts';

/** An entry as it is hashed. */
export type ChainEntry = {
  /** Position, from 1 without gaps. */
  readonly commitNumber: number;
  readonly clusterId: string;
  readonly atMs: number;
  readonly actor: string;
  readonly action: string;
  readonly uid: string;
  /** As `writeFacts` wrote them. */
  readonly facts: string;
};

/** The hash before the first entry: 32 zero bytes. */
export const CHAIN_START: Uint8Array = new Uint8Array(32);

/** Facts as stored and hashed: JSON with sorted names, so that equal facts are equal text. */
export function writeFacts(facts: Readonly<Record<string, string | number | boolean>>): string {
  return JSON.stringify(facts, Object.keys(facts).toSorted());
}

/**
 * A user name as stored and hashed. Databases refuse U+0000 and replace half a surrogate pair, either
 * of which would break the chain; nobody can have such a name, but somebody may claim to.
 */
export function writeActor(actor: string): string {
  return actor.toWellFormed().replaceAll('\0', '\uFFFD');
}

/**
 * SHA-256 of the entry and the hash before it, 32 bytes. The text that is hashed is a JSON array,
 * because its parts cannot run into each other whatever they contain.
 */
export function hashEntry(previous: Uint8Array, entry: ChainEntry): Uint8Array {
  const text = JSON.stringify([
    'keyward/1/audit',
    Buffer.from(previous).toString('base64'),
    entry.commitNumber,
    entry.clusterId,
    entry.atMs,
    entry.actor,
    entry.action,
    entry.uid,
    entry.facts,
  ]);
  return hash('sha256', text, 'buffer');
}

/** Columns of `audit`, in the order in which `checkEntries` reads them. */
export const AUDIT_COLUMNS = [
  'commit_number',
  'cluster_id',
  'at',
  'actor',
  'action',
  'uid',
  'facts',
  'previous_hash',
  'hash',
] as const;

/** The row of AUDIT_COLUMNS of an entry, and its hash, which the next one needs; `previous` is that of the one before. */
export function chainRow(
  previous: Uint8Array,
  entry: ChainEntry,
): { readonly row: Row; readonly hash: Uint8Array } {
  const { commitNumber, clusterId, atMs, actor, action, uid, facts } = entry;
  const hash = hashEntry(previous, entry);
  return {
    row: [commitNumber, clusterId, atMs, actor, action, uid, facts, previous, hash],
    hash,
  };
}

/**
 * A row of AUDIT_COLUMNS for people.
 *
 * @throws KeywardError Terminal RowCorrupt
 */
export function readLine(row: Row): AuditLine {
  const [number, , atMs, actor, action, uid, facts] = row;
  return {
    number: integer(number),
    uid: text(uid),
    action: text(action),
    actor: text(actor),
    atMs: integer(atMs),
    facts: parseFacts(text(facts)),
  };
}

function parseFacts(json: string): AuditLine['facts'] {
  try {
    // Written by `writeFacts` from the same type.
    return JSON.parse(json) as AuditLine['facts'];
  } catch {
    // Somebody changed the row, which is what the chain is for: the line is still worth showing.
    return { unreadable: json };
  }
}

/** Entries that a database checks at once: some 20 ms. */
export const AUDIT_STEP = 2_000;

/** Up to where the audit chain was found whole. */
export type AuditPosition = { readonly entries: number; readonly hash: Uint8Array };

/** Where every walk of the audit chain begins. */
export const AUDIT_START: AuditPosition = { entries: 0, hash: CHAIN_START };

/** One step of a walk: where it stands, and whether to go on from there. */
export type AuditStep = {
  readonly reached: AuditPosition;
  readonly verdict: 'Whole' | 'Broken' | 'GoOn';
};

/**
 * Checks the entries after `from`, rows of AUDIT_COLUMNS in order. Fewer than `stepMax` are the last
 * of a chain that counted `total` entries.
 */
export function checkEntries(
  from: AuditPosition,
  rows: readonly Row[],
  { total, stepMax }: { readonly total: number; readonly stepMax: number },
): AuditStep {
  let reached = from;
  for (const row of rows) {
    const next = checkEntry(reached, row);
    if (next === undefined) return { reached, verdict: 'Broken' };
    reached = next;
  }
  if (rows.length === stepMax) return { reached, verdict: 'GoOn' };
  // Cutting off the newest entries leaves a chain that is whole, but shorter than was counted.
  return { reached, verdict: reached.entries === total ? 'Whole' : 'Broken' };
}

function checkEntry(before: AuditPosition, row: Row): AuditPosition | undefined {
  const expected = hashEntry(before.hash, {
    commitNumber: before.entries + 1,
    clusterId: text(row[1]),
    atMs: integer(row[2]),
    actor: text(row[3]),
    action: text(row[4]),
    uid: text(row[5]),
    facts: text(row[6]),
  });
  const whole =
    row[0] === before.entries + 1 &&
    equal(bytes(row[7]), before.hash) &&
    equal(bytes(row[8]), expected);
  return whole ? { entries: before.entries + 1, hash: expected } : undefined;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
