/** The port's methods as requests, whoever answers them. */
import { AUDIT_START, type AuditPosition, readLine, writeActor, writeFacts } from './audit.ts';
import {
  decodeDocument,
  encodeDocuments,
  encodeSomeDocuments,
  isStorable,
} from './documentrows.ts';
import type { AuditEntry, Commit, CommitResult, Ledger, Page } from './port.ts';
import type { Answers, Audited, ReadRequest, Request, UseRequest } from './requests.ts';
import { decodeRecord, encodeRecord, type StoredRecord } from './rows.ts';

/** Has a request answered; rejects with a KeywardError. */
export type Ask<R extends Request | UseRequest> = <T extends R['type']>(
  request: Extract<R, { type: T }>,
) => Promise<Answers[T]>;

/** The methods of a ledger that only look. */
type LedgerReads = Pick<
  Ledger,
  | 'identity'
  | 'load'
  | 'loadDocument'
  | 'findDocument'
  | 'scanDocuments'
  | 'auditLines'
  | 'isRequestSpent'
  | 'scan'
  | 'findByKeyId'
  | 'changes'
  | 'countByStore'
  | 'existsAtVendor'
  | 'debts'
  | 'claimedIds'
  | 'findTokens'
  | 'loadStore'
  | 'versionsInUse'
  | 'verifyAudit'
>;

/** The part of a ledger that only looks, opened beside its operator. */
export type LedgerReader = LedgerReads & Pick<Ledger, 'close'>;

/** Looking, through `ask`. */
export function createLedgerReads(ask: Ask<ReadRequest>): LedgerReads {
  return {
    ...createDocumentReads(ask),
    identity: () => ask<'identity'>({ type: 'identity' }),
    load: async (uid, { namespace, name }) => {
      const { record, others } = await ask<'load'>({ type: 'load', uid, namespace, name });
      return {
        record: record === undefined ? undefined : decodeRecord(record),
        others: others.map(decodeRecord),
      };
    },
    isRequestSpent: (uid, requestId) =>
      ask<'isRequestSpent'>({ type: 'isRequestSpent', uid, requestId }),
    scan: async (limit, after) => page(await ask<'scan'>({ type: 'scan', limit, after }), limit),
    findByKeyId: async (keyId) => {
      const found = await ask<'findByKeyId'>({ type: 'findByKeyId', keyId });
      return found === undefined ? undefined : decodeRecord(found);
    },
    changes: (limit, cursor) => ask<'changes'>({ type: 'changes', limit, cursor }),
    countByStore: () => ask<'countByStore'>({ type: 'countByStore' }),
    existsAtVendor: (storeUid) => ask<'existsAtVendor'>({ type: 'existsAtVendor', storeUid }),
    debts: async (limit, after) => page(await ask<'debts'>({ type: 'debts', limit, after }), limit),
    claimedIds: (storeUid, ids) => ask<'claimedIds'>({ type: 'claimedIds', storeUid, ids }),
    findTokens: (tokens) => ask<'findTokens'>({ type: 'findTokens', tokens }),
    loadStore: (storeUid) => ask<'loadStore'>({ type: 'loadStore', storeUid }),
    versionsInUse: () => ask<'versionsInUse'>({ type: 'versionsInUse' }),
    verifyAudit: () => walkAudit(ask),
  };
}

/** Names come from anybody's objects: under some of them no database could hold anything. */
function createDocumentReads(
  ask: Ask<ReadRequest>,
): Pick<Ledger, 'loadDocument' | 'findDocument' | 'scanDocuments' | 'auditLines'> {
  return {
    loadDocument: async (kind, uid) => {
      if (!isStorable(uid)) return undefined;
      const row = await ask<'loadDocument'>({ type: 'loadDocument', kind, uid });
      return row === undefined ? undefined : decodeDocument(row);
    },
    findDocument: async (kind, { namespace, name }) => {
      if (!isStorable(namespace) || !isStorable(name)) return undefined;
      const request = { type: 'findDocument', kind, namespace, name } as const;
      const row = await ask<'findDocument'>(request);
      return row === undefined ? undefined : decodeDocument(row);
    },
    scanDocuments: async (kind, limit, after) => {
      const request = { type: 'scanDocuments', kind, limit, after } as const;
      return (await ask<'scanDocuments'>(request)).map((row) => decodeDocument(row));
    },
    auditLines: async ({ limit, before, after, uid, by = '' }) => {
      if (uid !== undefined && !isStorable(uid)) return [];
      const request = { type: 'auditLines', limit, before, after, uid, by } as const;
      return (await ask<'auditLines'>(request)).map(readLine);
    },
  };
}

function page(stored: readonly StoredRecord[], limit: number): Page {
  const records = stored.map(decodeRecord);
  return { records, next: records.length < limit ? undefined : records.at(-1)?.uid };
}

/** Writing, through `ask`. */
export function createLedgerWrites(
  ask: Ask<Request>,
): Pick<
  Ledger,
  'adoptCluster' | 'openEpoch' | 'commit' | 'commitDocuments' | 'rememberVersion' | 'saveStore'
> {
  return {
    adoptCluster: async (clusterId) => {
      await ask<'adoptCluster'>({ type: 'adoptCluster', clusterId });
    },
    openEpoch: async (epoch, holder) => {
      await ask<'openEpoch'>({ type: 'openEpoch', epoch, holder });
    },
    commit: (commit) => sendCommit(ask, commit),
    commitDocuments: async ({ changes, epoch, audit }) =>
      ask<'commitDocuments'>({
        type: 'commitDocuments',
        documents: encodeSomeDocuments(changes),
        ...audited(audit, epoch),
      }),
    saveStore: async (row, epoch) => {
      await ask<'saveStore'>({ type: 'saveStore', row, epoch });
    },
    rememberVersion: async (version, checkValue) => {
      await ask<'rememberVersion'>({ type: 'rememberVersion', version, checkValue });
    },
  };
}

function audited(audit: AuditEntry, epoch: number): Audited {
  const { atMs, actor, action, facts } = audit;
  return { epoch, atMs, actor: writeActor(actor), action, facts: writeFacts(facts) };
}

async function sendCommit(ask: Ask<Request>, commit: Commit): Promise<CommitResult> {
  const { record, expectedRevision, audit, limits } = commit;
  const answer = await ask<'commit'>({
    type: 'commit',
    rows: encodeRecord(record),
    expectedRevision,
    documents: encodeDocuments(commit.documents ?? []),
    ...audited(audit, commit.epoch),
    spendRequestId: commit.spendRequestId,
    imports: commit.imports,
    maxKeys: limits?.maxKeys,
    maxKeysPerNamespace: limits?.maxKeysPerNamespace,
    exclusiveAccount: commit.exclusiveAccount,
  });
  if (answer.type !== 'Committed') return answer;
  const credentials = record.credentials.filter((each) => each.state !== 'Deleted');
  const revision = expectedRevision + 1;
  return { type: 'Committed', record: { ...record, revision, credentials } };
}

/** In steps, so that commits get their turn in between. */
async function walkAudit(
  ask: Ask<ReadRequest>,
): Promise<{ readonly entries: number; readonly brokenAt: number | undefined }> {
  let from: AuditPosition = AUDIT_START;
  for (;;) {
    const { reached, verdict } = await ask<'verifyAudit'>({ type: 'verifyAudit', from });
    const { entries } = reached;
    if (verdict !== 'GoOn') {
      return { entries, brokenAt: verdict === 'Broken' ? entries + 1 : undefined };
    }
    from = reached;
  }
}
