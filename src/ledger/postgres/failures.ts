/**
 * PostgreSQL's failures as KeywardErrors: the one place that knows its codes.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
import { KeywardError } from '../../kernel/errors.ts';
import { constraintViolated, terminal, unavailable, unexpected } from '../refusals.ts';

/** Codes, or their first two letters, and what they mean for people. Transient, all of them. */
const PASSING: readonly (readonly [code: string, why: string])[] = [
  ['28', 'it refuses our user or password; put the right one into the password file or the URL'],
  ['42501', 'our role lacks a right; it must own the schema, or be granted all on its tables'],
  ['25006', 'this server is a read-only standby; name the primary, or wait for the failover'],
  ['57P', 'it is starting, stopping or failing over'],
  ['57014', 'a statement took longer than it may'],
  ['53100', 'its disk is full'],
  ['53300', 'it has no connection left for us; raise max_connections or lower pool_size'],
  ['53', 'it is short of memory or another resource'],
  ['55P03', 'another writer holds it for longer than we wait'],
  ['40', 'other writers kept getting in the way'],
  ['08', 'the connection was lost'],
  ['58', 'reading or writing its files failed'],
  ['25P', 'a transaction was ended from outside'],
];

/** What Node says when there is no connection. */
const NETWORK: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'nothing listens there'],
  ['ENOENT', 'there is no such socket'],
  ['EACCES', 'the socket may not be used by this process'],
  ['ENOTFOUND', 'its host name does not resolve'],
  ['EAI_AGAIN', 'its host name does not resolve'],
  ['EHOSTUNREACH', 'there is no way to its host'],
  ['ENETUNREACH', 'there is no way to its host'],
  ['ETIMEDOUT', 'it does not answer'],
]);

/**
 * A failure of the database that people know as `label`. What can pass without anybody changing
 * Keyward's own settings is Transient LedgerUnavailable, a wrong password included: it rotates.
 */
export function translate(thrown: unknown, label: string): KeywardError {
  if (thrown instanceof KeywardError) return thrown;
  const code = codeOf(thrown);
  if (isRefusal(thrown)) {
    return constraintViolated(label, thrown);
  }
  if (code === '3D000') {
    return terminal('DatabaseMissing', `database "${label}" does not exist; create it`, thrown);
  }
  if (code === '42P01' || code === '3F000') {
    return terminal(
      'DatabaseReplaced',
      `database "${label}" has lost its tables while it was open; restore it from a backup`,
      thrown,
    );
  }
  if (code?.startsWith('XX00') === true && code !== 'XX000') {
    return terminal(
      'DatabaseCorrupt',
      `database "${label}" is damaged; restore it from a backup`,
      thrown,
    );
  }
  const why = reasonFor(thrown, code);
  if (why !== undefined) return unavailable(label, why, thrown);
  return unexpected(label, thrown);
}

/** True when the database itself is well, and only what we wrote was refused. */
export function isRefusal(thrown: unknown): boolean {
  const code = codeOf(thrown);
  return (
    isFromServer(thrown) && (code?.startsWith('23') === true || code?.startsWith('22') === true)
  );
}

/** True when the transaction lost against another one and may simply be repeated. */
export function isContention(thrown: unknown): boolean {
  const code = codeOf(thrown);
  return code === '40001' || code === '40P01';
}

/** True when an answer to COMMIT proves that nothing was committed. */
export function isRolledBack(thrown: unknown): boolean {
  // 40003 says that the outcome is not known; a lost connection has no code of the server's.
  return (
    isRefusal(thrown) || (codeOf(thrown)?.startsWith('40') === true && codeOf(thrown) !== '40003')
  );
}

/** True when the function that was called is unknown to this engine, or not made yet. */
export function isUnsupported(thrown: unknown): boolean {
  return ['42883', '0A000'].includes(codeOf(thrown) ?? '');
}

/** True when two processes made the same thing at the same time. */
export function isMadeMeanwhile(thrown: unknown): boolean {
  return ['23505', '42P06', '42P07'].includes(codeOf(thrown) ?? '');
}

function reasonFor(thrown: unknown, code: string | undefined): string | undefined {
  if (isFromServer(thrown)) {
    return PASSING.find(([prefix]) => code?.startsWith(prefix) === true)?.[1];
  }
  if (!(thrown instanceof Error)) return undefined;
  if (code !== undefined && NETWORK.has(code)) return NETWORK.get(code);
  if (code !== undefined && /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_|SELF_|DEPTH_|ERR_OSSL)/.test(code)) {
    return `its certificate or ours was not accepted (${code}); see sslmode and sslrootcert`;
  }
  if (/does not support SSL|SSL connection/.test(thrown.message)) {
    return 'it does not speak TLS; switch that on, or write sslmode=disable';
  }
  if (/timeout/i.test(thrown.message)) return 'it does not answer in time';
  if (/connection|socket|ECONN|EPIPE|closed|terminated/i.test(`${code ?? ''} ${thrown.message}`)) {
    return 'the connection was lost';
  }
  if (/password|SASL/i.test(thrown.message)) return PASSING[0]?.[1];
  return undefined;
}

/** The library's own class for answers of the server; its codes are five letters and digits. */
export function isFromServer(thrown: unknown): boolean {
  return thrown instanceof Error && 'severity' in thrown && thrown.severity !== undefined;
}

function codeOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}
