/** What a key may do and until when, and what its store allows: obeyed, or said by name. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CLUSTER_KEY_STORES, KEY_STORES } from '../../../src/api/names.ts';
import { sharedControlPlane } from '../../support/controlplane.ts';
import { eventually } from '../../support/eventually.ts';
import { condition, Site, storeObject } from '../../support/operator.site.ts';

let site: Site;

beforeAll(async () => {
  site = await Site.open({ access: sharedControlPlane(), namespaces: 2 });
  await site.start();
});

afterAll(() => site.close());

async function issued(name: string, spec: object = {}): Promise<string> {
  await site.issue(name, spec);
  return await valueOf(name);
}

async function valueOf(name: string, namespace?: string): Promise<string> {
  return (await site.values(name, namespace))['apiKey'] ?? '';
}

/** An instant so many seconds from now, as specs write it. */
function inSeconds(seconds: number): string {
  return new Date(Date.now() + seconds * 1_000).toISOString().replace(/\.\d+Z/, 'Z');
}

function validity(fields: object): { readonly terms: object } {
  return { terms: { validity: fields } };
}

describe('validity', () => {
  test('before its instant a key has neither Secret nor credential; then it is issued by itself', async () => {
    const notBeforeTime = inSeconds(3);
    await site.create('early', validity({ notBeforeTime }));
    const waiting = await site.until('early', 'NotYetValid');
    expect(condition(waiting, 'Ready')?.status).toBe('False');
    expect(await site.secret('early')).toBeUndefined();
    expect(await site.record(waiting.metadata.uid)).toBeUndefined();
    const key = await site.until('early', 'Active');
    expect(Date.parse(key.status.issuedTime ?? '')).toBeGreaterThanOrEqual(
      Date.parse(notBeforeTime),
    );
    expect(await site.verdict(await valueOf('early'))).toBe('Allowed');
  });

  test('at its end a key expires by itself, and a later end revives the same value', async () => {
    const expirationTime = inSeconds(3);
    const value = await issued('mortal', validity({ expirationTime }));
    const endMs = Date.parse(expirationTime);
    expect(await site.verdict(value, { nowMs: endMs - 1 })).toBe('Allowed');
    expect(await site.verdict(value, { nowMs: endMs })).toBe('Expired');
    const dead = await site.until('mortal', 'Expired');
    expect(condition(dead, 'Expired')?.status).toBe('True');
    expect(condition(dead, 'Stalled')?.status).toBe('True');
    await site.edit('mortal', validity({ expirationTime: inSeconds(86_400 * 90) }));
    const alive = await site.until('mortal', 'Active');
    expect(condition(alive, 'Expired')).toBeUndefined();
    expect(await valueOf('mortal')).toBe(value);
    expect(await site.verdict(value)).toBe('Allowed');
  });

  test('an end nearer than the notice days is announced while the key works', async () => {
    const value = await issued('soon', validity({ expirationTime: inSeconds(86_400 * 2) }));
    const key = await site.key('soon');
    expect(condition(key, 'ExpiringSoon')).toMatchObject({
      status: 'True',
      reason: 'WithinNoticeWindow',
    });
    expect(await site.verdict(value)).toBe('Allowed');
  });

  test('a date means its whole day in the time zone of the spec', async () => {
    const fields = { expirationDate: '2099-12-31', timeZone: 'Asia/Seoul' };
    const value = await issued('dated', validity(fields));
    const lastMs = Date.parse('2099-12-31T23:59:59.999+09:00');
    expect(await site.verdict(value, { nowMs: lastMs })).toBe('Allowed');
    expect(await site.verdict(value, { nowMs: lastMs + 1 })).toBe('Expired');
  });

  test('a duration counts from the first issue, and rotation does not move the end', async () => {
    await issued('lasting', validity({ durationDays: 100 }));
    const before = (await site.key('lasting')).status.expirationTime;
    await site.edit('lasting', { rotation: { requestId: 'one' } });
    const after = await site.untilRotated('lasting', 'one');
    expect(after.status.expirationTime).toBe(before);
  });

  test('an end in the past is said, and nothing is issued', async () => {
    await site.create('past', validity({ expirationTime: '2020-01-01T00:00:00Z' }));
    const key = await site.until('past', 'Expired');
    expect(await site.secret('past')).toBeUndefined();
    expect(await site.record(key.metadata.uid)).toBeUndefined();
  });

  test('an end in the year 9999 is an end like any other, and keeps nobody busy', async () => {
    await issued('far', validity({ expirationTime: '9999-12-31T23:59:59Z' }));
    expect((await site.key('far')).status.expirationTime).toBe('9999-12-31T23:59:59Z');
    const count = (): Promise<number> =>
      site.operator.metric('controller_runtime_reconcile_total', 'controller="apikey"');
    const before = await count();
    await issued('far-neighbour');
    expect((await count()) - before).toBeLessThan(5);
  });

  test('an unknown time zone is said by name, and nothing is issued', async () => {
    await site.create('nowhere', validity({ expirationDate: '2099-01-01', timeZone: 'Mars/Base' }));
    const key = await site.until('nowhere', 'InvalidSpec');
    expect(condition(key, 'Ready')?.message).toContain('"Mars/Base"');
    expect(condition(key, 'SpecSupported')?.reason).toBe('InvalidSpec');
    expect(await site.secret('nowhere')).toBeUndefined();
  });

  test('an end before the start, known only with the time zone, is said', async () => {
    const fields = { notBeforeTime: '2098-01-01T00:00:00Z', expirationDate: '2097-06-01' };
    await site.create('backwards', validity(fields));
    const key = await site.until('backwards', 'InvalidSpec');
    expect(condition(key, 'Ready')?.message).toContain('terms.validity');
    expect(await site.secret('backwards')).toBeUndefined();
  });

  test.for([
    [
      'both ends said twice',
      { expirationDate: '2099-01-01', expirationTime: '2099-01-01T00:00:00Z' },
    ],
    [
      'both starts said twice',
      { effectiveDate: '2099-01-01', notBeforeTime: '2099-01-01T00:00:00Z' },
    ],
    ['an end and a duration', { durationDays: 5, expirationDate: '2099-01-01' }],
    ['an end before the start', { effectiveDate: '2099-01-02', expirationDate: '2099-01-01' }],
    ['a day that does not exist', { expirationDate: '2099-02-30' }],
    ['a duration of no day', { durationDays: 0 }],
  ] as const)('%s: refused when it is applied', async ([, fields]) => {
    await expect(site.create('refused', validity(fields))).rejects.toThrow('validity');
  });
});

