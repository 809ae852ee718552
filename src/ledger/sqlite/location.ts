/**
 * Where a SQLite ledger lies. Pure.
 *
 *     sqlite:///data/keyward.db     absolute
 *     sqlite:./keyward.db           relative to the working directory, as is sqlite:keyward.db
 */
import { KeywardError } from '../../kernel/errors.ts';

const SCHEME = 'sqlite:';

/**
 * The file that a `sqlite:` URL names, absolute or relative; percent escapes are decoded.
 *
 * @throws KeywardError Terminal DatabaseUrlInvalid: a host, options, or no file; ledgers in memory
 * are refused, because they forget every key at the next start
 */
export function parseSqliteUrl(url: string): string {
  if (!url.startsWith(SCHEME)) throw invalid(url, 'it does not begin with sqlite:');
  const rest = url.slice(SCHEME.length);
  if (/[?#]/.test(rest)) throw invalid(url, 'it has options, and SQLite ledgers take none');
  if (rest.startsWith('//') && !rest.startsWith('///')) {
    throw invalid(url, 'it names a host; write sqlite:///path for an absolute path');
  }
  const path = decode(url, rest.replace(/^\/{2,}/, '/'));
  if (path === '' || path.endsWith('/') || path.includes('\0'))
    throw invalid(url, 'it names no file');
  if (path.startsWith(':')) throw invalid(url, 'a ledger in memory would forget every key');
  return path;
}

function decode(url: string, path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw invalid(url, 'it has a broken percent escape');
  }
}

function invalid(url: string, why: string): KeywardError {
  return new KeywardError('Terminal', {
    reason: 'DatabaseUrlInvalid',
    message: `database URL "${url}" cannot be used: ${why}`,
  });
}
