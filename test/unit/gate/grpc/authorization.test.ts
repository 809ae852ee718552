import { describe, expect, test } from 'vitest';
import type { Call } from '../../../../src/gate/call.ts';
import type { Decider, Decision } from '../../../../src/gate/decision.ts';
import { createAuthorization } from '../../../../src/gate/grpc/authorization.ts';
import { unframe } from '../../../../src/gate/grpc/framing.ts';
import { FAILURES } from '../../../../src/gate/grpc/statuses.ts';
import type { ReadingOptions } from '../../../../src/gate/reading/reading.ts';
import { REFUSALS } from '../../../../src/terms/refusals.ts';
import { checkRequest, readAnswer, type Answer, type SentCall } from './protobuf.ts';

const HEADERS = ['X-Keyward-Key-Id', 'AbCd', 'X-Keyward-Namespace', 'team-a'];
const YES: Decision = {
  type: 'Allowed',
  caller: { keyId: 'AbCd', namespace: 'team-a', name: 'places' },
  headers: HEADERS,
};
const READING: ReadingOptions = { keyHeaders: ['X-API-Key', 'x-other-key'], trustedProxies: [] };
const SIGNED = `DGRK kw_something.${'A'.repeat(43)}=`;
const KEY = ['x-api-key', 'kw_something'] as const;

/** Asks for one call; what the decider saw, and what was answered. */
async function check(
  call: SentCall,
  decide: Decider['decide'] = () => YES,
  reading: ReadingOptions = READING,
): Promise<Answer & { readonly call: Call | undefined }> {
  let seen: Call | undefined;
  const method = createAuthorization(
    reading,
    {
      decide(asked) {
        seen = asked;
        return decide(asked);
      },
    },
    (profile, refusal, target) => ({
      status: refusal.status,
      contentType: 'text/plain',
      body: `${profile} ${target}: ${refusal.text}`,
    }),
  );
  const answer = await method(checkRequest(call));
  const message = answer instanceof Buffer ? unframe(answer) : answer;
  if (!(message instanceof Buffer)) throw new Error('a failure');
  return { ...readAnswer(message), call: seen };
}

describe('a yes', () => {
  test('carries the headers of the caller, and takes all key headers off', async () => {
    expect(await check({ headers: [KEY] })).toMatchObject({
      code: 0,
      headers: { 'x-keyward-key-id': 'AbCd', 'x-keyward-namespace': 'team-a' },
      removed: ['x-api-key', 'x-other-key'],
      removedParameters: [],
    });
  });

  test.each([0, 9, 10, 123_456, 2 ** 53 - 1])('tells that %d uses are left', async (left) => {
    const answer = await check({ headers: [KEY] }, () => ({ ...YES, quotaRemaining: left }));
    expect(answer.headers).toEqual({
      'x-keyward-key-id': 'AbCd',
      'x-keyward-namespace': 'team-a',
      'x-keyward-quota-remaining': String(left),
    });
    expect(answer.removed).toEqual(['x-api-key', 'x-other-key']);
  });

  test('takes Authorization off only where that held the key', async () => {
    const removed = async (text: string) =>
      (await check({ headers: [['authorization', text]] })).removed.includes('authorization');
    expect(await removed('Bearer kw_something')).toBe(true);
    expect(await removed(SIGNED)).toBe(true);
    expect(await removed('Basic eDp5')).toBe(false);
  });

  test('takes the query parameter off that may hold the key', async () => {
    const reading = { ...READING, keyQuery: 'api_key' };
    const answer = await check({ path: '/v1?api_key=kw_one&b=2' }, undefined, reading);
    expect(answer.removedParameters).toEqual(['api_key']);
    expect(answer.call).toMatchObject({ target: '/v1?b=2', credential: { value: 'kw_one' } });
  });

  test('that comes later is the same', async () => {
    expect((await check({ headers: [KEY] }, () => Promise.resolve(YES))).code).toBe(0);
  });
});

