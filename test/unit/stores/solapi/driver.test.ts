/** The SOLAPI driver against the fake over HTTP, requirement by requirement. */
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { SolapiFake, type SolapiOptions } from '../../../../fakes/solapi/fake.ts';
import { kitHttp } from '../../../../kit/http.ts';
import { Sensitive } from '../../../../src/kernel/sensitive.ts';
import { StoreFailure, type RemoteStore } from '../../../../src/stores/contract.ts';
import { solapiDriver } from '../../../../src/stores/solapi/driver.ts';
import { FakeClock } from '../../../support/clock.ts';

const GOING_ON = new AbortController().signal;
const HALF_HOUR_MS = 30 * 60_000;
const WANTED = {
  mark: { cluster: '0123456789', token: 'a'.repeat(26), attempt: 1 },
  format: 'KeyPair',
  name: 'a name',
  description: 'words',
} as const;
const WISH = { enabled: true, name: 'a name', description: 'words' };

type Site = {
  readonly fake: SolapiFake;
  readonly store: RemoteStore;
  readonly clock: FakeClock;
};

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) {
    // In the order in which they were begun.
    // oxlint-disable-next-line no-await-in-loop
    await end();
  }
});

async function start(
  options: SolapiOptions = {},
  member: Readonly<Record<string, unknown>> = {},
): Promise<Site> {
  const clock = new FakeClock(Date.parse('2026-01-02T03:04:05Z'));
  const fake = await new SolapiFake({ ...options, clock }).start();
  const handle = solapiDriver.open({
    endpoint: fake.address,
    credentialsSecretRef: { name: 'account' },
    scheme: options.scheme ?? 'User',
    ...member,
  });
  if ('problem' in handle || handle.type !== 'Remote') throw new Error('it does not open');
  const http = kitHttp(handle.endpoint, clock);
  ends.push(async () => {
    http.close();
    await fake.stop();
  });
  const entries = Object.entries(fake.accounts[0]?.credentials ?? {});
  const credentials = Object.fromEntries(
    entries.map(([name, value]) => [name, new Sensitive(value)]),
  );
  return { fake, store: handle.connect({ http, credentials, clock, entropy: randomBytes }), clock };
}

async function failureOf(call: Promise<unknown>): Promise<StoreFailure> {
  const failure = await call.catch((err: unknown) => err);
  if (failure instanceof StoreFailure) return failure;
  throw new Error('it did not fail as it should');
}

const secretAt = (fake: SolapiFake, id: string): string =>
  fake.credentials().find((credential) => credential.id === id)?.values.apiSecret ?? '';

describe.each(['User', 'HMAC'] as const)('scheme %s', (scheme) => {
  test.each([
    ['HMACMD5', 'Local'],
    ['HMACMD5', 'ISO8601'],
    ['HMACSHA256', 'Local'],
    ['HMACSHA256', 'ISO8601'],
  ])('R57, R58, R60: is believed with %s and dates %s', async (algorithm, dateFormat) => {
    const { store } = await start({ scheme }, { algorithm, dateFormat });
    const account = await store.login(GOING_ON);
    expect(account.id).not.toBe('');
  });

  test('R54: creates, reads, lists, disables, enables, regenerates and deletes', async () => {
    const { fake, store } = await start({ scheme });
    const { id } = await store.create(WANTED, GOING_ON);
    expect((await store.list(GOING_ON)).map((entry) => entry.id)).toContain(id);
    await store.update(id, { ...WISH, enabled: false }, GOING_ON);
    expect((await store.read(id, GOING_ON))?.enabled).toBe(false);
    await store.update(id, WISH, GOING_ON);
    expect((await store.read(id, GOING_ON))?.enabled).toBe(true);
    const anew = await store.regenerate(id, 'apiSecret', GOING_ON);
    expect(anew?.values.apiSecret?.revealText()).toBe(secretAt(fake, id));
    expect(await store.delete(id, GOING_ON)).toBe('Deleted');
    expect(await store.delete(id, GOING_ON)).toBe('NotFound');
  });
});

