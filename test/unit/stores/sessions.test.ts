import { describe, expect, test } from 'vitest';
import {
  StoreFailure,
  type FailureKind,
  type NewCredential,
} from '../../../src/stores/contract.ts';
import { secretSource } from '../../../src/stores/credentials.ts';
import { settle } from '../../support/clock.ts';
import { transient } from '../kube/fakekube.ts';
import { SETTINGS, Site, STORE } from './site.ts';

const LIVE = new AbortController().signal;
const WANTED: NewCredential = { mark: {} as never, format: 'Opaque', name: 'a', description: '' };
const MINUTE_MS = 60_000;

function failing(kind: FailureKind, details: { executed?: 'No' | 'Unknown' } = {}) {
  return () =>
    Promise.reject(new StoreFailure(kind, { message: `vendor says ${kind}`, ...details }));
}

async function failure(pending: Promise<unknown>): Promise<StoreFailure> {
  const thrown = await pending.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof StoreFailure) return thrown;
  throw new Error('no StoreFailure', { cause: thrown });
}

async function list(site: Site): Promise<unknown> {
  const remote = await site.open().connect(LIVE);
  return await remote.list(LIVE);
}

describe('credentials', () => {
  test("of a KeyStore come from its own namespace, of a ClusterKeyStore from the operator's (R12)", async () => {
    const site = new Site();
    site.putSecret('alice');
    await list(site);
    site.putSecret('alice', 'keyward-system');
    const cluster = { ...STORE, kind: 'ClusterKeyStore', uid: 'other' } as const;
    await site.open({ ...cluster, ref: { namespace: '', name: 'vendor' } }).connect(LIVE);
    expect(site.kube.calls).toEqual([
      'get secrets/team/vendor-login',
      'get secrets/keyward-system/vendor-login',
    ]);
  });

  test.each([
    [
      'the Secret',
      undefined,
      "Secret 'team/vendor-login' with the credentials of the store does not exist",
    ],
    ['an entry', { word: '' }, "has an entry 'word' that cannot be used"],
    [
      'an entry of one line',
      { word: 'a\r\nX-Other: b' },
      "has an entry 'word' that cannot be used",
    ],
  ])('that lack %s are said in one sentence, and nothing is sent', async (_, entries, sentence) => {
    const site = new Site();
    if (entries !== undefined) site.putSecret('alice', 'team', entries);
    const refused = await failure(list(site));
    expect(refused).toMatchObject({ executed: 'No', class: 'Waiting', retryAfterMs: 10_000 });
    expect(refused.message).toContain(sentence);
    expect(site.told).toMatchObject([{ state: 'CredentialsNotFound', message: refused.message }]);
    expect(site.calls).toEqual([]);
  });

  test('that are missing an entry name it', async () => {
    const site = new Site();
    site.kube.objects.set('secrets/team/vendor-login', {
      metadata: { name: 'vendor-login', uid: 's', resourceVersion: '1' },
      data: { user: 'YQ==' },
    } as never);
    const { message } = await failure(list(site));
    expect(message).toContain("has no entry 'word'");
  });

  test('are found within ten seconds after somebody made the Secret', async () => {
    const site = new Site();
    await failure(list(site));
    site.putSecret('alice');
    await failure(list(site));
    expect(site.kube.calls).toHaveLength(1);
    site.clock.advance(10_000);
    await list(site);
    expect(site.told.map(({ state }) => state)).toEqual(['CredentialsNotFound', 'Connected']);
  });

  test('may end with the line end that editors leave', async () => {
    const site = new Site();
    site.putSecret('alice\n');
    await list(site);
    expect(site.calls).toEqual(['login alice', 'list alice']);
  });

  test.each([
    ['line ends of both kinds', 'word\r\n\n'],
    ['a blank and a line end behind it', 'word \n'],
    ['a blank before it', ' word'],
    ['tabs and line ends on both sides', '\n\t word\t\r\n'],
  ])('are the same with %s as without', async (_, word) => {
    const digest = async (text: string): Promise<string | undefined> => {
      const data = { word: Buffer.from(text).toString('base64') };
      const client = { get: async () => ({ metadata: { name: 'login' }, data }) as never };
      const ref = { namespace: 'team', name: 'login' };
      const found = await secretSource(client, ref, ['word'])(LIVE);
      return 'problem' in found ? found.problem : found.version;
    };
    expect(await digest(word)).toBe(await digest('word'));
  });

  test.each(['wo rd', 'wo\trd', ' \r\n\t', 'wörd', '\u00a0word'])(
    'that are %j cannot be used, because only what lies around a value is ignored',
    async (word) => {
      const site = new Site();
      site.putSecret('alice', 'team', { word });
      const refused = await failure(list(site));
      expect(refused.message).toContain("has an entry 'word' that cannot be used");
    },
  );

  test('are read once a minute at most, and one login proves them for many calls', async () => {
    const site = new Site();
    site.putSecret('alice');
    await Promise.all([list(site), list(site), list(site)]);
    site.clock.advance(MINUTE_MS - 1);
    await list(site);
    expect(site.kube.calls).toHaveLength(1);
    site.clock.advance(1);
    await list(site);
    expect(site.kube.calls).toHaveLength(2);
    expect(site.calls.filter((call) => call.startsWith('login'))).toHaveLength(1);
  });

  test('change nothing at the vendor once leadership is in doubt, and still may look (K1)', async () => {
    const site = new Site();
    site.putSecret('alice');
    const remote = await site.open().connect(LIVE);
    site.isLeading = false;
    const changes = [
      () => remote.create(WANTED, LIVE),
      () => remote.update('1', {} as never, LIVE),
      () => remote.regenerate('1', 'apiKey', LIVE),
      () => remote.delete('1', LIVE),
      () => remote.subscriptions?.request('1', 'p', LIVE),
      () => remote.subscriptions?.withdraw('1', 'p', LIVE),
    ];
    for (const change of changes) {
      // oxlint-disable-next-line no-await-in-loop
      await expect(change()).rejects.toMatchObject({ executed: 'No' });
    }
    await remote.read('1', LIVE);
    await remote.find({} as never, LIVE);
    await remote.list(LIVE);
    await remote.subscriptions?.state('1', 'p', LIVE);
    const sent = site.calls.map((call) => call.split(' ')[0]);
    expect(sent).toEqual(['login', 'read', 'find', 'list', 'subscription']);
  });

  test('send no change that stood in the line when leadership came into doubt, and looks go on (K1)', async () => {
    const site = new Site();
    site.putSecret('alice');
    const remote = await site.open().connect(LIVE);
    const answers = Promise.withResolvers<void>();
    const sent: string[] = [];
    site.wire = {
      async send({ path }) {
        sent.push(path);
        await answers.promise;
        return { status: 200, headers: {}, body: '' };
      },
    };
    const first = ['1', '2', '3', '4'].map((id) => remote.read(id, LIVE));
    await settle();
    const changes = [
      remote.create(WANTED, LIVE),
      remote.update('1', {} as never, LIVE),
      remote.regenerate('1', 'apiKey', LIVE),
      remote.delete('1', LIVE),
      remote.subscriptions?.request('1', 'p', LIVE),
    ].map((change) => failure(Promise.resolve(change)));
    const looks = [remote.list(LIVE), remote.subscriptions?.state('1', 'p', LIVE)];
    await settle();
    site.isLeading = false;
    answers.resolve();
    await site.clock.advanceSettled(5_000);
    for (const refused of await Promise.all(changes)) {
      expect(refused).toMatchObject({ kind: 'Unavailable', executed: 'No' });
      expect(refused.message).toContain('leadership is in doubt');
    }
    await Promise.all([...first, ...looks]);
    expect(sent).toEqual(['/read', '/read', '/read', '/read', '/list', '/subscription']);
    // That they were refused says nothing about the vendor.
    site.isLeading = true;
    await remote.delete('1', LIVE);
    expect(site.told.map(({ state }) => state)).toEqual(['Connected']);
  });

  test('that changed are used after a login of their own', async () => {
    const site = new Site();
    site.accounts.set('bob', 'account-1');
    site.putSecret('alice');
    const remote = await site.open().connect(LIVE);
    site.putSecret('bob');
    site.clock.advance(MINUTE_MS);
    await remote.list(LIVE);
    expect(site.calls).toEqual(['login alice', 'login bob', 'list bob']);
  });

  test('stay in use while the API server cannot be asked', async () => {
    const site = new Site();
    site.putSecret('alice');
    await list(site);
    site.kube.fault = transient('ServerUnreachable');
    site.clock.advance(MINUTE_MS);
    await list(site);
    const fresh = new Site();
    fresh.kube.fault = transient('ServerUnreachable');
    expect(await failure(list(fresh))).toMatchObject({ kind: 'Unavailable', executed: 'No' });
    expect(fresh.told).toEqual([]);
  });
});

