/**
 * A decided batch as statements: a handful, whatever the number of commits. Rows travel as JSON and
 * take their types from the table, so a new column is named in the schema and in rows.ts only.
 */
import { AUDIT_COLUMNS } from '../audit.ts';
import {
  CREDENTIAL_CONTENT,
  CREDENTIAL_IDENTITY,
  KEY_CONTENT,
  KEY_IDENTITY,
  type Row,
  SLOT_COLUMNS,
  type Value,
} from '../rows.ts';
import { DIGESTS_MS, DIGESTS_PURGE_MAX, PURGE_MAX, TOMBSTONE_MS } from '../tombstones.ts';
import type { CredentialDraft, Decision, KeyDraft } from './batch.ts';
import type { Parameter } from './connection.ts';
import { type DocumentDraft, rowsOfDocuments } from './documents.ts';

/** A statement whose tables are still called `{schema}.name`. */
export type Statement = { readonly sql: string; readonly parameters: readonly Parameter[] };

/** Transactions whose names are kept, counted in commits: far more than can wait for their answer. */
const BATCHES_KEPT = 10_000;

/** Everything the decision writes, in order; `batchId` names the transaction. */
export function writesOf(decision: Decision, batchId: string): readonly Statement[] {
  const { keys, documents, spent, imports, audit, commitCounter } = decision;
  return [
    ...keyWrites(keys),
    ...credentialWrites(keys),
    ...documentWrites(documents),
    ...insert('rotation_requests', ['uid', 'request_id', 'cluster_id'], spent),
    ...insert('imports', ['lookup', 'key', 'sequence', 'cluster_id'], imports),
    ...insert('audit', AUDIT_COLUMNS, audit),
    mark(batchId, commitCounter),
    { sql: 'UPDATE {schema}.meta SET commit_counter = $1', parameters: [commitCounter] },
  ];
}

/** Remembers the name of this transaction. */
export function mark(batchId: string, commitCounter: number): Statement {
  const sql = 'INSERT INTO {schema}.batches (id, commit_number) VALUES ($1, $2)';
  return { sql, parameters: [batchId, commitCounter] };
}

/** Forgets tombstones and digests that are old at `atMs`, and the names of transactions of long ago. */
export function purgesAt(atMs: number, commitCounter: number): readonly Statement[] {
  const before = atMs - TOMBSTONE_MS;
  const old = `SELECT k.uid FROM {schema}.keys k WHERE k.ended_at < $1 AND NOT EXISTS (
      SELECT 1 FROM {schema}.credentials c WHERE c.key = k.id AND c.state <> 'Deleted'
    ) ORDER BY k.ended_at, k.uid LIMIT ${PURGE_MAX}`;
  const digests = `DELETE FROM {schema}.slots WHERE (key, sequence, name) IN (
      SELECT key, sequence, name FROM {schema}.slots WHERE ended_at < $1 LIMIT ${DIGESTS_PURGE_MAX}
    )`;
  return [
    { sql: digests, parameters: [atMs - DIGESTS_MS] },
    { sql: `DELETE FROM {schema}.rotation_requests WHERE uid IN (${old})`, parameters: [before] },
    { sql: `DELETE FROM {schema}.keys WHERE uid IN (${old})`, parameters: [before] },
    {
      sql: 'DELETE FROM {schema}.batches WHERE commit_number < $1',
      parameters: [commitCounter - BATCHES_KEPT],
    },
  ];
}

function keyWrites(keys: readonly KeyDraft[]): readonly Statement[] {
  const columns = [...KEY_CONTENT, 'revision', 'ended_at'];
  const changed = (key: KeyDraft): Row => [...key.content, key.revision, key.endedAtMs];
  const isNew = Map.groupBy(keys, (key) => key.isNew);
  return [
    ...insert(
      'keys',
      ['id', ...KEY_IDENTITY, ...columns],
      (isNew.get(true) ?? []).map((key) => [key.id, ...key.identity, ...changed(key)]),
    ),
    ...update(
      'keys',
      { by: ['id'], set: columns },
      (isNew.get(false) ?? []).map((key) => [key.id, ...changed(key)]),
    ),
  ];
}

/** Columns that name a credential. */
const OF_CREDENTIAL = ['key', 'sequence'];

type CredentialOfKey = { readonly key: KeyDraft; readonly credential: CredentialDraft };

function at({ key, credential }: CredentialOfKey): Row {
  return [key.id, credential.sequence];
}

