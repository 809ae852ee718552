/**
 * A second, read-only look at a ledger file while its operator writes it: for the gate, which looks
 * up presented keys, and for the command line. Reads take microseconds, so no thread of its own.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { UseReads } from '../gate.ts';
import type { Answers, ReadRequest } from '../requests.ts';
import { createUseReads } from '../useverbs.ts';
import { type Ask, createLedgerReads, type LedgerReader } from '../verbs.ts';
import { translate } from './failures.ts';
import { openFileForReading } from './file.ts';
import { FileWatch } from './guard.ts';
import { placeOf } from './place.ts';
import { answerRead, prepareQueries } from './queries.ts';
import { prepare } from './statements.ts';

/**
 * Opens an existing ledger for reading. The directory must be writable for this process, because
 * readers announce themselves in the `-shm` file beside the database.
 *
 * @throws KeywardError Terminal DatabaseUrlInvalid, DatabaseMissing, DatabaseCorrupt,
 * ForeignDatabase, SchemaTooNew, SchemaChanged; Transient LedgerUnavailable
 */
export async function openSqliteReader(url: string): Promise<LedgerReader & UseReads> {
  const { ask, close } = openForReading(placeOf(url), (file) => FileWatch.ofReader(file));
  return { ...createLedgerReads(ask), ...createUseReads(ask), close };
}

/** A way to ask a file, and its end. */
type Reading = { readonly ask: Ask<ReadRequest>; readonly close: () => Promise<void> };

/**
 * The connection below it, for what is to be read otherwise.
 *
 * @param watchOf which files must stay what they are
 * @throws KeywardError as `openSqliteReader`
 */
export function openForReading(path: string, watchOf: (path: string) => FileWatch): Reading {
  try {
    return createReading(openFileForReading(path), path, watchOf);
  } catch (thrown) {
    throw translate(thrown, path);
  }
}

function createReading(
  db: DatabaseSync,
  path: string,
  watchOf: (path: string) => FileWatch,
): Reading {
  const queries = prepareQueries(db);
  const watch = watchOf(path);
  const begin = prepare(db, 'BEGIN');
  const end = prepare(db, 'ROLLBACK');
  // One snapshot per request, and never one that outlives it: it would keep the log from shrinking.
  const ask = async (request: ReadRequest): Promise<Answers[ReadRequest['type']]> => {
    try {
      watch.check();
      begin.run();
      return answerRead(queries, request);
    } catch (thrown) {
      throw translate(thrown, path);
    } finally {
      if (db.isOpen && db.isTransaction) end.run();
    }
  };
  return {
    // Each request is answered in its own type; see `Answers`.
    ask: (request) => ask(request) as never,
    close: async () => {
      if (db.isOpen) db.close();
    },
  };
}
