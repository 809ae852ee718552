/**
 * Copies a ledger into another database, of the other engine or of the same: every row of every
 * table, in one transaction of the target. It is verified before that ends, so the target holds all
 * of it or nothing, and an interrupted copy is simply begun again.
 */
import { createHash } from 'node:crypto';
import { type Archive, OWN_TABLES, PAGE, TABLES, type TableView } from './archive.ts';
import { AUDIT_COLUMNS, AUDIT_START, type AuditPosition, checkEntries } from './audit.ts';
import { terminal } from './refusals.ts';
import type { Row, Value } from './rows.ts';

/** What was copied. */
export type Copied = {
  readonly rows: number;
  readonly tables: readonly { readonly name: string; readonly rows: number }[];
};

/**
 * Copies and verifies; commits the target at the end.
 *
 * @throws KeywardError Terminal TargetNotEmpty, SchemaChanged (tables, columns or versions differ),
 * SourceInUse (it was written meanwhile), CopyFailed (what was read back is not what was written, or
 * the audit chain is broken)
 */
export async function copyArchive(from: Archive, to: Archive): Promise<Copied> {
  const before = await from.meta();
  await expectFillable(from, to);
  await expectKnownTables(from);
  const tables: { name: string; rows: number }[] = [];
  for (const table of TABLES) {
    // One table after the other: all of it is one transaction.
    // oxlint-disable-next-line no-await-in-loop
    tables.push({ name: table.name, rows: await copyTable(from, to, table) });
  }
  await expectWholeChain(to, before.commitCounter);
  const after = await from.newest();
  if (after.commitCounter !== before.commitCounter || after.epoch !== before.epoch) {
    throw terminal(
      'SourceInUse',
      `database "${from.label}" was written while it was copied; stop its operator first`,
    );
  }
  await to.commit();
  return { tables, rows: tables.reduce((sum, { rows }) => sum + rows, 0) };
}

async function expectFillable(from: Archive, to: Archive): Promise<void> {
  const [source, target] = await Promise.all([from.meta(), to.meta()]);
  if (source.schemaVersion !== target.schemaVersion) {
    throw terminal(
      'SchemaChanged',
      `schema ${source.schemaVersion} cannot be copied to schema ${target.schemaVersion}; start this version's operator on the old database once`,
    );
  }
  const isEmpty =
    target.commitCounter === 0 && target.clusterId === undefined && target.epoch === 0;
  if (isEmpty && source.databaseId !== target.databaseId) return;
  throw terminal(
    'TargetNotEmpty',
    source.databaseId === target.databaseId
      ? `database "${to.label}" is a complete copy of this one already; nothing was changed`
      : `database "${to.label}" is in use by another installation; copy to an empty one`,
  );
}

async function expectKnownTables(from: Archive): Promise<void> {
  const known = new Set(TABLES.map(({ name }) => name));
  for (const name of await from.tables()) {
    if (known.has(name) || OWN_TABLES.has(name)) continue;
    throw terminal('SchemaChanged', `database "${from.label}" has an unknown table "${name}"`);
  }
}

async function copyTable(
  from: Archive,
  to: Archive,
  place: (typeof TABLES)[number],
): Promise<number> {
  const { name } = place;
  const columns = await from.columns(name);
  if (String(columns) !== String(await to.columns(name))) {
    throw terminal('SchemaChanged', `table "${name}" has other columns in the two databases`);
  }
  const table: TableView = { ...place, columns };
  await to.clear(name);
  const written = new Digest();
  await eachPage(from, table, async (rows) => {
    written.add(rows);
    await to.insert(table, rows);
  });
  const found = new Digest();
  await eachPage(to, table, async (rows) => found.add(rows));
  if (written.end() === found.end()) return written.rows;
  throw terminal(
    'CopyFailed',
    `table "${name}" reads back otherwise than it was written: ${found.rows} rows of ${written.rows}; nothing was kept`,
  );
}

async function expectWholeChain(to: Archive, total: number): Promise<void> {
  const table: TableView = { name: 'audit', by: ['commit_number'], columns: AUDIT_COLUMNS };
  let position: AuditPosition = AUDIT_START;
  let isBroken = false;
  await eachPage(to, table, async (rows) => {
    const step = checkEntries(position, rows, { total, stepMax: rows.length });
    position = step.reached;
    isBroken ||= step.verdict === 'Broken';
  });
  if (!isBroken && position.entries === total) return;
  throw terminal(
    'CopyFailed',
    `the audit chain is broken at entry ${position.entries + 1}; nothing was kept`,
  );
}

async function eachPage(
  archive: Archive,
  table: TableView,
  take: (rows: readonly Row[]) => Promise<void>,
): Promise<void> {
  let after: Row | undefined;
  for (;;) {
    // Each page begins where the one before ended.
    // oxlint-disable-next-line no-await-in-loop
    const rows = await archive.page(table, after);
    // oxlint-disable-next-line no-await-in-loop
    if (rows.length > 0) await take(rows);
    const last = rows.at(-1);
    if (last === undefined || rows.length < (table.pageRows ?? PAGE)) return;
    after = table.by.map((column) => last[table.columns.indexOf(column)] ?? null);
  }
}

/** Number and SHA-256 of rows; their parts cannot run into each other whatever they contain. */
class Digest {
  readonly #hash = createHash('sha256');
  rows = 0;

  add(rows: readonly Row[]): void {
    this.rows += rows.length;
    for (const row of rows) this.#hash.update(`${JSON.stringify(row.map(asText))}\n`);
  }

  end(): string {
    return `${this.rows} ${this.#hash.digest('hex')}`;
  }
}

function asText(value: Value): readonly [string, string] | null {
  if (value === null) return null;
  if (value instanceof Uint8Array) return ['bytes', Buffer.from(value).toString('hex')];
  return [typeof value, String(value)];
}
