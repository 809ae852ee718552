/** Chooses the database behind the ledger by the scheme of its URL. */
import { KeywardError } from '../kernel/errors.ts';
import type { Ledger } from './port.ts';
import { openSqliteLedger, type SqliteOptions } from './sqlite/open.ts';
import { openSqliteReader } from './sqlite/reader.ts';
import type { LedgerReader } from './verbs.ts';

/**
 * Opens the ledger at `url`; see `openSqliteLedger` for the errors.
 *
 * @throws KeywardError Terminal DatabaseUrlInvalid for a scheme that is not supported
 */
export async function openLedger(options: SqliteOptions): Promise<Ledger> {
  if (isSqlite(options.url)) return openSqliteLedger(options);
  throw unsupported(options.url);
}

/**
 * Opens an existing ledger to look at it beside its operator; see `openSqliteReader` for the errors.
 *
 * @throws KeywardError Terminal DatabaseUrlInvalid for a scheme that is not supported
 */
export async function openLedgerReader(url: string): Promise<LedgerReader> {
  if (isSqlite(url)) return openSqliteReader(url);
  throw unsupported(url);
}

function isSqlite(url: string): boolean {
  return url.startsWith('sqlite:');
}

function unsupported(url: string): KeywardError {
  const scheme = url.slice(0, url.indexOf(':') + 1);
  const isPostgres = scheme === 'postgres:' || scheme === 'postgresql:';
  return new KeywardError('Terminal', {
    reason: 'DatabaseUrlInvalid',
    // Without the URL: it may hold a password.
    message: isPostgres
      ? 'PostgreSQL is not available yet; use a sqlite:/// URL'
      : `the database URL has an unknown scheme "${scheme}"; use a sqlite:/// URL`,
  });
}
