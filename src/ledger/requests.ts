/**
 * What can be asked of a database, as plain data: the port's methods with records as rows. Requests
 * travel to where the database is (a worker thread, a pool of connections), and several of them may
 * become one transaction.
 */
import type { AuditPosition, AuditStep } from './audit.ts';
import type { DocumentRow } from './documentrows.ts';
import type { DocumentKind } from './documents.ts';
import type {
  Count,
  CountRef,
  Lease,
  LeaseReport,
  LeaseWish,
  SeenSignature,
  Usage,
  UsageReport,
} from './gate.ts';
import type {
  CommitResult,
  Imports,
  LedgerIdentity,
  StoreCount,
  StoreRow,
  TokenHolder,
  VersionInUse,
} from './port.ts';
import type { RecordRows, Row, StoredRecord } from './rows.ts';
import type { StoredAtGate } from './wholerows.ts';

/** Under which epoch something is written, and its entry in the audit chain. */
export type Audited = {
  readonly epoch: number;
  readonly atMs: number;
  readonly actor: string;
  readonly action: string;
  readonly facts: string;
};

/** A commit as rows. */
export type CommitRequest = Audited & {
  readonly type: 'commit';
  readonly rows: RecordRows;
  readonly expectedRevision: number;
  /** Change in the same transaction. */
  readonly documents: readonly DocumentRow[];
  readonly spendRequestId: string | undefined;
  readonly imports: Imports | undefined;
  readonly maxKeys: number | undefined;
  readonly maxKeysPerNamespace: number | undefined;
  readonly exclusiveAccount: string | undefined;
};

/** Documents that change without a key; the audit entry is about the first. */
export type DocumentsRequest = Audited & {
  readonly type: 'commitDocuments';
  readonly documents: readonly DocumentRow[];
};

/** Requests that add to the audit chain, and that may share a transaction. */
export type AuditedRequest = CommitRequest | DocumentsRequest;

/** Requests that change the database. */
export type WriteRequest =
  | AuditedRequest
  | { readonly type: 'adoptCluster'; readonly clusterId: string }
  | { readonly type: 'openEpoch'; readonly epoch: number; readonly holder: string }
  | { readonly type: 'rememberVersion'; readonly version: number; readonly checkValue: string }
  | { readonly type: 'saveStore'; readonly row: StoreRow; readonly epoch: number };

/** Requests that only look: at documents, and at the audit chain as people read it. */
export type DocumentRead =
  | { readonly type: 'loadDocument'; readonly kind: DocumentKind; readonly uid: string }
  | {
      readonly type: 'findDocument';
      readonly kind: DocumentKind;
      readonly namespace: string;
      readonly name: string;
    }
  | {
      readonly type: 'scanDocuments';
      readonly kind: DocumentKind;
      readonly limit: number;
      readonly after: string | undefined;
    }
  | {
      readonly type: 'auditLines';
      readonly limit: number;
      readonly before: number | undefined;
      readonly after: number | undefined;
      readonly uid: string | undefined;
      /** Empty: by anybody. */
      readonly by: string;
    };

const DOCUMENT_READS: ReadonlySet<string> = new Set<DocumentRead['type']>([
  'loadDocument',
  'findDocument',
  'scanDocuments',
  'auditLines',
]);

/** Tells them from the other requests. */
export function isDocumentRead(request: Request): request is DocumentRead {
  return DOCUMENT_READS.has(request.type);
}

/** Requests that only look: at how keys are used, and at what gates know of them. */
export type UseRead =
  | { readonly type: 'findAtGate'; readonly keyId: string }
  | { readonly type: 'counts'; readonly refs: readonly CountRef[] }
  | { readonly type: 'usage'; readonly uids: readonly string[] }
  | { readonly type: 'keyIds'; readonly limit: number; readonly after: string | undefined }
  | { readonly type: 'keyIdsOf'; readonly uids: readonly string[] };

const USE_READS: ReadonlySet<string> = new Set<UseRead['type']>([
  'findAtGate',
  'counts',
  'usage',
  'keyIds',
  'keyIdsOf',
]);

/** Tells them from the other requests that look. */
export function isUseRead(request: ReadRequest): request is UseRead {
  return USE_READS.has(request.type);
}

type LeaseReports<T extends string> = {
  readonly type: T;
  readonly reports: readonly LeaseReport[];
  readonly nowMs: number;
};

