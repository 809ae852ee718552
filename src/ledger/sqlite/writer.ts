/**
 * Everything that is written to a ledger file, inside a transaction that the engine holds open.
 * Because a lock keeps every other writer away, what is compared on each commit (epoch, counters,
 * keys per store) is kept in memory, and read again after a rollback.
 */
import type { DatabaseSync } from 'node:sqlite';
import { CHAIN_START, chainRow } from '../audit.ts';
import { fenced, foreign, masterKeyMismatch } from '../refusals.ts';
import type { StoreRow } from '../port.ts';
import type { Answers, Audited, CommitRequest, DocumentsRequest } from '../requests.ts';
import {
  AT,
  bytes,
  CREDENTIAL_CONTENT,
  CREDENTIAL_IDENTITY,
  type CredentialRows,
  integer,
  KEY_CONTENT,
  KEY_IDENTITY,
  nameOf,
  optionalText,
  type Row,
  SLOT_COLUMNS,
  text,
} from '../rows.ts';
import {
  DIGESTS_MS,
  DIGESTS_PURGE_MAX,
  PURGE_EVERY,
  PURGE_MAX,
  TOMBSTONE_MS,
} from '../tombstones.ts';
import { countedStore, KeyCounts, type Limits } from '../keycounts.ts';
import { DocumentWriter } from './documents.ts';
import { prepare } from './statements.ts';

/** Carries out the writes of one connection, which is the only one that writes. */
export class Writer {
  readonly #statements: ReturnType<typeof prepareWrites>;
  readonly #documents: DocumentWriter;
  readonly #keyCounts: KeyCounts;
  #clusterId: string | undefined;
  /** 0: none was opened, and nobody may write. */
  #epoch = 0;
  #commitNumber = 0;
  #storedNumber = 0;
  #purgedAt = Number.NEGATIVE_INFINITY;
  #head: Uint8Array = CHAIN_START;

  constructor(db: DatabaseSync) {
    this.#statements = prepareWrites(db);
    this.#documents = new DocumentWriter(db);
    this.#keyCounts = new KeyCounts();
    this.reset();
  }

  /** Forgets what was not committed. */
  reset(): void {
    const meta = this.#statements.meta.get() ?? [];
    this.#commitNumber = this.#storedNumber = integer(meta[0]);
    this.#clusterId = optionalText(meta[1]);
    this.#epoch = integer(meta[2]);
    const newest = this.#statements.auditHead.get();
    this.#head = newest === undefined ? CHAIN_START : bytes(newest[0]);
    this.#keyCounts.forget();
  }

