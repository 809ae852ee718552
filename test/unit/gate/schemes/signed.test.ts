import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  parseSigned,
  replayDigest,
  replayUntilMs,
  verifySigned,
  type SignedCredential,
} from '../../../../src/gate/schemes/signed.ts';
import { Sensitive } from '../../../../src/kernel/sensitive.ts';
import { MINUTE_MS, SECOND_MS } from '../../../../src/kernel/time.ts';
import { REVERSED, VECTORS } from '../../stores/solapi/vectors.ts';

const SECRET = new Sensitive('a secret');
const NOW_MS = Date.parse('2026-01-02T03:04:05Z');
const SALT = '0123456789abcdef';

function header(parts: Readonly<Record<string, string>> = {}): string {
  const { scheme = 'HMAC-SHA256', names = 'apiKey date salt signature' } = parts;
  const { key = 'kw_0000000000000000', date = '2026-01-02T03:04:05Z', salt = SALT } = parts;
  const { signature = 'a'.repeat(64) } = parts;
  const [keyName, dateName, saltName, signatureName] = names.split(' ');
  return `${scheme} ${keyName}=${key}, ${dateName}=${date}, ${saltName}=${salt}, ${signatureName}=${signature}`;
}

/** What a client with the secret sends. */
function signed(date: string, salt = SALT, algorithm: 'SHA256' | 'MD5' = 'SHA256') {
  const signature = createHmac(algorithm, SECRET.reveal()).update(`${date}${salt}`).digest('hex');
  const read = parseSigned(header({ scheme: `HMAC-${algorithm}`, date, salt, signature }));
  if (read === undefined) throw new Error('the header was not understood');
  return read;
}

function verify(credential: SignedCredential, nowMs = NOW_MS, phpDates = false): string {
  return verifySigned(credential, SECRET, { nowMs, phpDates });
}

describe('reading a signed header', () => {
  it.each([
    ['apiKey date salt signature', 'clients for Node.js, Go and PHP'],
    ['ApiKey Date salt signature', 'the client for Python'],
    ['APIKEY DATE SALT SIGNATURE', 'capitals'],
  ])('takes the names %s (%s)', (names) => {
    expect(parseSigned(header({ names }))).toEqual({
      type: 'Signed',
      algorithm: 'SHA256',
      apiKey: 'kw_0000000000000000',
      date: '2026-01-02T03:04:05Z',
      salt: SALT,
      signature: 'a'.repeat(64),
    });
  });

  it('takes no blank or several between parameters, in any order, and passes over unknown ones', () => {
    const g = 'b'.repeat(32);
    const text = `hmac-md5  signature=${g},salt=${SALT} ,  more=1, date=2026-01-02 03:04:05,apikey=k`;
    expect(parseSigned(text)).toMatchObject({ algorithm: 'MD5', apiKey: 'k', signature: g });
  });

  it.each([
    ['', 'empty'],
    ['HMAC-SHA256', 'nothing behind the scheme'],
    [`HMAC-SHA512 ${header().slice(12)}`, 'another hash'],
    [
      'USER user_id=u, date=2026-01-02, salt=0123456789ab, signature=' + '0'.repeat(32),
      'the scheme of accounts, whose secrets no gate has',
    ],
    [`${header()}, date=2026-01-02T03:04:06Z`, 'date twice'],
    [`${header()}, DATE=2026-01-02T03:04:05Z`, 'date twice, once in capitals'],
    [`${header()}, apikey=kw_1`, 'key twice'],
    [header({ salt: '0'.repeat(11) }), 'salt too short'],
    [header({ salt: '0'.repeat(65) }), 'salt too long'],
    [header({ key: '' }), 'no key'],
    [header({ key: 'k'.repeat(129) }), 'key too long'],
    [header({ date: '' }), 'no date'],
    [header({ date: '2'.repeat(41) }), 'date too long'],
    [header({ signature: 'A'.repeat(64) }), 'capitals: the same signature in another spelling'],
    [header({ signature: 'a'.repeat(63) }), 'signature too short'],
    [header({ signature: 'a'.repeat(32) }), 'signature of the other hash'],
    [header({ scheme: 'HMAC-MD5' }), 'signature of the other hash'],
    [header({ signature: `"${'a'.repeat(62)}"` }), 'quotation marks'],
    [`${header()}, ${'x=1, '.repeat(5)}x=1`, 'too many parameters'],
    [`${header()}, Bearer kw_1`, 'a second credential, joined'],
    [`${header()}, Basic dXNlcjpwYXNzd29yZA==`, 'a second credential that looks like a parameter'],
    [`${header()}, ${header()}`, 'the same credential twice, joined'],
    [`${header()},`, 'comma at the end'],
    [header().replace(' ', ' , '), 'comma at the beginning'],
    [`${header()}${' '.repeat(1024)}`, 'too long'],
    [header({ salt: 'caf\u00e9caf\u00e9caf\u00e9' }), 'not ASCII'],
    [header({ salt: '0123456789ab\0' }), 'NUL'],
    [`${header()}\n`, 'line end'],
    [header().replace(' ', '\t'), 'tab behind the scheme'],
    [` ${header()}`, 'blank before the scheme'],
  ])('refuses case %#: %s', (text) => {
    expect(parseSigned(text)).toBeUndefined();
  });

  it('takes salts of 12 to 64 characters', () => {
    expect(parseSigned(header({ salt: '0'.repeat(12) }))).toBeDefined();
    expect(parseSigned(header({ salt: '0'.repeat(64) }))).toBeDefined();
  });

  it('takes any text without an exception', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(parseSigned(text)).toBeUndefined();
        expect(parseSigned(`HMAC-SHA256 apiKey=k, ${text}`)).toBeUndefined();
      }),
    );
  });
});

