/** Chooses the database behind the ledger by the scheme of its URL. */
import type { Archive, ArchiveMode } from './archive.ts';
import type { GateLedger, UseReads } from './gate.ts';
import { isPostgresUrl } from './postgres/location.ts';
import type { Ledger } from './port.ts';
import { terminal } from './refusals.ts';
import type { SqliteOptions } from './sqlite/open.ts';
import type { LedgerReader } from './verbs.ts';

/** Which database and whether it may be made; see the options of the two databases. */
export type LedgerOptions = SqliteOptions;

/**
 * Opens the ledger at `url`; see `openSqliteLedger` and `openPostgresLedger` for the errors. Only the
 * code of the database that is used is loaded.
 *
 * @throws KeywardError Terminal DatabaseUrlInvalid for a scheme that is not supported
 */
export async function openLedger(options: LedgerOptions): Promise<Ledger & UseReads> {
  if (isSqlite(options.url)) {
    const { openSqliteLedger } = await import('./sqlite/open.ts');
    return openSqliteLedger(options);
  }
  if (!isPostgresUrl(options.url)) throw unsupported(options.url);
  const { openPostgresLedger } = await import('./postgres/open.ts');
  return openPostgresLedger(options);
}

/**
 * Opens an existing ledger to look at it beside its operator; see `openSqliteReader` and
 * `openPostgresReader` for the errors.
 *
 * @throws KeywardError Terminal DatabaseUrlInvalid for a scheme that is not supported
 */
export async function openLedgerReader(url: string): Promise<LedgerReader & UseReads> {
  if (isSqlite(url)) {
    const { openSqliteReader } = await import('./sqlite/reader.ts');
    return openSqliteReader(url);
  }
  if (!isPostgresUrl(url)) throw unsupported(url);
  const { openPostgresReader } = await import('./postgres/open.ts');
  return openPostgresReader(url);
}

/**
 * Opens an existing ledger for a gate, beside its operator; see `openSqliteGate` and
 * `openPostgresGate` for the errors.
 *
 * @throws KeywardError Terminal DatabaseUrlInvalid for a scheme that is not supported
 */
export async function openGateLedger(url: string): Promise<GateLedger> {
  if (isSqlite(url)) {
    const { openSqliteGate } = await import('./sqlite/gate.ts');
    return openSqliteGate(url);
  }
  if (!isPostgresUrl(url)) throw unsupported(url);
  const { openPostgresGate } = await import('./postgres/gate.ts');
  return openPostgresGate(url);
}

/**
 * Refuses a URL that can never name a ledger, for programs that otherwise wait until theirs is there.
 *
 * @throws KeywardError Terminal DatabaseUrlInvalid
 */
export async function checkLedgerUrl(url: string): Promise<void> {
  if (isSqlite(url)) {
    const { parseSqliteUrl } = await import('./sqlite/location.ts');
    parseSqliteUrl(url);
    return;
  }
  if (!isPostgresUrl(url)) throw unsupported(url);
  const { parsePostgresUrl } = await import('./postgres/location.ts');
  parsePostgresUrl(url);
}

function isSqlite(url: string): boolean {
  return url.startsWith('sqlite:');
}

function unsupported(url: string) {
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0] ?? '';
  // Without the URL: it may hold a password.
  return terminal(
    'DatabaseUrlInvalid',
    `the database URL has ${scheme === '' ? 'no scheme' : `an unknown scheme "${scheme}"`}; use sqlite:///path or postgres://user@host/database`,
  );
}

/**
 * Opens a whole database for one transaction; see archive.ts. `Fill` makes it where there is none.
 *
 * @throws KeywardError Terminal DatabaseUrlInvalid for a scheme that is not supported; DatabaseInUse
 */
export async function openArchive(url: string, mode: ArchiveMode): Promise<Archive> {
  if (isSqlite(url)) {
    const { openSqliteArchive } = await import('./sqlite/archive.ts');
    return openSqliteArchive(url, mode);
  }
  if (!isPostgresUrl(url)) throw unsupported(url);
  const { openPostgresArchive } = await import('./postgres/archive.ts');
  return openPostgresArchive(url, mode);
}

/**
 * Writes all that is committed into a new file while operator and gates go on.
 *
 * @throws KeywardError Terminal BackupUnsupported on PostgreSQL, which has better ones of its own; see `backUpFile`
 */
export async function backUpLedger(url: string, to: string): Promise<void> {
  requireFile(url);
  const { backUpFile } = await import('./sqlite/backup.ts');
  backUpFile(url, to);
}

/**
 * As `backUpLedger`, into a file without a name; its descriptor.
 *
 * @throws KeywardError as `backUpLedger`
 */
export async function openLedgerBackup(url: string): Promise<number> {
  requireFile(url);
  const { openBackupFile } = await import('./sqlite/backup.ts');
  return openBackupFile(url);
}

/**
 * Puts a copy in the place of the ledger; see `putBackFile`. It is still to be marked as restored.
 *
 * @throws KeywardError Terminal BackupUnsupported on PostgreSQL; see `putBackFile`
 */
export async function putBackLedger(
  url: string,
  copy: { readonly copy: AsyncIterable<Uint8Array>; readonly at: string },
): Promise<string | undefined> {
  requireFile(url);
  const { putBackFile } = await import('./sqlite/backup.ts');
  return putBackFile(url, copy);
}

function requireFile(url: string): void {
  if (isSqlite(url)) return;
  if (!isPostgresUrl(url)) throw unsupported(url);
  throw terminal(
    'BackupUnsupported',
    'PostgreSQL has backups of its own: pg_dump --schema=keyward, and pg_restore; then keyward restore',
  );
}
