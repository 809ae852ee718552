/** Chooses the database behind the ledger by the scheme of its URL. */
import { KeywardError } from '../kernel/errors.ts';
import type { Ledger } from './port.ts';
import { openSqliteLedger, type SqliteOptions } from './sqlite/open.ts';

/**
 * Opens the ledger at `url`; see `openSqliteLedger` for the errors.
 *
 * @throws KeywardError Terminal DatabaseUrlInvalid for a scheme that is not supported
 */
export async function openLedger(options: SqliteOptions): Promise<Ledger> {
  const scheme = options.url.slice(0, options.url.indexOf(':') + 1);
  if (scheme === 'sqlite:') return openSqliteLedger(options);
  const isPostgres = scheme === 'postgres:' || scheme === 'postgresql:';
  throw new KeywardError('Terminal', {
    reason: 'DatabaseUrlInvalid',
    // Without the URL: it may hold a password.
    message: isPostgres
      ? 'PostgreSQL is not available yet; use a sqlite:/// URL'
      : `the database URL has an unknown scheme "${scheme}"; use a sqlite:/// URL`,
  });
}
