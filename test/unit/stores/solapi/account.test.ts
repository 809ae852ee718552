import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Sensitive } from '../../../../src/kernel/sensitive.ts';
import {
  StoreFailure,
  type RemoteStore,
  type VendorRequest,
  type VendorResponse,
} from '../../../../src/stores/contract.ts';
import { solapiDriver } from '../../../../src/stores/solapi/driver.ts';
import { isSignedWith, parseAuthorization } from '../../../../src/stores/solapi/authorization.ts';
import { FakeClock } from '../../../support/clock.ts';
import { VECTORS } from './vectors.ts';

const KEY = 'NCSOGH0TB3PDIGV1';
const SECRET = 'UDWMZBDEQOTXNU1K2HOUJ2ZCVELFF49B';
const OWN = 'NCSRPB685VXTOWLA';
const USER = { userId: 'example', signingSecret: 'user-signing-secret-01' };
const HMAC = { apiKey: OWN, apiSecret: 'YK77YTAGT1YWUORCGLAZNCSQE7JMOI8O' };
const GOING_ON = new AbortController().signal;
const WANTED = {
  mark: { cluster: '0123456789', token: 'a'.repeat(26), attempt: 1 },
  format: 'KeyPair',
  name: 'a name',
  description: 'words',
} as const;
const WISH = { enabled: false, name: 'a name', description: 'words' };
const PAIR = { apiKey: KEY, apiSecret: SECRET };
const INFO = { ...PAIR, credentialStatus: 'active', dateCreated: '2017-07-02T13:20:22.784Z' };
const NOT_FOUND: Answer = { status: 404, body: { apiKey: KEY, resultCode: 'ResourceNotFound' } };

type Answer = { readonly status?: number; readonly body?: unknown; readonly fails?: StoreFailure };

/** A store over answers that are given in order; what it sent is kept. */
function storeOver(
  answers: readonly Answer[],
  credentials: Readonly<Record<string, string>> = USER,
  member: Readonly<Record<string, unknown>> = {},
): { readonly store: RemoteStore; readonly sent: VendorRequest[] } {
  const sent: VendorRequest[] = [];
  const scheme = 'userId' in credentials ? 'User' : 'HMAC';
  const handle = solapiDriver.open({
    credentialsSecretRef: { name: 'account' },
    scheme,
    ...member,
  });
  if ('problem' in handle || handle.type !== 'Remote') throw new Error('it does not open');
  const send = (request: VendorRequest): Promise<VendorResponse> => {
    const { status = 200, body = {}, fails } = answers[sent.length] ?? {};
    sent.push(request);
    if (fails !== undefined) return Promise.reject(fails);
    return Promise.resolve({ status, headers: {}, body: JSON.stringify(body) });
  };
  const store = handle.connect({
    http: { send },
    credentials: Object.fromEntries(
      Object.entries(credentials).map(([name, value]) => [name, new Sensitive(value)]),
    ),
    clock: new FakeClock(Date.parse('2017-08-01T02:01:07Z')),
    entropy: randomBytes,
  });
  return { store, sent };
}

async function failureOf(call: Promise<unknown>): Promise<StoreFailure> {
  const failure = await call.catch((err: unknown) => err);
  if (failure instanceof StoreFailure) return failure;
  throw new Error('it did not fail as it should');
}

