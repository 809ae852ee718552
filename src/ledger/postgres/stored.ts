/** What a batch of commits has to know before it decides, read in as few round trips as can be. */
import { CHAIN_START } from '../audit.ts';
import { decodeHead, HEAD_COLUMNS } from '../identity.ts';
import type { AuditedRequest, CommitRequest } from '../requests.ts';
import { AT, bytes, CREDENTIAL_IDENTITY, integer, nameOf, type Row, text } from '../rows.ts';
import type { Connection } from './connection.ts';
import { readRevisions, type StoredDocuments } from './documents.ts';
import type { Qualify } from './names.ts';

/** The database itself, under its lock. */
export type Head = ReturnType<typeof decodeHead> & {
  /** Hash of the newest audit entry. */
  readonly hash: Uint8Array;
};

/** A key as it is stored; `open` maps the names of its credentials to their sequences. */
export type StoredKey = {
  readonly id: number;
  readonly revision: number;
  readonly phase: string;
  readonly storeUid: string;
  readonly open: ReadonlyMap<string, number>;
};

/** What the commits of a batch will be compared with. */
export type Stored = {
  readonly keys: ReadonlyMap<string, StoredKey>;
  /** `uid/requestId` of requests that were spent. */
  readonly spent: ReadonlySet<string>;
  /** Lookups of values that were imported. */
  readonly imported: ReadonlySet<string>;
  /** Keys with a create call under way, by the account at a vendor. */
  readonly creating: ReadonlyMap<string, ReadonlySet<string>>;
  readonly documents: StoredDocuments;
};

/** Statements that lock the database against other writers and read its head. */
export const LOCK_HEAD: readonly string[] = [
  `SELECT ${HEAD_COLUMNS} FROM {schema}.meta FOR UPDATE`,
  'SELECT hash FROM {schema}.audit ORDER BY commit_number DESC LIMIT 1',
];

/** The head from the rows of LOCK_HEAD. */
export function readHead([meta, newest]: readonly (readonly Row[])[]): Head {
  return {
    ...decodeHead(meta?.[0]),
    hash: newest?.[0] === undefined ? CHAIN_START : bytes(newest[0][0]),
  };
}

/** Reads what the commits name; all statements travel together. */
export async function readStored(
  connection: Connection,
  qualify: Qualify,
  requests: readonly AuditedRequest[],
): Promise<Stored> {
  const commits = requests.filter((request) => request.type === 'commit');
  const named = requests.flatMap(({ documents }) => documents);
  const [keys, spent, imported, creating, documents] = await Promise.all([
    readKeys(connection, qualify, commits),
    readSpent(connection, qualify, commits),
    readImported(connection, qualify, commits),
    readCreating(connection, qualify, commits),
    readRevisions(connection, qualify, named),
  ]);
  return { keys, spent, imported, creating, documents };
}

/** Rows for KeyCounts: live and retained keys by store and namespace. */
export function countKeys(connection: Connection, qualify: Qualify): Promise<readonly Row[]> {
  return connection.query(
    qualify(
      `SELECT store_uid, namespace, count(*) FROM {schema}.keys
       WHERE phase IN ('Live', 'Retained') GROUP BY store_uid, namespace`,
    ),
  );
}

async function readKeys(
  connection: Connection,
  qualify: Qualify,
  commits: readonly CommitRequest[],
): Promise<ReadonlyMap<string, StoredKey>> {
  if (commits.length === 0) return new Map();
  const names = CREDENTIAL_IDENTITY.map((column) => `c.${column}`).join(', ');
  const rows = await connection.query(
    qualify(
      `SELECT k.uid, k.id, k.revision, k.phase, k.store_uid, ${names} FROM {schema}.keys k
       LEFT JOIN {schema}.credentials c ON c.key = k.id AND c.state <> 'Deleted'
       WHERE k.uid = ANY($1::text[])`,
    ),
    [commits.map(({ rows: { identity } }) => text(identity[AT.uid]))],
  );
  const keys = new Map<string, StoredKey & { readonly open: Map<string, number> }>();
  for (const [uid, id, revision, phase, storeUid, ...credential] of rows) {
    const key = keys.get(text(uid)) ?? {
      id: integer(id),
      revision: integer(revision),
      phase: text(phase),
      storeUid: text(storeUid),
      open: new Map<string, number>(),
    };
    keys.set(text(uid), key);
    if (credential[AT.token] === null) continue;
    key.open.set(nameOf(credential), integer(credential[AT.sequence]));
  }
  return keys;
}

async function readSpent(
  connection: Connection,
  qualify: Qualify,
  commits: readonly CommitRequest[],
): Promise<ReadonlySet<string>> {
  const asking = commits.filter(({ spendRequestId }) => spendRequestId !== undefined);
  if (asking.length === 0) return new Set();
  const rows = await connection.query(
    qualify(
      `SELECT r.uid, r.request_id FROM {schema}.rotation_requests r
       JOIN unnest($1::text[], $2::text[]) AS asked (uid, request_id)
         ON r.uid = asked.uid AND r.request_id = asked.request_id`,
    ),
    [
      asking.map(({ rows: { identity } }) => text(identity[AT.uid])),
      asking.map(({ spendRequestId }) => spendRequestId ?? ''),
    ],
  );
  return new Set(rows.map(([uid, requestId]) => `${text(uid)}/${text(requestId)}`));
}

async function readImported(
  connection: Connection,
  qualify: Qualify,
  commits: readonly CommitRequest[],
): Promise<ReadonlySet<string>> {
  const lookups = commits.flatMap(({ imports }) => imports?.lookups ?? []);
  if (lookups.length === 0) return new Set();
  const rows = await connection.query(
    qualify('SELECT lookup FROM {schema}.imports WHERE lookup = ANY($1::text[])'),
    [lookups],
  );
  return new Set(rows.map(([lookup]) => text(lookup)));
}

async function readCreating(
  connection: Connection,
  qualify: Qualify,
  commits: readonly CommitRequest[],
): Promise<Stored['creating']> {
  const accounts = new Set(commits.flatMap(({ exclusiveAccount }) => exclusiveAccount ?? []));
  if (accounts.size === 0) return new Map();
  const rows = await connection.query(
    qualify(
      `SELECT remote_account, uid FROM {schema}.credentials
       WHERE remote_account = ANY($1::text[]) AND remote_id IS NULL
         AND create_begun IS NOT NULL AND state IN ('Intent', 'Disabled')`,
    ),
    [[...accounts]],
  );
  const creating = new Map<string, Set<string>>();
  for (const [account, uid] of rows) {
    const uids = creating.get(text(account)) ?? new Set();
    creating.set(text(account), uids.add(text(uid)));
  }
  return creating;
}