describe('a store that refuses us', () => {
  test.each(['Denied', 'ClockSkew'] as const)(
    'with %s is left alone for ten minutes, and that is said once',
    async (kind) => {
      const site = new Site();
      site.putSecret('alice');
      await list(site);
      site.trouble = failing(kind);
      await failure(list(site));
      const before = site.calls.length;
      for (let minute = 0; minute < 9; minute += 1) {
        site.clock.advance(MINUTE_MS);
        // oxlint-disable-next-line no-await-in-loop
        const refused = await failure(list(site));
        expect(refused).toMatchObject({ kind, executed: 'No', class: 'Waiting' });
      }
      expect(site.calls).toHaveLength(before);
      expect(site.told.map(({ state }) => state)).toEqual(['Connected', kind]);
      site.clock.advance(MINUTE_MS);
      const probes = await Promise.all(Array.from({ length: 5 }, () => failure(list(site))));
      expect(probes).toHaveLength(5);
      expect(site.calls).toHaveLength(before + 1);
      site.trouble = undefined;
      site.clock.advance(10 * MINUTE_MS);
      await list(site);
      expect(site.told.map(({ state }) => state)).toEqual(['Connected', kind, 'Connected']);
    },
  );

  test('is asked again as soon as its Secret has other credentials', async () => {
    const site = new Site();
    site.accounts.set('bob', 'account-1');
    site.putSecret('alice');
    await list(site);
    site.trouble = failing('Denied');
    await failure(list(site));
    site.trouble = undefined;
    site.putSecret('bob');
    site.clock.advance(MINUTE_MS);
    await list(site);
    expect(site.calls.slice(-2)).toEqual(['login bob', 'list bob']);
  });

  test('because its credentials have just been rotated is no trouble', async () => {
    const site = new Site();
    site.accounts.set('bob', 'account-1');
    site.putSecret('alice');
    const remote = await site.open().connect(LIVE);
    site.putSecret('bob');
    site.trouble = failing('Denied');
    const refused = await failure(remote.create(WANTED, LIVE));
    expect(refused).toMatchObject({ kind: 'Unavailable', class: 'Transient', executed: 'No' });
    site.trouble = undefined;
    await remote.create(WANTED, LIVE);
    expect(site.calls.slice(-2)).toEqual(['login bob', 'create bob']);
    expect(site.told.map(({ state }) => state)).toEqual(['Connected']);
  });

  test('is not closed by calls that went out with credentials that are no longer in use', async () => {
    const site = new Site();
    site.accounts.set('bob', 'account-1');
    site.putSecret('alice');
    const session = site.open();
    const remote = await session.connect(LIVE);
    const answer = Promise.withResolvers<void>();
    site.trouble = () => answer.promise;
    const waiting = failure(remote.update('1', {} as never, LIVE));
    await settle();
    site.trouble = undefined;
    site.putSecret('bob');
    site.clock.advance(MINUTE_MS);
    await remote.read('1', LIVE);
    answer.reject(new StoreFailure('Denied', { message: 'these are dead' }));
    expect(await waiting).toMatchObject({
      kind: 'Unavailable',
      class: 'Transient',
      executed: 'No',
    });
    expect(session.isProven(site.clock.nowMs())).toBe(true);
    await remote.read('1', LIVE);
    expect(site.calls.slice(-2)).toEqual(['read bob', 'read bob']);
    expect(site.told.map(({ state }) => state)).toEqual(['Connected']);
  });

  test('is not opened by calls that went out with credentials that are no longer in use', async () => {
    const site = new Site();
    site.putSecret('alice');
    const remote = await site.open().connect(LIVE);
    const answer = Promise.withResolvers<void>();
    site.trouble = () => answer.promise;
    const waiting = remote.list(LIVE);
    await settle();
    site.trouble = undefined;
    site.putSecret('nobody');
    site.clock.advance(MINUTE_MS);
    expect(await failure(remote.read('1', LIVE))).toMatchObject({ kind: 'Denied' });
    answer.resolve();
    await waiting;
    expect(site.open().health.state).toBe('Denied');
    expect(await failure(remote.read('1', LIVE))).toMatchObject({ kind: 'Denied' });
    expect(site.calls.filter((call) => call === 'login nobody')).toHaveLength(1);
  });

  test('at a login with earlier credentials is not shown for the ones that are in use', async () => {
    const site = new Site();
    site.accounts.set('bob', 'account-1');
    site.putSecret('alice');
    const answer = Promise.withResolvers<void>();
    site.trouble = () => answer.promise;
    const waiting = failure(site.open().connect(LIVE));
    await settle();
    site.trouble = undefined;
    site.putSecret('bob');
    site.clock.advance(MINUTE_MS);
    const other = failure(list(site));
    await settle();
    answer.reject(new StoreFailure('Denied', { message: 'these are dead' }));
    expect(await waiting).toMatchObject({ kind: 'Unavailable', executed: 'No' });
    expect(await other).toMatchObject({ kind: 'Unavailable', executed: 'No' });
    await list(site);
    expect(site.told.map(({ state }) => state)).toEqual(['Connected']);
  });

  test('is asked again when its settings change', async () => {
    const site = new Site();
    site.putSecret('alice');
    site.trouble = failing('Denied');
    await failure(list(site));
    site.trouble = undefined;
    await failure(list(site));
    const edited = { ...STORE, settings: { ...SETTINGS, more: 1 } };
    await site.open(edited).connect(LIVE);
    expect(site.calls).toEqual(['login alice', 'login alice']);
  });

  test('only for one request is well', async () => {
    const site = new Site();
    site.putSecret('alice');
    const remote = await site.open().connect(LIVE);
    site.trouble = failing('Refused');
    await failure(remote.create(WANTED, LIVE));
    site.trouble = undefined;
    await remote.create(WANTED, LIVE);
    expect(site.told.map(({ state }) => state)).toEqual(['Connected']);
  });
});