/** What gates write, in tables of their own; see gate.ts. */
export type UseRequest =
  | { readonly type: 'lease'; readonly wishes: readonly LeaseWish[] }
  | LeaseReports<'reportLeases'>
  | LeaseReports<'returnLeases'>
  | { readonly type: 'reportUsage'; readonly reports: readonly UsageReport[] }
  | {
      readonly type: 'remember';
      readonly signatures: readonly SeenSignature[];
      /** Random, of this call only. */
      readonly claim: string;
    }
  | { readonly type: 'sweepUses'; readonly nowMs: number; readonly leaseSilenceMs: number };

/** Requests that only look. */
export type ReadRequest =
  | DocumentRead
  | UseRead
  | { readonly type: 'identity' }
  | {
      readonly type: 'load';
      readonly uid: string;
      readonly namespace: string;
      readonly name: string;
    }
  | { readonly type: 'isRequestSpent'; readonly uid: string; readonly requestId: string }
  | { readonly type: 'scan'; readonly limit: number; readonly after: string | undefined }
  | { readonly type: 'findByKeyId'; readonly keyId: string }
  | { readonly type: 'changes'; readonly limit: number; readonly cursor: string | undefined }
  | { readonly type: 'countByStore' }
  | { readonly type: 'existsAtVendor'; readonly storeUid: string }
  | { readonly type: 'debts'; readonly limit: number; readonly after: string | undefined }
  | { readonly type: 'claimedIds'; readonly storeUid: string; readonly ids: readonly string[] }
  | { readonly type: 'findTokens'; readonly tokens: readonly string[] }
  | { readonly type: 'loadStore'; readonly storeUid: string }
  | { readonly type: 'versionsInUse' }
  | { readonly type: 'verifyAudit'; readonly from: AuditPosition };

/** Anything that can be asked of a database. */
export type Request = WriteRequest | ReadRequest;

const WRITES: ReadonlySet<string> = new Set<WriteRequest['type']>([
  'commit',
  'commitDocuments',
  'adoptCluster',
  'openEpoch',
  'rememberVersion',
  'saveStore',
]);

/** Tells them from the requests that only look. */
export function isWrite(request: Request): request is WriteRequest {
  return WRITES.has(request.type);
}

/** What each request is answered with. */
export type Answers = {
  /** The record itself is known to who asked. */
  commit: Exclude<CommitResult, { type: 'Committed' }> | { readonly type: 'Committed' };
  commitDocuments: { readonly type: 'Committed' | 'Stale' };
  adoptCluster: null;
  openEpoch: null;
  rememberVersion: null;
  saveStore: null;
  identity: LedgerIdentity;
  load: {
    readonly record: StoredRecord | undefined;
    readonly others: readonly StoredRecord[];
  };
  /** Rows of DOCUMENT_COLUMNS. */
  loadDocument: Row | undefined;
  findDocument: Row | undefined;
  scanDocuments: readonly Row[];
  /** Rows of AUDIT_COLUMNS, newest first. */
  auditLines: readonly Row[];
  isRequestSpent: boolean;
  scan: readonly StoredRecord[];
  findByKeyId: StoredRecord | undefined;
  changes: { readonly uids: readonly string[]; readonly cursor: string };
  countByStore: readonly StoreCount[];
  existsAtVendor: boolean;
  debts: readonly StoredRecord[];
  claimedIds: readonly string[];
  findTokens: readonly TokenHolder[];
  loadStore: StoreRow | undefined;
  versionsInUse: readonly VersionInUse[];
  /** One step; see audit.ts. */
  verifyAudit: AuditStep;
  findAtGate: StoredAtGate | undefined;
  counts: readonly Count[];
  usage: readonly Usage[];
  keyIds: readonly string[];
  keyIdsOf: readonly string[];
  lease: readonly Lease[];
  reportLeases: null;
  returnLeases: null;
  reportUsage: null;
  remember: readonly boolean[];
  /** True: there is more to forget. */
  sweepUses: boolean;
};

/** Tests only: the process kills itself around the nth commit of this kind. */
export type CrashPoint = {
  /** Audit action to count; absent: every commit. */
  readonly action?: string;
  /** From 1. */
  readonly nth: number;
  readonly position: 'before' | 'after';
};
