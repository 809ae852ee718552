import { describe, expect, test } from 'vitest';
import type { Call } from '../../../../src/gate/call.ts';
import { readCall, type Given } from '../../../../src/gate/reading/readcall.ts';
import { compileReading, type ReadingOptions } from '../../../../src/gate/reading/reading.ts';
import { ENVOY, FORWARD, NGINX, TOLD, type Way } from '../../../../src/gate/reading/ways.ts';

const KEY = 'kw_4fJ2mXq0ZpT7aBc9_secret';

type Setup = Partial<ReadingOptions> & { readonly way?: Way; readonly given?: Given };

function read(pairs: readonly string[], { way = NGINX, given, ...options }: Setup = {}): Call {
  const reading = compileReading(
    { keyHeaders: ['X-API-Key'], trustedProxies: [], ...options },
    way,
  );
  return readCall(pairs, reading, given);
}

describe('a key', () => {
  test.each([
    ['VISITSEOUL-API-KEY', 'VisitSeoul'],
    ['x-ncp-apigw-api-key', 'Naver'],
    ['X-API-Key', 'Keyward'],
  ] as const)('in the header %s speaks for the habits of %s', (header, profile) => {
    const keyHeaders = ['X-API-Key', 'VISITSEOUL-API-KEY', 'x-ncp-apigw-api-key'];
    const call = read([header.toLowerCase(), KEY], { keyHeaders });
    expect(call).toMatchObject({ credential: { type: 'Value', value: KEY }, profile });
  });

  test('in two different key headers is ambiguous, even if it is the same', () => {
    const keyHeaders = ['X-API-Key', 'X-Other-Key'];
    const call = read(['X-API-Key', KEY, 'X-Other-Key', KEY], { keyHeaders });
    expect(call.credential).toEqual({ type: 'Ambiguous' });
  });

  test('in a header that is not configured is none', () => {
    expect(read(['X-API-Key', KEY], { keyHeaders: [] }).credential).toEqual({ type: 'None' });
  });

  test('counts once where the other key header is empty', () => {
    const keyHeaders = ['X-API-Key', 'X-Other-Key'];
    const call = read(['X-API-Key', '', 'X-Other-Key', KEY], { keyHeaders });
    expect(call.credential).toEqual({ type: 'Value', value: KEY });
  });
});

describe('signatures', () => {
  const SIGNED = `HMAC-SHA256 apiKey=kw_a, date=2026-01-02T03:04:05Z, salt=0123456789ab, signature=${'0'.repeat(64)}`;

  test('of SOLAPI are taken apart and answered as its clients expect', () => {
    expect(read(['Authorization', SIGNED])).toMatchObject({
      credential: { type: 'Signed', algorithm: 'SHA256', apiKey: 'kw_a', salt: '0123456789ab' },
      profile: 'Solapi',
    });
  });

  test.each([
    ['HMAC-SHA256', 'Solapi'],
    ['HMAC-MD5 apiKey=kw_a', 'Solapi'],
    ['DGRK abc', 'DigiRunner'],
    ['DGRK', 'DigiRunner'],
  ])(
    'that are malformed ("%s") are ambiguous, and still answered in that shape',
    (text, profile) => {
      expect(read(['Authorization', text])).toMatchObject({
        credential: { type: 'Ambiguous' },
        profile,
      });
    },
  );

  test('of digiRunner are taken apart', () => {
    const signature = `${'A'.repeat(43)}=`;
    expect(read(['authorization', `dgrk abc.${signature}`])).toMatchObject({
      credential: { type: 'BodySigned', apiKey: 'abc', signature },
      profile: 'DigiRunner',
    });
  });
});

