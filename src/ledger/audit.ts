/**
 * The audit chain: every commit appends one entry whose hash covers the entry and the hash before
 * it, so that an entry cannot be changed, dropped or moved without breaking all that follow.
 * Pure; the databases keep the rows, `keyward audit verify` walks them.
 */
import { hash } from 'node:crypto';

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
  return JSON.stringify(
    Object.fromEntries(Object.entries(facts).toSorted(([a], [b]) => (a < b ? -1 : 1))),
  );
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
