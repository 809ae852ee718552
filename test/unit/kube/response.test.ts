import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ResponseHead, ResponseParser } from '../../../src/kube/response.ts';

type Parsed = { head: ResponseHead | undefined; body: string; ended: number };

function parse(pieces: readonly Buffer[]): Parsed {
  const parsed: Parsed = { head: undefined, body: '', ended: 0 };
  const parser = new ResponseParser({
    onHead: (head) => (parsed.head = head),
    onBody: (chunk) => (parsed.body += chunk.toString('latin1')),
    onEnd: () => (parsed.ended += 1),
  });
  for (const piece of pieces) parser.push(piece);
  return parsed;
}

const FIXED =
  'HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\nhello';
const CHUNKED =
  'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nDate: x\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n';

describe('answers of an API server', () => {
  test('a body with a length is complete when its last byte came', () => {
    const parsed = parse([Buffer.from(FIXED)]);
    expect(parsed).toMatchObject({ body: 'hello', ended: 1 });
    expect(parsed.head).toMatchObject({ status: 201, keepAlive: true });
    expect(parse([Buffer.from(FIXED.slice(0, -1))]).ended).toBe(0);
  });

  test('a chunked body is joined, and incomplete without its last chunk', () => {
    expect(parse([Buffer.from(CHUNKED)])).toMatchObject({ body: 'abc0123456789', ended: 1 });
    expect(parse([Buffer.from(CHUNKED.slice(0, -5))]).ended).toBe(0);
  });

  test('204 has no body, and Connection: close is noticed', () => {
    const parsed = parse([Buffer.from('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n')]);
    expect(parsed).toMatchObject({ ended: 1, head: { keepAlive: false } });
  });

  test('where the network cuts an answer makes no difference', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(FIXED, CHUNKED),
        fc.array(fc.nat(200), { maxLength: 12 }),
        (text, cuts) => {
          const bytes = Buffer.from(text);
          const edges = [0, ...cuts.map((cut) => cut % bytes.length), bytes.length];
          edges.sort((a, b) => a - b);
          const pieces = edges.slice(1).map((end, index) => bytes.subarray(edges[index], end));
          expect(parse(pieces)).toEqual(parse([bytes]));
        },
      ),
    );
  });
});

describe('anything odd is refused instead of guessed at', () => {
  test.each([
    ['garbage', 'SSH-2.0-OpenSSH\r\n\r\n'],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n'],
    ['an informational answer', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['no length at all', 'HTTP/1.1 200 OK\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
    [
      'length and chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    ],
    ['a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'],
    ['a compressed body', 'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n'],
    ['a folded header', 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n'],
    ['a blank before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n'],
    ['a stray line end', 'HTTP/1.1 200 OK\r\nA: b\nContent-Length: 0\r\n\r\n'],
    ['a chunk size that is none', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
    ['a trailer', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n'],
    ['bytes after the end', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab'],
    ['an endless head', `HTTP/1.1 200 OK\r\nA: ${'b'.repeat(20_000)}`],
  ])('%s', (_why, text) => {
    expect(() => parse([Buffer.from(text)])).toThrow(Error);
  });
});