describe('a key in the query', () => {
  const inQuery = (target: string, ...more: readonly string[]): Call =>
    read(['X-Original-URI', target, ...more], { keyQuery: 'api_key' });

  test('is not looked for unless an administrator says so', () => {
    const target = `/v1?api_key=${KEY}`;
    expect(read(['X-Original-URI', target])).toMatchObject({
      credential: { type: 'None' },
      target,
    });
  });

  test('is taken, and never stays in the target (L8)', () => {
    expect(inQuery(`/v1?a=1&api_key=${KEY}&b=2`)).toMatchObject({
      credential: { type: 'Value', value: KEY },
      target: '/v1?a=1&b=2',
    });
    expect(inQuery(`/v1?api_key=${KEY}`).target).toBe('/v1');
  });

  test.each([
    ['twice', `/v1?api_key=${KEY}&api_key=${KEY}`],
    ['once more in another case', `/v1?api_key=${KEY}&API_KEY=x`],
    ['once more with an encoded name', `/v1?api_key=${KEY}&api%5fkey=x`],
    ['once more as a list', `/v1?api_key=${KEY}&api_key[]=x`],
    ['behind a semicolon', `/v1?a=1;api_key=${KEY}`],
    ['before a semicolon', `/v1?api_key=${KEY};a=1`],
    ['in a fragment', `/v1?a=1#&api_key=${KEY}#`],
    ['encoded', '/v1?api_key=kw%5F1'],
    ['with a plus sign', '/v1?api_key=kw+1'],
    ['as a list', `/v1?api_key=${KEY},${KEY}`],
    ['with its name encoded', `/v1?%61pi_key=${KEY}`],
    ['with its name in another case', `/v1?Api_Key=${KEY}`],
    ['without an equals sign', '/v1?api_key'],
  ])('%s is ambiguous, and not in the target either', (_, target) => {
    const call = inQuery(target);
    expect(call.credential).toEqual({ type: 'Ambiguous' });
    expect(call.target).not.toContain(KEY);
  });

  test('beside a key in a header is ambiguous (G1)', () => {
    const call = inQuery(`/v1?api_key=${KEY}`, 'X-API-Key', KEY);
    expect(call.credential).toEqual({ type: 'Ambiguous' });
  });

  test('that is empty is none', () => {
    expect(inQuery('/v1?api_key=')).toMatchObject({ credential: { type: 'None' }, target: '/v1' });
  });

  test('is cut off with the whole query where the call is doubtful anyway', () => {
    const doubled = inQuery(`/v1?api_key=${KEY}`, 'Origin', 'https://a', 'Origin', 'https://b');
    expect(doubled).toMatchObject({ credential: { type: 'Ambiguous' }, target: '/v1' });
    const long = inQuery(`/v1?api_key=${KEY}&a=${'a'.repeat(9_000)}`);
    expect(long).toMatchObject({ credential: { type: 'Ambiguous' }, target: '/v1' });
  });

  test('is found in what the transport says, too', () => {
    const given = { target: `/v1?api_key=${KEY}` };
    expect(read([], { way: TOLD, keyQuery: 'api_key', given })).toMatchObject({
      credential: { type: 'Value', value: KEY },
      target: '/v1',
    });
  });
});

describe('the product of a route', () => {
  test('is read from the configured header only', () => {
    const pairs = ['X-Keyward-Product', 'orders', 'X-API-Key', KEY];
    expect(read(pairs, { productHeader: 'X-Keyward-Product' })).toMatchObject({
      product: 'orders',
      isSpoofed: false,
    });
    expect(read(pairs)).toMatchObject({ product: undefined, isSpoofed: true });
  });

  test.each([
    ['Envoy', ENVOY],
    ['forward authentication', FORWARD],
    ['gRPC', TOLD],
  ])('is not read from a header by %s, where clients could say it themselves', (_, way) => {
    const own = read(['X-Keyward-Product', 'open', 'X-API-Key', KEY], {
      way,
      productHeader: 'X-Keyward-Product',
    });
    expect(own).toMatchObject({ product: undefined, isSpoofed: true });
    const other = read(['X-Route', 'open', 'X-API-Key', KEY], { way, productHeader: 'X-Route' });
    expect(other.product).toBeUndefined();
  });

  test('is what the transport says of the route, before any header', () => {
    const pairs = ['X-Route', 'open'];
    const given = { product: 'orders' };
    expect(read(pairs, { productHeader: 'X-Route', given }).product).toBe('orders');
  });

  test('said twice, or with an underscore, is a no', () => {
    const productHeader = 'X-Keyward-Product';
    const twice = ['X-Keyward-Product', 'a', 'x-keyward-product', 'b', 'X-API-Key', KEY];
    expect(read(twice, { productHeader }).credential).toEqual({ type: 'Ambiguous' });
    const alike = ['X_Keyward_Product', 'a', 'X-API-Key', KEY];
    expect(read(alike, { productHeader }).isSpoofed).toBe(true);
    const other = ['X_Route', 'a', 'X-API-Key', KEY];
    expect(read(other, { productHeader: 'X-Route' }).credential).toEqual({ type: 'Ambiguous' });
  });

  test('is not said by an empty header', () => {
    expect(read(['X-Route', ''], { productHeader: 'X-Route' }).product).toBeUndefined();
  });
});