  /** Writes what the commits of this transaction share; call it just before COMMIT. */
  finish(): void {
    if (this.#commitNumber === this.#storedNumber) return;
    this.#statements.setCounter.run(this.#commitNumber);
    this.#storedNumber = this.#commitNumber;
  }

  adoptCluster(clusterId: string): void {
    if (this.#clusterId === clusterId) return;
    if (this.#clusterId !== undefined) throw foreign(this.#clusterId, clusterId);
    this.#statements.setCluster.run(clusterId);
    this.#clusterId = clusterId;
  }

  openEpoch(epoch: number, holder: string): void {
    if (epoch <= this.#epoch) throw fenced(epoch, this.#epoch);
    this.#statements.setEpoch.run(epoch, holder);
    this.#epoch = epoch;
  }

  rememberVersion(version: number, checkValue: string): void {
    const known = this.#statements.checkValue.get(version);
    if (known === undefined) this.#statements.addVersion.run(version, checkValue);
    if (known === undefined || known[0] === checkValue) return;
    throw masterKeyMismatch(version);
  }

  saveStore(row: StoreRow, epoch: number): void {
    this.#fence(epoch);
    const { storeUid, type, account, settings, sealed } = row;
    this.#statements.saveStore.run(
      storeUid,
      this.#clusterId ?? '',
      type,
      account,
      settings,
      sealed.version,
      sealed.blob,
    );
  }

  /** Nothing is written before every check has passed, so a refusal needs no rollback. */
  commit(request: CommitRequest): Answers['commit'] {
    const { rows, expectedRevision, spendRequestId } = request;
    this.#fence(request.epoch);
    if (rows.identity[0] !== this.#clusterId) {
      throw foreign(this.#clusterId, text(rows.identity[0]));
    }
    const uid = text(rows.identity[AT.uid]);
    const stored = this.#statements.findKey.get(uid);
    if ((stored === undefined ? 0 : integer(stored[1])) !== expectedRevision) {
      return { type: 'Stale' };
    }
    const taken = this.#findTaken(uid, request);
    if (taken !== undefined) return { type: taken };
    const before = stored === undefined ? undefined : countedStore(stored[3], stored[2]);
    const after = countedStore(rows.content[AT.storeUid], rows.content[AT.phase]);
    const namespace = text(rows.identity[AT.namespace]);
    if (before === undefined && after !== undefined) {
      const limit = this.#exceeded(after, namespace, request);
      if (limit !== undefined) return { type: 'LimitExceeded', limit };
    }
    this.#commitNumber += 1;
    const id = this.#writeKey(request, stored === undefined ? undefined : integer(stored[0]));
    this.#writeCredentials(id, request);
    this.#writeImports(id, request);
    this.#documents.write(request.documents, this.#commitNumber);
    if (spendRequestId !== undefined) {
      this.#statements.spend.run(uid, spendRequestId, text(rows.identity[0]));
    }
    this.#keyCounts.move(namespace, before, after);
    this.#chain(uid, request);
    this.#purge(request.atMs);
    return { type: 'Committed' };
  }

  /** As `commit`. */
  commitDocuments(request: DocumentsRequest): Answers['commitDocuments'] {
    this.#fence(request.epoch);
    const { documents } = request;
    if (!this.#documents.areCurrent(documents, this.#clusterId)) return { type: 'Stale' };
    this.#commitNumber += 1;
    this.#documents.write(documents, this.#commitNumber);
    this.#chain(documents[0]?.uid ?? '', request);
    this.#purge(request.atMs);
    return { type: 'Committed' };
  }

  #exceeded(storeUid: string, namespace: string, limits: Limits): keyof Limits | undefined {
    if (this.#keyCounts.isForgotten) this.#keyCounts.fill(this.#statements.countKeys.all());
    return this.#keyCounts.exceeded(storeUid, namespace, limits);
  }

  #fence(epoch: number): void {
    if (epoch !== this.#epoch || epoch === 0) throw fenced(epoch, this.#epoch);
  }

  #isAccountBusy(uid: string, account: string | undefined): boolean {
    return account !== undefined && this.#statements.openCreate.get(account, uid) !== undefined;
  }

  /** What the commit relies on and somebody else has, or has changed. */
  #findTaken(
    uid: string,
    request: CommitRequest,
  ): 'Stale' | 'RequestSpent' | 'ValueKnown' | 'AccountBusy' | undefined {
    const { spendRequestId, exclusiveAccount } = request;
    if (!this.#documents.areCurrent(request.documents, this.#clusterId)) return 'Stale';
    if (spendRequestId !== undefined && this.#statements.isSpent.get(uid, spendRequestId)) {
      return 'RequestSpent';
    }
    if (this.#isImported(request)) return 'ValueKnown';
    return this.#isAccountBusy(uid, exclusiveAccount) ? 'AccountBusy' : undefined;
  }

  #isImported({ imports }: CommitRequest): boolean {
    const { isImported } = this.#statements;
    return imports?.lookups.some((lookup) => isImported.get(lookup) !== undefined) === true;
  }

  #writeImports(key: number, { imports, rows }: CommitRequest): void {
    for (const lookup of imports?.lookups ?? []) {
      const [clusterId = ''] = rows.identity;
      this.#statements.addImport.run(lookup, key, imports?.sequence ?? 0, clusterId);
    }
  }

  #writeKey(request: CommitRequest, id: number | undefined): number {
    const { rows, expectedRevision, atMs } = request;
    const endedAt = rows.content[AT.phase] === 'Ended' ? atMs : null;
    const counters = [expectedRevision + 1, endedAt];
    if (id !== undefined) {
      this.#statements.updateKey.run(...rows.content, ...counters, id);
      return id;
    }
    this.#statements.addKey.run(this.#commitNumber, ...rows.identity, ...rows.content, ...counters);
    return this.#commitNumber;
  }

  #writeCredentials(key: number, request: CommitRequest): void {
    const { rows, epoch, atMs } = request;
    const stored = request.expectedRevision === 0 ? [] : this.#statements.credentialsOf.all(key);
    const gone = new Map(stored.map((row) => [nameOf(row), integer(row[AT.sequence])]));
    for (const credential of rows.credentials) {
      // One that is not stored under both of its names is new, and may turn out to be a thief.
      const isNew = !gone.delete(nameOf(credential.identity));
      this.#writeCredential({ key, epoch, owner: rows.identity, isNew }, credential);
    }
    for (const sequence of gone.values()) {
      this.#statements.endSlots.run(atMs, key, sequence);
      this.#statements.endCredential.run(epoch, atMs, key, sequence);
    }
  }

  #writeCredential(
    at: { key: number; epoch: number; owner: Row; isNew: boolean },
    { identity, content, slots }: CredentialRows,
  ): void {
    const { key, epoch, owner, isNew } = at;
    const sequence = integer(identity[AT.sequence]);
    if (isNew) {
      const [clusterId, uid] = owner;
      const { addCredential } = this.#statements;
      addCredential.run(...identity, ...content, key, epoch, text(clusterId), text(uid));
    } else {
      this.#statements.updateCredential.run(...content, epoch, key, sequence);
      this.#statements.dropSlots.run(key, sequence);
    }
    for (const slot of slots) this.#statements.addSlot.run(key, sequence, ...slot);
  }

