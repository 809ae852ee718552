import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Sensitive } from '../../../../src/kernel/sensitive.ts';
import {
  isSignedWith,
  isTimely,
  parseAuthorization,
  readDateMs,
  REPLAY_MEMORY_MS,
  SKEW_MAX_MS,
} from '../../../../src/stores/solapi/authorization.ts';
import {
  authorizationOf,
  freshSalt,
  signatureOf,
  type Signer,
} from '../../../../src/stores/solapi/signature.ts';
import { REVERSED, VECTORS } from './vectors.ts';

const MD5 = '0'.repeat(32);
const SHA256 = '0'.repeat(64);

function header(parts: Readonly<Record<string, string>> = {}): string {
  const { method = 'HMAC-SHA256', id = 'apiKey=K', date = '2026-01-02T03:04:05Z' } = parts;
  const { salt = '597fe0e36daeb', signature = SHA256 } = parts;
  return `${method} ${id}, date=${date}, salt=${salt}, signature=${signature}`;
}

describe('reading an Authorization header', () => {
  test.each(VECTORS.filter(({ sha256 }) => sha256 !== undefined))(
    'proves vector $name, and refuses it with another secret, date or salt',
    ({ secret, date, salt, sha256 }) => {
      const read = parseAuthorization(header({ date, salt, signature: sha256 ?? '' }));
      if (read === undefined) throw new Error('it was not understood');
      expect(read).toMatchObject({ scheme: 'HMAC', id: 'K', date, salt });
      expect(isSignedWith(read, new Sensitive(secret))).toBe(true);
      expect(isSignedWith(read, new Sensitive(`${secret}x`))).toBe(false);
      expect(isSignedWith({ ...read, date: `${date} ` }, new Sensitive(secret))).toBe(false);
      expect(isSignedWith({ ...read, salt: `${salt}x` }, new Sensitive(secret))).toBe(false);
    },
  );

  test('refuses vector A8, which signs the salt before the date', () => {
    const { secret, date, salt, sha256 } = REVERSED;
    const read = parseAuthorization(header({ date, salt, signature: sha256 }));
    expect(read && isSignedWith(read, new Sensitive(secret))).toBe(false);
  });

  test('R60: tells the hash of scheme USER by the length of the signature', () => {
    const user = { method: 'USER', id: 'user_id=example' };
    expect(parseAuthorization(header({ ...user, signature: MD5 }))?.algorithm).toBe('HMACMD5');
    expect(parseAuthorization(header({ ...user, signature: SHA256 }))?.algorithm).toBe(
      'HMACSHA256',
    );
    expect(parseAuthorization(header({ ...user, signature: `${MD5}0` }))).toBeUndefined();
  });

  test('refuses a signature of the other length than the method names', () => {
    const read = parseAuthorization(header({ method: 'HMAC-SHA256', signature: MD5 }));
    expect(read?.algorithm).toBe('HMACSHA256');
    expect(read && isSignedWith(read, new Sensitive('s'))).toBe(false);
  });

  test('R61: cuts a parameter at its first "=", so vector U2 is read as the samples write it', () => {
    const signature = 'bbfdb3935b93a3803f3890ea376f228e';
    const text =
      'USER user_id=example, date=2017-08-01 11:01:07, salt=salt=597fe0e36daeb, ' +
      `signature=${signature}`;
    const read = parseAuthorization(text);
    expect(read).toEqual({
      scheme: 'User',
      algorithm: 'HMACMD5',
      id: 'example',
      date: '2017-08-01 11:01:07',
      salt: 'salt=597fe0e36daeb',
      signature,
    });
    expect(read && isSignedWith(read, new Sensitive('user-signing-secret-01'))).toBe(true);
  });

  test('R57: takes names and method in any case, in any order, with or without blanks', () => {
    const text = `hmac-sha256 Salt=597fe0e36daeb,ApiKey=K ,Date=2026-01-02T03:04:05Z,SIGNATURE=${SHA256}`;
    expect(parseAuthorization(text)).toEqual(parseAuthorization(header()));
  });

  test('passes over parameters that it does not know', () => {
    expect(parseAuthorization(`${header()}, extra=1`)).toEqual(parseAuthorization(header()));
  });

  test.each([
    { why: 'empty', text: '' },
    { why: 'another scheme', text: `Bearer ${SHA256}` },
    { why: 'the method alone', text: 'USER' },
    { why: 'a hash that the vendor has not', text: header({ method: 'HMAC-SHA1' }) },
    { why: 'no id', text: header({ id: 'apiKey=' }) },
    { why: 'the id of the other scheme', text: header({ id: 'user_id=example' }) },
    { why: 'an id of 129', text: header({ id: `apiKey=${'K'.repeat(129)}` }) },
    { why: 'no date', text: header({ date: '' }) },
    { why: 'a date of 41', text: header({ date: '2'.repeat(41) }) },
    { why: 'a parameter twice', text: `${header()}, date=2026-01-02T03:04:05Z` },
    { why: 'a parameter twice in other case', text: `${header()}, DATE=2026-01-02T03:04:05Z` },
    { why: 'nine parameters', text: `${header()}, a=1, b=2, c=3, d=4, e=5` },
    { why: 'a capital in the signature', text: header({ signature: `${SHA256.slice(1)}A` }) },
    { why: 'a line end', text: `${header()}\n` },
    { why: 'letters beyond ASCII', text: header({ id: 'apiKey=열쇠' }) },
    { why: 'more than 1024 characters', text: `${header()}, a=${'1'.repeat(1024)}` },
  ])('understands nothing of a header with $why', ({ text }) => {
    expect(parseAuthorization(text)).toBeUndefined();
  });

  test.each([
    [11, false],
    [12, true],
    [64, true],
    [65, false],
  ])('R59: a salt of %i characters is taken: %s', (length, isTaken) => {
    const read = parseAuthorization(header({ salt: 'a'.repeat(length) }));
    expect(read !== undefined).toBe(isTaken);
  });

  test('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(() => parseAuthorization(text)).not.toThrow();
        expect(() => parseAuthorization(`USER ${text}`)).not.toThrow();
        expect(() => readDateMs(text)).not.toThrow();
      }),
    );
  });

  test('understands every header that we write, and proves it', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('User' as const, 'HMAC' as const),
        fc.constantFrom('HMACMD5' as const, 'HMACSHA256' as const),
        fc.stringMatching(/^[!-+\--~]{1,128}$/),
        fc.string({ minLength: 1 }),
        (scheme, algorithm, id, text) => {
          const secret = new Sensitive(text);
          const signer: Signer = { scheme, algorithm, id, secret };
          const signed = { date: '2026-01-02 12:04:05', salt: freshSalt(randomBytes) };
          const read = parseAuthorization(authorizationOf(signer, signed));
          expect(read).toEqual({
            scheme,
            algorithm,
            id,
            ...signed,
            signature: signatureOf(signer, signed),
          });
          expect(read && isSignedWith(read, secret)).toBe(true);
        },
      ),
    );
  });

  test('a character that moves from salt to date keeps the signature, so that is what is remembered', () => {
    const secret = new Sensitive('s');
    const one = signatureOf({ algorithm: 'HMACMD5', secret }, { date: 'dateA', salt: 'Bsalt' });
    const two = signatureOf({ algorithm: 'HMACMD5', secret }, { date: 'dateAB', salt: 'salt' });
    expect(one).toBe(two);
  });
});

