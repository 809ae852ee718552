import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { isBegun, readFields, readLine } from '../../../../src/gate/http/head.ts';
import { callOf, Found, NOTHING_GIVEN, readCall } from '../../../../src/gate/reading/readcall.ts';
import { compileReading } from '../../../../src/gate/reading/reading.ts';
import { NGINX } from '../../../../src/gate/reading/ways.ts';
import { READING, request, sendRaw } from './rawgate.ts';

const PLAIN = request(['GET /auth/nginx HTTP/1.1', 'Host: a', 'X-API-Key:\t b ', 'X-Empty:']);

/** All that is read of a head. */
function readHead(text: string) {
  const line = readLine(text);
  const pairs: string[] = [];
  const sink = {
    meet: (whole: string, from: number, to: number) => pairs.push(whole.slice(from, to)),
    keep: (_: number, content: string) => pairs.push(content),
  };
  if (line === undefined || !readFields(text, line.fieldsAt, sink, 128)) return undefined;
  return { method: line.method, target: line.target, pairs };
}

/** Node's own reading of the same bytes. */
let seen: Pick<IncomingMessage, 'method' | 'url' | 'rawHeaders'>[] = [];
let node: Server;

beforeAll(async () => {
  node = createServer((req, res) => {
    seen.push({ method: req.method, url: req.url, rawHeaders: req.rawHeaders });
    res.writeHead(204, ['Connection', 'close']).end();
  });
  node.listen(0, '127.0.0.1');
  await once(node, 'listening');
});
afterAll(() => node.close());

async function askNode(text: string): Promise<typeof seen> {
  seen = [];
  // The port of a server that listens on one.
  const { port } = node.address() as AddressInfo;
  await sendRaw(port, Buffer.from(text, 'latin1'));
  return seen;
}

describe('a plain head', () => {
  test('is read with its names as written and its contents without blanks around them', () => {
    expect(readHead(PLAIN)).toEqual({
      method: 'GET',
      target: '/auth/nginx',
      pairs: ['Host', 'a', 'X-API-Key', 'b', 'X-Empty', ''],
    });
  });

  test.each([
    ['another version', request(['GET /auth/nginx HTTP/1.0', 'Host: a'])],
    ['another method', request(['HEAD /auth/nginx HTTP/1.1', 'Host: a'])],
    ['another path', request(['GET /v1/verify HTTP/1.1', 'Host: a'])],
    ['no host', request(['GET /auth/nginx HTTP/1.1', 'X-Host: a'])],
    ['two hosts', request(['GET /auth/nginx HTTP/1.1', 'Host: a', 'host: a'])],
    ['a length', request(['GET /auth/nginx HTTP/1.1', 'Host: a', 'Content-Length: 1'])],
    [
      'no length, twice',
      request(['GET /auth/nginx HTTP/1.1', 'Host: a', 'Content-Length: 0', 'Content-Length: 0']),
    ],
    ['a coding', request(['GET /auth/nginx HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked'])],
    ['an expectation', request(['GET /auth/nginx HTTP/1.1', 'Host: a', 'Expect: 100-continue'])],
    ['an upgrade', request(['GET /auth/nginx HTTP/1.1', 'Host: a', 'Upgrade: h2c'])],
    ['a last word', request(['GET /auth/nginx HTTP/1.1', 'Host: a', 'Connection: close'])],
    ['a folded line', request(['GET /auth/nginx HTTP/1.1', 'Host: a', ' b'])],
    ['a blank before the colon', request(['GET /auth/nginx HTTP/1.1', 'Host : a'])],
    ['NUL', request(['GET /auth/nginx HTTP/1.1', 'Host: a\0'])],
    ['LF alone', 'GET /auth/nginx HTTP/1.1\nHost: a\n\r\n\r\n'],
    ['CR alone', request(['GET /auth/nginx HTTP/1.1', 'Host: a\rX: b'])],
    ['a body', request(['GET /auth/nginx HTTP/1.1', 'Host: a'], 'x\r\n\r\n')],
    ['another request behind it', PLAIN + PLAIN],
  ])('is none with %s', (_, text) => {
    expect(readHead(text)).toBeUndefined();
  });

  test('may come in pieces, cut anywhere behind its first line', () => {
    for (let at = PLAIN.indexOf('\n') + 1; at < PLAIN.length; at += 1) {
      expect(isBegun(PLAIN.slice(0, at))).toBe(true);
    }
    expect(isBegun('GET /auth/nginx HTTP/1.1\r\nHost: a\0')).toBe(false);
    expect(isBegun('GET /auth/nginx HTTP/1.1\r\nHost: a\n')).toBe(false);
    expect(isBegun(`${PLAIN}x`)).toBe(false);
  });
});

const NAMES = ['Host', 'host', 'X-API-Key', 'X_Api_Key', 'Connection', 'Content-Length', 'Te'];
const NOISE = ['', ' ', '\t', '\0', '\r', '\n', ':', ',', '\xe9', '\x7f', 'a', '0', 'keep-alive'];
const line = fc
  .tuple(
    fc.oneof(fc.constantFrom(...NAMES), fc.string({ maxLength: 6 })),
    fc.constantFrom(':', ': ', ':\t', ' :', ''),
    fc.array(fc.constantFrom(...NOISE), { maxLength: 4 }),
  )
  .map(([name, colon, content]) => name + colon + content.join(''));
const head = fc
  .tuple(
    fc.constantFrom('GET', 'POST', 'DELETE', 'HEAD', 'PURGE', 'get'),
    fc.constantFrom('/auth/nginx', '/auth/envoy/a?b={}|', '/auth/envoy/\xe9', '/auth/nginx#', '*'),
    fc.array(line, { maxLength: 4 }),
  )
  .map(([method, target, lines]) =>
    request([`${method} ${target} HTTP/1.1`, 'Host: a', ...lines].filter((text) => text !== '')),
  );

describe('whatever is taken for a plain head', () => {
  test('Node reads alike', async () => {
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(head, async (text) => {
        const read = readHead(text);
        if (read === undefined) return;
        taken += 1;
        const { method, target: url, pairs: rawHeaders } = read;
        expect(await askNode(text)).toEqual([{ method, url, rawHeaders }]);
      }),
      { numRuns: 1_000 },
    );
    expect(taken).toBeGreaterThan(20);
  });

  test('is the call that its names and contents are, read one by one', () => {
    const names = ['X-API-Key', 'x_api_key', 'Origin', 'X-Keyward-Name', 'X-Real-IP', 'Accept'];
    const field = fc.tuple(
      fc.constantFrom(...NAMES, ...names),
      fc.constantFrom('a', '', '10.0.0.1'),
    );
    const reading = compileReading(READING, NGINX);
    fc.assert(
      fc.property(fc.array(field, { maxLength: 8 }), (fields) => {
        const lines = fields.map(([name, content]) => `${name}: ${content}`);
        const text = request(['GET /auth/nginx HTTP/1.1', 'Host: a', ...lines]);
        const read = readHead(text);
        if (read === undefined) return;
        const found = new Found(reading);
        expect(readFields(text, text.indexOf('Host'), found, 128)).toBe(true);
        expect(callOf(found, NOTHING_GIVEN)).toEqual(readCall(read.pairs, reading));
      }),
      { numRuns: 1_000 },
    );
  });
});
