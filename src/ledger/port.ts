/**
 * The database port: Keyward's memory, behind one asynchronous interface that SQLite and PostgreSQL
 * implement alike. Controllers never see SQL.
 *
 * Guarantees:
 * - A commit is one transaction: record, audit entry, change feed and commit counter together or not
 *   at all; when `commit` resolves with Committed it survives a power cut.
 * - Compare-and-swap: a commit whose `expectedRevision` is not the stored one changes nothing.
 * - Fencing: a commit under an epoch that is not the newest changes nothing and throws a KeywardError
 *   (class Terminal, reason Fenced); the process must end.
 * - The audit chain: each entry holds the hash of the one before, in the same transaction.
 * - Failures are KeywardErrors: busy, full disk, lost connection are Transient with reason
 *   LedgerUnavailable; corruption, a newer schema, a foreign or missing database are Terminal.
 * - No code may assume that it sees every key: `scan` pages by UID.
 */
import type { Sealed } from '../keys/sealing.ts';
import type { DocumentChange, DocumentKind, Documents } from './documents.ts';
import type { CredentialState, KeyRecord } from './record.ts';

/** What happened, for the audit chain. Facts only; never key material. */
export type AuditEntry = {
  /** CamelCase, for example KeyIssued. */
  readonly action: string;
  /** Who caused it: a user name, `operator`, or `schedule`. */
  readonly actor: string;
  readonly atMs: number;
  readonly facts: Readonly<Record<string, string | number | boolean>>;
};

/** One change of one key, with what must hold for it. */
export type Commit = {
  /** The record as it shall be; its own `revision` is ignored. */
  readonly record: KeyRecord;
  /** 0: the record must not exist yet. */
  readonly expectedRevision: number;
  readonly epoch: number;
  readonly audit: AuditEntry;
  /** Remembers that this rotation request was spent; fails with RequestSpent if it was already. */
  readonly spendRequestId?: string;
  /** Checked in the same transaction, for the first issue: live and retained keys of the store. */
  readonly limits?: { readonly maxKeys?: number; readonly maxKeysPerNamespace?: number };
  /** Begins a create call that must be the only open one of this account at a vendor. */
  readonly exclusiveAccount?: string;
  /** Values that this commit imports; fails with ValueKnown if any of them ever was. */
  readonly imports?: Imports;
  /** Documents that change in the same transaction; Stale when one has another revision. */
  readonly documents?: readonly DocumentChange[];
};

/** Under which ids the imported values of a credential are found, besides its keyId. */
export type Imports = {
  readonly sequence: number;
  /** One per value; see `lookupOf`. At most two, and no two alike. */
  readonly lookups: readonly string[];
};

/** Documents that change together, without a key. */
export type DocumentCommit = {
  /** At least one; the audit entry is about the first. */
  readonly changes: readonly DocumentChange[];
  readonly epoch: number;
  readonly audit: AuditEntry;
};

/** One line of the audit chain, for people. */
export type AuditLine = AuditEntry & {
  /** Position in the chain, from 1. */
  readonly number: number;
  /** Of the key or document that it is about. */
  readonly uid: string;
};

/** Which lines of the audit chain: the newest first, or those after a number, oldest first. */
export type AuditQuery = {
  readonly limit: number;
  /** Only lines before this number; absent: from the newest. */
  readonly before?: number;
  /** Only lines after this number. */
  readonly after?: number;
  /** Only of this key or document. */
  readonly uid?: string;
  /** Only by actors whose name begins so. */
  readonly by?: string;
};

/** How a commit ended; everything but Committed changed nothing. */
export type CommitResult =
  | { readonly type: 'Committed'; readonly record: KeyRecord }
  /** Somebody else committed first; read again. */
  | { readonly type: 'Stale' }
  | { readonly type: 'RequestSpent' }
  /** One of the values was imported before, by whatever key, living or dead. */
  | { readonly type: 'ValueKnown' }
  /** Another credential of the account has a create call under way. */
  | { readonly type: 'AccountBusy' }
  | { readonly type: 'LimitExceeded'; readonly limit: 'maxKeys' | 'maxKeysPerNamespace' };

/** Everything the ledger knows about one name. */
export type Loaded = {
  /** The record of this UID, whatever its phase. */
  readonly record: KeyRecord | undefined;
  /** Records of other UIDs under the same namespace and name that are Live or Ending. */
  readonly others: readonly KeyRecord[];
};

/** A page of records; `next` undefined: it was the last. */
export type Page = { readonly records: readonly KeyRecord[]; readonly next: string | undefined };

/** A page of the change feed: UIDs of what changed. */
export type FeedPage = {
  readonly uids: readonly string[];
  /** Where to go on; gap-safe: a transaction that commits late is not skipped. Opaque but to cursor.ts. */
  readonly cursor: string;
};

