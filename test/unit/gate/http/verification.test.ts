import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isProblem,
  parseVerification,
  verificationAnswer,
} from '../../../../src/gate/http/verification.ts';
import { findDoubledField } from '../../../../src/gate/http/doubledfield.ts';
import { REFUSALS } from '../../../../src/terms/refusals.ts';
import { ALLOWED } from './rawgate.ts';

const KEY = 'kw_4fJ2mXq0ZpT7aBc9_secret';
const parse = (question: unknown): unknown => parseVerification(JSON.stringify(question));

describe('a question in JSON', () => {
  test('describes a whole call', () => {
    const question = {
      credential: { value: KEY },
      method: 'POST',
      host: 'api.example.com',
      target: '/v1/orders?page=2',
      origin: 'https://shop.example.com',
      referer: 'https://shop.example.com/cart',
      address: '192.0.2.1',
      product: 'orders',
      body: 'eyJhIjoxfQ==',
    };
    expect(parse(question)).toEqual({
      ...question,
      credential: { type: 'Value', value: KEY },
      profile: 'Keyward',
      body: Buffer.from('{"a":1}'),
      isSpoofed: false,
    });
  });

  test.each<[object, object]>([
    [{ value: KEY }, { type: 'Value', value: KEY }],
    [{ value: '' }, { type: 'None' }],
    [{ value: `${KEY} ` }, { type: 'Ambiguous' }],
    [{ value: `${KEY}\u0000` }, { type: 'Ambiguous' }],
    [{ value: 'ｋｗ' }, { type: 'Ambiguous' }],
    [
      { apiKey: 'kw_a', apiSecret: 's' },
      { type: 'Pair', apiKey: 'kw_a', apiSecret: 's' },
    ],
    [{ apiKey: '', apiSecret: '' }, { type: 'None' }],
    [{ apiKey: '', apiSecret: 's' }, { type: 'Ambiguous' }],
    [{ apiKey: 'kw_a', apiSecret: '' }, { type: 'Ambiguous' }],
    [{ authorization: `Bearer ${KEY}` }, { type: 'Value', value: KEY }],
    [{ authorization: 'Basic x' }, { type: 'None' }],
    [{ authorization: `Bearer ${KEY}, x` }, { type: 'Ambiguous' }],
  ])('shows the credential %j as %j', (credential, expected) => {
    expect(parse({ credential })).toMatchObject({ credential: expected });
  });

  test('tells a body that is empty from one that is not known', () => {
    const credential = { value: KEY };
    expect(parse({ credential, body: '' })).toMatchObject({ body: Buffer.alloc(0) });
    expect(parse({ credential })).toMatchObject({ body: undefined });
  });

  test.each<[string, unknown]>([
    ['the body must be a JSON object', []],
    ['the body must be a JSON object', null],
    ['the body must be a JSON object', KEY],
    [
      'a field is not known; there are credential, body, method, host, target, origin, referer, address, product',
      { credential: { value: KEY }, [KEY]: 1 },
    ],
    ['credential must be an object', {}],
    ['credential must be an object', { credential: KEY }],
    ['credential must be an object', { credential: [KEY] }],
    ['credential must be an object', { credential: null }],
    ['credential must have value, or apiKey and apiSecret, or authorization', { credential: {} }],
    [
      'credential must have value, or apiKey and apiSecret, or authorization',
      { credential: { value: KEY, authorization: KEY } },
    ],
    [
      'credential must have value, or apiKey and apiSecret, or authorization',
      { credential: { apiKey: KEY } },
    ],
    [
      'credential must have value, or apiKey and apiSecret, or authorization',
      { credential: { value: KEY, [KEY]: 1 } },
    ],
    ['credential.value must be a string', { credential: { value: [KEY] } }],
    ['credential.apiSecret must be a string', { credential: { apiKey: KEY, apiSecret: 1 } }],
    ['method must be a string', { credential: { value: KEY }, method: null }],
    ['target must be a string', { credential: { value: KEY }, target: ['/v1'] }],
    ['target is too long', { credential: { value: KEY }, target: 'a'.repeat(8_193) }],
    ['host must not contain control characters', { credential: { value: KEY }, host: 'a\r\nb' }],
    ['body must be a string', { credential: { value: KEY }, body: {} }],
    ['body must be Base64', { credential: { value: KEY }, body: '{"a":1}' }],
    ['body must be Base64', { credential: { value: KEY }, body: 'eyJhIjoxfQ' }],
    ['body must be Base64', { credential: { value: KEY }, body: 'eyJhIjoxfR==' }],
  ])('is refused with "%s": %j', (problem, question) => {
    expect(parse(question)).toEqual({ problem });
  });

  test('that is no JSON, or has a field of the prototype, is refused', () => {
    expect(parseVerification('{')).toEqual({ problem: 'the body must be JSON' });
    expect(parseVerification('')).toEqual({ problem: 'the body must be JSON' });
    const odd = parseVerification(`{"__proto__":{"credential":{"value":"${KEY}"}}}`);
    expect(isProblem(odd)).toBe(true);
  });

  test.each([
    `{"credential":{"value":"${KEY}"},"credential":{"value":"other"}}`,
    `{"credential":{"value":"${KEY}","value":"other"}}`,
    `{"credential":{"value":"${KEY}","v\\u0061lue":"other"}}`,
    `{"credential" :{"value"\t:"${KEY}"}, "host":"a", "credential"\n:{"value":"b"}}`,
  ])('with a field twice is refused: %s', (text) => {
    expect(parseVerification(text)).toEqual({ problem: 'a field is written twice' });
  });

  test('is never repeated where it is refused, and never makes an exception', () => {
    const anything = fc.oneof(
      fc.json(),
      fc.string({ unit: 'binary' }),
      fc
        .record({
          credential: fc.dictionary(fc.constantFrom('value', 'apiKey', KEY), fc.anything()),
        })
        .map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(anything, (text) => {
        expect(
          JSON.stringify(
            parseVerification(text).hasOwnProperty('problem') ? parseVerification(text) : '',
          ),
        ).not.toContain(KEY);
      }),
      { numRuns: 200 },
    );
  });

  test('has no doubled field where it was written from an object', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const written = JSON.stringify(JSON.parse(text));
        expect(findDoubledField(written)).toBe(false);
      }),
    );
  });
});

describe('the answer in JSON', () => {
  test('names the caller and what is left', () => {
    const answer = verificationAnswer({ ...ALLOWED, quotaRemaining: 41 } as typeof ALLOWED);
    expect(JSON.parse(answer)).toEqual({
      allowed: true,
      caller: { keyId: '4fJ2mXq0ZpT7aBc9', namespace: 'shop', name: 'checkout' },
      quotaRemaining: 41,
    });
  });

  test('says when a quota begins anew', () => {
    const refusal = REFUSALS.QuotaUsedUp;
    const answer = verificationAnswer({
      type: 'Refused',
      refusal,
      profile: 'Keyward',
      retryAfterSeconds: 60,
    });
    expect(JSON.parse(answer)).toMatchObject({ reason: 'QuotaExceeded', retryAfterSeconds: 60 });
  });

  test('gives the public reason of a no, and not its cause', () => {
    const answer = verificationAnswer({
      type: 'Refused',
      refusal: REFUSALS.WrongSecret,
      profile: 'Keyward',
    });
    expect(JSON.parse(answer)).toEqual({
      allowed: false,
      reason: 'InvalidKey',
      message: 'the API key is not valid',
    });
  });
});
