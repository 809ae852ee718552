/** From a manifest to a working Secret: what is written, what is said, and what is not done. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installKeyward } from '../../../control-plane/install.ts';
import { startControlPlane, type ControlPlane } from '../../../control-plane/start.ts';
import { API_KEYS, EVENTS, FINALIZER, KEY_STORES } from '../../../src/api/names.ts';
import { eventually } from '../../support/eventually.ts';
import { requestsOf, writesIn } from '../../support/operator.audit.ts';
import { condition, SEALED, Site, type Key } from '../../support/operator.site.ts';

const SAMPLES = join(import.meta.dirname, '..', '..', '..', 'samples');

let plane: ControlPlane;
let site: Site;

beforeAll(async () => {
  plane = await startControlPlane({ audit: true });
  await installKeyward(plane);
  await plane.mustKubectl(['apply', '--server-side', '-f', join(SAMPLES, '00-store.yaml')]);
  site = await Site.open({ access: plane, account: 'Own', flags: { 'leader-elect': 'true' } });
  await site.start();
});

afterAll(async () => {
  await site.close();
  await plane.stop();
});

/** What the operator asked of the API server about this object and its Secret. */
async function requestsAbout(name: string): Promise<string[]> {
  const requests = await requestsOf(plane.auditLog, site.user);
  return requests
    .filter((request) => request.name === name)
    .map(({ verb, resource, subresource, code }) =>
      [verb, resource, subresource, code].filter((part) => part !== '').join(' '),
    );
}

/** Creates a key exactly as written, without the store that other tests put in. */
async function createAsWritten(name: string, object: object): Promise<Key> {
  await site.api.create(API_KEYS, { metadata: { name, namespace: site.namespace }, ...object });
  return await site.until(name, 'Active');
}

describe('the shortest manifest', () => {
  test('an ApiKey with an empty spec becomes a Secret whose value the gate accepts', async () => {
    const key = await createAsWritten('empty', { spec: {} });
    const values = await site.values('empty');
    expect(Object.keys(values).toSorted()).toEqual(['apiKey', 'keyId', 'provider', 'type']);
    expect(values).toMatchObject({ keyId: key.status.keyId, provider: 'keyward', type: 'api-key' });
    expect(await site.verdict(values['apiKey'] ?? '')).toBe('Allowed');
    expect(key.status).toMatchObject({
      sequence: 1,
      binding: { name: 'empty' },
      fields: ['apiKey', 'keyId', 'provider', 'type'],
      storeRef: { kind: 'ClusterKeyStore', name: 'default' },
    });
  });

  test('an object without any spec is issued like one with an empty spec', async () => {
    await createAsWritten('specless', {});
    expect(await site.verdict((await site.values('specless'))['apiKey'] ?? '')).toBe('Allowed');
  });

  test('issuing takes exactly two API writes, one POST and one PUT, and no live read', async () => {
    await createAsWritten('counted', { spec: {} });
    expect(await requestsAbout('counted')).toEqual([
      'create secrets 201',
      'update apikeys status 200',
    ]);
    expect(await site.operator.metric('keyward_secret_live_reads_total')).toBe(0);
  });

  test('issuing emits no event', async () => {
    const key = await createAsWritten('silent', { spec: {} });
    const events = await site.api.list(EVENTS, site.namespace);
    const uids = events.map((event) => (event as { regarding?: { uid?: string } }).regarding?.uid);
    expect(uids).not.toContain(key.metadata.uid);
  });
});