describe('the date of a header', () => {
  const atMs = Date.parse('2026-01-02T03:04:05Z');

  test.each([
    ['2026-01-02T03:04:05Z', atMs],
    ['2026-01-02T12:04:05+09:00', atMs],
    ['2026-01-02T12:04:05+0900', atMs],
    ['2026-01-02T12:04:05+09', atMs],
    ['2026-01-01T22:04:05-05:00', atMs],
    ['2026-01-02t03:04:05z', atMs],
    ['2026-01-02T12:04:05.123456+09:00', atMs + 123],
    ['2026-01-02T03:04:05.5Z', atMs + 500],
    ['2026-01-02 12:04:05', atMs],
    ['2026-01-02T12:04:05', atMs],
    ['2017-08-01 11:01:07', Date.parse('2017-08-01T02:01:07Z')],
  ])('R58: %s is the instant it means; without a zone it is Korea', (text, expected) => {
    expect(readDateMs(text)).toBe(expected);
  });

  test('of the client for PHP is nine hours ahead, unless Korea is asked for', () => {
    const text = '2026-01-02T12:04:05.32400Z';
    expect(readDateMs(text)).toBe(Date.parse('2026-01-02T12:04:05.324Z'));
    expect(readDateMs(text, 'Korea')).toBe(atMs + 324);
    expect(readDateMs('2026-01-02T12:04:05+09:00', 'Korea')).toBe(atMs);
  });

  test.each([
    '',
    'yesterday',
    '1767323045',
    '2026-01-02',
    '2026-13-02T03:04:05Z',
    '2026-02-30T03:04:05Z',
    '2026-01-02T24:00:00Z',
    '2026-01-02T03:60:05Z',
    '2026-01-02T03:04:05+24:00',
    '2026-01-02T03:04:05+09:60',
    '2026-01-02T03:04:05 Z',
    ' 2026-01-02T03:04:05Z',
  ])('is none: %j', (text) => {
    expect(readDateMs(text)).toBeUndefined();
  });

  test.each([
    ['14:59 ago', -899_000, true],
    ['15:00 ago', -900_000, true],
    ['15:01 ago', -901_000, false],
    ['14:59 ahead', 899_000, true],
    ['15:01 ahead', 901_000, false],
  ])('%s is believed: %s', (_, offsetMs, isBelieved) => {
    expect(isTimely(atMs + offsetMs, atMs)).toBe(isBelieved);
  });

  test('can be believed for no longer than signatures are remembered', () => {
    expect(REPLAY_MEMORY_MS).toBe(2 * SKEW_MAX_MS);
  });
});
