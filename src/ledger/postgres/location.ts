/**
 * Where a PostgreSQL ledger lies. Pure; what the named files hold is read for each new connection,
 * see credentials.ts.
 *
 *     postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE[?PARAMETER=VALUE&...]
 *
 * Parameters are called as libpq calls its own, where it has them:
 * https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
 */
import { KeywardError } from '../../kernel/errors.ts';
import { Sensitive } from '../../kernel/sensitive.ts';
import { SECOND_MS } from '../../kernel/time.ts';

/** How far the server is trusted: not at all, encrypted only, by its issuer, by its name as well. */
export type SslMode = 'disable' | 'require' | 'verify-ca' | 'verify-full';

/** Everything a URL says. */
export type PostgresLocation = {
  /** A host name, an address, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly password: Sensitive | undefined;
  /** File in libpq's format, lines of host:port:database:user:password. */
  readonly passFile: string | undefined;
  /** File that holds the password and nothing else, as mounted Secrets do. */
  readonly passwordFile: string | undefined;
  /** Holds all tables; several ledgers may share a database. */
  readonly schema: string;
  readonly applicationName: string;
  readonly connectTimeoutMs: number;
  /** Connections at the same time. */
  readonly poolSize: number;
  readonly sslMode: SslMode;
  readonly sslRootCert: string | undefined;
  readonly sslCert: string | undefined;
  readonly sslKey: string | undefined;
  /** Names the database to people, without a password. */
  readonly label: string;
};

const DEFAULT_PORT = 5_432;
const DEFAULT_POOL = 4;
const DEFAULT_CONNECT_SECONDS = 5;
const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const;
const PARAMETERS = new Set(
  `host port user passfile passwordfile schema application_name connect_timeout pool_size
   sslmode sslrootcert sslcert sslkey`.split(/\s+/),
);
/** Quoted wherever it is used; plain names all the same, so that people can type them. */
const SCHEMA = /^[a-z_][a-z0-9_]{0,62}$/;

/** True for URLs that this folder understands. */
export function isPostgresUrl(url: string): boolean {
  return /^postgres(ql)?:/.test(url);
}

/**
 * The parts of a `postgres:` or `postgresql:` URL.
 *
 * @throws KeywardError Terminal DatabaseUrlInvalid, which never repeats the URL: it may hold a
 * password
 */
export function parsePostgresUrl(text: string): PostgresLocation {
  const url = parse(text);
  const given = parameters(url);
  const host = given.get('host') ?? decode(url.hostname).replace(/^\[(.*)\]$/, '$1');
  const user = given.get('user') ?? decode(url.username);
  const database = decode(url.pathname.slice(1));
  if (host === '') throw invalid('it names no host; for a Unix socket write ?host=/folder');
  if (user === '') throw invalid('it names no user');
  if (database === '' || database.includes('/')) throw invalid('it names no database');
  const port = number(given, 'port', { otherwise: Number(url.port || DEFAULT_PORT), max: 65_535 });
  const schema = given.get('schema') ?? 'keyward';
  if (!SCHEMA.test(schema)) {
    throw invalid('its schema takes lower-case letters, digits and underscores, at most 63');
  }
  return {
    host,
    port,
    user,
    database,
    schema,
    ...passwordOf(url, given),
    ...tlsOf(host, given),
    applicationName: given.get('application_name') ?? 'keyward',
    connectTimeoutMs:
      SECOND_MS *
      number(given, 'connect_timeout', { otherwise: DEFAULT_CONNECT_SECONDS, max: 600 }),
    poolSize: number(given, 'pool_size', { otherwise: DEFAULT_POOL, max: 100 }),
    label: `postgres://${host.includes(':') ? `[${host}]` : host}:${port}/${database}, schema ${schema}`,
  };
}

function parse(text: string): URL {
  if (!URL.canParse(text)) {
    throw invalid('it is not of the form postgres://user@host:5432/database');
  }
  const url = new URL(text);
  if (url.hash !== '') throw invalid('it has a # in it; write %23 inside a password');
  return url;
}

function parameters(url: URL): ReadonlyMap<string, string> {
  const given = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    if (!PARAMETERS.has(name)) throw invalid(`it has an unknown parameter "${name}"`);
    if (given.has(name)) throw invalid(`it has the parameter "${name}" twice`);
    given.set(name, value);
  }
  return given;
}

function passwordOf(
  url: URL,
  given: ReadonlyMap<string, string>,
): Pick<PostgresLocation, 'password' | 'passFile' | 'passwordFile'> {
  const passFile = given.get('passfile');
  const passwordFile = given.get('passwordfile');
  const sources = [url.password || undefined, passFile, passwordFile];
  if (sources.filter((source) => source !== undefined).length > 1) {
    throw invalid('it has more than one of a password, passfile and passwordfile');
  }
  const password = url.password === '' ? undefined : new Sensitive(decode(url.password));
  return { password, passFile, passwordFile };
}

function tlsOf(
  host: string,
  given: ReadonlyMap<string, string>,
): Pick<PostgresLocation, 'sslMode' | 'sslRootCert' | 'sslCert' | 'sslKey'> {
  const isLocal = host.startsWith('/') || /^(localhost|127\..*|::1)$/.test(host);
  const asked = given.get('sslmode') ?? (isLocal ? 'disable' : 'verify-full');
  const sslMode = SSL_MODES.find((mode) => mode === asked);
  if (sslMode === undefined) throw invalid(`its sslmode takes ${SSL_MODES.join(', ')}`);
  const sslCert = given.get('sslcert');
  const sslKey = given.get('sslkey');
  if ((sslCert === undefined) !== (sslKey === undefined)) {
    throw invalid('sslcert and sslkey go together');
  }
  return { sslMode, sslRootCert: given.get('sslrootcert'), sslCert, sslKey };
}

function number(
  given: ReadonlyMap<string, string>,
  name: string,
  { otherwise, max }: { readonly otherwise: number; readonly max: number },
): number {
  const text = given.get(name);
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= max) return value;
  throw invalid(`its ${name} takes a whole number from 1 to ${max}`);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('it has a broken percent escape; write %25 for a percent sign');
  }
}

function invalid(why: string): KeywardError {
  return new KeywardError('Terminal', {
    reason: 'DatabaseUrlInvalid',
    message: `the PostgreSQL URL cannot be used: ${why}`,
  });
}
