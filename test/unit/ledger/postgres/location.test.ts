import { describe, expect, it } from 'vitest';
import { isPostgresUrl, parsePostgresUrl } from '../../../../src/ledger/postgres/location.ts';

describe('A PostgreSQL URL', () => {
  it('says where the database is, and leaves the rest to defaults that are safe', () => {
    expect(parsePostgresUrl('postgres://keyward@db.example/ledger')).toMatchObject({
      host: 'db.example',
      port: 5_432,
      user: 'keyward',
      database: 'ledger',
      schema: 'keyward',
      sslMode: 'verify-full',
      poolSize: 4,
      connectTimeoutMs: 5_000,
      applicationName: 'keyward',
    });
  });

  it('takes every parameter by its name', () => {
    const url =
      'postgresql://db:6543/ledger?user=me&schema=two&sslmode=require&sslrootcert=/ca&sslcert=/c' +
      '&sslkey=/k&passwordfile=/p&pool_size=9&connect_timeout=2&application_name=x';
    expect(parsePostgresUrl(url)).toMatchObject({
      port: 6_543,
      user: 'me',
      schema: 'two',
      sslMode: 'require',
      sslRootCert: '/ca',
      sslCert: '/c',
      sslKey: '/k',
      passwordFile: '/p',
      poolSize: 9,
      connectTimeoutMs: 2_000,
      applicationName: 'x',
    });
  });

  it.each([
    { host: 'localhost', sslMode: 'disable' },
    { host: '127.0.0.1', sslMode: 'disable' },
    { host: '[::1]', sslMode: 'disable' },
    { host: 'database', sslMode: 'verify-full' },
  ])('encrypts and verifies unless the server is on this machine: $host', ({ host, sslMode }) => {
    expect(parsePostgresUrl(`postgres://me@${host}/ledger`)).toMatchObject({ sslMode });
  });

  it('may name the folder of a Unix socket', () => {
    expect(parsePostgresUrl('postgres://me@x/ledger?host=/run/postgresql')).toMatchObject({
      host: '/run/postgresql',
      sslMode: 'disable',
    });
  });

  it('keeps its password to itself', () => {
    const location = parsePostgresUrl('postgres://me:p%40ss@db/ledger');
    expect(location.password?.revealText()).toBe('p@ss');
    expect(JSON.stringify(location)).not.toContain('p@ss');
  });

  it.each([
    { url: 'postgres://me:hunter2@db:port/ledger', says: 'form' },
    { url: 'postgres://me:hunter2%zz@db/ledger', says: 'percent' },
    { url: 'postgres:///ledger', says: 'names no host' },
    { url: 'postgres://db/ledger', says: 'names no user' },
    { url: 'postgres://me:hunter2@db', says: 'names no database' },
    { url: 'postgres://me:hunter2@db/a/b', says: 'names no database' },
    { url: 'postgres://me:hunter2@db/ledger?sslmode=prefer', says: 'sslmode takes' },
    { url: 'postgres://me:hunter2@db/ledger?sslcert=/c', says: 'go together' },
    { url: 'postgres://me:hunter2@db/ledger?schema=a"b', says: 'schema takes' },
    { url: 'postgres://me:hunter2@db/ledger?schema=a&schema=b', says: 'twice' },
    { url: 'postgres://me:hunter2@db/ledger?options=-c', says: 'unknown parameter' },
    { url: 'postgres://me:hunter2@db/ledger?pool_size=0', says: 'pool_size takes' },
    { url: 'postgres://me:hunter2@db/ledger?passfile=/p', says: 'more than one' },
    { url: 'postgres://me:hunter2@db/ledger#x', says: '#' },
  ])('is refused without being repeated: $says', ({ url, says }) => {
    const refusal = { class: 'Terminal', reason: 'DatabaseUrlInvalid' };
    expect(() => parsePostgresUrl(url)).toThrow(expect.objectContaining(refusal));
    expect(() => parsePostgresUrl(url)).toThrow(says);
    expect(() => parsePostgresUrl(url)).not.toThrow('hunter2');
  });

  it('is told by its scheme', () => {
    expect(['postgres://x', 'postgresql://x', 'sqlite:x'].map(isPostgresUrl)).toEqual([
      true,
      true,
      false,
    ]);
  });
});