describe('a name that frameworks could take for another', () => {
  const odd = ['_', '.', '~', '!', '|', '`', '\u00e9', '\u{212a}', ' '];
  test.each(odd)('is a no, with "%s" for a hyphen', (mark) => {
    const alike = (name: string): string[] => [name.replaceAll('-', mark), 'x'];
    expect(read([...alike('X-API-Key'), 'X-API-Key', KEY]).credential.type).toBe('Ambiguous');
    expect(read([...alike('x-Original-uri'), 'X-API-Key', KEY]).credential.type).toBe('Ambiguous');
    expect(read(alike('X-Keyward-Client')).isSpoofed).toBe(true);
    expect(read(['Connection', `close, x${mark}api-key`]).credential.type).toBe('Ambiguous');
  });

  test('is none with a letter or a digit there', () => {
    for (const name of ['XaAPI-Key', 'X0API-Key', 'XZKeyward-Client', 'X-API-Key-', 'XAPIKey']) {
      expect(read([name, 'x', 'X-API-Key', KEY])).toMatchObject({
        credential: { type: 'Value' },
        isSpoofed: false,
      });
    }
  });
});

describe('the address of a client', () => {
  const forwarded = (list: string, ...trustedProxies: readonly string[]): string | undefined =>
    read(['X-Forwarded-For', list], { way: FORWARD, trustedProxies }).address;

  test.each<[string, string, readonly string[], string | undefined]>([
    ['is the last hop where no proxy is trusted', '198.51.100.1, 192.0.2.1', [], '192.0.2.1'],
    ['is the only hop', '192.0.2.1', [], '192.0.2.1'],
    [
      'is the first hop from the end that is no trusted proxy',
      '6.6.6.6, 192.0.2.1, 10.0.0.2, 10.0.0.1',
      ['10.0.0.0/8'],
      '192.0.2.1',
    ],
    ['is not what stands before it', '10.9.9.9, 192.0.2.1', ['10.0.0.0/8'], '192.0.2.1'],
    ['is not known where all hops are trusted', '10.0.0.2, 10.0.0.1', ['10.0.0.0/8'], undefined],
    ['loses its port', '192.0.2.1:4711', [], '192.0.2.1'],
    ['may be IPv6', '2001:db8::1', [], '2001:db8::1'],
    ['may be IPv6 in brackets with a port', '[2001:db8::1]:443', [], '2001:db8::1'],
    ['may be IPv6 in brackets', '[2001:db8::1]', [], '2001:db8::1'],
    ['is skipped as IPv6, too', '192.0.2.1,[2001:db8::9]:1', ['2001:db8::/32'], '192.0.2.1'],
    ['is skipped as IPv4 in IPv6, too', '192.0.2.1, ::ffff:10.0.0.1', ['10.0.0.0/8'], '192.0.2.1'],
    ['is not known where the last hop is garbage', '192.0.2.1, unknown', [], undefined],
    [
      'is not known where a hop on the way is garbage',
      '192.0.2.1, _hidden, 10.0.0.1',
      ['10.0.0.0/8'],
      undefined,
    ],
    ['is not known where the last hop is empty', '192.0.2.1,', [], undefined],
    ['is not known where there is nothing', '', [], undefined],
    ['is not known with a port that is none', '192.0.2.1:x', [], undefined],
    ['is not known with octal numbers', '192.0.2.010', [], undefined],
    ['is not known with a zone', 'fe80::1%eth0', [], undefined],
    ['is not known with IPv4 in brackets', '[192.0.2.1]', [], undefined],
    ['is not known as a name', 'localhost', [], undefined],
    ['is not known as a number', '3221225985', [], undefined],
  ])('%s', (_, list, trusted, expected) => {
    expect(forwarded(list, ...trusted)).toBe(expected);
  });

  test('is told twice in vain', () => {
    const pairs = [
      'X-Forwarded-For',
      '192.0.2.1',
      'X-Forwarded-For',
      '192.0.2.2',
      'X-API-Key',
      KEY,
    ];
    expect(read(pairs, { way: FORWARD }).credential).toEqual({ type: 'Ambiguous' });
  });

  test('is not taken from X-Forwarded-For by Envoy, which adds its own', () => {
    expect(read(['X-Forwarded-For', '192.0.2.1'], { way: ENVOY }).address).toBeUndefined();
    expect(read(['X-Real-IP', '192.0.2.1'], { way: ENVOY }).address).toBe('192.0.2.1');
  });

  test('is taken from what the transport says', () => {
    const given = { address: '192.0.2.1', method: 'GET', host: 'a', product: 'orders' };
    expect(read(['X-Real-IP', '6.6.6.6'], { way: TOLD, given })).toMatchObject(given);
  });

  test('is not looked for behind more than 32 trusted hops', () => {
    const behind = (hops: number): string => `192.0.2.1${', 10.0.0.1'.repeat(hops)}`;
    expect(forwarded(behind(31), '10.0.0.0/8')).toBe('192.0.2.1');
    expect(forwarded(behind(32), '10.0.0.0/8')).toBeUndefined();
    expect(forwarded(behind(10_000), '10.0.0.0/8')).toBeUndefined();
  });
});