  #chain(uid: string, { atMs, actor, action, facts }: Audited): void {
    const clusterId = this.#clusterId ?? '';
    const commitNumber = this.#commitNumber;
    const entry = { commitNumber, clusterId, atMs, actor, action, uid, facts };
    const { row, hash } = chainRow(this.#head, entry);
    this.#statements.addAudit.run(...row);
    this.#head = hash;
  }

  #purge(atMs: number): void {
    if (this.#commitNumber - this.#purgedAt < PURGE_EVERY) return;
    this.#purgedAt = this.#commitNumber;
    this.#statements.purgeSlots.run(atMs - DIGESTS_MS);
    for (const [id, uid] of this.#statements.oldTombstones.all(atMs - TOMBSTONE_MS)) {
      this.#statements.dropRequests.run(text(uid));
      this.#statements.dropKey.run(integer(id));
    }
  }
}

function prepareWrites(db: DatabaseSync) {
  return { ...prepareMeta(db), ...prepareKeys(db), ...prepareCredentials(db), ...prepareAudit(db) };
}

function prepareMeta(db: DatabaseSync) {
  return {
    meta: prepare(db, 'SELECT commit_counter, cluster_id, epoch FROM meta'),
    setCounter: prepare(db, 'UPDATE meta SET commit_counter = ?'),
    setCluster: prepare(db, 'UPDATE meta SET cluster_id = ?'),
    setEpoch: prepare(db, 'UPDATE meta SET epoch = ?, epoch_holder = ?'),
    checkValue: prepare(db, 'SELECT check_value FROM master_key_versions WHERE version = ?'),
    addVersion: prepare(db, insert('master_key_versions', ['version', 'check_value'])),
    saveStore: prepare(
      db,
      `INSERT OR REPLACE INTO stores
         (store_uid, cluster_id, type, account, settings, seal_version, sealed)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
  };
}

function prepareKeys(db: DatabaseSync) {
  const columns = [...KEY_CONTENT, 'revision', 'ended_at'];
  return {
    findKey: prepare(db, 'SELECT id, revision, phase, store_uid FROM keys WHERE uid = ?'),
    addKey: prepare(db, insert('keys', ['id', ...KEY_IDENTITY, ...columns])),
    updateKey: prepare(db, update('keys', columns, 'id = ?')),
    isSpent: prepare(db, 'SELECT 1 FROM rotation_requests WHERE uid = ? AND request_id = ?'),
    spend: prepare(db, insert('rotation_requests', ['uid', 'request_id', 'cluster_id'])),
    oldTombstones: prepare(
      db,
      `SELECT id, uid FROM keys WHERE ended_at < ? AND NOT EXISTS (
         SELECT 1 FROM credentials c WHERE c.key = keys.id AND c.state <> 'Deleted'
       ) LIMIT ${PURGE_MAX}`,
    ),
    dropRequests: prepare(db, 'DELETE FROM rotation_requests WHERE uid = ?'),
    dropKey: prepare(db, 'DELETE FROM keys WHERE id = ?'),
    countKeys: prepare(
      db,
      `SELECT store_uid, namespace, count(*) FROM keys WHERE phase IN ('Live', 'Retained')
       GROUP BY store_uid, namespace`,
    ),
  };
}

function prepareCredentials(db: DatabaseSync) {
  const one = 'key = ? AND sequence = ?';
  const owner = ['key', 'epoch', 'cluster_id', 'uid'];
  return {
    credentialsOf: prepare(
      db,
      `SELECT ${CREDENTIAL_IDENTITY.join(', ')} FROM credentials
       WHERE key = ? AND state <> 'Deleted'`,
    ),
    addCredential: prepare(
      db,
      insert('credentials', [...CREDENTIAL_IDENTITY, ...CREDENTIAL_CONTENT, ...owner]),
    ),
    updateCredential: prepare(db, update('credentials', [...CREDENTIAL_CONTENT, 'epoch'], one)),
    endCredential: prepare(
      db,
      `UPDATE credentials SET state = 'Deleted', epoch = ?, ended_at = ? WHERE ${one}`,
    ),
    addSlot: prepare(db, insert('slots', ['key', 'sequence', ...SLOT_COLUMNS])),
    dropSlots: prepare(db, `DELETE FROM slots WHERE ${one}`),
    endSlots: prepare(
      db,
      `UPDATE slots SET sealed = NULL, seal_version = NULL, ended_at = ? WHERE ${one}`,
    ),
    purgeSlots: prepare(
      db,
      `DELETE FROM slots WHERE (key, sequence, name) IN (
         SELECT key, sequence, name FROM slots WHERE ended_at < ? LIMIT ${DIGESTS_PURGE_MAX}
       )`,
    ),
    isImported: prepare(db, 'SELECT 1 FROM imports WHERE lookup = ?'),
    addImport: prepare(db, insert('imports', ['lookup', 'key', 'sequence', 'cluster_id'])),
    openCreate: prepare(
      db,
      `SELECT 1 FROM credentials WHERE remote_account = ? AND remote_id IS NULL
         AND create_begun IS NOT NULL AND state IN ('Intent', 'Disabled') AND uid <> ?`,
    ),
  };
}

function prepareAudit(db: DatabaseSync) {
  return {
    auditHead: prepare(db, 'SELECT hash FROM audit ORDER BY commit_number DESC LIMIT 1'),
    addAudit: prepare(
      db,
      `INSERT INTO audit
         (commit_number, cluster_id, at, actor, action, uid, facts, previous_hash, hash)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
  };
}

function insert(table: string, columns: readonly string[]): string {
  const places = columns.map(() => '?').join(', ');
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${places})`;
}

function update(table: string, columns: readonly string[], where: string): string {
  return `UPDATE ${table} SET ${columns.map((column) => `${column} = ?`).join(', ')} WHERE ${where}`;
}