describe('a store that does not answer', () => {
  test('is asked in growing pauses, by one request at a time', async () => {
    const site = new Site();
    site.putSecret('alice');
    const remote = await site.open().connect(LIVE);
    site.trouble = failing('Unavailable');
    const times: number[] = [];
    for (let second = 0; second < 400; second += 1) {
      const before = site.calls.length;
      // oxlint-disable-next-line no-await-in-loop
      await Promise.all([failure(remote.list(LIVE)), failure(remote.list(LIVE))]);
      if (site.calls.length > before) times.push(second);
      site.clock.advance(1_000);
    }
    expect(times).toEqual([0, 1, 6, 16, 36, 76, 136, 196, 256, 316, 376]);
    expect(site.told.map(({ state }) => state)).toEqual(['Connected', 'Unreachable']);
    site.trouble = undefined;
    site.clock.advance(MINUTE_MS);
    await remote.list(LIVE);
    expect(site.told.at(-1)).toMatchObject({ state: 'Connected', message: '' });
  });

  test('once is not ill', async () => {
    const site = new Site();
    site.putSecret('alice');
    const remote = await site.open().connect(LIVE);
    site.trouble = failing('Garbled', { executed: 'Unknown' });
    expect(await failure(remote.create(WANTED, LIVE))).toMatchObject({ executed: 'Unknown' });
    expect(site.told).toHaveLength(1);
  });

  test('at the login has not carried out what comes after it', async () => {
    const site = new Site();
    site.putSecret('alice');
    site.trouble = failing('Unavailable', { executed: 'Unknown' });
    expect(await failure(site.open().connect(LIVE))).toMatchObject({ executed: 'No' });
    expect(site.told).toMatchObject([{ state: 'Unreachable' }]);
  });

  test('at the login is not asked by everyone who waits', async () => {
    const site = new Site();
    site.putSecret('alice');
    site.trouble = failing('Throttled');
    await Promise.all(Array.from({ length: 20 }, () => failure(list(site))));
    await failure(list(site));
    expect(site.calls).toEqual(['login alice']);
    site.trouble = undefined;
    site.clock.advance(5_000);
    await list(site);
  });
});

