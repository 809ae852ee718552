/** Passwords and certificates of a connection, read from their files anew each time: they rotate. */
import { readFile } from 'node:fs/promises';
import type { ClientConfig } from 'pg';
import { KeywardError } from '../../kernel/errors.ts';
import type { PostgresLocation } from './location.ts';

/** What a new connection proves itself with, and what it believes. */
type Credentials = {
  readonly password: string | undefined;
  /** False: no TLS. */
  readonly ssl: NonNullable<ClientConfig['ssl']>;
};

/**
 * Reads all files that `location` names.
 *
 * @throws KeywardError Transient LedgerUnavailable naming the file that cannot be read: a mounted
 * Secret may be about to come
 */
export async function readCredentials(location: PostgresLocation): Promise<Credentials> {
  const [password, ssl] = await Promise.all([readPassword(location), readTls(location)]);
  return { password, ssl };
}

async function readPassword(location: PostgresLocation): Promise<string | undefined> {
  const { passwordFile, passFile, password } = location;
  // One line end belongs to the file; more than that, or blanks, belong to the password.
  if (passwordFile !== undefined) {
    return (await read('passwordfile', passwordFile)).replace(/\r?\n$/, '');
  }
  if (passFile === undefined) return password?.revealText();
  const found = findPassword(await read('passfile', passFile), location);
  if (found !== undefined) return found;
  throw unavailable(`its passfile "${passFile}" has no line for this host, database and user`);
}

/** The password of the first line of a libpq password file that fits. */
export function findPassword(
  text: string,
  { host, port, database, user }: Pick<PostgresLocation, 'host' | 'port' | 'database' | 'user'>,
): string | undefined {
  // libpq looks a socket folder up as localhost.
  const wanted = [host.startsWith('/') ? 'localhost' : host, String(port), database, user];
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('#')) continue;
    const fields = [...line.matchAll(/(?:^|:)((?:\\.|[^:\\])*)/g)].map(([, field = '']) =>
      field.replace(/\\(.)/g, '$1'),
    );
    const fits = wanted.every((value, index) => fields[index] === '*' || fields[index] === value);
    if (fits && fields[4] !== undefined) return fields[4];
  }
  return undefined;
}

async function readTls(location: PostgresLocation): Promise<Credentials['ssl']> {
  const { sslMode, sslRootCert, sslCert, sslKey } = location;
  if (sslMode === 'disable') return false;
  const [ca, cert, key] = await Promise.all([
    sslRootCert === undefined ? undefined : read('sslrootcert', sslRootCert),
    sslCert === undefined ? undefined : read('sslcert', sslCert),
    sslKey === undefined ? undefined : read('sslkey', sslKey),
  ]);
  return {
    // As in libpq, `require` begins to verify when it has something to verify with.
    rejectUnauthorized: sslMode !== 'require' || ca !== undefined,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(sslMode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
}

function read(parameter: string, path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw unavailable(
      `its ${parameter} "${path}" cannot be read; mount it or fix its owner`,
      cause,
    );
  });
}

function unavailable(why: string, cause?: unknown): KeywardError {
  return new KeywardError('Transient', {
    reason: 'LedgerUnavailable',
    message: `the database cannot be reached: ${why}`,
    cause,
  });
}
