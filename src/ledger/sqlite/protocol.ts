/**
 * What crosses the border of the worker thread: batches of requests one way, their answers in the
 * same order the other way. One batch is under way at a time; what is asked meanwhile travels
 * together in the next one and becomes one transaction.
 */
import type { ErrorClass } from '../../kernel/errors.ts';
import type { CommitResult, LedgerIdentity, StoreCount, VersionInUse } from '../port.ts';
import type { RecordRows, StoredRecord } from './rows.ts';

/** A commit as rows. */
export type CommitRequest = {
  readonly type: 'commit';
  readonly rows: RecordRows;
  readonly expectedRevision: number;
  readonly epoch: number;
  readonly atMs: number;
  readonly actor: string;
  readonly action: string;
  readonly facts: string;
  readonly spendRequestId: string | undefined;
  readonly maxKeys: number | undefined;
  readonly maxKeysPerNamespace: number | undefined;
};

/** Requests that change the database. */
export type WriteRequest =
  | CommitRequest
  | { readonly type: 'adoptCluster'; readonly clusterId: string }
  | { readonly type: 'openEpoch'; readonly epoch: number; readonly holder: string }
  | { readonly type: 'rememberVersion'; readonly version: number; readonly checkValue: string };

/** Requests that only look. */
export type ReadRequest =
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
  | { readonly type: 'versionsInUse' }
  | { readonly type: 'verifyAudit'; readonly from: AuditPosition };

/** Anything that can be asked of the worker. */
export type Request = WriteRequest | ReadRequest;

/** Up to where the audit chain was found whole. */
export type AuditPosition = { readonly entries: number; readonly hash: Uint8Array };

/** What each request is answered with. */
export type Answers = {
  /** The record itself is known to who asked. */
  commit: Exclude<CommitResult, { type: 'Committed' }> | { readonly type: 'Committed' };
  adoptCluster: null;
  openEpoch: null;
  rememberVersion: null;
  identity: LedgerIdentity;
  load: {
    readonly record: StoredRecord | undefined;
    readonly others: readonly StoredRecord[];
  };
  isRequestSpent: boolean;
  scan: readonly StoredRecord[];
  findByKeyId: StoredRecord | undefined;
  changes: { readonly uids: readonly string[]; readonly cursor: string };
  countByStore: readonly StoreCount[];
  versionsInUse: readonly VersionInUse[];
  /** One step: where it stands, and whether to go on from there. */
  verifyAudit: {
    readonly reached: AuditPosition;
    readonly verdict: 'Whole' | 'Broken' | 'GoOn';
  };
};

/** A KeywardError without its class; the cause as text, for the log. */
export type Failure = {
  readonly class: ErrorClass;
  readonly reason: string;
  readonly message: string;
  readonly cause: string | undefined;
};

/** What becomes of one request. */
export type Answer = { readonly value: Answers[keyof Answers] } | { readonly failure: Failure };

/** From the main thread: a batch, or the wish to end. */
export type ToWorker = readonly Request[] | 'close';

/** From the worker: how opening went, the answers of a batch, or that the file is closed. */
export type FromWorker =
  | { readonly type: 'opened' }
  | { readonly type: 'refused'; readonly failure: Failure }
  | { readonly type: 'answers'; readonly answers: readonly Answer[] }
  | { readonly type: 'closed' };

/** What the worker is started with. */
export type WorkerOptions = {
  readonly path: string;
  readonly missing: 'Create' | 'Refuse';
  readonly crashAt: CrashPoint | undefined;
};

/** Tests only: the process kills itself around the nth commit of this kind. */
export type CrashPoint = {
  /** Audit action to count; absent: every commit. */
  readonly action?: string;
  /** From 1. */
  readonly nth: number;
  readonly position: 'before' | 'after';
};
