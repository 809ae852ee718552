/**
 * A whole database as tables of plain rows, for what looks at all of it at once: copying it to another
 * engine, and marking a restored backup. Both engines have the same tables and columns; what a new
 * migration adds is found in the database itself. Everything happens in one transaction.
 */
import type { LedgerIdentity } from './port.ts';
import type { Row } from './rows.ts';

/** Tables in the order in which they can be filled, with the columns that order their rows. */
export const TABLES: readonly Omit<TableView, 'columns'>[] = [
  { name: 'meta', by: ['id'] },
  { name: 'master_key_versions', by: ['version'] },
  { name: 'stores', by: ['store_uid'] },
  { name: 'keys', by: ['id'] },
  { name: 'credentials', by: ['key', 'sequence'] },
  { name: 'slots', by: ['key', 'sequence', 'name'] },
  { name: 'imports', by: ['lookup'] },
  { name: 'rotation_requests', by: ['uid', 'request_id'] },
  { name: 'documents', by: ['kind', 'uid'], pageRows: 50 },
  { name: 'audit', by: ['commit_number'] },
  { name: 'counts', by: ['subject', 'window_start'] },
  { name: 'leases', by: ['id'] },
  { name: 'usage', by: ['uid'] },
  { name: 'signatures', by: ['key_id', 'digest'] },
];

/** Tables of an engine's own: `migrations` says what was applied, `batches` how transactions ended. */
export const OWN_TABLES: ReadonlySet<string> = new Set(['migrations', 'batches']);

/** One transaction on a whole database. */
export interface Archive {
  /** Names the database to people. */
  readonly label: string;
  meta(): Promise<LedgerIdentity>;
  /** Names of all tables, those of the engine's own included. */
  tables(): Promise<readonly string[]>;
  /** Columns of a table, in alphabetical order. */
  columns(table: string): Promise<readonly string[]>;
  /** Up to `pageRows` rows in the order of `by`, after the row with these values. */
  page(table: TableView, after: Row | undefined): Promise<readonly Row[]>;
  insert(table: TableView, rows: readonly Row[]): Promise<void>;
  /** Removes all rows. */
  clear(table: string): Promise<void>;
  /** Removes the rows whose columns `by` have these values. */
  remove(table: Pick<TableView, 'name' | 'by'>, keys: readonly Row[]): Promise<void>;
  /** Says of every row of a table that it is about this cluster. */
  setCluster(table: string, clusterId: string): Promise<void>;
  /** Ends the transaction and keeps what it wrote. */
  commit(): Promise<void>;
  /** What somebody else committed meanwhile; only engines with several writers have an answer. */
  newest(): Promise<Pick<LedgerIdentity, 'commitCounter' | 'epoch'>>;
  /** Ends everything; what was not committed is gone. May be repeated. */
  close(): Promise<void>;
}

/** A table as it is read and written. */
export type TableView = {
  readonly name: string;
  readonly by: readonly string[];
  readonly columns: readonly string[];
  /** Rows at a time; absent: PAGE. Fewer where one row may be as large as an object can be. */
  readonly pageRows?: number;
};

/** Rows at a time. */
export const PAGE = 1_000;

/**
 * Look: an existing ledger that is not written meanwhile where the engine can see to that. Change:
 * the same, to be written. Fill: made where there is none.
 */
export type ArchiveMode = 'Look' | 'Change' | 'Fill';

/** Conditions for the rows after `after`, with `?` or `$1` from `place`. Pure. */
export function pageQuery(
  table: TableView,
  after: Row | undefined,
  dialect: { readonly tableName: string; readonly place: (index: number) => string },
): string {
  const by = table.by.join(', ');
  const places = table.by.map((_, index) => dialect.place(index)).join(', ');
  const where = after === undefined ? '' : `WHERE (${by}) > (${places})`;
  return `SELECT ${table.columns.join(', ')} FROM ${dialect.tableName} ${where}
    ORDER BY ${by} LIMIT ${table.pageRows ?? PAGE}`;
}

/** All rows of a table, page by page. */
export async function* rowsOf(archive: Archive, table: TableView): AsyncGenerator<Row> {
  let after: Row | undefined;
  for (;;) {
    // Each page begins where the one before ended.
    // oxlint-disable-next-line no-await-in-loop
    const rows = await archive.page(table, after);
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < (table.pageRows ?? PAGE)) return;
    after = table.by.map((column) => last[table.columns.indexOf(column)] ?? null);
  }
}
