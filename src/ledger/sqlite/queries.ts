/** Everything that is read from a ledger file, by the operator's worker and by readers alike. */
import type { DatabaseSync } from 'node:sqlite';
import { AUDIT_COLUMNS, AUDIT_STEP, type AuditPosition, checkEntries } from '../audit.ts';
import { readCursor, writeCursor } from '../cursor.ts';
import { decodeIdentity, identityQuery } from '../identity.ts';
import type { LedgerIdentity, StoreCount, StoreRow, TokenHolder, VersionInUse } from '../port.ts';
import {
  type Answers,
  type DocumentRead,
  isDocumentRead,
  isUseRead,
  type ReadRequest,
  type UseRead,
} from '../requests.ts';
import {
  CREDENTIAL_CONTENT,
  CREDENTIAL_IDENTITY,
  decodeHolder,
  decodeStore,
  integer,
  KEY_CONTENT,
  KEY_IDENTITY,
  optionalText,
  type Row,
  SLOT_COLUMNS,
  type StoredRecord,
  text,
} from '../rows.ts';
import { idsByKeyId } from '../wholerows.ts';
import { prepareDocuments } from './documents.ts';
import { prepare } from './statements.ts';
import { prepareUseReads } from './usereads.ts';

const KEY = [...KEY_IDENTITY, ...KEY_CONTENT, 'revision'].map((c) => `k.${c}`).join(', ');
const CREDENTIAL = [...CREDENTIAL_IDENTITY, ...CREDENTIAL_CONTENT].map((c) => `c.${c}`).join(', ');
const AT_SEQUENCE = CREDENTIAL_IDENTITY.indexOf('sequence');
const SLOT = SLOT_COLUMNS.map((c) => `s.${c}`).join(', ');

/** The compiled queries of one connection. */
export type Queries = ReturnType<typeof prepareQueries>;

/** Compiles all queries; each reads one or several statements, so wrap them in a transaction. */
export function prepareQueries(db: DatabaseSync) {
  const meta = prepare(db, identityQuery(''));
  const requestSpent = prepare(
    db,
    'SELECT 1 FROM rotation_requests WHERE uid = ? AND request_id = ?',
  );
  const changed = prepare(
    db,
    'SELECT uid, commit_number FROM audit WHERE commit_number > ? ORDER BY commit_number LIMIT ?',
  );

  const identity = (): LedgerIdentity => decodeIdentity(meta.get());

  return {
    ...prepareRecords(db),
    ...prepareCounts(db),
    ...prepareStores(db),
    readDocuments: prepareDocuments(db),
    readUses: prepareUseReads(db),
    identity,
    isRequestSpent: (uid: string, requestId: string): boolean =>
      requestSpent.get(uid, requestId) !== undefined,
    changes: (limit: number, cursor: string | undefined): Answers['changes'] => {
      const { incarnation, commitCounter } = identity();
      if (cursor === undefined) {
        return { uids: [], cursor: writeCursor(incarnation, commitCounter) };
      }
      const rows = changed.all(readCursor(incarnation, cursor), limit);
      const last = rows.length < limit ? commitCounter : integer(rows.at(-1)?.[1]);
      const uids = [...new Set(rows.map((row) => text(row[0])))];
      return { uids, cursor: writeCursor(incarnation, last) };
    },
    verifyAudit: prepareAudit(db),
  };
}

/** The answer to a request that only looks. */
export function answerRead(queries: Queries, request: ReadRequest): Answers[ReadRequest['type']] {
  if (isDocumentRead(request)) return queries.readDocuments(request);
  if (isUseRead(request)) return queries.readUses(request);
  return answerRecordRead(queries, request);
}

type RecordRead = Exclude<ReadRequest, DocumentRead | UseRead>;

// oxlint-disable-next-line complexity -- a flat list of what can be asked
function answerRecordRead(queries: Queries, request: RecordRead): Answers[RecordRead['type']] {
  switch (request.type) {
    case 'identity':
      return queries.identity();
    case 'load':
      return queries.load(request.uid, request.namespace, request.name);
    case 'isRequestSpent':
      return queries.isRequestSpent(request.uid, request.requestId);
    case 'scan':
      return queries.scan(request.limit, request.after);
    case 'findByKeyId':
      return queries.findByKeyId(request.keyId);
    case 'changes':
      return queries.changes(request.limit, request.cursor);
    case 'countByStore':
      return queries.countByStore();
    case 'existsAtVendor':
      return queries.existsAtVendor(request.storeUid);
    case 'debts':
      return queries.debts(request.limit, request.after);
    case 'claimedIds':
      return queries.claimedIds(request.storeUid, request.ids);
    case 'findTokens':
      return queries.findTokens(request.tokens);
    case 'loadStore':
      return queries.loadStore(request.storeUid);
    case 'versionsInUse':
      return queries.versionsInUse();
    case 'verifyAudit':
      return queries.verifyAudit(request.from);
  }
}

