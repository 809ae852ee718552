/**
 * Everything that is read from a PostgreSQL ledger. Each query is one statement, which sees one
 * moment of the database, so none needs a transaction.
 */
import {
  AUDIT_COLUMNS,
  AUDIT_STEP,
  type AuditPosition,
  type AuditStep,
  checkEntries,
} from '../audit.ts';
import { readCursor, writeCursor } from '../cursor.ts';
import { decodeIdentity, identityQuery } from '../identity.ts';
import type {
  FeedPage,
  LedgerIdentity,
  StoreCount,
  StoreRow,
  TokenHolder,
  VersionInUse,
} from '../port.ts';
import {
  type Answers,
  type DocumentRead,
  isDocumentRead,
  isUseRead,
  type ReadRequest,
  type UseRead,
} from '../requests.ts';
import {
  decodeHolder,
  decodeStore,
  integer,
  optionalText,
  type Row,
  type StoredRecord,
  text,
} from '../rows.ts';
import { idsByKeyId, readRecords, recordsQuery } from '../wholerows.ts';
import type { Connection } from './connection.ts';
import { readDocuments } from './documents.ts';
import type { Qualify } from './names.ts';
import { readUses } from './usereads.ts';

/** A request that is answered alone; loads are answered together, see `loadAll`. */
type SingleRead = Exclude<ReadRequest, { type: 'load' }>;
type Load = Extract<ReadRequest, { type: 'load' }>;

/** A connection, and the names of the tables. */
type Source = { readonly connection: Connection; readonly qualify: Qualify };

/** The answer to a request that only looks. */
export function answerRead(
  source: Source,
  request: SingleRead,
): Promise<Answers[SingleRead['type']]> {
  if (isDocumentRead(request)) return readDocuments(source, request);
  if (isUseRead(request)) return readUses(source, request);
  return answerRecordRead(source, request);
}

type RecordRead = Exclude<SingleRead, DocumentRead | UseRead>;

function answerRecordRead(
  source: Source,
  request: RecordRead,
): Promise<Answers[RecordRead['type']]> {
  switch (request.type) {
    case 'identity':
      return readIdentity(source);
    case 'isRequestSpent':
      return isRequestSpent(source, request.uid, request.requestId);
    case 'scan':
      return scan(source, request.limit, request.after);
    case 'findByKeyId':
      return findByKeyId(source, request.keyId);
    case 'changes':
      return changes(source, request.limit, request.cursor);
    case 'countByStore':
      return countByStore(source);
    case 'existsAtVendor':
      return existsAtVendor(source, request.storeUid);
    case 'debts':
      return debts(source, request.limit, request.after);
    case 'claimedIds':
      return claimedIds(source, request.storeUid, request.ids);
    case 'findTokens':
      return findTokens(source, request.tokens);
    case 'loadStore':
      return loadStore(source, request.storeUid);
    case 'versionsInUse':
      return versionsInUse(source);
    case 'verifyAudit':
      return verifyAudit(source, request.from);
  }
}

/** Who the database is. */
export async function readIdentity({ connection, qualify }: Source): Promise<LedgerIdentity> {
  const [row] = await connection.query(qualify(identityQuery('{schema}.')));
  return decodeIdentity(row);
}

/** The query for records whose ids `wanted` selects; `{schema}` is still to be filled in. */
function recordsOf(wanted: string): string {
  return recordsQuery({ prefix: '{schema}.', which: `IN (${wanted})` });
}