describe('what other tools see', () => {
  test('kubectl wait --for=condition=Ready returns when the key works', async () => {
    await site.create('waited');
    const wait = ['wait', '--for=condition=Ready', 'apikey/waited', '-n', site.namespace];
    expect(await plane.mustKubectl([...wait, '--timeout=30s'])).toContain('condition met');
    expect(await site.verdict((await site.values('waited'))['apiKey'] ?? '')).toBe('Allowed');
  });

  test('an object nobody has looked at is InProgress for kstatus, a finished one is Current', async () => {
    const fresh = await site.create('kstatus');
    expect(fresh.status.observedGeneration).toBe(-1);
    expect(condition(fresh, 'Ready')).toMatchObject({ status: 'Unknown', reason: 'Pending' });
    const done = await site.until('kstatus', 'Active');
    expect(done.status.observedGeneration).toBe(done.metadata.generation);
    expect(done.status.conditions?.map(({ type, status }) => `${type}=${status}`)).toEqual([
      'Ready=True',
    ]);
  });

  test('the finalizer is there from the first moment on', async () => {
    const key = await site.create('stamped');
    expect(key.metadata.finalizers).toEqual([FINALIZER]);
  });

  test('the columns of kubectl get fit a terminal and show no value', async () => {
    await site.issue('column');
    const { apiKey = '' } = await site.values('column');
    const get = ['get', 'apikeys', 'column', '-n', site.namespace];
    const wide = await plane.mustKubectl([...get, '-o', 'wide']);
    const narrow = await plane.mustKubectl(get);
    expect(Math.max(...narrow.split('\n').map((line) => line.trimEnd().length))).toBeLessThan(81);
    expect(wide).not.toContain(apiKey.slice(21, 60));
  });

  test('nobody but the operator writes status, not even an administrator (R14)', async () => {
    await site.issue('forged');
    const forged = { status: { keyId: 'AAAAAAAAAAAAAAAA' } };
    const attempt = site.api.patch(API_KEYS, [site.namespace, 'forged'], forged, '/status');
    await expect(attempt).rejects.toThrow('only the Keyward operator writes status');
  });
});

describe('formats', () => {
  test('a Dual key holds two values that both verify, and apiKey is the one to use now', async () => {
    const key = await site.issue('dual', { format: 'Dual' });
    const { primaryKey = '', secondaryKey = '', apiKey } = await site.values('dual');
    expect(apiKey).toBe(primaryKey);
    expect(primaryKey).not.toBe(secondaryKey);
    expect(await site.verdict(primaryKey)).toBe('Allowed');
    expect(await site.verdict(secondaryKey)).toBe('Allowed');
    expect(key.status.slots?.map(({ name, role }) => `${name}=${role}`)).toEqual([
      'primaryKey=Active',
      'secondaryKey=Standby',
    ]);
  });

  test('a KeyPair holds a public key and a secret that verify together', async () => {
    const key = await site.issue('pair', { format: 'KeyPair', storeRef: SEALED });
    const { apiKey = '', apiSecret = '' } = await site.values('pair');
    expect(await site.verdict([apiKey, apiSecret])).toBe('Allowed');
    expect(key.status.keyHint).toBe(apiKey);
  });

  test('a format that the store cannot do is said and nothing is issued', async () => {
    await site.create('incapable', { format: 'KeyPair' });
    const key = await site.until('incapable', 'UnsupportedByStore');
    expect(condition(key, 'SpecSupported')?.message).toContain('spec.format');
    expect(await site.secret('incapable')).toBeUndefined();
    expect(await site.record(key.metadata.uid)).toBeUndefined();
  });
});