describe('requests', () => {
  test('R55: are POST with the verb in the path', async () => {
    const { fake, store } = await start();
    const { id } = await store.create(WANTED, GOING_ON);
    await store.list(GOING_ON);
    await store.update(id, WISH, GOING_ON);
    await store.regenerate(id, 'apiSecret', GOING_ON);
    await store.delete(id, GOING_ON);
    expect(fake.calls.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /credentials/createCredential',
      'POST /credentials/getCredentialInfo',
      'POST /credentials/getCredentialList',
      'POST /credentials/updateCredentialStatus',
      'POST /credentials/regenerateSecretKey',
      'POST /credentials/getCredentialInfo',
      'POST /credentials/deleteCredential',
    ]);
  });

  test('R59: are signed anew each time, so none is ever a duplicate, even in one second', async () => {
    const { fake, store } = await start();
    for (let attempt = 0; attempt < 50; attempt += 1) {
      // oxlint-disable-next-line no-await-in-loop
      await store.list(GOING_ON);
    }
    const digests = new Set(fake.calls.map(({ headersDigest }) => headersDigest));
    expect(digests.size).toBe(50);
  });

  test.each([
    ['fifteen minutes behind', -15, undefined],
    ['fifteen minutes ahead', 15, undefined],
    ['sixteen minutes behind', -16, 'ClockSkew'],
    ['sixteen minutes ahead', 16, 'ClockSkew'],
  ] as const)('with a clock %s', async (_, minutes, kind) => {
    const { fake, store } = await start();
    fake.clockOffsetMs = minutes * 60_000;
    const outcome = await store.list(GOING_ON).then(
      () => undefined,
      (err: StoreFailure) => err.kind,
    );
    expect(outcome).toBe(kind);
  });
});

describe('a credential', () => {
  test('R63, R64: comes as a pair whose public half may be shown', async () => {
    const { fake, store } = await start();
    const made = await store.create(WANTED, GOING_ON);
    expect(made.hint).toBe(made.id);
    expect(Object.keys(made.values)).toEqual(['apiSecret']);
    const shown = inspect(made, { depth: 9, showHidden: true }) + JSON.stringify(made);
    expect(shown).not.toContain(secretAt(fake, made.id));
  });

  test('R67, R69: shows its secret again whenever it is read by its apiKey', async () => {
    const { fake, store, clock } = await start();
    const { id } = await store.create(WANTED, GOING_ON);
    clock.step(HALF_HOUR_MS);
    const read = await store.read(id, GOING_ON);
    expect(read?.values.apiSecret?.revealText()).toBe(secretAt(fake, id));
  });

  test('R71: tells when it was made, alone and in the list', async () => {
    const { store, clock } = await start();
    const createdMs = clock.nowMs();
    const { id } = await store.create(WANTED, GOING_ON);
    clock.step(5_000);
    expect((await store.read(id, GOING_ON))?.createdMs).toBe(createdMs);
    expect(await store.list(GOING_ON)).toEqual([{ id, enabled: true, createdMs }]);
  });

  test.each(['active', 'inactive'] as const)(
    'R70, R72: is known to be %s when it is new',
    async (created) => {
      const { fake, store } = await start();
      fake.quirks.created = created;
      expect((await store.create(WANTED, GOING_ON)).enabled).toBe(created === 'active');
    },
  );

  test('R68: names its owner where the vendor does, and the account is the same one', async () => {
    const { fake, store } = await start();
    const untold = await store.create(WANTED, GOING_ON);
    expect(untold.accountId).toBeUndefined();
    fake.quirks.owner = 'Told';
    const told = await store.read(untold.id, GOING_ON);
    expect(told?.accountId).toBe((await store.login(GOING_ON)).id);
    expect(Object.keys(told?.facts ?? {})).toEqual(['accountId', 'userId']);
  });

  test('R68: of scheme HMAC belongs to the account that logging in names', async () => {
    const { fake, store } = await start({ scheme: 'HMAC' });
    fake.quirks.owner = 'Told';
    const { id } = await store.create(WANTED, GOING_ON);
    const account = await store.login(GOING_ON);
    expect(account.id).toBe(fake.accounts[0]?.id);
    expect((await store.read(id, GOING_ON))?.accountId).toBe(account.id);
  });
});