/** Several loads in one statement, answered in their order. */
export async function loadAll(
  { connection, qualify }: Source,
  loads: readonly Load[],
): Promise<readonly Answers['load'][]> {
  const wanted = qualify(
    `SELECT id FROM {schema}.keys WHERE uid = ANY($1::text[])
     UNION SELECT n.id FROM {schema}.keys n
       JOIN unnest($2::text[], $3::text[]) AS at (namespace, name)
         ON n.namespace = at.namespace AND n.name = at.name
       WHERE n.phase IN ('Live', 'Ending')`,
  );
  const rows = await connection.query(qualify(recordsOf(wanted)), [
    loads.map(({ uid }) => uid),
    loads.map(({ namespace }) => namespace),
    loads.map(({ name }) => name),
  ]);
  const found = readRecords(rows);
  const byUid = new Map(found.map((record) => [uidOf(record), record]));
  const byName = Map.groupBy(found, ({ key }) => `${text(key[2])}/${text(key[3])}`);
  return loads.map(({ uid, namespace, name }) => ({
    record: byUid.get(uid),
    others: (byName.get(`${namespace}/${name}`) ?? []).filter(
      (record) => uidOf(record) !== uid && ['Live', 'Ending'].includes(text(record.key[4])),
    ),
  }));
}

async function isRequestSpent(
  { connection, qualify }: Source,
  uid: string,
  requestId: string,
): Promise<boolean> {
  const rows = await connection.query(
    qualify('SELECT 1 FROM {schema}.rotation_requests WHERE uid = $1 AND request_id = $2'),
    [uid, requestId],
  );
  return rows.length > 0;
}

async function scan(
  { connection, qualify }: Source,
  limit: number,
  after: string | undefined,
): Promise<readonly StoredRecord[]> {
  const wanted = `SELECT id FROM {schema}.keys WHERE uid > $1 AND phase <> 'Ended'
    ORDER BY uid LIMIT $2`;
  return readRecords(await connection.query(qualify(recordsOf(wanted)), [after ?? '', limit]));
}

async function debts(
  { connection, qualify }: Source,
  limit: number,
  after: string | undefined,
): Promise<readonly StoredRecord[]> {
  const wanted = `SELECT o.id FROM {schema}.keys o WHERE o.uid > $1 AND o.phase IN ('Ended', 'Retained')
    AND EXISTS (
      SELECT 1 FROM {schema}.credentials d
      WHERE d.key = o.id AND d.remote_account IS NOT NULL AND d.state = 'Disabled'
    ) ORDER BY o.uid LIMIT $2`;
  return readRecords(await connection.query(qualify(recordsOf(wanted)), [after ?? '', limit]));
}

async function claimedIds(
  { connection, qualify }: Source,
  storeUid: string,
  ids: readonly string[],
): Promise<readonly string[]> {
  const rows = await connection.query(
    qualify(
      `SELECT DISTINCT c.remote_id FROM {schema}.credentials c
       LEFT JOIN {schema}.keys k ON k.id = c.key
       LEFT JOIN {schema}.stores s ON s.store_uid = k.store_uid
       WHERE c.remote_account IS NOT NULL AND c.remote_id = ANY($2::text[])
         AND (s.type = (SELECT type FROM {schema}.stores WHERE store_uid = $1)) IS NOT FALSE`,
    ),
    [storeUid, ids],
  );
  return rows.map((row) => text(row[0]));
}

async function findTokens(
  { connection, qualify }: Source,
  tokens: readonly string[],
): Promise<readonly TokenHolder[]> {
  const rows = await connection.query(
    qualify(
      'SELECT token, state, remote_id FROM {schema}.credentials WHERE token = ANY($1::text[])',
    ),
    [tokens],
  );
  return rows.map(decodeHolder);
}

async function loadStore(
  { connection, qualify }: Source,
  storeUid: string,
): Promise<StoreRow | undefined> {
  const [row] = await connection.query(
    qualify(
      `SELECT store_uid, type, account, settings, seal_version, sealed FROM {schema}.stores
       WHERE store_uid = $1`,
    ),
    [storeUid],
  );
  return row === undefined ? undefined : decodeStore(row);
}

async function findByKeyId(
  { connection, qualify }: Source,
  keyId: string,
): Promise<StoredRecord | undefined> {
  return readRecords(
    await connection.query(qualify(recordsOf(idsByKeyId('{schema}.', '$1'))), [keyId]),
  )[0];
}

