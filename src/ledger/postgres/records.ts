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
} from '../rows.ts';
import { ENDED_MAX } from '../tombstones.ts';

const KEY_COLUMNS = [...KEY_IDENTITY, ...KEY_CONTENT, 'revision'];
const CREDENTIAL_COLUMNS = [...CREDENTIAL_IDENTITY, ...CREDENTIAL_CONTENT];
const CREDENTIAL_FROM = KEY_COLUMNS.length;
const SLOT_FROM = CREDENTIAL_FROM + CREDENTIAL_COLUMNS.length;

const COLUMNS = [
  ...KEY_COLUMNS.map((column) => `k.${column}`),
  ...CREDENTIAL_COLUMNS.map((column) => `c.${column}`),
  ...SLOT_COLUMNS.map((column) => `s.${column}`),
].join(', ');

/** Which credentials `c` of a key `k` belong to its record; */
const LIVING = `c.state <> 'Deleted'`;
/** with those that ended lately, where a gate asks. */
export const WITH_ENDED = `(${LIVING} OR c.sequence IN (
  SELECT DISTINCT e.sequence FROM {schema}.slots e WHERE e.key = k.id AND e.ended_at IS NOT NULL
  ORDER BY e.sequence DESC LIMIT ${ENDED_MAX}
))`;

/** The id of the key that has this keyId, or an imported value with this lookup. */
export const BY_KEY_ID = `SELECT key FROM {schema}.credentials WHERE key_id = $1
  UNION ALL SELECT key FROM {schema}.imports WHERE lookup = $1`;

/** The query for records whose ids `wanted` selects; `{schema}` is still to be filled in. */
export function recordQuery(wanted: string, credentials = LIVING): string {
  return `SELECT ${COLUMNS} FROM {schema}.keys k
    LEFT JOIN {schema}.credentials c ON c.key = k.id AND ${credentials}
    LEFT JOIN {schema}.slots s ON s.key = c.key AND s.sequence = c.sequence
    WHERE k.id IN (${wanted}) ORDER BY k.uid, c.sequence, s.name`;
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