describe('changes', () => {
  test('R73, R74: a new secret keeps the apiKey, and the old one is gone at once', async () => {
    const { fake, store } = await start();
    const made = await store.create(WANTED, GOING_ON);
    const old = made.values.apiSecret?.revealText();
    const anew = await store.regenerate(made.id, 'apiSecret', GOING_ON);
    expect(anew?.id).toBe(made.id);
    expect(anew?.values.apiSecret?.revealText()).not.toBe(old);
    expect(secretAt(fake, made.id)).not.toBe(old);
  });

  test('R73: a new secret of an inactive credential leaves it inactive', async () => {
    const { fake, store } = await start();
    const { id } = await store.create(WANTED, GOING_ON);
    fake.act({ act: 'Disable', id });
    expect((await store.regenerate(id, 'apiSecret', GOING_ON))?.enabled).toBe(false);
  });

  test.each(['Sample', 'Table'] as const)(
    'R80, R82, R83: inactive and active again, answered as in the %s',
    async (update) => {
      const { fake, store } = await start();
      fake.quirks.update = update;
      const made = await store.create(WANTED, GOING_ON);
      const off = await store.update(made.id, { ...WISH, enabled: false }, GOING_ON);
      expect(off).toMatchObject({ id: made.id, enabled: false, values: {} });
      expect(fake.credentials()[0]?.enabled).toBe(false);
      const on = await store.update(made.id, WISH, GOING_ON);
      expect(on?.enabled).toBe(true);
      expect(secretAt(fake, made.id)).toBe(made.values.apiSecret?.revealText());
    },
  );

  test.each(['active', 'inactive'])('R85, R86, R94: deletes one that is %s', async (state) => {
    const { fake, store } = await start();
    const { id } = await store.create(WANTED, GOING_ON);
    if (state === 'inactive') fake.act({ act: 'Disable', id });
    expect(await store.delete(id, GOING_ON)).toBe('Deleted');
    expect(fake.credentials()).toEqual([]);
  });

  test.each(['ResultCode', 'ErrorCode'] as const)(
    'R87, R88, R89: of one that is gone are answered so, said as %s',
    async (absence) => {
      const { fake, store } = await start();
      fake.quirks.absence = absence;
      const { id } = await store.create(WANTED, GOING_ON);
      fake.act({ act: 'Delete', id });
      expect(await store.read(id, GOING_ON)).toBeUndefined();
      expect(await store.update(id, WISH, GOING_ON)).toBeUndefined();
      expect(await store.regenerate(id, 'apiSecret', GOING_ON)).toBeUndefined();
      expect(await store.delete(id, GOING_ON)).toBe('NotFound');
    },
  );

  test('R90: answered with the commas of the samples may have happened', async () => {
    const { fake, store } = await start();
    fake.quirks.json = 'TrailingCommas';
    const failure = await failureOf(store.create(WANTED, GOING_ON));
    expect(failure).toMatchObject({ kind: 'Garbled', executed: 'Unknown' });
    expect(fake.credentials()).toHaveLength(1);
  });
});