/** Which database this is and how far it has come. */
export type LedgerIdentity = {
  /** Random, made once with the database. */
  readonly databaseId: string;
  /** Random, made anew by `keyward restore`, so that an old backup is noticed. */
  readonly incarnation: string;
  /** Number of commits so far; behind the last published one means an old backup. */
  readonly commitCounter: number;
  readonly clusterId: string | undefined;
  /** The newest epoch that was opened; 0 before the first. */
  readonly epoch: number;
  readonly schemaVersion: number;
};

/** Live, retained and ending keys of one store, and its unpaid debts. */
export type StoreCount = {
  readonly storeUid: string;
  readonly keys: number;
  readonly debts: number;
};

/** The credential generation that a token names. */
export type TokenHolder = {
  readonly token: string;
  /** Deleted: it is over, and the ledger keeps the token for ever. */
  readonly state: CredentialState;
  /** Absent: it is not known to exist at a vendor. */
  readonly remoteId?: string;
};

/** What the ledger remembers of a remote store, so that debts can be paid when its object is gone. */
export type StoreRow = {
  readonly storeUid: string;
  /** Driver, as KeyStore.spec.type. */
  readonly type: string;
  /** The vendor's account, proven by a login. */
  readonly account: string;
  /** The driver's member of the spec, as JSON. */
  readonly settings: string;
  /** Credentials of the account as JSON of entry names and values, sealed under `storeUid`. */
  readonly sealed: Sealed;
};

/** A seal or digest that needs a master key version. */
export type VersionInUse = { readonly version: number; readonly checkValue: string | undefined };

/** The verbs; see the guarantees above. */
export interface Ledger {
  identity(): Promise<LedgerIdentity>;
  /** Binds the database to this cluster when it has none yet. May be repeated. */
  adoptCluster(clusterId: string): Promise<void>;
  /** Makes `epoch` the only one whose commits count; refuses one that is not above the newest. */
  openEpoch(epoch: number, holder: string): Promise<void>;
  /** Reads in the calling order of `commit`: what was committed before is seen. */
  load(uid: string, at: { namespace: string; name: string }): Promise<Loaded>;
  commit(commit: Commit): Promise<CommitResult>;
  /**
   * Replaces documents under the same guarantees as `commit`; all or none. Two commits about the same
   * document cannot both succeed on one revision.
   */
  commitDocuments(commit: DocumentCommit): Promise<{ readonly type: 'Committed' | 'Stale' }>;
  /** Reads in the calling order of commits. */
  loadDocument<K extends DocumentKind>(kind: K, uid: string): Promise<Documents[K] | undefined>;
  /** The Live document of that name; undefined: none. */
  findDocument<K extends DocumentKind>(
    kind: K,
    at: { namespace: string; name: string },
  ): Promise<Documents[K] | undefined>;
  /** Live documents of a kind by UID, `limit` at a time; `after` absent: from the start. */
  scanDocuments<K extends DocumentKind>(
    kind: K,
    limit: number,
    after?: string,
  ): Promise<readonly Documents[K][]>;
  auditLines(query: AuditQuery): Promise<readonly AuditLine[]>;
  isRequestSpent(uid: string, requestId: string): Promise<boolean>;
  /** Live, Retained and Ending records by UID, `limit` at a time; `after` absent: from the start. */
  scan(limit: number, after?: string): Promise<Page>;
  /** By the keyId of a credential, or the lookup of an imported value. */
  findByKeyId(keyId: string): Promise<KeyRecord | undefined>;
  /** Records that changed since `cursor`; absent: the newest position and no UIDs. */
  changes(limit: number, cursor?: string): Promise<FeedPage>;
  countByStore(): Promise<readonly StoreCount[]>;
  /** Whether any credential of the store, of a key living or dead, exists at its vendor or may exist there. */
  existsAtVendor(storeUid: string): Promise<boolean>;
  /** Ended and retained records with credentials that are still to be ended at a vendor; pages as `scan`. */
  debts(limit: number, after?: string): Promise<Page>;
  /**
   * Those of the vendor's ids that belong to a credential of any key, living or dead, in any store of the
   * type that this one has: one account may be known by two names. What was in a store of which nothing is
   * known any more counts as well.
   */
  claimedIds(storeUid: string, ids: readonly string[]): Promise<readonly string[]>;
  /** The credentials of these tokens, of any key, living or dead; unknown tokens are left out. */
  findTokens(tokens: readonly string[]): Promise<readonly TokenHolder[]>;
  /** Keeps or replaces what is remembered of a store, under an epoch as `commit`. */
  saveStore(row: StoreRow, epoch: number): Promise<void>;
  loadStore(storeUid: string): Promise<StoreRow | undefined>;
  versionsInUse(): Promise<readonly VersionInUse[]>;
  /** Remembers the check value of a master key version on first use. May be repeated. */
  rememberVersion(version: number, checkValue: string): Promise<void>;
  /** Walks the whole audit chain; the sequence number of the first broken entry, or undefined. */
  verifyAudit(): Promise<{ readonly entries: number; readonly brokenAt: number | undefined }>;
  close(): Promise<void>;
}