describe('a request', () => {
  test('R55: is a POST with the verb in the path, JSON and a signature of its own', async () => {
    const { store, sent } = storeOver([{ body: INFO }, { body: INFO }]);
    await store.read(KEY, GOING_ON);
    await store.read(KEY, GOING_ON);
    expect(sent[0]).toMatchObject({
      method: 'POST',
      path: '/credentials/getCredentialInfo',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ apiKey: KEY }),
    });
    const headers = sent.map((request) => request.headers['authorization']);
    expect(headers[0]).toMatch(
      /^USER user_id=example, date=2017-08-01 11:01:07, salt=[0-9A-Za-z]{32}, signature=[0-9a-f]{32}$/,
    );
    expect(headers[0]).not.toBe(headers[1]);
  });

  test('goes below the path of the endpoint', async () => {
    const endpoint = 'https://gateway.example/solapi/';
    const { store, sent } = storeOver([{ body: INFO }], USER, { endpoint });
    await store.read(KEY, GOING_ON);
    expect(sent[0]?.path).toBe('/solapi/credentials/getCredentialInfo');
  });

  test('R90: is strict JSON, whatever the id is', async () => {
    const { store, sent } = storeOver([NOT_FOUND]);
    await store.read('a",}{\n', GOING_ON);
    expect(JSON.parse(sent[0]?.body ?? '')).toEqual({ apiKey: 'a",}{\n' });
  });

  test('R80: for another state names exactly apiKey and credentialStatus', async () => {
    const answer = { body: { apiKey: KEY, resultCode: 'Success' } };
    const { store, sent } = storeOver([answer, answer]);
    await store.update(KEY, WISH, GOING_ON);
    await store.update(KEY, { ...WISH, enabled: true }, GOING_ON);
    expect(sent.map(({ body }) => JSON.parse(body ?? ''))).toEqual([
      { apiKey: KEY, credentialStatus: 'inactive' },
      { apiKey: KEY, credentialStatus: 'active' },
    ]);
  });
});

describe('what signs', () => {
  test.each([
    [{ userId: 'a,b' }, 'userId'],
    [{ userId: 'a b' }, 'userId'],
    [{ userId: '' }, 'userId'],
    [{ userId: '열쇠' }, 'userId'],
    [{ signingSecret: '' }, 'signingSecret'],
    [{ signingSecret: ' \n' }, 'signingSecret'],
  ])('is Denied before anything is sent, when it is %j', async (wrong, entry) => {
    const { store, sent } = storeOver([], { ...USER, ...wrong });
    const failure = await failureOf(store.login(GOING_ON));
    expect(failure).toMatchObject({ kind: 'Denied', executed: 'No' });
    expect(failure.message).toContain(`'${entry}'`);
    expect(sent).toEqual([]);
  });

  test('may have blanks and line ends around it', async () => {
    const vector = { id: 'example', ...VECTORS.find(({ name }) => name.startsWith('U1')) };
    const wide = { userId: ' example\n', signingSecret: `${vector.secret}\r\n` };
    const { store, sent } = storeOver([{ body: { credentials: {} } }], wide);
    await store.login(GOING_ON);
    const read = parseAuthorization(sent[0]?.headers['authorization'] ?? '');
    expect(read?.id).toBe('example');
    expect(read && isSignedWith(read, new Sensitive(vector.secret ?? ''))).toBe(true);
  });

  test('is Denied when an entry is missing', async () => {
    const { store } = storeOver([], { userId: 'example' });
    const failure = await failureOf(store.login(GOING_ON));
    expect(failure.message).toBe("the entry 'signingSecret' of the store's Secret is missing");
  });

  test('R79: in scheme HMAC is itself neither changed nor deleted', async () => {
    const { store, sent } = storeOver([], HMAC);
    const calls = [
      store.update(OWN, WISH, GOING_ON),
      store.regenerate(OWN, 'apiSecret', GOING_ON),
      store.delete(OWN, GOING_ON),
    ];
    const failures = await Promise.all(calls.map((call) => failureOf(call)));
    expect(failures.map(({ kind, executed }) => [kind, executed])).toEqual([
      ['Refused', 'No'],
      ['Refused', 'No'],
      ['Refused', 'No'],
    ]);
    expect(sent).toEqual([]);
  });
});

describe('logging in', () => {
  const list = { body: { credentials: {} } };

  test('as a user answers the user, whom we were told', async () => {
    const { store } = storeOver([list]);
    expect(await store.login(GOING_ON)).toEqual({ id: 'example', facts: { userId: 'example' } });
  });

  test('with an API key answers its account where the vendor tells it, else the API key', async () => {
    const own = { ...INFO, apiKey: OWN };
    const told = storeOver([list, { body: { ...own, accountId: '1801', userId: 'kim' } }], HMAC);
    expect(await told.store.login(GOING_ON)).toEqual({
      id: '1801',
      facts: { accountId: '1801', userId: 'kim' },
    });
    const untold = storeOver([list, { body: own }], HMAC);
    expect(await untold.store.login(GOING_ON)).toEqual({ id: OWN, facts: {} });
  });

  test('R68: compares what a credential tells of its owner with what logging in answered', async () => {
    const body = { ...INFO, accountId: '1801', userId: 'kim' };
    const byUser = await storeOver([{ body }]).store.read(KEY, GOING_ON);
    const byKey = await storeOver([{ body }], HMAC).store.read(KEY, GOING_ON);
    expect([byUser?.accountId, byKey?.accountId]).toEqual(['kim', '1801']);
    expect(byUser?.facts).toEqual({ accountId: '1801', userId: 'kim' });
  });
});