describe('the Secret', () => {
  test('layout Env writes the same entries in capitals after the prefix', async () => {
    await site.issue('env', { secret: { layout: 'Env', envPrefix: 'MAPS' } });
    const values = await site.values('env');
    expect(Object.keys(values).toSorted()).toEqual([
      'MAPS_API_KEY',
      'MAPS_KEY_ID',
      'MAPS_PROVIDER',
      'MAPS_TYPE',
    ]);
    expect(await site.verdict(values['MAPS_API_KEY'] ?? '')).toBe('Allowed');
  });

  test('layout Template writes the texts of the user with the fields put in', async () => {
    const template = {
      'app.ini': 'id={{ .keyId }}\nkey={{ .apiKey }}\n',
      'plain.txt': '{{no field}}',
    };
    const key = await site.issue('templated', { secret: { layout: 'Template', template } });
    const values = await site.values('templated');
    const apiKey = /key=(\S+)/.exec(values['app.ini'] ?? '')?.[1] ?? '';
    expect(await site.verdict(apiKey)).toBe('Allowed');
    expect(values).toEqual({
      'app.ini': `id=${key.status.keyId}\nkey=${apiKey}\n`,
      'plain.txt': '{{no field}}',
    });
  });

  test('a template that names an unknown field is refused by name and nothing is issued', async () => {
    const template = { 'a.txt': '{{ .apiKeey }}' };
    await site.create('typo', { secret: { layout: 'Template', template } });
    const key = await site.until('typo', 'InvalidSpec');
    expect(condition(key, 'Ready')?.message).toContain("'apiKeey'");
    expect(await site.secret('typo')).toBeUndefined();
  });

  test('name, type, labels and annotations are those of the spec, and the key owns it', async () => {
    const key = await site.issue('dressed', {
      secret: {
        name: 'dressed-secret',
        type: 'Opaque',
        labels: { team: 'maps' },
        annotations: { 'example.com/note': '메모 🗝' },
      },
    });
    const secret = await site.secret('dressed-secret');
    expect(secret).toMatchObject({
      type: 'Opaque',
      metadata: {
        labels: { team: 'maps', 'keyward.dev/api-key': 'dressed' },
        annotations: { 'example.com/note': '메모 🗝' },
        ownerReferences: [{ kind: 'ApiKey', uid: key.metadata.uid, controller: true }],
      },
    });
    expect(key.status.binding).toEqual({ name: 'dressed-secret' });
  });

  test('ownership Orphan leaves the Secret without an owner', async () => {
    await site.issue('orphan', { secret: { ownership: 'Orphan' } });
    expect((await site.secret('orphan'))?.metadata.ownerReferences).toBeUndefined();
  });

  test('labels under reserved prefixes are refused when they are applied', async () => {
    const spec = { secret: { labels: { 'keyward.dev/api-key': 'other' } } };
    await expect(site.create('reserved', spec)).rejects.toThrow(/label/i);
  });
});

describe('text of any language', () => {
  test.for([
    ['korean', '서울 관광 안내 인증키'],
    ['emoji', '🗝️🇰🇷👩‍👩‍👧‍👦'],
    ['longest', '열'.repeat(255)],
    ['markup', '<b>"key"</b> \\ ${x} %s'],
  ])('a displayName in %s is issued like any other', async ([name = '', displayName]) => {
    await site.issue(`text-${name}`, { displayName, description: displayName?.slice(0, 200) });
    expect(await site.verdict((await site.values(`text-${name}`))['apiKey'] ?? '')).toBe('Allowed');
  });

  test('a displayName of 256 characters is refused when it is applied', async () => {
    await expect(site.create('too-long', { displayName: '열'.repeat(256) })).rejects.toThrow(
      'displayName',
    );
  });

  test('a key with the longest name that is allowed, 63 characters, is issued', async () => {
    const name = `${'a'.repeat(30)}.${'b'.repeat(32)}`;
    await site.issue(name);
    expect(await site.verdict((await site.values(name))['apiKey'] ?? '')).toBe('Allowed');
  });
});

describe('restarts', () => {
  test('a restart with unchanged keys writes nothing', async () => {
    // One restart to let the stores count the keys of the tests before.
    await site.restart();
    await untilSettled();
    const before = writesIn(await requestsOf(plane.auditLog, site.user)).length;
    await site.restart();
    await untilSettled();
    const writes = writesIn(await requestsOf(plane.auditLog, site.user)).slice(before);
    expect(writes).toEqual([]);
    expect(await site.operator.metric('keyward_secret_live_reads_total')).toBe(0);
  });

  test('a second apply of the same manifest changes nothing', async () => {
    const before = await site.issue('again');
    await site.edit('again', {});
    const after = await site.key('again');
    expect(after.metadata.resourceVersion).toBe(before.metadata.resourceVersion);
  });
});

/** Every object was looked at since the operator started, and nothing waits. */
async function untilSettled(): Promise<void> {
  const keys = (await site.api.list(API_KEYS, site.namespace)).length;
  const stores = (await site.api.list(KEY_STORES, site.namespace)).length;
  await eventually(async () => {
    const done = 'controller_runtime_reconcile_total';
    expect(await site.operator.metric(done, 'controller="apikey"')).toBeGreaterThanOrEqual(keys);
    expect(await site.operator.metric(done, 'controller="keystore"')).toBeGreaterThanOrEqual(
      stores,
    );
    expect(await site.operator.metric('workqueue_depth')).toBe(0);
    expect(await site.operator.metric('controller_runtime_active_workers')).toBe(0);
  });
}
