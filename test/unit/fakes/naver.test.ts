/** The fake NAVER, called as its documents say, without our driver. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NaverFake } from '../../../fakes/naver/fake.ts';
import { DOCUMENTED } from '../../../fakes/naver/keys.ts';
import { systemClock, type Clock } from '../../../src/kernel/clock.ts';
import { Sensitive } from '../../../src/kernel/sensitive.ts';
import { signedHeaders } from '../../../src/stores/naver/signature.ts';

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
const clock: Clock = { ...systemClock, nowMs: () => NOW_MS };

type Sent = {
  readonly body?: unknown;
  readonly signedPath?: string;
  readonly timestampMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** 0 is ours. */
  readonly account?: 0 | 1;
};
type Answer = { readonly status: number; readonly body: Record<string, unknown> };

let fake: NaverFake;

beforeEach(async () => {
  fake = await new NaverFake({ clock }).start();
});
afterEach(async () => {
  await fake.stop();
});

async function call(method: string, path: string, sent: Sent = {}): Promise<Answer> {
  const { signedPath = path, timestampMs = NOW_MS, account = 0 } = sent;
  const { accessKey = '', secretKey = '' } = fake.accounts[account]?.credentials ?? {};
  const parts = { method, path: signedPath, timestampMs, accessKey };
  const answer = await fetch(fake.address + path, {
    method,
    headers: {
      'content-type': 'application/json',
      ...signedHeaders(parts, new Sensitive(secretKey)),
      ...sent.headers,
    },
    ...(sent.body === undefined ? {} : { body: JSON.stringify(sent.body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? {} : JSON.parse(text) };
}

const made = (name = 'n', description?: string): Promise<Answer> =>
  call('POST', '/api/v1/api-keys', {
    body: {
      apiKeyName: name,
      ...(description === undefined ? {} : { apiKeyDescription: description }),
    },
  });
const keyOf = ({ body }: Answer): Record<string, unknown> =>
  body['apiKey'] as Record<string, unknown>;
const refused = (status: number, errorCode: string): object => ({
  status,
  body: { error: { errorCode } },
});

describe('a request', () => {
  test.each([
    ['signed without the base path', { signedPath: '/api-keys' }],
    ['signed for another query', { signedPath: '/api/v1/api-keys?limit=2' }],
    ['five minutes old', { timestampMs: NOW_MS - 300_000 }],
    ['five minutes ahead', { timestampMs: NOW_MS + 300_000 }],
    ['with a text for a time', { headers: { 'x-ncp-apigw-timestamp': 'now' } }],
    ['of an unknown access key', { headers: { 'x-ncp-iam-access-key': 'nobody' } }],
    ['without a signature', { headers: { 'x-ncp-apigw-signature-v2': '' } }],
  ])('%s is refused with 401 and code 200', async (_, sent) => {
    expect(await call('GET', '/api/v1/api-keys', sent)).toMatchObject(refused(401, '200'));
  });

  test('is served up to five minutes early or late', async () => {
    for (const timestampMs of [NOW_MS - 299_999, NOW_MS + 299_999]) {
      // oxlint-disable-next-line no-await-in-loop
      expect((await call('GET', '/api/v1/api-keys', { timestampMs })).status).toBe(200);
    }
  });

  test('with a doubled slash is served when the signature has it, too', async () => {
    const { apiKeyId } = keyOf(await made());
    const path = `/api/v1//api-keys/${apiKeyId}`;
    const body = { keyType: 'PRIMARY' };
    expect((await call('PATCH', path, { body })).status).toBe(200);
    const signedPath = path.replace('//', '/');
    expect((await call('PATCH', path, { body, signedPath })).status).toBe(401);
  });

  test('about a key of another tenant, or of none, is refused with 404 and code 300', async () => {
    const path = `/api/v1/api-keys/${keyOf(await made()).apiKeyId}`;
    expect(await call('GET', path, { account: 1 })).toMatchObject(refused(404, '300'));
    expect(await call('GET', '/api/v1/api-keys/abc12vg079')).toMatchObject(refused(404, '300'));
    expect(await call('GET', '/api/v1/nothing')).toMatchObject(refused(404, '300'));
    fake.quirks = { ...DOCUMENTED, missing: 400, errorCodes: 'Number' };
    const answer = await call('GET', '/api/v1/api-keys/abc12vg079');
    expect(answer).toMatchObject({ status: 400, body: { error: { errorCode: 100 } } });
  });

  test('that the sub account has no right to is refused with 401 and code 210', async () => {
    fake.quirks = { ...DOCUMENTED, forbidden: ['create'] };
    expect(await made()).toMatchObject(refused(401, '210'));
  });

  test('whose body is no JSON object is refused with 400 and code 100', async () => {
    const headers = { 'content-type': 'text/plain' };
    const path = '/api/v1/api-keys';
    expect(await call('POST', path, { body: {}, headers })).toMatchObject(refused(400, '100'));
    expect(await call('POST', path, { body: [] })).toMatchObject(refused(400, '100'));
  });
});

describe('a key', () => {
  test('is answered wrapped with ten fields when it is made: enabled, two values of forty', async () => {
    const answer = await made('키', 'd');
    expect(answer.status).toBe(201);
    expect(keyOf(answer)).toEqual({
      apiKeyId: expect.stringMatching(/^[a-z0-9]{10}$/),
      tenantId: fake.accounts[0]?.id,
      apiKeyName: '키',
      apiKeyDescription: 'd',
      primaryKey: expect.stringMatching(/^[A-Za-z0-9]{40}$/),
      secondaryKey: expect.stringMatching(/^[A-Za-z0-9]{40}$/),
      modifier: expect.stringMatching(/^[0-9a-f-]{36}$/),
      isEnabled: true,
      modTime: '2026-01-02T03:04:05Z',
      domainCode: 'PUB',
    });
  });

  test('is answered bare when it is read', async () => {
    const key = keyOf(await made());
    expect((await call('GET', `/api/v1/api-keys/${key['apiKeyId']}`)).body).toEqual(key);
  });

  test.each([
    ['name', '', 'd', 400],
    ['name', '🔑'.repeat(20), 'd', 201],
    ['name', '🔑'.repeat(21), 'd', 400],
    ['description', 'n', '', 201],
    ['description', 'n', '가'.repeat(50), 201],
    ['description', 'n', '가'.repeat(51), 400],
  ])('has limits for its %s: %j, %j is answered with %i', async (_, name, description, status) => {
    expect((await made(name, description)).status).toBe(status);
  });

  test('cannot be made with the name that only the table of fields knows', async () => {
    const body = { apiName: 'n' };
    expect((await call('POST', '/api/v1/api-keys', { body })).status).toBe(400);
  });

  test('may have the name of another one', async () => {
    await made('same');
    expect((await made('same')).status).toBe(201);
  });

  test.each([
    ['Clears', ''],
    ['Keeps', 'd'],
  ] as const)('changed without a description: %s', async (omittedDescription, description) => {
    fake.quirks = { ...DOCUMENTED, omittedDescription };
    const path = `/api/v1/api-keys/${keyOf(await made('n', 'd')).apiKeyId}`;
    const answer = await call('PUT', path, { body: { isEnabled: false, apiKeyName: 'm' } });
    expect(keyOf(answer)).toMatchObject({
      apiKeyName: 'm',
      apiKeyDescription: description,
      isEnabled: false,
    });
    const nameless = await call('PUT', path, { body: { isEnabled: true } });
    const stateless = await call('PUT', path, { body: { apiKeyName: 'm' } });
    expect([nameless.status, stateless.status]).toEqual([400, 400]);
  });

  test('has one value made anew, also while it is disabled; the other stays', async () => {
    const key = keyOf(await made());
    const path = `/api/v1/api-keys/${key['apiKeyId']}`;
    await call('PUT', path, { body: { isEnabled: false, apiKeyName: 'n' } });
    const changed = keyOf(await call('PATCH', path, { body: { keyType: 'SECONDARY' } }));
    expect(changed['primaryKey']).toBe(key['primaryKey']);
    expect(changed['secondaryKey']).not.toBe(key['secondaryKey']);
    expect((await call('PATCH', path, { body: { keyType: 'BOTH' } })).status).toBe(400);
  });

  test('is deleted with 204, once', async () => {
    const path = `/api/v1/api-keys/${keyOf(await made()).apiKeyId}`;
    expect((await call('DELETE', path)).status).toBe(204);
    expect(await call('DELETE', path)).toMatchObject(refused(404, '300'));
  });
});

describe('a list', () => {
  test('shows no values and counts all; older ones show them', async () => {
    await made('a');
    await made('b');
    const { body } = await call('GET', '/api/v1/api-keys?offset=0&limit=1');
    expect(body).toMatchObject({ total: 2, initialCount: 0, apiKeys: [{ apiKeyName: 'b' }] });
    expect(JSON.stringify(body)).not.toContain('primaryKey');
    fake.quirks = { ...DOCUMENTED, listedValues: 'Shown' };
    expect(JSON.stringify(await call('GET', '/api/v1/api-keys'))).toContain('primaryKey');
  });

  test.each([
    ['Contains', ['key-10', 'key-1']],
    ['Equals', ['key-1']],
    ['Ignored', ['other', 'key-10', 'key-1']],
  ] as const)('is filtered by name: %s', async (nameFilter, names) => {
    fake.quirks = { ...DOCUMENTED, nameFilter };
    await made('key-1');
    await made('key-10');
    await made('other');
    const { body } = await call('GET', '/api/v1/api-keys?apiKeyName=key-1');
    expect(body['apiKeys']).toMatchObject(names.map((apiKeyName) => ({ apiKeyName })));
  });

  test.each(['offset=-1', 'limit=0', 'limit=x', `apiKeyName=${'a'.repeat(21)}`])(
    'with %s is refused',
    async (query) => {
      expect((await call('GET', `/api/v1/api-keys?${query}`)).status).toBe(400);
    },
  );
});

describe('a subscription', () => {
  const search = (statusSet?: readonly string[]): Promise<Answer> =>
    call('POST', '/api/v1/api-keys/search', { body: { productId: 'protected1', statusSet } });

  test('is asked for by the key, decided by the publisher alone, and given up', async () => {
    const { apiKeyId } = keyOf(await made());
    const own = `/api/v1/api-keys/${apiKeyId}`;
    const decision = `/api/v1/products/protected1/api-keys/${apiKeyId}`;
    const body = { productId: 'protected1' };
    expect((await call('POST', `${own}/subscribe`, { body })).status).toBe(200);
    expect((await search()).body).toMatchObject({ apiKeys: [{ apiKeyId, status: 'REQUEST' }] });
    const accept = { body: { status: 'ACCEPTED' } };
    expect((await call('PATCH', decision, accept)).status).toBe(404);
    expect((await call('PATCH', decision, { ...accept, account: 1 })).status).toBe(200);
    expect((await search(['ACCEPTED'])).body['total']).toBe(1);
    expect((await search(['REQUEST'])).body['total']).toBe(0);
    const detail = await call('GET', `${own}/subscription-detail?productId=protected1`);
    expect(detail.body).toMatchObject({ apiKeyRelations: { total: 1, content: [{ apiKeyId }] } });
    const found = await call('POST', '/api/v1/products/protected1/api-keys/search', {
      body: { apiKeyId },
      account: 1,
    });
    expect(found.body).toMatchObject({ apiKeyPage: { total: 1, content: [{ apiKeyId }] } });
    expect((await call('POST', `${own}/unsubscribe`, { body })).status).toBe(200);
    expect((await search()).body['total']).toBe(0);
  });
});