describe('creating', () => {
  test('R72: reads back whether it is active, since the answer does not say', async () => {
    const { store, sent } = storeOver([
      { body: PAIR },
      { body: { ...INFO, credentialStatus: 'inactive' } },
    ]);
    const made = await store.create(WANTED, GOING_ON);
    expect(made).toMatchObject({ id: KEY, enabled: false });
    expect(sent.map(({ path }) => path)).toEqual([
      '/credentials/createCredential',
      '/credentials/getCredentialInfo',
    ]);
  });

  test('reads nothing when the answer says it', async () => {
    const { store, sent } = storeOver([{ body: INFO }]);
    expect(await store.create(WANTED, GOING_ON)).toMatchObject({ id: KEY, enabled: true });
    expect(sent).toHaveLength(1);
  });

  test.each([
    { why: 'fails', second: { fails: new StoreFailure('Unavailable', { message: 'down' }) } },
    { why: 'finds nothing yet', second: NOT_FOUND },
    { why: 'is about another one', second: { body: { ...INFO, apiKey: OWN } } },
  ])('keeps what it made when reading back $why', async ({ second }) => {
    const { store } = storeOver([{ body: PAIR }, second]);
    const made = await store.create(WANTED, GOING_ON);
    expect(made).toMatchObject({ id: KEY, enabled: true, hint: KEY });
    expect(made.values.apiSecret?.revealText()).toBe(SECRET);
  });

  test('R93: sends neither name nor mark, because the vendor keeps none', async () => {
    const { store, sent } = storeOver([{ body: INFO }]);
    await store.create(WANTED, GOING_ON);
    expect(sent[0]?.body).toBe('{}');
    expect(await store.find(WANTED.mark, GOING_ON)).toEqual([]);
    expect(sent).toHaveLength(1);
  });
});

describe('regenerating', () => {
  test('R73: answers the new secret under the same apiKey, with the state read back', async () => {
    const { store } = storeOver([
      { body: PAIR },
      { body: { ...INFO, credentialStatus: 'inactive' } },
    ]);
    const made = await store.regenerate(KEY, 'apiSecret', GOING_ON);
    expect(made).toMatchObject({ id: KEY, enabled: false });
    expect(made?.values.apiSecret?.revealText()).toBe(SECRET);
  });

  test('answers the new secret also where reading back still shows the old one', async () => {
    const old = {
      ...INFO,
      apiSecret: 'AN0LDSECRETTHATISDEADBYNOW000000',
      credentialStatus: 'inactive',
    };
    const { store } = storeOver([{ body: PAIR }, { body: old }]);
    const made = await store.regenerate(KEY, 'apiSecret', GOING_ON);
    expect(made).toMatchObject({ id: KEY, enabled: false });
    expect(made?.values.apiSecret?.revealText()).toBe(SECRET);
  });

  test('answers that a credential is gone where it is gone when it is read back', async () => {
    const { store } = storeOver([{ body: PAIR }, NOT_FOUND]);
    expect(await store.regenerate(KEY, 'apiSecret', GOING_ON)).toBeUndefined();
  });

  test.each(['Denied', 'Throttled', 'Unavailable'] as const)(
    'never says that nothing happened when only reading back was %s',
    async (kind) => {
      const fails = new StoreFailure(kind, { message: 'no', executed: 'No', retryAfterMs: 7_000 });
      const { store } = storeOver([{ body: PAIR }, { fails }]);
      const failure = await failureOf(store.regenerate(KEY, 'apiSecret', GOING_ON));
      expect(failure).toMatchObject({ kind, executed: 'Unknown', retryAfterMs: 7_000 });
    },
  );

  test('is refused for a value that SOLAPI has not', async () => {
    const { store, sent } = storeOver([]);
    const failure = await failureOf(store.regenerate(KEY, 'primaryKey', GOING_ON));
    expect(failure).toMatchObject({ kind: 'Refused', executed: 'No' });
    expect(sent).toEqual([]);
  });
});

