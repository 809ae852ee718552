/**
 * A ledger file as a gate has it: what it looks up, it reads by itself in microseconds; what it counts,
 * a thread writes, because that waits for the disk.
 */
import type { GateLedger } from '../gate.ts';
import type { ReadRequest } from '../requests.ts';
import { createGateReads, createUseReads, createUseWrites } from '../useverbs.ts';
import { type Ask, createLedgerReads } from '../verbs.ts';
import { FileWatch } from './guard.ts';
import { placeOf } from './place.ts';
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
  const path = placeOf(url);
  const thread = await LedgerThread.startUses({ path });
  try {
    // The thread has made log and shared memory, which stay as long as it has them open.
    const reader = openForReading(path, (file) => FileWatch.ofGate(file));
    // Without the thread nothing is counted; a gate opens a database anew that it cannot read.
    const ask: Ask<ReadRequest> = (request) =>
      thread.failure === undefined ? reader.ask(request) : Promise.reject(thread.failure);
    return {
      ...createLedgerReads(ask),
      ...createUseReads(ask),
      ...createGateReads(ask),
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
