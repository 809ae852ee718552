/**
 * A ledger file as a gate has it: what it looks up, it reads by itself in microseconds; what it counts,
 * a thread writes, because that waits for the disk.
 */
import { resolve } from 'node:path';
import type { GateLedger } from '../gate.ts';
import { createGateReads, createUseReads, createUseWrites } from '../useverbs.ts';
import { createLedgerReads } from '../verbs.ts';
import { parseSqliteUrl } from './location.ts';
import { openForReading } from './reader.ts';
import { LedgerThread } from './thread.ts';

/**
 * Opens an existing ledger beside its operator, which goes on writing. Takes no lock of the operator and
 * makes nothing.
 *
 * @throws KeywardError Terminal DatabaseUrlInvalid, DatabaseMissing, DatabaseCorrupt, DatabaseReadOnly,
 * ForeignDatabase, FilesystemUnsupported, SchemaTooNew or SchemaChanged; Transient LedgerUnavailable or
 * SchemaTooOld
 */
export async function openSqliteGate(url: string): Promise<GateLedger> {
  const path = resolve(parseSqliteUrl(url));
  const thread = await LedgerThread.startUses({ path });
  try {
    const reader = openForReading(path);
    return {
      ...createLedgerReads(reader.ask),
      ...createUseReads(reader.ask),
      ...createGateReads(reader.ask),
      ...createUseWrites((request) => thread.ask(request)),
      close: async () => {
        // The one that writes goes last: it moves the log into the file where nobody else is there.
        await reader.close();
        await thread.close();
      },
    };
  } catch (thrown) {
    await thread.close();
    throw thrown;
  }
}