describe('what is not there', () => {
  test('R89: is an answer to every call about one credential', async () => {
    const over = (): RemoteStore => storeOver([NOT_FOUND]).store;
    expect(await over().read(KEY, GOING_ON)).toBeUndefined();
    expect(await over().update(KEY, WISH, GOING_ON)).toBeUndefined();
    expect(await over().regenerate(KEY, 'apiSecret', GOING_ON)).toBeUndefined();
    expect(await over().delete(KEY, GOING_ON)).toBe('NotFound');
  });

  test('is none to calls that are about no credential', async () => {
    const over = (): RemoteStore => storeOver([NOT_FOUND]).store;
    expect((await failureOf(over().create(WANTED, GOING_ON))).kind).toBe('Garbled');
    expect((await failureOf(over().list(GOING_ON))).kind).toBe('Garbled');
  });
});

describe('an error with a status of success', () => {
  const entry = { apiSecret: SECRET, credentialStatus: 'active' };
  const calls: readonly (readonly [string, object, (store: RemoteStore) => Promise<unknown>])[] = [
    ['create', INFO, (store) => store.create(WANTED, GOING_ON)],
    ['read', INFO, (store) => store.read(KEY, GOING_ON)],
    ['list', { credentials: {} }, (store) => store.list(GOING_ON)],
    ['list', { credentials: { [KEY]: entry } }, (store) => store.list(GOING_ON)],
    ['update', { apiKey: KEY }, (store) => store.update(KEY, WISH, GOING_ON)],
    ['regenerate', INFO, (store) => store.regenerate(KEY, 'apiSecret', GOING_ON)],
    ['delete', { apiKey: KEY, resultCode: 'Success' }, (store) => store.delete(KEY, GOING_ON)],
  ];

  test.each(calls)('is no success of the call to %s with %j', async (_, good, call) => {
    const body = { ...good, errorCode: 'InternalError', errorMessage: 'words of the vendor' };
    const failure = await failureOf(call(storeOver([{ body }]).store));
    expect(failure).toMatchObject({ kind: 'Garbled', executed: 'Unknown', class: 'Transient' });
    expect(failure.message).toContain('(vendor code InternalError)');
    expect(failure.message).not.toContain('words');
  });

  test('never says that nothing was done, whatever its code means with another status', async () => {
    const codes = ['RequestTimeTooSkewed', 'InvalidAPIKey', 'ResourceNotFound', SECRET + SECRET];
    const failures = await Promise.all(
      codes.map((errorCode) =>
        failureOf(storeOver([{ body: { ...INFO, errorCode } }]).store.create(WANTED, GOING_ON)),
      ),
    );
    const said = failures.map(({ kind, executed }) => `${kind} ${executed}`);
    expect(new Set(said)).toEqual(new Set(['Garbled Unknown']));
    expect(failures.at(-1)?.message).not.toContain(SECRET);
  });

  test.each(['', null])('is none with the errorCode %j', async (errorCode) => {
    const { store } = storeOver([{ body: { ...INFO, errorCode } }]);
    expect(await store.read(KEY, GOING_ON)).toMatchObject({ id: KEY });
  });
});

test('a credential that the answer to a change shows as active is told to be active', async () => {
  const body = { apiKey: KEY, resultCode: 'Success', credentialStatus: 'active' };
  const { store } = storeOver([{ body }, { body: { ...body, credentialStatus: 'inactive' } }]);
  expect(await store.update(KEY, WISH, GOING_ON)).toMatchObject({ id: KEY, enabled: true });
  expect(await store.update(KEY, WISH, GOING_ON)).toMatchObject({ id: KEY, enabled: false });
});

test('a single answer that does not tell the state is not understood', async () => {
  const { store } = storeOver([{ body: PAIR }]);
  expect((await failureOf(store.read(KEY, GOING_ON))).kind).toBe('Garbled');
});

test('R64: the apiKey may be shown, the apiSecret is in its box', async () => {
  const { store } = storeOver([{ body: INFO }]);
  const read = await store.read(KEY, GOING_ON);
  expect(read?.hint).toBe(KEY);
  expect(JSON.stringify(read)).not.toContain(SECRET);
});
