import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Sensitive } from '../../../../src/kernel/sensitive.ts';
import {
  authorizationOf,
  formatDate,
  freshSalt,
  signatureOf,
  type Signer,
} from '../../../../src/stores/solapi/signature.ts';
import { findZone, UTC } from '../../../../src/terms/zone.ts';
import { REVERSED, VECTORS } from './vectors.ts';

const SEOUL = findZone('Asia/Seoul') ?? UTC;

describe('the signature of SOLAPI', () => {
  const known = VECTORS.flatMap(({ name, sha256, md5, ...vector }) => [
    { name, ...vector, algorithm: 'HMACSHA256' as const, expected: sha256 },
    { name, ...vector, algorithm: 'HMACMD5' as const, expected: md5 },
  ]).filter(({ expected }) => expected !== undefined);

  test.each(known)(
    'is that of vector $name, by $algorithm',
    ({ secret, algorithm, date, salt, expected }) => {
      const signer = { algorithm, secret: new Sensitive(secret) };
      expect(signatureOf(signer, { date, salt })).toBe(expected);
    },
  );

  test('is not that of vector A8, which signs the salt before the date', () => {
    const { secret, date, salt, sha256 } = REVERSED;
    const signer = { algorithm: 'HMACSHA256', secret: new Sensitive(secret) } as const;
    expect(signatureOf(signer, { date, salt })).not.toBe(sha256);
    expect(signatureOf(signer, { date: salt, salt: date })).toBe(sha256);
  });

  test('R60: has 32 lower-case hex digits with MD5 and 64 with SHA-256', () => {
    const secret = new Sensitive('s');
    const signed = { date: 'd', salt: 'x' };
    expect(signatureOf({ algorithm: 'HMACMD5', secret }, signed)).toMatch(/^[0-9a-f]{32}$/);
    expect(signatureOf({ algorithm: 'HMACSHA256', secret }, signed)).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('the Authorization header', () => {
  const user: Signer = {
    scheme: 'User',
    algorithm: 'HMACMD5',
    id: 'example',
    secret: new Sensitive('user-signing-secret-01'),
  };

  test('R57: has scheme USER and its four parameters', () => {
    const signed = { date: '2017-08-01 11:01:07', salt: '597fe0e36daeb' };
    expect(authorizationOf(user, signed)).toBe(
      'USER user_id=example, date=2017-08-01 11:01:07, salt=597fe0e36daeb, ' +
        'signature=02691a893ce57d6b6fb29e5ebb4a0d73',
    );
  });

  test.each([
    ['HMACSHA256', 'HMAC-SHA256 apiKey=NCSJHQYTPNB4DHEB, date='],
    ['HMACMD5', 'HMAC-MD5 apiKey=NCSJHQYTPNB4DHEB, date='],
  ] as const)('has scheme HMAC with the name of its hash: %s', (algorithm, begins) => {
    const signer: Signer = { ...user, scheme: 'HMAC', algorithm, id: 'NCSJHQYTPNB4DHEB' };
    const header = authorizationOf(signer, { date: 'd', salt: 's' });
    expect(header.startsWith(begins)).toBe(true);
  });

  test('R61: has exactly one "salt=", unlike the samples', () => {
    const header = authorizationOf(user, { date: 'd', salt: freshSalt(randomBytes) });
    expect(header.match(/salt=/g)).toHaveLength(1);
  });
});

describe('what is signed', () => {
  test('R59: has a salt of 32 alphanumerics that no other attempt has', () => {
    const salts = Array.from({ length: 1_000 }, () => freshSalt(randomBytes));
    expect(salts.every((salt) => /^[0-9A-Za-z]{32}$/.test(salt))).toBe(true);
    expect(new Set(salts).size).toBe(salts.length);
  });

  test('R58: has a date on the clocks of Korea without a zone, in the format Local', () => {
    const atMs = Date.parse('2017-08-01T02:01:07.999Z');
    expect(formatDate('Local', SEOUL, atMs)).toBe('2017-08-01 11:01:07');
  });

  test('has a date in UTC in the format ISO8601, whatever the zone', () => {
    const atMs = Date.parse('2026-01-02T03:04:05.678Z');
    expect(formatDate('ISO8601', SEOUL, atMs)).toBe('2026-01-02T03:04:05Z');
  });
});
