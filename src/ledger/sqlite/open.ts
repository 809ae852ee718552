/** The ledger on SQLite: the port's methods as requests to the thread that owns the file. */
import type { UseReads } from '../gate.ts';
import type { Ledger } from '../port.ts';
import type { CrashPoint } from '../requests.ts';
import { createUseReads } from '../useverbs.ts';
import { createLedgerReads, createLedgerWrites } from '../verbs.ts';
import { placeOf } from './place.ts';
import { type Gathering, LedgerThread } from './thread.ts';

/** Which file, and whether it may be made. */
export type SqliteOptions = Gathering & {
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
export async function openSqliteLedger(options: SqliteOptions): Promise<Ledger & UseReads> {
  const path = placeOf(options.url);
  const { missing, crashAt, gatherMs, isBacklogged } = options;
  const gathering = { gatherMs, isBacklogged };
  const thread = await LedgerThread.start({ path, missing, crashAt }, gathering);
  return {
    ...createLedgerReads((request) => thread.ask(request)),
    ...createUseReads((request) => thread.ask(request)),
    ...createLedgerWrites((request) => thread.ask(request)),
    close: () => thread.close(),
  };
}
