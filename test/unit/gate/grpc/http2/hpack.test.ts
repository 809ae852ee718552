import { once } from 'node:events';
import { connect } from 'node:http2';
import { createServer, type AddressInfo } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HeaderDecoder } from '../../../../../src/gate/grpc/http2/hpack.ts';
import { decodeHuffman } from '../../../../../src/gate/grpc/http2/huffman.ts';
import { STATIC_TABLE } from '../../../../../src/gate/grpc/http2/statictable.ts';
import { frame, KIND } from '../peer.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const pairs = (headers: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(headers).flat();

describe('the examples of RFC 7541', () => {
  test.each([
    [
      'C.3, without Huffman',
      [
        '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        '8286 84be 5808 6e6f 2d63 6163 6865',
        '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
      ],
    ],
    [
      'C.4, with Huffman',
      [
        '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
        '8286 84be 5886 a8eb 1064 9cbf',
        '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
      ],
    ],
  ])('%s, are read', (_, blocks) => {
    const decoder = new HeaderDecoder();
    const authority = { ':authority': 'www.example.com' };
    const first = { ':method': 'GET', ':scheme': 'http', ':path': '/', ...authority };
    const third = { ':method': 'GET', ':scheme': 'https', ':path': '/index.html', ...authority };
    expect(blocks.map((block) => decoder.decode(hex(block)))).toEqual([
      pairs(first),
      pairs({ ...first, 'cache-control': 'no-cache' }),
      pairs({ ...third, 'custom-key': 'custom-value' }),
    ]);
  });

  test('C.6, with a table of 256 bytes from which the oldest fall, are read', () => {
    const decoder = new HeaderDecoder();
    const blocks = [
      '3fe101 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
      '4883 640e ffc1 c0bf',
      '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
    ];
    const common = {
      'cache-control': 'private',
      date: 'Mon, 21 Oct 2013 20:13:21 GMT',
      location: 'https://www.example.com',
    };
    expect(blocks.map((block) => decoder.decode(hex(block)))).toEqual([
      pairs({ ':status': '302', ...common }),
      pairs({ ':status': '307', ...common }),
      pairs({
        ':status': '200',
        ...common,
        date: 'Mon, 21 Oct 2013 20:13:22 GMT',
        'content-encoding': 'gzip',
        'set-cookie': 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
      }),
    ]);
  });
});

describe('a block', () => {
  test('that was seen before is recognised as long as the table stays', () => {
    const decoder = new HeaderDecoder();
    const references = hex('8286 84be 0001 6c01 74');
    decoder.decode(hex('400161 0162'));
    const first = decoder.decode(references);
    expect(first?.slice(-4)).toEqual(['a', 'b', 'l', 't']);
    expect(decoder.decode(references)).toBe(first);
    decoder.decode(hex('400163 0164'));
    expect(decoder.decode(references)?.slice(-4)).toEqual(['c', 'd', 'l', 't']);
    decoder.decode(hex('20'));
    expect(decoder.decode(references)).toBeUndefined();
  });

  test.each([
    ['refers to nothing', '80'],
    ['refers to what the table does not have', 'be'],
    ['refers to a name that the table does not have', '7f00 0161'],
    ['is cut in a number', 'ff'],
    ['has a number without end', 'ffffffffffffffff00'],
    ['is cut in a text', '4005 61'],
    ['is cut before a text', '40'],
    ['makes the table larger than allowed', '3fe21f'],
    ['makes the table smaller too late', '8220'],
    ['has a code with too much padding', '4081ff 0161'],
    ['has padding of zeros', '408100 0161'],
    ['holds the end of a code', '4084ffffffff 0161'],
  ])('that %s breaks the connection for good', (_, block) => {
    const decoder = new HeaderDecoder();
    expect(decoder.decode(hex(block))).toBeUndefined();
    expect(decoder.decode(hex('82'))).toBeUndefined();
  });

  test('that says too much in few bytes is refused', () => {
    const decoder = new HeaderDecoder();
    const long = Buffer.concat([hex('4001 61 7f e107'), Buffer.alloc(1_120, 'x')]);
    expect(decoder.decode(long)).toHaveLength(2);
    expect(decoder.decode(Buffer.alloc(14, 0xbe))).toHaveLength(28);
    expect(decoder.decode(Buffer.alloc(20, 0xbe))).toBeUndefined();
  });
});

test('the table of known headers has 61 entries', () => {
  expect(STATIC_TABLE).toHaveLength(122);
  expect(STATIC_TABLE.slice(0, 4)).toEqual([':authority', '', ':method', 'GET']);
  expect(STATIC_TABLE.slice(30, 32)).toEqual(['accept-encoding', 'gzip, deflate']);
  expect(STATIC_TABLE.slice(-2)).toEqual(['www-authenticate', '']);
});

test('random bytes never make it throw', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 4 }), (blocks) => {
      const decoder = new HeaderDecoder();
      for (const block of blocks) {
        expect(() => decoder.decode(Buffer.from(block))).not.toThrow();
        expect(() => decodeHuffman(Buffer.from(block), 0, block.length)).not.toThrow();
      }
    }),
    { numRuns: 5_000 },
  );
});

test("what Node's own encoder writes is read, whatever it is, on a connection with a history", async () => {
  const name = fc.stringMatching(/^x-[a-z0-9-]{1,30}$/);
  const value = fc.stringMatching(/^[!-~]([ -~]{0,120}[!-~])?$/);
  const requests = fc.sample(fc.dictionary(name, value, { maxKeys: 12 }), 200);
  const decoder = new HeaderDecoder();
  const read: (readonly string[] | undefined)[] = [];
  let rest = Buffer.alloc(0);
  let isPastPreface = false;
  const { promise, resolve } = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    socket.write(frame(KIND.SETTINGS, 0, 0, Buffer.from([0, 3, 0, 0, 255, 255])));
    socket.on('error', () => undefined);
    socket.on('data', (piece) => {
      rest = Buffer.concat([rest, piece]);
      if (!isPastPreface && rest.length >= 24) {
        rest = rest.subarray(24);
        isPastPreface = true;
      }
      while (isPastPreface && rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
        const end = 9 + rest.readUIntBE(0, 3);
        if (rest[3] === KIND.HEADERS) read.push(decoder.decode(rest.subarray(9, end)));
        rest = rest.subarray(end);
      }
      if (read.length === requests.length) resolve();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  session.on('error', () => undefined);
  await once(session, 'remoteSettings');
  for (const headers of requests) {
    session.request({ ':path': '/', ...headers }).on('error', () => undefined);
  }
  await promise;
  session.destroy();
  server.close();
  for (const [at, headers] of requests.entries()) {
    const found = read[at]?.slice(8) ?? [];
    expect(found).toEqual(pairs({ ...headers }));
  }
});
