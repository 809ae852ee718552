/**
 * Records in one statement: a key, its credentials and their slots side by side, one row per slot.
 * Repeating the key's columns costs less than asking three times. Pure.
 */
import {
  AT,
  CREDENTIAL_CONTENT,
  CREDENTIAL_IDENTITY,
  KEY_CONTENT,
  KEY_IDENTITY,
  type Row,
  SLOT_COLUMNS,
  type StoredRecord,
} from './rows.ts';
import { ENDED_MAX } from './tombstones.ts';

const KEY_COLUMNS = [...KEY_IDENTITY, ...KEY_CONTENT, 'revision'];
const CREDENTIAL_COLUMNS = [...CREDENTIAL_IDENTITY, ...CREDENTIAL_CONTENT];
const CREDENTIAL_FROM = KEY_COLUMNS.length;
const SLOT_FROM = CREDENTIAL_FROM + CREDENTIAL_COLUMNS.length;

const COLUMNS = [
  ...KEY_COLUMNS.map((column) => `k.${column}`),
  ...CREDENTIAL_COLUMNS.map((column) => `c.${column}`),
  ...SLOT_COLUMNS.map((column) => `s.${column}`),
].join(', ');

/** Which credentials `c` belong to a record. */
const LIVING = `c.state <> 'Deleted'`;

/** Which records are asked for. */
type WholeQuery = {
  /** What stands before the names of tables; empty where they need nothing. */
  readonly prefix: string;
  /** What is asked of the id of a key, such as `IN (SELECT …)`. */
  readonly which: string;
};

/** The query for `readRecords`. */
export function recordsQuery(query: WholeQuery): string {
  return wholeQuery(query, { columns: COLUMNS, credentials: LIVING });
}

/** The query for `readAtGate`: with credentials that ended lately, and the name of the form that a grant speaks of. */
export function atGateQuery(query: WholeQuery): string {
  const { prefix } = query;
  return wholeQuery(query, {
    columns: `${COLUMNS},
    (SELECT d.name FROM ${prefix}documents d WHERE d.kind = 'Form' AND d.uid = k.form_uid)`,
    credentials: `(${LIVING} OR c.sequence IN (
      SELECT DISTINCT e.sequence FROM ${prefix}slots e WHERE e.key = k.id AND e.ended_at IS NOT NULL
      ORDER BY e.sequence DESC LIMIT ${ENDED_MAX}
    ))`,
  });
}

function wholeQuery(
  { prefix, which }: WholeQuery,
  { columns, credentials }: { readonly columns: string; readonly credentials: string },
): string {
  return `SELECT ${columns} FROM ${prefix}keys k
    LEFT JOIN ${prefix}credentials c ON c.key = k.id AND ${credentials}
    LEFT JOIN ${prefix}slots s ON s.key = c.key AND s.sequence = c.sequence
    WHERE k.id ${which} ORDER BY k.uid, c.sequence, s.name`;
}

/** Selects ids of keys by a keyId, or by the lookup of an imported value. */
export function idsByKeyId(prefix: string, parameter: string): string {
  return `SELECT key FROM ${prefix}credentials WHERE key_id = ${parameter}
    UNION ALL SELECT key FROM ${prefix}imports WHERE lookup = ${parameter}`;
}

type Credential = { readonly row: Row; readonly slots: Row[] };

/** The records of such rows, by UID. */
export function readRecords(rows: readonly Row[]): readonly StoredRecord[] {
  const records = new Map<
    Row[number] | undefined,
    { readonly key: Row; readonly credentials: Credential[] }
  >();
  for (const row of rows) {
    const uid = row[AT.uid];
    const record = records.get(uid) ?? { key: row.slice(0, CREDENTIAL_FROM), credentials: [] };
    records.set(uid, record);
    const credential = row.slice(CREDENTIAL_FROM, SLOT_FROM);
    if (credential[AT.token] === null) continue;
    let last = record.credentials.at(-1);
    if (last?.row[AT.sequence] !== credential[AT.sequence]) {
      last = { row: credential, slots: [] };
      record.credentials.push(last);
    }
    const slot = row.slice(SLOT_FROM);
    if (slot[0] !== null) last?.slots.push(slot);
  }
  return [...records.values()];
}

/** A record, and the name of the form that its grant speaks of, or null. */
export type StoredAtGate = { readonly record: StoredRecord; readonly application: Row[number] };

/** The one record of rows of `atGateQuery`; undefined: there are none. */
export function readAtGate(rows: readonly Row[]): StoredAtGate | undefined {
  const [record] = readRecords(rows);
  return record && { record, application: rows[0]?.at(-1) ?? null };
}
