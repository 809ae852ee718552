/** Entries at the end of the audit chain of a database that a command has as a whole; see archive.ts. */
import type { Archive, TableView } from './archive.ts';
import { AUDIT_COLUMNS, CHAIN_START, chainRow, writeActor, writeFacts } from './audit.ts';
import type { AuditEntry } from './port.ts';
import { bytes, type Row } from './rows.ts';

/** An entry without its position. */
export type NewEntry = Omit<AuditEntry, 'atMs' | 'actor'> & {
  /** Of the key or document that it is about; empty: the whole database. */
  readonly uid: string;
};

/** Who appends, when, and of which cluster. */
type Appending = {
  readonly clusterId: string;
  readonly actor: string;
  readonly atMs: number;
  /** Entries that there are: the commit counter. */
  readonly after: number;
};

const AUDIT: TableView = { name: 'audit', by: ['commit_number'], columns: AUDIT_COLUMNS };
/** Rows at a time. */
const PAGE = 1_000;

/** Appends entries in their order; the first one's number is `after` plus one. Commits nothing. */
export async function appendEntries(
  archive: Archive,
  entries: readonly NewEntry[],
  { clusterId, actor, atMs, after }: Appending,
): Promise<void> {
  const [newest] = await archive.page(AUDIT, [after - 1]);
  let previous = newest === undefined ? CHAIN_START : bytes(newest.at(-1));
  const rows = entries.map(({ action, uid, facts }, index): Row => {
    const entry = {
      commitNumber: after + index + 1,
      clusterId,
      atMs,
      actor: writeActor(actor),
      action,
      uid,
      facts: writeFacts(facts),
    };
    const { row, hash } = chainRow(previous, entry);
    previous = hash;
    return row;
  });
  for (let start = 0; start < rows.length; start += PAGE) {
    // One transaction: one after the other.
    // oxlint-disable-next-line no-await-in-loop
    await archive.insert(AUDIT, rows.slice(start, start + PAGE));
  }
}

/** Changes columns of the one row of `meta`. Commits nothing. */
export async function replaceMeta(
  archive: Archive,
  changes: Readonly<Record<string, string | number>>,
): Promise<void> {
  const columns = await archive.columns('meta');
  const meta: TableView = { name: 'meta', by: ['id'], columns };
  const [row = []] = await archive.page(meta, undefined);
  const changed: Row = row.map((value, index) => changes[columns[index] ?? ''] ?? value);
  await archive.clear('meta');
  await archive.insert(meta, [changed]);
}