async function changes(
  { connection, qualify }: Source,
  limit: number,
  cursor: string | undefined,
): Promise<FeedPage> {
  // Only believed when it turns out to be of this incarnation, below.
  const claimed = Number(cursor?.split('/')[1] ?? Number.NaN);
  const rows = await connection.query(
    qualify(
      `SELECT m.incarnation, m.commit_counter, a.uid, a.commit_number FROM {schema}.meta m
       LEFT JOIN (
         SELECT uid, commit_number FROM {schema}.audit WHERE commit_number > $1
         ORDER BY commit_number LIMIT $2
       ) a ON true ORDER BY a.commit_number`,
    ),
    [Number.isSafeInteger(claimed) ? claimed : 0, cursor === undefined ? 0 : limit],
  );
  const incarnation = text(rows[0]?.[0]);
  if (cursor !== undefined) readCursor(incarnation, cursor);
  const entries = rows.filter((row) => row[2] !== null);
  const isLast = cursor === undefined || entries.length < limit;
  const reached = isLast ? integer(rows[0]?.[1]) : integer(entries.at(-1)?.[3]);
  const uids = [...new Set(entries.map((row) => text(row[2])))];
  return { uids, cursor: writeCursor(incarnation, reached) };
}

async function countByStore({ connection, qualify }: Source): Promise<readonly StoreCount[]> {
  const rows = await connection.query(
    qualify(
      `SELECT store_uid, sum(keys)::bigint, sum(debts)::bigint FROM (
         SELECT store_uid, 1 AS keys, 0 AS debts FROM {schema}.keys
           WHERE phase IN ('Live', 'Retained')
         UNION ALL SELECT k.store_uid, 0, 1 FROM {schema}.credentials c
           JOIN {schema}.keys k ON k.id = c.key
           WHERE c.remote_account IS NOT NULL AND c.state = 'Disabled'
       ) AS each GROUP BY store_uid ORDER BY store_uid`,
    ),
  );
  return rows.map((row) => ({
    storeUid: text(row[0]),
    keys: integer(row[1]),
    debts: integer(row[2]),
  }));
}

async function existsAtVendor({ connection, qualify }: Source, storeUid: string): Promise<boolean> {
  const rows = await connection.query(
    qualify(
      `SELECT 1 FROM {schema}.keys k JOIN {schema}.credentials c ON c.key = k.id
       WHERE k.store_uid = $1 AND c.state <> 'Deleted' AND c.remote_account IS NOT NULL
         AND (c.state = 'Disabled' OR c.remote_id IS NOT NULL OR c.create_begun IS NOT NULL) LIMIT 1`,
    ),
    [storeUid],
  );
  return rows.length > 0;
}

async function versionsInUse({ connection, qualify }: Source): Promise<readonly VersionInUse[]> {
  const rows = await connection.query(
    qualify(
      `SELECT used.version, m.check_value FROM (
         SELECT pepper_version AS version FROM {schema}.slots WHERE ended_at IS NULL
         UNION SELECT seal_version FROM {schema}.slots WHERE seal_version IS NOT NULL
         UNION SELECT seal_version FROM {schema}.stores
       ) used LEFT JOIN {schema}.master_key_versions m ON m.version = used.version
       ORDER BY used.version`,
    ),
  );
  return rows.map((row) => ({ version: integer(row[0]), checkValue: optionalText(row[1]) }));
}

async function verifyAudit(
  { connection, qualify }: Source,
  from: AuditPosition,
): Promise<AuditStep> {
  const columns = AUDIT_COLUMNS.map((column) => `a.${column}`).join(', ');
  const rows = await connection.query(
    qualify(
      `SELECT m.commit_counter, ${columns} FROM {schema}.meta m
       LEFT JOIN (
         SELECT * FROM {schema}.audit WHERE commit_number > $1 ORDER BY commit_number LIMIT $2
       ) a ON true ORDER BY a.commit_number`,
    ),
    [from.entries, AUDIT_STEP],
  );
  const total = integer(rows[0]?.[0]);
  const entries = rows.filter((row) => row[1] !== null).map((row): Row => row.slice(1));
  return checkEntries(from, entries, { total, stepMax: AUDIT_STEP });
}

function uidOf({ key }: StoredRecord): string {
  return text(key[1]);
}