function credentialWrites(keys: readonly KeyDraft[]): readonly Statement[] {
  const drafts = keys.flatMap((key) =>
    [...key.credentials.values()].map((credential) => ({ key, credential })),
  );
  const written = drafts.filter(({ credential }) => credential.rows !== undefined);
  const added = written.filter(({ credential }) => credential.isNew);
  const changed = written.filter(({ credential }) => !credential.isNew);
  const ended = drafts.filter(({ credential }) => credential.endedAtMs !== undefined);
  return [
    ...insert(
      'credentials',
      [...OF_CREDENTIAL, 'cluster_id', 'uid', 'epoch', ...identityColumns(), ...CREDENTIAL_CONTENT],
      added.map(({ key, credential }) => [
        ...at({ key, credential }),
        ...key.identity.slice(0, 2),
        credential.epoch,
        ...identityOf(credential),
        ...(credential.rows?.content ?? []),
      ]),
    ),
    ...update(
      'credentials',
      { by: OF_CREDENTIAL, set: ['epoch', ...CREDENTIAL_CONTENT] },
      changed.map((each) => [
        ...at(each),
        each.credential.epoch,
        ...(each.credential.rows?.content ?? []),
      ]),
    ),
    ...update(
      'credentials',
      { by: OF_CREDENTIAL, set: ['epoch', 'state', 'ended_at'] },
      ended.map((each) => [
        ...at(each),
        each.credential.epoch,
        'Deleted',
        each.credential.endedAtMs ?? null,
      ]),
    ),
    ...slotWrites(drafts),
  ];
}

/** Of what ended only digests stay, for a while; what lives is written anew. */
function slotWrites(drafts: readonly CredentialOfKey[]): readonly Statement[] {
  const ended = drafts.filter(({ credential }) => credential.endedAtMs !== undefined);
  const living = drafts.filter(({ credential }) => credential.endedAtMs === undefined);
  const stored = living.filter(({ credential }) => !credential.isNew);
  return [
    ...update(
      'slots',
      { by: OF_CREDENTIAL, set: ['sealed', 'seal_version', 'ended_at'] },
      ended.map((each) => [...at(each), null, null, each.credential.endedAtMs ?? null]),
    ),
    ...remove('slots', OF_CREDENTIAL, stored.map(at)),
    ...insert(
      'slots',
      [...OF_CREDENTIAL, ...SLOT_COLUMNS],
      living.flatMap((each) =>
        (each.credential.rows?.slots ?? []).map((slot) => [...at(each), ...slot]),
      ),
    ),
  ];
}

function documentWrites(drafts: readonly DocumentDraft[]): readonly Statement[] {
  const { insert: added, update: changed } = rowsOfDocuments(drafts);
  return [
    ...insert('documents', added.columns, added.rows),
    ...update('documents', changed.columns, changed.rows),
  ];
}

/** The sequence is a column of its own already. */
function identityColumns(): readonly string[] {
  return CREDENTIAL_IDENTITY.filter((column) => column !== 'sequence');
}

function identityOf({ rows }: CredentialDraft): Row {
  return (rows?.identity ?? []).filter((_, index) => CREDENTIAL_IDENTITY[index] !== 'sequence');
}

/** One statement that inserts all rows; none for no rows. */
export function insert(
  table: string,
  columns: readonly string[],
  rows: readonly Row[],
): readonly Statement[] {
  const names = columns.join(', ');
  const sql = `INSERT INTO {schema}.${table} (${names}) SELECT ${names} FROM ${recordsOf(table)}`;
  return statement(sql, columns, rows);
}

function update(
  table: string,
  { by, set }: { readonly by: readonly string[]; readonly set: readonly string[] },
  rows: readonly Row[],
): readonly Statement[] {
  const changes = set.map((column) => `${column} = r.${column}`).join(', ');
  const sql = `UPDATE {schema}.${table} t SET ${changes} FROM ${recordsOf(table)} r
    WHERE ${by.map((column) => `t.${column} = r.${column}`).join(' AND ')}`;
  return statement(sql, [...by, ...set], rows);
}

/** Removes the rows whose columns `by` have these values. */
export function remove(
  table: string,
  by: readonly string[],
  rows: readonly Row[],
): readonly Statement[] {
  const names = by.join(', ');
  const sql = `DELETE FROM {schema}.${table}
    WHERE (${names}) IN (SELECT ${names} FROM ${recordsOf(table)})`;
  return statement(sql, by, rows);
}

function recordsOf(table: string): string {
  return `json_populate_recordset(NULL::{schema}.${table}, $1::json)`;
}

function statement(
  sql: string,
  columns: readonly string[],
  rows: readonly Row[],
): readonly Statement[] {
  if (rows.length === 0) return [];
  const records = rows.map((row) =>
    Object.fromEntries(columns.map((column, index) => [column, asJson(row[index])])),
  );
  return [{ sql, parameters: [JSON.stringify(records)] }];
}

function asJson(value: Value | undefined): string | number | null {
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`;
  return value ?? null;
}