test.each([true, false])(
  'a change to enabled %s is not believed of any driver when the answer shows the other state, and may be repeated',
  async (enabled) => {
    const site = new Site();
    site.putSecret('alice');
    const remote = await site.open().connect(LIVE);
    const shown = { id: '1', enabled: !enabled, hint: '', values: {}, facts: {} };
    const wish = { enabled, name: 'a', description: '' };
    site.updated = shown;
    const thrown = await failure(remote.update('1', wish, LIVE));
    expect(thrown).toMatchObject({ kind: 'Garbled', executed: 'Unknown', class: 'Transient' });
    site.updated = { ...shown, enabled };
    expect(await remote.update('1', wish, LIVE)).toBe(site.updated);
    site.updated = undefined;
    expect(await remote.update('1', wish, LIVE)).toBeUndefined();
  },
);

describe('proof', () => {
  test('holds for five minutes after a login, and no other call renews it (S17)', async () => {
    const site = new Site();
    site.putSecret('alice');
    const session = site.open();
    expect(session.isProven(site.clock.nowMs())).toBe(false);
    const remote = await session.connect(LIVE);
    expect(session.isProven(site.clock.nowMs())).toBe(true);
    site.clock.advance(5 * MINUTE_MS + 1);
    await remote.read('1', LIVE);
    expect(session.isProven(site.clock.nowMs())).toBe(false);
    expect(await session.prove(LIVE)).toEqual({ id: 'account-1', facts: {} });
    expect(session.isProven(site.clock.nowMs())).toBe(true);
    await session.prove(LIVE);
    expect(site.calls).toEqual(['login alice', 'read alice', 'login alice']);
  });

  test('ends with the credentials that were proven (S17)', async () => {
    const site = new Site();
    site.putSecret('alice');
    const session = site.open();
    const remote = await session.connect(LIVE);
    site.trouble = failing('Denied');
    await failure(remote.read('1', LIVE));
    expect(session.isProven(site.clock.nowMs())).toBe(false);
  });

  test('does not survive a clock that is set back', async () => {
    const site = new Site();
    site.putSecret('alice');
    await list(site);
    site.clock.step(-60_000);
    expect(site.open().isProven(site.clock.nowMs())).toBe(false);
  });
});