describe('host and body of a call', () => {
  test('come from nginx in a header of their own, or the host as it is', () => {
    expect(read(['Host', 'a', 'X-Original-Host', 'b']).host).toBe('b');
    expect(read(['Host', 'a']).host).toBe('a');
  });

  test('are never the host of the gate', () => {
    expect(read(['Host', 'gate'], { way: FORWARD }).host).toBeUndefined();
  });

  test('are empty only where the length was declared as 0', () => {
    expect(read(['X-Original-Content-Length', '0']).body).toHaveLength(0);
    for (const length of ['', '00', '1', '-0', '+0']) {
      expect(read(['X-Original-Content-Length', length]).body).toBeUndefined();
    }
    expect(read([]).body).toBeUndefined();
  });
});

describe('names that cannot be configured', () => {
  test.each([
    'Authorization',
    'Host',
    'Origin',
    'Cookie',
    'X-Original-URI',
    'X-Forwarded-For',
    'X-Keyward-Key',
    'X_API_Key',
    'X API Key',
    '',
    'Ключ',
  ])('for keys: "%s"', (name) => {
    expect(() => read([], { keyHeaders: [name] })).toThrow(/cannot be the header/);
  });

  test('for two things at once', () => {
    expect(() => read([], { keyHeaders: ['X-K', 'x-k'] })).toThrow(/cannot be the header/);
    expect(() => read([], { keyHeaders: ['X-K'], productHeader: 'x-k' })).toThrow(
      /cannot be the header/,
    );
  });

  test('for a parameter, or as a proxy', () => {
    expect(() => read([], { keyQuery: 'a&b' })).toThrow(/query parameter/);
    expect(() => read([], { trustedProxies: ['10.0.0.1/8'] })).toThrow(/trusted proxy/);
  });
});
