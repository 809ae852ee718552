import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readCheckRequest } from '../../../../src/gate/grpc/checkrequest.ts';
import { unframe } from '../../../../src/gate/grpc/framing.ts';
import { WireReader } from '../../../../src/gate/grpc/wirereader.ts';
import { ALL_HEADERS, RAW_HEADERS, WITH_BODY } from './envoy.vectors.ts';
import { checkRequest, delimited, message, numeric } from './protobuf.ts';

const wire = new WireReader();
const read = (bytes: Buffer) => readCheckRequest(wire, bytes);
const unframed = (hex: string): Buffer => {
  const bytes = unframe(Buffer.from(hex, 'hex'));
  if (!(bytes instanceof Buffer)) throw new Error('not in a frame');
  return bytes;
};

describe('what Envoy itself sent', () => {
  test('is read as sent, with its raw headers', () => {
    expect(read(unframed(RAW_HEADERS))).toMatchObject({
      method: 'POST',
      path: '/v1/places?lang=en',
      host: 'api.example.com',
      sourceAddress: '127.0.0.1',
      pairs: [
        'x-api-key',
        'kw_one',
        'authorization',
        'Basic eDp5',
        'origin',
        'https://example.com',
      ],
      body: undefined,
      product: '',
    });
  });

  test('is read with its body and what the route says of bodies', () => {
    const request = read(unframed(WITH_BODY));
    expect(request).toMatchObject({ bodySetting: 'whole' });
    expect(request?.body?.toString()).toBe('hello');
    expect(request?.pairs.slice(-2)).toEqual(['x-envoy-auth-partial-body', 'false']);
  });

  test('is read with headers that Envoy joined, and with the product of the route', () => {
    const request = read(unframed(ALL_HEADERS));
    expect(request).toMatchObject({ product: 'places', path: '/v1/places?lang=en' });
    const at = request?.pairs.indexOf('x-dup') ?? -1;
    expect(request?.pairs[at + 1]).toBe('a,b');
    expect(request?.pairs.filter((text) => text.startsWith(':'))).toEqual([]);
  });

  test('is refused wherever it is cut off', () => {
    const whole = unframed(ALL_HEADERS);
    for (let end = 1; end < whole.length; end += 1) {
      expect(read(whole.subarray(0, end)), `cut at ${end}`).toBeUndefined();
    }
  });
});

describe('a request', () => {
  test('with headers twice keeps both, so that the reader of headers can doubt', () => {
    const headers = [
      ['x-api-key', 'a'],
      ['x-api-key', 'b'],
    ] as const;
    expect(read(checkRequest({ headers }))?.pairs).toEqual(headers.flat());
    expect(read(checkRequest({ rawHeaders: headers }))?.pairs).toEqual(headers.flat());
  });

  test('is refused when it says twice what can be said only once', () => {
    const http = (...fields: readonly Buffer[]) => message(1, message(4, message(2, ...fields)));
    expect(read(http(delimited(4, '/a')))?.path).toBe('/a');
    for (const field of [2, 4, 5, 11, 12]) {
      expect(read(http(delimited(field, 'a'), delimited(field, 'b'))), `${field}`).toBeUndefined();
    }
    expect(read(http(message(3, delimited(1, 'a'), delimited(2, 'b'), delimited(2, 'c'))))).toBe(
      undefined,
    );
    const twice = Buffer.concat([checkRequest({}), checkRequest({})]);
    expect(read(twice)).toBeUndefined();
  });

  test.each([':method', ':path', ':authority'])(
    'that contradicts its own %s is refused',
    (name) => {
      expect(read(checkRequest({ headers: [[name, '/other']] }))).toBeUndefined();
    },
  );

  test('may lack everything', () => {
    expect(read(Buffer.alloc(0))).toMatchObject({ method: '', path: '', pairs: [], product: '' });
  });

  test('may hold fields that nobody knows, of every kind', () => {
    const unknown = Buffer.concat([
      numeric(99, 2n ** 64n - 1n),
      Buffer.from([((98 * 8 + 1) & 0x7f) | 0x80, 6, 1, 2, 3, 4, 5, 6, 7, 8]),
      Buffer.from([((97 * 8 + 5) & 0x7f) | 0x80, 6, 1, 2, 3, 4]),
      delimited(96, 'x'),
    ]);
    const known = checkRequest({ path: '/known' });
    expect(read(Buffer.concat([unknown, known, unknown]))?.path).toBe('/known');
  });

  test.each([
    ['a group', '0b0c'],
    ['field 0', '0000'],
    ['a length beyond the message', '0aff01'],
    ['a length of more than 32 bits', '0affffffff7f'],
    ['an endless number', 'f8ffffffffffffffffff0100'],
    ['a part that is longer than the whole', '0a04220f0a00'],
    ['a cut number', '08ff'],
  ])('with %s is refused', (_, hex) => {
    expect(read(Buffer.from(hex, 'hex'))).toBeUndefined();
  });
});

test('random bytes, and recorded ones with random faults, never make it throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(() => read(Buffer.from(bytes))).not.toThrow();
    }),
    { numRuns: 5_000 },
  );
  const recorded = unframed(ALL_HEADERS);
  const fault = fc.tuple(fc.nat(recorded.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(fault, { minLength: 1, maxLength: 4 }), (faults) => {
      const bytes = Buffer.from(recorded);
      for (const [at, byte] of faults) bytes[at] = byte;
      expect(() => read(bytes)).not.toThrow();
    }),
    { numRuns: 5_000 },
  );
});

test('what a message says is read back, whatever it says', () => {
  const text = fc.stringMatching(/^[\x20-\x7e]{0,40}$/);
  const name = fc.stringMatching(/^[a-z][a-z-]{0,20}$/);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(name, text), { maxLength: 20 }),
      text,
      text,
      (headers, path, source) => {
        const request = read(checkRequest({ headers, path, source }));
        expect(request).toMatchObject({ path, sourceAddress: source, pairs: headers.flat() });
      },
    ),
    { numRuns: 500 },
  );
});