function prepareRecords(db: DatabaseSync) {
  const byUid = prepare(db, `SELECT ${KEY}, k.id FROM keys k WHERE k.uid = ?`);
  const byName = prepare(
    db,
    `SELECT ${KEY}, k.id FROM keys k WHERE k.namespace = ? AND k.name = ? AND k.uid <> ?
       AND k.phase IN ('Live', 'Ending') ORDER BY k.uid`,
  );
  const byKeyId = prepare(
    db,
    `SELECT ${KEY}, k.id FROM keys k WHERE k.id = (${idsByKeyId('', '?1')})`,
  );
  const page = prepare(
    db,
    `SELECT ${KEY}, k.id FROM keys k WHERE k.uid > ? AND k.phase <> 'Ended' ORDER BY k.uid LIMIT ?`,
  );
  const owed = prepare(
    db,
    `SELECT ${KEY}, k.id FROM keys k WHERE k.uid > ? AND k.phase IN ('Ended', 'Retained') AND k.id IN (
       SELECT c.key FROM credentials c WHERE c.remote_account IS NOT NULL AND c.state = 'Disabled'
     ) ORDER BY k.uid LIMIT ?`,
  );
  const complete = prepareCredentials(db);
  const first = (row: Row | undefined): StoredRecord | undefined =>
    row === undefined ? undefined : complete(row);

  return {
    load: (uid: string, namespace: string, name: string): Answers['load'] => ({
      record: first(byUid.get(uid)),
      others: byName.all(namespace, name, uid).map(complete),
    }),
    findByKeyId: (keyId: string): StoredRecord | undefined => first(byKeyId.get(keyId)),
    scan: (limit: number, after: string | undefined): readonly StoredRecord[] =>
      page.all(after ?? '', limit).map(complete),
    debts: (limit: number, after: string | undefined): readonly StoredRecord[] =>
      owed.all(after ?? '', limit).map(complete),
  };
}

/** Makes records of rows of keys, whose last column is their id. */
function prepareCredentials(db: DatabaseSync) {
  const credentials = prepare(
    db,
    `SELECT ${CREDENTIAL} FROM credentials c WHERE c.key = ? AND c.state <> 'Deleted'
     ORDER BY c.sequence`,
  );
  const slots = prepare(
    db,
    `SELECT ${SLOT}, s.sequence FROM slots s WHERE s.key = ? ORDER BY s.sequence, s.name`,
  );

  return (row: Row): StoredRecord => {
    const id = integer(row.at(-1));
    const ofKey = slots.all(id);
    return {
      key: row.slice(0, -1),
      credentials: credentials.all(id).map((credential) => ({
        row: credential,
        slots: ofKey.filter((slot) => slot.at(-1) === credential[AT_SEQUENCE]),
      })),
    };
  };
}

function prepareStores(db: DatabaseSync) {
  const claimed = prepare(
    db,
    `SELECT DISTINCT c.remote_id FROM credentials c
     LEFT JOIN keys k ON k.id = c.key LEFT JOIN stores s ON s.store_uid = k.store_uid
     WHERE c.remote_account IS NOT NULL AND c.remote_id IN (SELECT value FROM json_each(?))
       AND (s.type = (SELECT type FROM stores WHERE store_uid = ?)) IS NOT FALSE`,
  );
  const holders = prepare(
    db,
    `SELECT token, state, remote_id FROM credentials
     WHERE token IN (SELECT value FROM json_each(?))`,
  );
  const existing = prepare(
    db,
    `SELECT 1 FROM keys k JOIN credentials c ON c.key = k.id
     WHERE k.store_uid = ? AND c.state <> 'Deleted' AND c.remote_account IS NOT NULL
       AND (c.state = 'Disabled' OR c.remote_id IS NOT NULL OR c.create_begun IS NOT NULL) LIMIT 1`,
  );
  const store = prepare(
    db,
    'SELECT store_uid, type, account, settings, seal_version, sealed FROM stores WHERE store_uid = ?',
  );
  return {
    claimedIds: (storeUid: string, ids: readonly string[]): readonly string[] =>
      claimed.all(JSON.stringify(ids), storeUid).map((row) => text(row[0])),
    findTokens: (tokens: readonly string[]): readonly TokenHolder[] =>
      holders.all(JSON.stringify(tokens)).map(decodeHolder),
    existsAtVendor: (storeUid: string): boolean => existing.get(storeUid) !== undefined,
    loadStore: (storeUid: string): StoreRow | undefined => {
      const row = store.get(storeUid);
      return row === undefined ? undefined : decodeStore(row);
    },
  };
}

function prepareCounts(db: DatabaseSync) {
  const stores = prepare(
    db,
    `SELECT store_uid, sum(keys), sum(debts) FROM (
       SELECT store_uid, 1 AS keys, 0 AS debts FROM keys WHERE phase IN ('Live', 'Retained')
       UNION ALL SELECT k.store_uid, 0, 1 FROM credentials c JOIN keys k ON k.id = c.key
         WHERE c.remote_account IS NOT NULL AND c.state = 'Disabled'
     ) GROUP BY store_uid ORDER BY store_uid`,
  );
  const versions = prepare(
    db,
    `SELECT used.version, m.check_value FROM (
       SELECT pepper_version AS version FROM slots WHERE ended_at IS NULL
       UNION SELECT seal_version FROM slots WHERE seal_version IS NOT NULL
       UNION SELECT seal_version FROM stores
     ) used LEFT JOIN master_key_versions m ON m.version = used.version ORDER BY used.version`,
  );

  return {
    countByStore: (): readonly StoreCount[] =>
      stores.all().map((row) => ({
        storeUid: text(row[0]),
        keys: integer(row[1]),
        debts: integer(row[2]),
      })),
    versionsInUse: (): readonly VersionInUse[] =>
      versions.all().map((row) => ({
        version: integer(row[0]),
        checkValue: optionalText(row[1]),
      })),
  };
}

function prepareAudit(db: DatabaseSync) {
  const entries = prepare(
    db,
    `SELECT ${AUDIT_COLUMNS.join(', ')} FROM audit
     WHERE commit_number > ? ORDER BY commit_number LIMIT ${AUDIT_STEP}`,
  );
  const counter = prepare(db, 'SELECT commit_counter FROM meta');
  return (from: AuditPosition): Answers['verifyAudit'] => {
    const total = integer(counter.get()?.[0]);
    return checkEntries(from, entries.all(from.entries), { total, stepMax: AUDIT_STEP });
  };
}