describe('a signature', () => {
  it.each(
    VECTORS.flatMap((each) => [
      { ...each, algorithm: 'SHA256' as const, signature: each.sha256 ?? '' },
      { ...each, algorithm: 'MD5' as const, signature: each.md5 ?? '' },
    ]).filter(({ signature }) => signature !== ''),
  )(
    'of the vendor is proven with $algorithm: $name',
    ({ secret, date, salt, algorithm, signature }) => {
      const text = header({ scheme: `HMAC-${algorithm}`, date, salt, signature });
      const read = parseSigned(text);
      if (read === undefined) throw new Error('the header was not understood');
      const box = new Sensitive(secret);
      expect(verifySigned(read, box, { nowMs: 0, phpDates: false })).toBe('TimeTooSkewed');
      const other = new Sensitive(`${secret} `);
      expect(verifySigned(read, other, { nowMs: 0, phpDates: false })).toBe('WrongSignature');
      for (const change of [{ date: `${date}0` }, { salt: `${salt}0` }]) {
        const changed = { ...read, ...change };
        expect(verifySigned(changed, box, { nowMs: 0, phpDates: false })).toBe('WrongSignature');
      }
    },
  );

  it('over salt and date in the wrong order is none (A8)', () => {
    const { secret, date, salt, sha256 } = REVERSED;
    const read = parseSigned(header({ date, salt, signature: sha256 }));
    if (read === undefined) throw new Error('the header was not understood');
    const rules = { nowMs: Date.parse(date), phpDates: false };
    expect(verifySigned(read, new Sensitive(secret), rules)).toBe('WrongSignature');
  });

  it('of the other hash is none, even if it has the right length', () => {
    const { signature } = signed('2026-01-02T03:04:05Z', SALT, 'MD5');
    const long = { ...signed('2026-01-02T03:04:05Z'), signature: signature + signature };
    expect(verify(long)).toBe('WrongSignature');
  });

  it('that is wrong does not hear of its time, so no stranger learns that a key exists', () => {
    const old = signed('2020-01-02T03:04:05Z');
    expect(verify({ ...old, signature: 'a'.repeat(64) })).toBe('WrongSignature');
  });
});