describe('a no', () => {
  test('says when a quota begins anew, each time afresh', async () => {
    const no = { type: 'Refused', refusal: REFUSALS.QuotaUsedUp, profile: 'Keyward' } as const;
    for (const retryAfterSeconds of [61, 7]) {
      const { headers } = await check({ headers: [KEY] }, () => ({ ...no, retryAfterSeconds }));
      expect(headers['retry-after']).toBe(String(retryAfterSeconds));
    }
    const { headers } = await check({ headers: [KEY] }, () => no);
    expect(headers).not.toHaveProperty('retry-after');
  });

  test.each([
    ['UnknownKey', 16, 401],
    ['Unlisted', 7, 403],
    ['QuotaUsedUp', 8, 429],
    ['StateUnknown', 14, 503],
  ] as const)('for %s has the code %d, the status %d and a body', async (cause, code, status) => {
    const refusal = REFUSALS[cause];
    const answer = await check({}, () => ({ type: 'Refused', refusal, profile: 'Solapi' }));
    expect(answer).toMatchObject({ code, status, body: `Solapi /v1/places: ${refusal.text}` });
    expect(answer.headers['x-keyward-reason']).toBe(refusal.reason);
    expect('www-authenticate' in answer.headers).toBe(status === 401);
    expect(answer.removed).toEqual([]);
  });

  test('is the answer when the decider fails at once or later', async () => {
    const error = new Error('a bug');
    const thrower = (): never => {
      throw error;
    };
    expect(await check({}, thrower)).toMatchObject({ code: 14, status: 503 });
    expect(await check({}, () => Promise.reject(error))).toMatchObject({ code: 14, status: 503 });
  });

  test('by failure is the answer to a message that is not well formed', () => {
    const method = createAuthorization(READING, { decide: () => YES }, () => {
      throw new Error('not asked');
    });
    expect(method(Buffer.from('0aff', 'hex'))).toBe(FAILURES.BadMessage);
  });
});

describe('a call', () => {
  test('is what Envoy says, and the product what its route says', async () => {
    const { call } = await check({
      method: 'PUT',
      path: '/a?b=c',
      host: 'h:8443',
      source: '2001:db8::1',
      headers: [KEY, ['origin', 'https://o'], ['referer', 'https://o/x']],
      extensions: { 'keyward-product': 'places', other: 'x' },
    });
    expect(call).toMatchObject({
      method: 'PUT',
      target: '/a?b=c',
      host: 'h:8443',
      address: '2001:db8::1',
      origin: 'https://o',
      referer: 'https://o/x',
      product: 'places',
      credential: { type: 'Value', value: 'kw_something' },
      isSpoofed: false,
    });
  });

  test.each([
    ['two key headers', [KEY, KEY]],
    ['two headers that Envoy joined', [['x-api-key', 'kw_a,kw_b']]],
    ['keys in two headers', [KEY, ['x-other-key', 'kw_b']]],
    ['a look-alike', [KEY, ['x_api_key', 'kw_b']]],
    ['bytes beyond ASCII', [['x-api-key', 'kw_\xe9']]],
  ] as const)('with %s is doubtful', async (_, headers) => {
    expect((await check({ headers })).call?.credential.type).toBe('Ambiguous');
    expect((await check({ rawHeaders: headers })).call?.credential.type).toBe('Ambiguous');
  });

  test('with a header of the gate is spoofed', async () => {
    const headers = [KEY, ['x-keyward-name', 'me']] as const;
    expect((await check({ headers })).call?.isSpoofed).toBe(true);
  });

  test('comes from the peer of Envoy, whatever its headers say', async () => {
    const headers = [['x-forwarded-for', '198.51.100.1']] as const;
    expect((await check({ headers })).call?.address).toBe('192.0.2.7');
  });

  test('comes from the first hop that is no trusted proxy', async () => {
    const headers = [['x-forwarded-for', '203.0.113.9, 198.51.100.1']] as const;
    const address = async (...trustedProxies: readonly string[]) =>
      (await check({ headers }, undefined, { ...READING, trustedProxies })).call?.address;
    expect(await address('10.0.0.0/8')).toBe('192.0.2.7');
    expect(await address('192.0.2.0/24')).toBe('198.51.100.1');
    expect(await address('192.0.2.0/24', '198.51.100.0/24')).toBe('203.0.113.9');
  });
});

describe('a body', () => {
  const signed = ['authorization', SIGNED] as const;
  const whole = ['x-envoy-auth-partial-body', 'false'] as const;
  const part = ['x-envoy-auth-partial-body', 'true'] as const;
  const setting = { 'keyward-body': 'whole' };
  const bodyOf = async (call: SentCall): Promise<string | undefined> => {
    const body = (await check(call)).call?.body;
    return body === undefined ? undefined : Buffer.from(body).toString('latin1');
  };

  test('is known when Envoy says that it is whole', async () => {
    expect(await bodyOf({ headers: [signed, whole], body: 'ab\xff' })).toBe('ab\xff');
    expect(await bodyOf({ rawHeaders: [signed, whole], body: 'ab' })).toBe('ab');
  });

  test('is not known when it is a part, or nobody says, or somebody contradicts', async () => {
    expect(await bodyOf({ headers: [signed, part], body: 'ab' })).toBeUndefined();
    expect(await bodyOf({ headers: [signed], body: 'ab' })).toBeUndefined();
    expect(await bodyOf({ rawHeaders: [signed, whole, part], body: 'ab' })).toBeUndefined();
  });

  test('is empty only where the route says that bodies are passed on', async () => {
    expect(await bodyOf({ headers: [signed, whole] })).toBeUndefined();
    expect(await bodyOf({ headers: [signed], extensions: setting })).toBe('');
  });
});