describe('quota', () => {
  test('0 blocks every call, -1 none, and 2^53-1 is counted exactly', async () => {
    const quota = (requests: number) => ({ terms: { quota: { requests } } });
    const [none, all, most] = [
      await issued('quota-0', quota(0)),
      await issued('quota-unlimited', quota(-1)),
      await issued('quota-most', quota(Number.MAX_SAFE_INTEGER)),
    ];
    expect(await site.verdict(none, { quotaRemaining: 5 })).toBe('QuotaUsedUp');
    expect(await site.verdict(all)).toBe('Allowed');
    expect(await site.verdict(most, { quotaRemaining: 1 })).toBe('Allowed');
    expect(await site.verdict(most, { quotaRemaining: 0 })).toBe('QuotaUsedUp');
    expect((await site.key('quota-most')).status.quota?.limit).toBe(Number.MAX_SAFE_INTEGER);
  });

  test.for([-2, 2 ** 53, 0.5])('%d is refused when it is applied', async (requests) => {
    const spec = { terms: { quota: { requests } } };
    await expect(site.create('refused', spec)).rejects.toThrow('quota');
  });
});

describe('where from', () => {
  test('origins and networks hold at the gate, and a change of them holds at once', async () => {
    const originPolicy = { allowed: ['https://example.com'] };
    const terms = { originPolicy, cidrs: ['10.0.0.0/8'] };
    const value = await issued('fenced', { terms });
    const inside = { origin: 'https://example.com', address: '10.1.2.3' };
    expect(await site.verdict(value, inside)).toBe('Allowed');
    expect(await site.verdict(value, { ...inside, origin: 'https://evil.example' })).toBe(
      'OriginNotAllowed',
    );
    expect(await site.verdict(value, { ...inside, address: '11.0.0.1' })).toBe('AddressNotAllowed');
    await site.edit('fenced', { terms: { cidrs: ['11.0.0.0/8'] } });
    await site.until('fenced', 'Active');
    expect(await site.verdict(value, { ...inside, address: '11.0.0.1' })).toBe('Allowed');
    expect(await valueOf('fenced')).toBe(value);
  });

  test.for([
    ['user information', 'https://user:pass@example.com'],
    ['a wildcard in the middle', 'https://a.*.example.com'],
  ])('an origin with %s is refused or said, and never issued', async ([, origin]) => {
    const spec = { terms: { originPolicy: { allowed: [origin] } } };
    const isCreated = await site.create('bad-origin', spec).then(
      () => true,
      () => false,
    );
    if (isCreated) await site.until('bad-origin', 'InvalidSpec');
    expect(await site.secret('bad-origin')).toBeUndefined();
    await site.remove('bad-origin');
  });

  test('33 origins are refused when they are applied', async () => {
    const allowed = Array.from({ length: 33 }, (_, i) => `https://site-${i}.example.com`);
    const spec = { terms: { originPolicy: { allowed } } };
    await expect(site.create('refused', spec)).rejects.toThrow('originPolicy');
  });

  test('a change that makes no sense is said, and the live key keeps its earlier terms', async () => {
    const value = await issued('stubborn', validity({ expirationDate: '2099-01-01' }));
    await site.edit('stubborn', validity({ timeZone: 'Mars/Base' }));
    const key = await site.until('stubborn', 'InvalidSpec');
    expect(condition(key, 'Ready')?.message).toContain('keeps its earlier terms');
    expect(await site.verdict(value)).toBe('Allowed');
    expect(key.status.expirationTime).toBeDefined();
  });
});