describe('the account of a store', () => {
  test('cannot change while keys are in it, and its old keys are not asked for elsewhere (K11)', async () => {
    const site = new Site();
    site.accounts.set('mallory', 'account-2');
    site.putSecret('alice');
    await list(site);
    site.keys = 1;
    site.putSecret('mallory');
    site.clock.advance(MINUTE_MS);
    const { message, executed } = await failure(list(site));
    expect(executed).toBe('No');
    expect(message).toContain('holds keys of the account account-1');
    expect(site.calls).toEqual(['login alice', 'list alice', 'login mallory']);
    expect(site.told.at(-1)?.state).toBe('AccountChanged');
    expect(site.rows.get(STORE.uid)?.account).toBe('account-1');
  });

  test('that the vendor does not show is not believed of new credentials while keys are in it (I1)', async () => {
    const site = new Site();
    site.accounts.set('mallory', 'account-1');
    site.isAssumed = true;
    site.putSecret('alice');
    await list(site);
    site.keys = 1;
    site.clock.advance(MINUTE_MS);
    await list(site);
    site.putSecret('mallory');
    site.clock.advance(MINUTE_MS);
    const { message, executed } = await failure(list(site));
    expect(executed).toBe('No');
    expect(message).toContain('it seems to be another one');
    expect(site.told.at(-1)?.state).toBe('AccountChanged');
    expect(site.calls).not.toContain('list mallory');
    site.isAssumed = false;
    site.clock.advance(10 * MINUTE_MS);
    await list(site);
    expect(site.calls.at(-1)).toBe('list mallory');
  });

  test('that the vendor does not show is believed of new credentials while keys only wait to be made', async () => {
    const site = new Site();
    site.accounts.set('right', 'account-1');
    site.isAssumed = true;
    site.putSecret('alice');
    await list(site);
    site.putSecret('right');
    site.clock.advance(MINUTE_MS);
    await list(site);
    expect(site.calls.at(-1)).toBe('list right');
  });

  test('may change while the store is empty', async () => {
    const site = new Site();
    site.accounts.set('bob', 'account-2');
    site.putSecret('alice');
    await list(site);
    site.putSecret('bob');
    site.clock.advance(MINUTE_MS);
    await list(site);
    expect(site.rows.get(STORE.uid)?.account).toBe('account-2');
  });

  test('is not even told to another server while keys are in the store (K11)', async () => {
    const site = new Site();
    site.putSecret('alice');
    await list(site);
    site.keys = 1;
    const settings = { ...SETTINGS, endpoint: 'https://other.example' };
    const { message } = await failure(site.open({ ...STORE, settings }).connect(LIVE));
    expect(message).toContain('its endpoint cannot change');
    expect(site.calls).toEqual(['login alice', 'list alice']);
    site.keys = 0;
    site.clock.advance(10 * MINUTE_MS);
    await site.open({ ...STORE, settings }).connect(LIVE);
  });

  test('at a host that is not allowed is told to nobody (R13)', async () => {
    const site = new Site();
    site.putSecret('alice');
    const settings = { ...SETTINGS, endpoint: 'https://169.254.169.254' };
    const { message } = await failure(site.open({ ...STORE, settings }).connect(LIVE));
    expect(message).toContain('--endpoint-hosts Fake=169.254.169.254');
    expect(site.told.at(-1)?.state).toBe('NotAllowed');
    expect([site.calls, site.destinations]).toEqual([[], []]);
  });
});

