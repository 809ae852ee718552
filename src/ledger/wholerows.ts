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

const KEY_COLUMNS = [...KEY_IDENTITY, ...KEY_CONTENT, 'revision'];
const CREDENTIAL_COLUMNS = [...CREDENTIAL_IDENTITY, ...CREDENTIAL_CONTENT];
const CREDENTIAL_FROM = KEY_COLUMNS.length;
const SLOT_FROM = CREDENTIAL_FROM + CREDENTIAL_COLUMNS.length;

/** What to select, of a key `k`, a credential `c` and a slot `s`. More may follow behind it. */
export const WHOLE_COLUMNS = [
  ...KEY_COLUMNS.map((column) => `k.${column}`),
  ...CREDENTIAL_COLUMNS.map((column) => `c.${column}`),
  ...SLOT_COLUMNS.map((column) => `s.${column}`),
].join(', ');

/** With the name of the form that a grant speaks of behind them, for gates; `documents` is their table. */
export function columnsAtGate(documents: string): string {
  return `${WHOLE_COLUMNS},
    (SELECT d.name FROM ${documents} d WHERE d.kind = 'Form' AND d.uid = k.form_uid)`;
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

/** The one record of rows of `columnsAtGate`; undefined: there are none. */
export function readAtGate(rows: readonly Row[]): StoredAtGate | undefined {
  const [record] = readRecords(rows);
  return record && { record, application: rows[0]?.at(-1) ?? null };
}
