/**
 * How a transaction begins and ends. Its limits are set inside of it, with SET LOCAL, because the
 * next one may run on another server connection.
 */
import type { Connection } from './connection.ts';
import { isContention, isFromServer, isRefusal, isRolledBack } from './failures.ts';
import type { Row } from '../rows.ts';

/** The server ends what takes longer, and what is left open by a process that froze or vanished. */
const LIMITS = [
  'SET LOCAL statement_timeout = 10000',
  'SET LOCAL lock_timeout = 5000',
  'SET LOCAL idle_in_transaction_session_timeout = 10000',
];

/** A commit that was answered must be on disk, whatever role or database are set to. */
export const DURABLE = `SELECT set_config('synchronous_commit', 'on', true)
  WHERE current_setting('synchronous_commit', true) = 'off'`;

/** Its outcome is not known: the connection was lost while COMMIT was under way. */
export class OutcomeUnknownError extends Error {}

/** Serializable for what decides by what it read; ReadCommitted waits for others and sees them. */
type Isolation = 'SERIALIZABLE' | 'READ COMMITTED';

/** Begins, runs `script` in the same message, and returns the rows of its statements. */
export async function begin(
  connection: Connection,
  isolation: Isolation,
  script: readonly string[],
): Promise<readonly (readonly Row[])[]> {
  const opening = [`BEGIN ISOLATION LEVEL ${isolation}`, ...LIMITS, DURABLE];
  const results = await connection.script([...opening, ...script].join(';\n'));
  return results.slice(opening.length);
}

/**
 * Sends the last statements and COMMIT together, in one round trip. Resolves when they are
 * committed.
 *
 * @throws what the server refused, and nothing was committed; OutcomeUnknownError
 */
export async function finish(
  connection: Connection,
  statements: readonly (() => Promise<unknown>)[],
): Promise<void> {
  const answers = statements.map((send) => send());
  const end = connection.query('COMMIT');
  const settled = await Promise.allSettled([...answers, end]);
  const failed = settled.find((each) => each.status === 'rejected');
  if (failed === undefined) return;
  const thrown: unknown = failed.reason;
  const isCommit = failed === settled.at(-1);
  // A statement that the server refused has spoiled the transaction, and COMMIT became ROLLBACK.
  if (isRolledBack(thrown) || (!isCommit && isFromServer(thrown))) throw thrown;
  throw new OutcomeUnknownError('the connection was lost during COMMIT', { cause: thrown });
}

/**
 * Runs `work` in a transaction that it finishes itself; rolls back when it fails. A connection that
 * failed in an unknown way is not used again.
 */
export async function transact<T>(
  connection: Connection,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  try {
    return await work(connection);
  } catch (thrown) {
    if (!isContention(thrown) && !isRefusal(thrown)) connection.close();
    // Always: an error arrives before the word that the transaction is spoiled, and answers to what
    // was sent with it may still be under way. Outside of a transaction it does nothing.
    else await connection.query('ROLLBACK').catch(() => connection.close());
    throw thrown;
  }
}