describe('stores', () => {
  /** A KeyStore of this name with more in its spec, and the reference to it. */
  async function store(name: string, more: object): Promise<{ readonly storeRef: object }> {
    await site.api.create(KEY_STORES, storeObject(site.namespace, name, {}, more));
    return { storeRef: { kind: 'KeyStore', name } };
  }

  test('a key waits for a store that does not exist, and is issued when it comes', async () => {
    const storeRef = { kind: 'KeyStore', name: 'later' };
    await site.create('patient', { storeRef });
    const key = await site.until('patient', 'StoreNotAvailable');
    expect(condition(key, 'Ready')?.message).toContain("KeyStore 'later'");
    await store('later', {});
    await site.until('patient', 'Active');
  });

  test('a full store says so, and issues when it gets room', async () => {
    const spec = await store('small', { limits: { maxKeys: 1 } });
    await site.issue('room-1', spec);
    await site.create('room-2', spec);
    const key = await site.until('room-2', 'LimitExceeded');
    expect(condition(key, 'StoreSynced')?.reason).toBe('StoreLimitReached');
    expect(await site.record(key.metadata.uid)).toBeUndefined();
    const change = { spec: { limits: { maxKeys: 2 } } };
    await site.api.patch(KEY_STORES, [site.namespace, 'small'], change);
    await site.until('room-2', 'Active');
  });

  test('a key that goes makes room for another one', async () => {
    const spec = await store('narrow', { limits: { maxKeysPerNamespace: 1 } });
    await site.issue('seat-1', spec);
    await site.create('seat-2', spec);
    await site.until('seat-2', 'LimitExceeded');
    await site.remove('seat-1');
    await site.untilGone('seat-1');
    await site.edit('seat-2', { description: 'look again' });
    await site.until('seat-2', 'Active');
    expect(await site.verdict(await valueOf('seat-2'))).toBe('Allowed');
  });

  test('keys created at once never exceed the limit', async () => {
    const spec = await store('contested', { limits: { maxKeys: 3 } });
    const names = Array.from({ length: 8 }, (_, i) => `rival-${i}`);
    await Promise.all(names.map((name) => site.create(name, spec)));
    const reasons = await eventually(async () => {
      const keys = await Promise.all(names.map((name) => site.key(name)));
      const seen = keys.map((key) => condition(key, 'Ready')?.reason);
      expect(seen).not.toContain('Pending');
      return seen;
    });
    expect(reasons.filter((reason) => reason === 'Active')).toHaveLength(3);
    expect(reasons.filter((reason) => reason === 'LimitExceeded')).toHaveLength(5);
  });

  test('a store that gives keys only on application says so', async () => {
    const spec = await store('formal', { applications: { requirement: 'Always' } });
    await site.create('informal', spec);
    await site.until('informal', 'ApplicationRequired');
    expect(await site.secret('informal')).toBeUndefined();
  });

  test('what a store cannot honour is said by field, and nothing is issued', async () => {
    const spec = await store('strict', { retention: 'Forbidden' });
    await site.create('unretained', { ...spec, deletionPolicy: 'Retain' });
    const key = await site.until('unretained', 'UnsupportedByStore');
    expect(condition(key, 'SpecSupported')?.message).toContain('spec.deletionPolicy');
    expect(await site.secret('unretained')).toBeUndefined();
  });

  test('a quota above the limit of the store is said', async () => {
    const spec = await store('metered', { limits: { maxQuotaRequests: 100 } });
    await site.create('greedy', { ...spec, terms: { quota: { requests: 101 } } });
    const key = await site.until('greedy', 'InvalidSpec');
    expect(condition(key, 'Ready')?.message).toContain('100 requests at most');
  });

  test('storeRef and format are fixed once a key was issued', async () => {
    await issued('bound');
    const storeRef = { kind: 'KeyStore', name: 'sealed' };
    await expect(site.edit('bound', { storeRef })).rejects.toThrow('storeRef');
    await expect(site.edit('bound', { format: 'Dual' })).rejects.toThrow('format');
  });

  test('a store that is deleted stays until its last key is ended', async () => {
    const spec = await store('leaving', {});
    await site.issue('last', spec);
    const value = await valueOf('last');
    await site.api.remove(KEY_STORES, site.namespace, 'leaving');
    await eventually(async () => {
      const object = await site.api.get(KEY_STORES, site.namespace, 'leaving');
      expect(JSON.stringify(object?.status)).toContain('KeysRemain');
    });
    expect(await site.verdict(value)).toBe('Allowed');
    await site.remove('last');
    await site.untilGone('last');
    await eventually(async () =>
      expect(await site.api.get(KEY_STORES, site.namespace, 'leaving')).toBeUndefined(),
    );
  });

  test('a cluster store serves the namespaces it selects, and shuts out the others, also later', async () => {
    const [inside = '', outside = ''] = site.namespaces;
    const name = `for-${inside}`;
    const serve = (...values: string[]) => ({
      from: 'Selector',
      namespaceSelector: {
        matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values }],
      },
    });
    const spec = { type: 'Builtin', builtin: {}, allowedNamespaces: serve(inside) };
    await site.api.create(CLUSTER_KEY_STORES, { metadata: { name }, spec });
    const storeRef = { kind: 'ClusterKeyStore', name };
    await site.issue('served', { storeRef });
    const value = await valueOf('served');
    await site.create('shut-out', { storeRef }, outside);
    await site.until('shut-out', 'NamespaceNotAllowed', outside);
    expect(await site.secret('shut-out', outside)).toBeUndefined();
    const change = { spec: { allowedNamespaces: serve(outside) } };
    await site.api.patch(CLUSTER_KEY_STORES, ['', name], change);
    await site.until('shut-out', 'Active', outside);
    await site.until('served', 'NamespaceNotAllowed');
    expect(await site.verdict(value)).toBe('KeySuspended');
    expect(await site.verdict(await valueOf('shut-out', outside))).toBe('Allowed');
    await site.remove('served');
    await site.remove('shut-out', outside);
    await site.api.remove(CLUSTER_KEY_STORES, '', name);
  });
});

test('no key of this file made the operator stumble', () => {
  expect(site.operator.log.filter(({ level }) => level === 'error')).toEqual([]);
});
