/** The ledger on SQLite: the port's methods as requests to the thread that owns the file. */
import { resolve } from 'node:path';
import { writeFacts } from '../audit.ts';
import type { AuditPosition, CrashPoint } from './protocol.ts';
import type { Commit, CommitResult, Ledger } from '../port.ts';
import { parseSqliteUrl } from './location.ts';
import { AUDIT_START } from './queries.ts';
import { decodeRecord, encodeRecord } from './rows.ts';
import { LedgerThread } from './thread.ts';

export type SqliteOptions = {
  /** A `sqlite:` URL; see location.ts. */
  readonly url: string;
  /**
   * What to do when there is no file. Create: the first start of an installation. A file that is
   * there but empty, and a log without its file, are refused in any case: keys were lost there.
   */
  readonly missing: 'Create' | 'Refuse';
  /** Tests only. */
  readonly crashAt?: CrashPoint;
};

/**
 * Opens or creates the ledger and becomes its only writer. Fails within about a second, without
 * waiting for another operator to end.
 *
 * @throws KeywardError Terminal with reason DatabaseUrlInvalid, DatabaseMissing, DatabaseInUse,
 * DatabaseCorrupt, DatabaseReadOnly, ForeignDatabase, FilesystemUnsupported, SchemaTooNew or
 * SchemaChanged; Transient LedgerUnavailable
 */
export async function openSqliteLedger(options: SqliteOptions): Promise<Ledger> {
  const path = resolve(parseSqliteUrl(options.url));
  const { missing, crashAt } = options;
  return createLedger(await LedgerThread.start({ path, missing, crashAt }));
}

function createLedger(thread: LedgerThread): Ledger {
  return {
    identity: () => thread.ask<'identity'>({ type: 'identity' }),
    adoptCluster: async (clusterId) => {
      await thread.ask<'adoptCluster'>({ type: 'adoptCluster', clusterId });
    },
    openEpoch: async (epoch, holder) => {
      await thread.ask<'openEpoch'>({ type: 'openEpoch', epoch, holder });
    },
    load: async (uid, { namespace, name }) => {
      const { record, others } = await thread.ask<'load'>({ type: 'load', uid, namespace, name });
      return {
        record: record === undefined ? undefined : decodeRecord(record),
        others: others.map(decodeRecord),
      };
    },
    commit: (commit) => sendCommit(thread, commit),
    isRequestSpent: (uid, requestId) =>
      thread.ask<'isRequestSpent'>({ type: 'isRequestSpent', uid, requestId }),
    scan: async (limit, after) => {
      const records = (await thread.ask<'scan'>({ type: 'scan', limit, after })).map(decodeRecord);
      return { records, next: records.length < limit ? undefined : records.at(-1)?.uid };
    },
    findByKeyId: async (keyId) => {
      const found = await thread.ask<'findByKeyId'>({ type: 'findByKeyId', keyId });
      return found === undefined ? undefined : decodeRecord(found);
    },
    changes: (limit, cursor) => thread.ask<'changes'>({ type: 'changes', limit, cursor }),
    countByStore: () => thread.ask<'countByStore'>({ type: 'countByStore' }),
    versionsInUse: () => thread.ask<'versionsInUse'>({ type: 'versionsInUse' }),
    rememberVersion: async (version, checkValue) => {
      await thread.ask<'rememberVersion'>({ type: 'rememberVersion', version, checkValue });
    },
    verifyAudit: () => walkAudit(thread),
    close: () => thread.close(),
  };
}

async function sendCommit(thread: LedgerThread, commit: Commit): Promise<CommitResult> {
  const { record, expectedRevision, audit, limits } = commit;
  const answer = await thread.ask<'commit'>({
    type: 'commit',
    rows: encodeRecord(record),
    expectedRevision,
    epoch: commit.epoch,
    atMs: audit.atMs,
    actor: audit.actor,
    action: audit.action,
    facts: writeFacts(audit.facts),
    spendRequestId: commit.spendRequestId,
    maxKeys: limits?.maxKeys,
    maxKeysPerNamespace: limits?.maxKeysPerNamespace,
  });
  if (answer.type !== 'Committed') return answer;
  const credentials = record.credentials.filter((each) => each.state !== 'Deleted');
  return {
    type: 'Committed',
    record: { ...record, revision: expectedRevision + 1, credentials },
  };
}

/** In steps, so that commits get their turn in between. */
async function walkAudit(
  thread: LedgerThread,
): Promise<{ readonly entries: number; readonly brokenAt: number | undefined }> {
  let from: AuditPosition = AUDIT_START;
  for (;;) {
    const { reached, verdict } = await thread.ask<'verifyAudit'>({ type: 'verifyAudit', from });
    const { entries } = reached;
    if (verdict !== 'GoOn') {
      return { entries, brokenAt: verdict === 'Broken' ? entries + 1 : undefined };
    }
    from = reached;
  }
}