describe('the memory of an account', () => {
  test('pays debts when the Secret is gone, from credentials that are sealed', async () => {
    const site = new Site();
    site.putSecret('alice');
    await list(site);
    const row = site.rows.get(STORE.uid);
    expect(Buffer.from(row?.sealed.blob ?? []).toString('latin1')).not.toContain('word-of-alice');
    site.dropSecret();
    site.sessions.forget(STORE.uid);
    const remembered = await site.sessions.fromMemory(STORE.uid);
    const remote = await remembered?.connect(LIVE);
    expect(await remote?.delete('1', LIVE)).toBe('NotFound');
    expect(remembered?.isProven(site.clock.nowMs())).toBe(true);
    expect(await site.sessions.fromMemory(STORE.uid)).toBe(remembered);
    expect(site.calls.slice(-2)).toEqual(['login alice', 'delete alice']);
    expect(site.kube.calls).toHaveLength(1);
  });

  test('is not written again for the same account', async () => {
    const site = new Site();
    site.putSecret('alice');
    await list(site);
    const row = site.rows.get(STORE.uid);
    site.sessions.forget(STORE.uid);
    await list(site);
    expect(site.rows.get(STORE.uid)).toBe(row);
  });

  test('knows no account that was never proven', async () => {
    const site = new Site();
    site.putSecret('nobody');
    await failure(list(site));
    expect(await site.sessions.fromMemory(STORE.uid)).toBeUndefined();
  });

  test("is not used for credentials that are another account's by now", async () => {
    const site = new Site();
    site.putSecret('alice');
    await list(site);
    site.accounts.set('alice', 'account-2');
    const remembered = await site.sessions.fromMemory(STORE.uid);
    const refused = await failure(remembered?.connect(LIVE) ?? Promise.resolve());
    expect(refused.message).toContain('not of account-1');
  });
});

describe('giving up', () => {
  test('before anything is sent leaves no doubt, and others go on', async () => {
    const site = new Site();
    site.putSecret('alice');
    const answer = Promise.withResolvers<void>();
    site.trouble = () => answer.promise;
    const control = new AbortController();
    const gone = failure(site.open().connect(control.signal));
    const other = site.open().connect(LIVE);
    await settle();
    control.abort();
    expect(await gone).toMatchObject({ kind: 'Unavailable', executed: 'No' });
    answer.resolve();
    await other;
    expect(site.calls).toEqual(['login alice']);
    expect(await failure(site.open().connect(control.signal))).toMatchObject({ executed: 'No' });
  });
});

test('what must not run twice at once in an account runs one after the other, whatever its name in each store', async () => {
  const site = new Site();
  site.putSecret('alice');
  site.putSecret('bob', 'other');
  site.accounts.set('bob', 'the same account by another name');
  const second = { ...STORE, uid: 'second-uid', ref: { ...STORE.ref, namespace: 'other' } };
  const sessions = [site.open(), site.open(second)];
  await Promise.all(sessions.map((session) => session.connect(LIVE)));
  const answers: (() => void)[] = [];
  const work = async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    answers.push(resolve);
    await promise;
  };
  const both = sessions.map((session) => session.exclusively(work, LIVE));
  await site.clock.advanceSettled(5_000);
  expect(answers).toHaveLength(1);
  answers[0]?.();
  await site.clock.advanceSettled(5_000);
  answers[1]?.();
  expect(await Promise.all(both)).toHaveLength(2);
});