describe('the date of a signature', () => {
  const LIMIT_MS = 15 * MINUTE_MS;

  it.each([
    [-LIMIT_MS - 1, 'TimeTooSkewed', 'just too old'],
    [-LIMIT_MS, 'Ok', 'exactly the limit'],
    [-LIMIT_MS + SECOND_MS, 'Ok', '14:59 old'],
    [0, 'Ok', 'now'],
    [LIMIT_MS, 'Ok', 'exactly the limit ahead'],
    [LIMIT_MS + 1, 'TimeTooSkewed', 'just too far ahead'],
  ])('%d ms from now: %s (%s)', (awayMs, answer) => {
    expect(verify(signed('2026-01-02T03:04:05Z'), NOW_MS - awayMs)).toBe(answer);
  });

  it.each([
    ['2026-01-02T03:04:05Z', 'npm client in UTC, Go v2'],
    ['2026-01-02T12:04:05+09:00', 'npm client in Seoul, Go v1'],
    ['2026-01-02T12:04:05.123456+09:00', 'Python client, microseconds'],
    ['2026-01-02T12:04:05+0900', 'offset without colon'],
    ['2026-01-02 12:04:05', 'no zone is Korea'],
    ['2026-01-02T12:04:05', 'no zone is Korea'],
    ['2026-01-01T22:04:05-05:00', 'the day before, elsewhere'],
  ])('is read from %s (%s)', (date) => {
    expect(verify(signed(date))).toBe('Ok');
  });

  it.each([
    ['2026-02-30T03:04:05Z', 'no such day'],
    ['1767323045', 'seconds since 1970'],
    ['2026-01-02', 'no time'],
    ['2026-01-02T03:04:05+24:00', 'no such offset'],
    ['now', 'a word'],
  ])('that is none is never timely: %s (%s)', (date) => {
    expect(verify(signed(date))).toBe('TimeTooSkewed');
    expect(verify(signed(date), Number.NaN)).toBe('TimeTooSkewed');
  });

  it('is believed by no clock that does not know the time', () => {
    expect(verify(signed('2026-01-02T03:04:05Z'), Number.NaN)).toBe('TimeTooSkewed');
  });

  it('of the PHP client, which labels the clock of Seoul with Z, is read so only on demand (A6)', () => {
    const php = signed('2026-01-02T12:04:05.32400Z', '597fe0e36daeb');
    expect(verify(php)).toBe('TimeTooSkewed');
    expect(verify(php, NOW_MS, true)).toBe('Ok');
    expect(verify(php, NOW_MS + 15 * MINUTE_MS + 325, true)).toBe('TimeTooSkewed');
    expect(verify(php, NOW_MS - 16 * MINUTE_MS, true)).toBe('TimeTooSkewed');
    expect(verify(php, NOW_MS + 9 * 60 * MINUTE_MS, true)).toBe('Ok');
  });

  it.each(['2026-01-02T12:04:05+00:00', '2026-01-02T12:04:05-00:00'])(
    'with an offset is not read as Korean even then: %s',
    (date) => {
      expect(verify(signed(date), NOW_MS, true)).toBe('TimeTooSkewed');
    },
  );
});

describe('what must not come again', () => {
  it('is the signature, however date and salt are cut, and whatever prefix the key has', () => {
    const first = signed('2026-01-02T12:04:05+09:00', SALT);
    const cut = { ...first, date: '2026-01-02T12:04:05', salt: `+09:00${SALT}` };
    expect(verify(cut)).toBe('Ok');
    expect(replayDigest(cut)).toEqual(replayDigest(first));
    expect(replayDigest({ ...first, apiKey: 'zz_0000000000000000' })).toEqual(replayDigest(first));
    expect(replayDigest(signed('2026-01-02T12:04:05+09:00', `${SALT}0`))).not.toEqual(
      replayDigest(first),
    );
    expect(replayDigest(first)).toHaveLength(32);
  });

  it('is remembered for the window and a margin for other clocks', () => {
    expect(replayUntilMs(signed('2026-01-02T03:04:05Z'))).toBe(NOW_MS + 30 * MINUTE_MS);
    expect(replayUntilMs(signed('yesterday at noon'))).toBeUndefined();
  });

  it('is remembered until no way to cut it is believed any more', () => {
    const dates = fc.constantFrom(
      '2026-01-02T12:04:05+10:00',
      '2026-01-02T12:04:05+09:30',
      '2026-01-02T12:04:05+1300',
      '2026-01-02T12:04:05-03:30',
      '2026-01-02T12:04:05Z',
      '2026-01-02T12:04:05.12',
      '2026-01-02 12:04:05',
    );
    const salts = fc.tuple(
      fc.constantFrom('', 'Z', 'z', '-12:00', '-1100', '-05', '3Z', '.5Z', '+14'),
      fc.string({ unit: fc.constantFrom(...'0123456789abZ'), minLength: 12, maxLength: 40 }),
    );
    fc.assert(
      fc.property(dates, salts, fc.nat(60), fc.boolean(), (date, salt, cutBy, phpDates) => {
        const first = signed(date, salt.join(''));
        const text = first.date + first.salt;
        const again = { ...first, date: text.slice(0, cutBy), salt: text.slice(cutBy) };
        const { date: cutDate, salt: cutSalt, signature } = again;
        fc.pre(parseSigned(header({ date: cutDate, salt: cutSalt, signature })) !== undefined);
        // A minute before it is forgotten, nobody would believe it any more anyway.
        const nowMs = (replayUntilMs(first) ?? 0) - 14 * MINUTE_MS;
        expect(verify(again, nowMs, phpDates)).toBe('TimeTooSkewed');
      }),
      { numRuns: 2_000 },
    );
  });
});
