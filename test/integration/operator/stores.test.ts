/** Stores at a vendor: what a KeyStore says of its login, and what happens when it goes. */
import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BASE_PATH, NaverFake } from '../../../fakes/naver/fake.ts';
import {
  API_KEYS,
  API_VERSION,
  EVENTS,
  KEY_STORES,
  NAMESPACES,
  SECRETS,
} from '../../../src/api/names.ts';
import { sharedControlPlane } from '../../support/controlplane.ts';
import { eventually } from '../../support/eventually.ts';
import { Site } from '../../support/operator.site.ts';

/** A session reads its Secret again after a minute at the latest. */
const REREAD_MS = 100_000;

const fake = new NaverFake();
let site: Site;
let going: string;

beforeAll(async () => {
  await fake.start();
  site = await Site.open({
    access: sharedControlPlane(),
    namespaces: 3,
    flags: {
      'endpoint-hosts': `Naver=${new URL(fake.address).host}`,
      'store-reread-seconds': '1',
    },
  });
  going = site.namespaces[1] ?? '';
  await site.start();
});

afterAll(async () => {
  await site.close();
  await fake.stop();
});

async function putSecret(name: string, entries: object, namespace = site.namespace) {
  await site.api.remove(SECRETS, namespace, name);
  await site.api.create(SECRETS, { metadata: { name, namespace }, stringData: entries });
}

async function putStore(name: string, endpoint: string, namespace = site.namespace) {
  await site.api.create(KEY_STORES, {
    apiVersion: API_VERSION,
    kind: 'KeyStore',
    metadata: { name, namespace },
    spec: {
      type: 'Naver',
      naver: { endpoint, credentialsSecretRef: { name: `${name}-account` }, settleSeconds: 1 },
    },
  });
}

type Ready = {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
};
type StoreStatus = {
  readonly conditions?: readonly Ready[];
  readonly account?: string;
  readonly capabilities?: object;
};

/** Waits until Ready has this reason. */
async function untilStore(name: string, reason: string, withinMs?: number) {
  return await eventually(async () => {
    const object = await site.api.get(KEY_STORES, site.namespace, name);
    // Read by name from the real API server, which checks the shape.
    const status = object?.status as unknown as StoreStatus | undefined;
    const ready = status?.conditions?.find(({ type }) => type === 'Ready');
    assert.equal(ready?.reason, reason, `${name}: ${ready?.reason}: ${ready?.message}`);
    return { ready, status };
  }, withinMs);
}

const ours = () => fake.accounts[0]?.credentials ?? {};

describe('a KeyStore at a vendor', () => {
  test('says which Secret is missing, and connects when somebody makes it', async () => {
    await putStore('late', `${fake.address}${BASE_PATH}`);
    const { ready } = await untilStore('late', 'CredentialsNotFound');
    expect(ready?.message).toBe(
      `Secret '${site.namespace}/late-account' with the credentials of the store does not exist`,
    );
    await putSecret('late-account', ours());
    const { status } = await untilStore('late', 'Connected', REREAD_MS);
    expect(status?.account).toEqual(expect.any(String));
    expect(status?.capabilities).toMatchObject({
      class: 'M',
      displayNameMax: 20,
      settleSeconds: 1,
    });
  });

  test('with wrong credentials stops asking and says so once; right ones mend it', async () => {
    await putSecret('wrong-account', { ...ours(), secretKey: 'not-the-secret' });
    await putStore('wrong', `${fake.address}${BASE_PATH}`);
    await untilStore('wrong', 'AuthenticationFailed');
    const before = fake.calls.length;
    await site.create('waiting', { storeRef: { kind: 'KeyStore', name: 'wrong' } });
    await site.until('waiting', 'StoreUnavailable');
    expect(fake.calls).toHaveLength(before);
    await putSecret('wrong-account', ours());
    await untilStore('wrong', 'Connected', REREAD_MS);
    await site.until('waiting', 'Active');
    await eventually(async () => {
      const events = await site.api.list(EVENTS, site.namespace);
      const about = events
        .map((event) => event as unknown as { reason: string; regarding: { name: string } })
        .filter(({ regarding }) => regarding.name === 'wrong');
      expect(about.map(({ reason }) => reason).toSorted()).toEqual([
        'StoreConnected',
        'StoreConnectionFailed',
      ]);
    });
  }, 200_000);

  test('at a host that the administrator does not list is not talked to (R13)', async () => {
    await putSecret('far-account', ours());
    await putStore('far', 'https://169.254.169.254/api/v1');
    const { ready } = await untilStore('far', 'EndpointNotAllowed');
    expect(ready?.message).toContain('--endpoint-hosts Naver=169.254.169.254');
  });
});

describe('a namespace with keys at a vendor', () => {
  test('goes, and its keys at the vendor with it, although the credentials go first', async () => {
    await putSecret('own-account', ours(), going);
    await putStore('own', `${fake.address}${BASE_PATH}`, going);
    const storeRef = { kind: 'KeyStore', name: 'own' };
    const key = await site.issue('last', { storeRef }, going);
    const id = key.status.remote?.id;
    expect(fake.credentials().map((each) => each.id)).toContain(id);
    await site.api.remove(SECRETS, going, 'own-account');
    await site.api.request('DELETE', `/api/v1/namespaces/${going}`);
    await eventually(async () => {
      expect(await site.api.get(NAMESPACES, '', going)).toBeUndefined();
    }, REREAD_MS);
    expect(fake.credentials().map((each) => each.id)).not.toContain(id);
  });
});

describe('a debt', () => {
  test('is paid when key, store and Secret went while nobody looked', async () => {
    const namespace = site.namespaces[2] ?? '';
    await putSecret('left-account', ours(), namespace);
    await putStore('left', `${fake.address}${BASE_PATH}`, namespace);
    const key = await site.issue(
      'left',
      { storeRef: { kind: 'KeyStore', name: 'left' } },
      namespace,
    );
    const id = key.status.remote?.id;
    await site.operator.terminate();
    for (const [resource, name] of [
      [API_KEYS, 'left'],
      [KEY_STORES, 'left'],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop
      await site.api.remove(resource, namespace, name);
      // Only once deletion has begun do the policies let a finalizer go.
      // oxlint-disable-next-line no-await-in-loop
      await site.api.patch(resource, [namespace, name], { metadata: { finalizers: null } });
    }
    await site.api.remove(SECRETS, namespace, 'left-account');
    expect(fake.credentials().map((each) => each.id)).toContain(id);
    await site.start({ 'accept-vanished': '' });
    await eventually(async () => {
      expect(fake.credentials().map((each) => each.id)).not.toContain(id);
      expect(await site.operator.metric('keyward_debts_paid_total')).toBe(1);
      expect(await site.operator.metric('keyward_debts')).toBe(0);
    }, 180_000);
  }, 240_000);
});
