import { describe, expect, test } from 'vitest';
import { nginxRequest, request, sendRaw, startGate } from './rawgate.ts';

const KEY = 'kw_4fJ2mXq0ZpT7aBc9_secret';
const POST = ['POST /auth/nginx HTTP/1.1', 'Host: a', `X-API-Key: ${KEY}`];

function latin1(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** Every gate of this file lets in whoever shows one value, so that nothing but reading can refuse. */
describe('nobody decides about', () => {
  test.each<[string, string | Uint8Array, number?]>([
    ['a header that is folded', nginxRequest('X-API-Key: a', ' b')],
    ['a header that is folded with a tab', nginxRequest('X-API-Key: a', '\tb')],
    ['a name with a blank behind it', nginxRequest(`X-API-Key : ${KEY}`)],
    ['a name with NUL', nginxRequest(`X-API\0-Key: ${KEY}`)],
    ['a name that is empty', nginxRequest(`: ${KEY}`)],
    ['a line without colon', nginxRequest('X-API-Key')],
    ['a key with NUL', nginxRequest(`X-API-Key: ${KEY}\0`)],
    ['a key with CR', nginxRequest(`X-API-Key: ${KEY}\rX-Y: b`)],
    ['a line that ends with LF only', nginxRequest(`X-API-Key: ${KEY}\nX-Y: b`)],
    ['a request of LF lines', 'GET /auth/nginx HTTP/1.1\nHost: a\n\n'],
    ['a header of 100 kB', nginxRequest(`X-API-Key: ${'a'.repeat(100_000)}`), 431],
    ['200 headers', nginxRequest(...Array.from({ length: 200 }, (_, i) => `A-${i}: 1`)), 431],
    [
      'a length and a coding',
      request([...POST, 'Content-Length: 4', 'Transfer-Encoding: chunked']),
    ],
    [
      'a coding and a length',
      request([...POST, 'Transfer-Encoding: chunked', 'Content-Length: 4']),
    ],
    ['two lengths', request([...POST, 'Content-Length: 4', 'Content-Length: 5'], 'abcde')],
    ['one length twice', request([...POST, 'Content-Length: 4', 'Content-Length: 4'], 'abcd')],
    ['a list of lengths', request([...POST, 'Content-Length: 4, 4'], 'abcd')],
    ['a length with a sign', request([...POST, 'Content-Length: +4'], 'abcd')],
    ['a negative length', request([...POST, 'Content-Length: -4'], 'abcd')],
    ['a length in hexadecimal', request([...POST, 'Content-Length: 0x4'], 'abcd')],
    ['a length beyond all numbers', request([...POST, `Content-Length: ${'9'.repeat(30)}`])],
    ['a coding twice', request([...POST, 'Transfer-Encoding: chunked', 'Transfer-Encoding: x'])],
    ['an unknown coding', request([...POST, 'Transfer-Encoding: xchunked'], '0\r\n\r\n')],
    ['a coding that is not the last', request([...POST, 'Transfer-Encoding: chunked, x'])],
    ['a list of codings', request([...POST, 'Transfer-Encoding: gzip, chunked'], '0\r\n\r\n')],
    ['a coding behind a vertical tab', request([...POST, 'Transfer-Encoding: \vchunked'])],
    ['a coding with a blank before the colon', request([...POST, 'Transfer-Encoding : chunked'])],
    ['a coding in HTTP/1.0', request(['GET /auth/nginx HTTP/1.0', 'Transfer-Encoding: chunked'])],
    ['no host in HTTP/1.1', request(['GET /auth/nginx HTTP/1.1', `X-API-Key: ${KEY}`])],
    ['HTTP/0.9', 'GET /auth/nginx\r\n\r\n'],
    ['HTTP/2 in plain text', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a version of the future', request(['GET /auth/nginx HTTP/2.0', 'Host: a'])],
    ['a TLS greeting', Uint8Array.from([0x16, 3, 1, 0, 0x10, 1, 0, 0, 0xc, 3, 3, 0, 0])],
    ['a target in absolute form', request(['GET http://gate/auth/nginx HTTP/1.1', 'Host: a'])],
    ['a target with a blank', request(['GET /auth/nginx x HTTP/1.1', 'Host: a'])],
    [
      'a target with a byte that is not ASCII',
      latin1('GET /auth/envoy/\xff HTTP/1.1\r\nHost: a\r\n\r\n'),
    ],
    ['the whole server', request(['OPTIONS * HTTP/1.1', 'Host: a'])],
    ['an unknown method', request(['FOO /auth/nginx HTTP/1.1', 'Host: a'])],
    ['a method in lower case', request(['get /auth/nginx HTTP/1.1', 'Host: a'])],
    ['a tunnel', request(['CONNECT api.example.com:443 HTTP/1.1', 'Host: api.example.com:443'])],
    ['an odd expectation', request([...POST, 'Expect: 200', 'Content-Length: 0'])],
  ])('%s: it ends the connection (G2, G9)', async (_, bytes, status = 400) => {
    await using gate = await startGate();
    const { statuses, closed, text } = await sendRaw(gate.port, bytes);
    expect(statuses).toEqual([status]);
    expect(closed).toBe(true);
    expect(gate.decider.calls).toEqual([]);
    expect(text).not.toContain(KEY);
  });

  test.each([
    '/',
    '/auth',
    '/auth/nginx/',
    '/auth/nginx?x',
    '/auth/envoy',
    '/auth/envoyx',
    '/AUTH/nginx',
    '//auth/nginx',
    '/%61uth/nginx',
    '/livez',
  ])('the path %s: it is not there', async (path) => {
    await using gate = await startGate();
    const { statuses } = await sendRaw(gate.port, request([`GET ${path} HTTP/1.1`, 'Host: a']));
    expect(statuses).toEqual([404]);
    expect(gate.decider.calls).toEqual([]);
  });
});

describe('a call is refused that has', () => {
  test.each<[string, readonly string[]]>([
    ['no key', []],
    ['an empty key', ['X-API-Key:']],
    ['a blank key', ['X-API-Key:  \t ']],
    ['an empty Authorization', ['Authorization:']],
    ['a scheme without a key', ['Authorization: Bearer']],
    ['another scheme', ['Authorization: Basic a3c6a3c=']],
  ])('%s: as a call without key (G1)', async (_, headers) => {
    await using gate = await startGate();
    const { statuses, closed } = await sendRaw(gate.port, nginxRequest(...headers));
    expect({ statuses, closed }).toEqual({ statuses: [401], closed: false });
    expect(gate.decider.calls).toMatchObject([{ credential: { type: 'None' } }]);
  });

  test.each<[string, readonly string[]]>([
    ['the key header twice', [`X-API-Key: ${KEY}`, `X-API-Key: ${KEY}`]],
    ['the key header twice, once empty', ['X-API-Key:', `X-API-Key: ${KEY}`]],
    ['the key header twice in different case', [`X-API-Key: ${KEY}`, `x-api-key: ${KEY}x`]],
    ['Authorization twice', [`Authorization: Bearer ${KEY}`, 'Authorization: Basic x']],
    ['a list of keys', [`X-API-Key: ${KEY}, ${KEY}`]],
    ['a list of credentials', [`Authorization: Bearer ${KEY}, Bearer ${KEY}`]],
    ['two credentials', [`X-API-Key: ${KEY}`, `Authorization: Bearer ${KEY}`]],
    ['a key and a signature', [`X-API-Key: ${KEY}`, 'Authorization: DGRK a.b']],
    ['two words behind the scheme', [`Authorization: Bearer ${KEY} x`]],
    ['two blanks behind the scheme', [`Authorization: Bearer  ${KEY}`]],
    ['the scheme without a blank', [`Authorization: Bearer${KEY}`]],
    ['a tab behind the scheme', [`Authorization: Bearer\t${KEY}`]],
    ['no scheme', ['Authorization: \\"']],
    ['a byte in the key that is not ASCII', ['X-API-Key: k\xe9y']],
    ['letters of full width in the key', [Buffer.from('X-API-Key: ｋｅｙ').toString('latin1')]],
    ['a key of 8 kB', [`X-API-Key: ${'a'.repeat(8_000)}`]],
    ['an underscore in the key header beside it', [`X-API-Key: ${KEY}`, 'X_API_Key: other']],
    ['an underscore in the key header', [`X-API_Key: ${KEY}`]],
    ['an underscore in a header of the gateway', [`X-API-Key: ${KEY}`, 'X_Original_URI: /other']],
    ['the target twice', [`X-API-Key: ${KEY}`, 'X-Original-URI: /other']],
    ['the method twice', [`X-API-Key: ${KEY}`, 'X-Original-Method: POST']],
    [
      'two origins',
      [`X-API-Key: ${KEY}`, 'Origin: https://a.example', 'Origin: https://b.example'],
    ],
    [
      'two referers',
      [`X-API-Key: ${KEY}`, 'Referer: https://a.example', 'referer: https://a.example'],
    ],
    ['two addresses', [`X-API-Key: ${KEY}`, 'X-Real-IP: 192.0.2.1', 'X-Real-IP: 192.0.2.2']],
    ['two hosts', [`X-API-Key: ${KEY}`, 'Host: b']],
    ['a Connection header of 300 tokens', [`X-API-Key: ${KEY}`, `Connection: ${'a,'.repeat(300)}`]],
    ['a key to be dropped on the way (G3)', [`X-API-Key: ${KEY}`, 'Connection: X-API-Key']],
    [
      'a header of the gateway to be dropped',
      [`X-API-Key: ${KEY}`, 'Connection: close, x-original-uri'],
    ],
    [
      'Authorization to be dropped',
      [`Authorization: Bearer ${KEY}`, 'Connection: keep-alive,Authorization'],
    ],
    [
      'Origin to be dropped, in a second header',
      [`X-API-Key: ${KEY}`, 'Connection: keep-alive', 'Connection: origin'],
    ],
    ['a target of 9 kB', [`X-API-Key: ${KEY}`, 'X-Original-Host: a']],
  ])('%s: nobody knows what was meant (G1 to G5)', async (title, headers) => {
    await using gate = await startGate();
    const bytes = title.includes('9 kB')
      ? nginxRequest(...headers).replace('/v1/orders', `/${'a'.repeat(9_000)}`)
      : nginxRequest(...headers);
    const { statuses, text } = await sendRaw(gate.port, latin1(bytes));
    expect(statuses).toEqual([401]);
    expect(gate.decider.calls).toMatchObject([{ credential: { type: 'Ambiguous' } }]);
    expect(text).not.toContain(KEY);
  });

  test.each([
    'X-Keyward-Key-Id: 4fJ2mXq0ZpT7aBc9',
    'x-keyward-namespace: shop',
    'X_Keyward_Client: shop',
    'X-KEYWARD_Anything:',
    'X-Keyward-Product: orders',
  ])('the header "%s", which only the gate may set (G5)', async (header) => {
    await using gate = await startGate();
    const { statuses, text } = await sendRaw(gate.port, nginxRequest(`X-API-Key: ${KEY}`, header));
    expect(statuses).toEqual([403]);
    expect(text).toContain('X-Keyward-Reason: HeaderNotAllowed\r\n');
    expect(text).not.toContain('4fJ2mXq0ZpT7aBc9');
  });

  test('such a header behind a hundred others', async () => {
    await using gate = await startGate();
    const others = Array.from({ length: 100 }, (_, i) => `A-${i}: 1`);
    const { statuses } = await sendRaw(
      gate.port,
      nginxRequest(`X-API-Key: ${KEY}`, ...others, 'X-Keyward-Client: shop'),
    );
    expect(statuses).toEqual([403]);
  });
});

describe('a call is read that has', () => {
  test.each<[string, readonly string[]]>([
    ['its scheme in lower case', [`authorization: bearer ${KEY}`]],
    ['its key header in another case', [`x-Api-kEY: ${KEY}`]],
    ['blanks around its key', [`X-API-Key:   ${KEY} \t`]],
    [
      'Authorization of another scheme beside its key',
      [`X-API-Key: ${KEY}`, 'Authorization: Basic eA=='],
    ],
    ['harmless tokens in Connection', [`X-API-Key: ${KEY}`, 'Connection: keep-alive, upgrade']],
    [
      'a switch to web sockets (G7)',
      [`X-API-Key: ${KEY}`, 'Connection: Upgrade', 'Upgrade: websocket'],
    ],
    [
      'a method override, which counts for nothing (G7)',
      [`X-API-Key: ${KEY}`, 'X-HTTP-Method-Override: DELETE'],
    ],
    [
      'headers of other gateways, which count for nothing',
      [
        `X-API-Key: ${KEY}`,
        'X-Forwarded-Uri: /a',
        'X-Forwarded-Uri: /b',
        'X-Envoy-Original-Path: /c',
      ],
    ],
  ])('%s', async (_, headers) => {
    await using gate = await startGate();
    const { statuses, closed } = await sendRaw(gate.port, nginxRequest(...headers));
    expect({ statuses, closed }).toEqual({ statuses: [204], closed: false });
    expect(gate.decider.calls).toMatchObject([
      { credential: { type: 'Value', value: KEY }, method: 'GET', target: '/v1/orders' },
    ]);
  });

  test('HTTP/1.0 as its protocol, as nginx speaks it by default', async () => {
    await using gate = await startGate();
    const bytes = request(['GET /auth/nginx HTTP/1.0', `X-API-Key: ${KEY}`]);
    const { statuses, closed } = await sendRaw(gate.port, bytes);
    expect({ statuses, closed }).toEqual({ statuses: [204], closed: true });
  });

  test('a target in absolute form, which is passed on as it is for the decider to doubt (G6)', async () => {
    await using gate = await startGate();
    const bytes = nginxRequest(`X-API-Key: ${KEY}`).replace('/v1/orders', 'http://b.example/v1');
    await sendRaw(gate.port, bytes);
    expect(gate.decider.calls).toMatchObject([{ target: 'http://b.example/v1' }]);
  });
});

describe('a preflight', () => {
  test('is a call without key, so it never counts (G7)', async () => {
    await using gate = await startGate();
    const bytes = nginxRequest(
      'Origin: https://shop.example.com',
      'Access-Control-Request-Method: POST',
      `X-API-Key: ${KEY}`,
    ).replace('Method: GET', 'Method: OPTIONS');
    expect((await sendRaw(gate.port, bytes)).statuses).toEqual([401]);
    expect(gate.decider.calls).toMatchObject([{ credential: { type: 'None' }, method: 'OPTIONS' }]);
  });

  test('is told from OPTIONS as a method of its own', async () => {
    await using gate = await startGate();
    const bytes = nginxRequest(`X-API-Key: ${KEY}`).replace('Method: GET', 'Method: OPTIONS');
    expect((await sendRaw(gate.port, bytes)).statuses).toEqual([204]);
  });
});
