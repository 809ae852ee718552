/**
 * Finds out what became of a transaction whose COMMIT was not answered: each writes a random name of
 * its own, and is there as a whole or not at all.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { unavailable } from '../refusals.ts';
import { translate } from './failures.ts';
import type { Qualify } from './names.ts';
import type { Pool } from './pool.ts';
import { begin, transact } from './transaction.ts';

/** For how long a database that is gone is asked again. */
const PATIENCE_MS = 30_000;
const PAUSE_MS = 250;

/**
 * True when the transaction of this name was committed, false when it was not and never will be.
 * Asking takes the lock that every writer holds until its end, so a transaction whose end is still
 * under way at the server is waited for.
 *
 * @throws KeywardError Transient LedgerUnavailable when that stays unknown; whoever asked reads
 * again, as after any failure, and finds the commit or not
 */
export async function wasCommitted(
  { pool, qualify }: { readonly pool: Pool; readonly qualify: Qualify },
  batchId: string,
): Promise<boolean> {
  const untilMs = performance.now() + PATIENCE_MS;
  const look = [
    'SELECT 1 FROM {schema}.meta FOR UPDATE',
    // Made here, from hexadecimal digits.
    `SELECT 1 FROM {schema}.batches WHERE id = '${batchId}'`,
  ].map(qualify);
  for (;;) {
    try {
      // One look after the other is what this loop is for.
      // oxlint-disable-next-line no-await-in-loop
      return await pool.use((connection) =>
        transact(connection, async () => {
          const [, found = []] = await begin(connection, 'READ COMMITTED', look);
          await connection.query('ROLLBACK');
          return found.length > 0;
        }),
      );
    } catch (thrown) {
      const error = translate(thrown, pool.label);
      if (error.class === 'Terminal') throw error;
      if (performance.now() > untilMs) {
        throw unavailable(pool.label, 'the connection was lost during a commit', error);
      }
      // oxlint-disable-next-line no-await-in-loop
      await pause(PAUSE_MS * (0.5 + Math.random()));
    }
  }
}