describe('the account', () => {
  test.each(['Map', 'Array'] as const)('R75: has an empty list, as %s', async (emptyList) => {
    const { fake, store } = await start();
    fake.quirks.emptyList = emptyList;
    expect(await store.list(GOING_ON)).toEqual([]);
  });

  test('R75, R76, R77, R78: lists every credential by its apiKey and not one secret', async () => {
    const { fake, store } = await start({ strangers: 20 });
    const { id } = await store.create(WANTED, GOING_ON);
    const listed = await store.list(GOING_ON);
    expect(listed.map((entry) => entry.id)).toEqual(fake.credentials().map((known) => known.id));
    expect(listed.at(-1)?.id).toBe(id);
    const shown = inspect(listed, { depth: 9, showHidden: true });
    expect(fake.credentials().every(({ values }) => !shown.includes(values.apiSecret ?? ''))).toBe(
      true,
    );
  });

  test('a list of ten thousand credentials is read whole', async () => {
    const { store } = await start({ strangers: 10_000 });
    expect(await store.list(GOING_ON)).toHaveLength(10_000);
  });

  test('R79: of others is not touched by anything that we do with ours', async () => {
    const { fake, store } = await start({ strangers: 5 });
    const before = fake.credentials();
    const { id } = await store.create(WANTED, GOING_ON);
    await store.update(id, { ...WISH, enabled: false }, GOING_ON);
    await store.regenerate(id, 'apiSecret', GOING_ON);
    await store.delete(id, GOING_ON);
    expect(fake.credentials()).toEqual(before);
  });

  test('R79: keeps the credential that we sign with, whatever is asked', async () => {
    const { fake, store } = await start({ scheme: 'HMAC' });
    const own = fake.accounts[0]?.id ?? '';
    const before = fake.credentials();
    const kinds = [
      await failureOf(store.delete(own, GOING_ON)),
      await failureOf(store.update(own, { ...WISH, enabled: false }, GOING_ON)),
      await failureOf(store.regenerate(own, 'apiSecret', GOING_ON)),
    ].map(({ kind }) => kind);
    expect(kinds).toEqual(['Refused', 'Refused', 'Refused']);
    expect(fake.credentials()).toEqual(before);
    expect((await store.list(GOING_ON)).map(({ id }) => id)).toEqual([own]);
  });

  test('R84: whose signing credential was made inactive is Denied, surely without effect', async () => {
    const { fake, store } = await start({ scheme: 'HMAC' });
    fake.act({ act: 'Disable', id: fake.accounts[0]?.id ?? '' });
    const failure = await failureOf(store.create(WANTED, GOING_ON));
    expect(failure).toMatchObject({ kind: 'Denied', executed: 'No' });
    expect(failure.message).toContain('InvalidAPIKey');
  });
});

describe('R93: a credential without mark, whose answer was lost,', () => {
  test('is the one that a second list has more, made since, with its secret to be read', async () => {
    const { fake, store, clock } = await start({ strangers: 3 });
    const before = new Set((await store.list(GOING_ON)).map(({ id }) => id));
    clock.step(60_000);
    const startedMs = clock.nowMs();
    fake.inject({ operation: 'create', fault: { kind: 'LostAnswer' } });
    const failure = await failureOf(store.create(WANTED, GOING_ON));
    expect(failure).toMatchObject({ kind: 'Unavailable', executed: 'Unknown' });
    const news = (await store.list(GOING_ON)).filter(({ id }) => !before.has(id));
    expect(news).toHaveLength(1);
    expect(news[0]?.createdMs).toBeGreaterThanOrEqual(startedMs);
    const read = await store.read(news[0]?.id ?? '', GOING_ON);
    expect(read?.values.apiSecret?.revealText()).toBe(secretAt(fake, read?.id ?? ''));
  });

  test('cannot be told from one that a stranger made meanwhile, so there are two', async () => {
    const { fake, store } = await start();
    fake.inject({ operation: 'create', fault: { kind: 'LostAnswer' } });
    await failureOf(store.create(WANTED, GOING_ON));
    fake.act({ act: 'Create' });
    expect(await store.list(GOING_ON)).toHaveLength(2);
  });

  test('is made once when the network doubles the call, whichever answer comes back', async () => {
    const { fake, store } = await start();
    fake.inject({ operation: 'create', fault: { kind: 'Twice' } });
    const { id } = await store.create(WANTED, GOING_ON);
    expect(fake.credentials().map((known) => known.id)).toEqual([id]);
  });
});
