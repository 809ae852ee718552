/** Keys at NAVER Cloud API Gateway: the whole operator against the fake vendor over HTTP. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NaverFake, OUR_TENANT } from '../../../fakes/naver/fake.ts';
import { API_PRODUCTS, SECRETS } from '../../../src/api/names.ts';
import { eventually } from '../../support/eventually.ts';
import { condition } from '../../support/operator.site.ts';
import { VendorSite } from '../../support/vendor.site.ts';

const fake = new NaverFake();
let vendor: VendorSite<NaverFake>;
/** Keys that were refused so far; numbers their names. */
let refused = 0;

beforeAll(async () => {
  vendor = await VendorSite.open(fake, {
    checkSeconds: 3,
    flags: { 'loss-grace-seconds': '0' },
  });
});

afterAll(() => vendor.close());

describe.concurrent('a key at NAVER', () => {
  test('is made there, and its two values are in the Secret (R43)', async () => {
    const key = await vendor.issue('maps', {
      displayName: '지도 서비스',
      description: 'store locator',
    });
    const values = await vendor.untilSame('maps');
    expect(values['apiKey']).toBe(values['primaryKey']);
    expect(values['secondaryKey']).not.toBe(values['primaryKey']);
    expect(Object.keys(values).toSorted()).toEqual([
      'apiKey',
      'keyId',
      'primaryKey',
      'provider',
      'secondaryKey',
      'type',
    ]);
    const slots = (key.status.slots ?? []).map(({ name, role }) => [name, role]);
    expect(slots).toEqual([
      ['primaryKey', 'Active'],
      ['secondaryKey', 'Standby'],
    ]);
    await eventually(async () =>
      expect(await vendor.copyOf('maps')).toMatchObject({
        name: '지도 서비스',
        description: 'store locator',
        enabled: true,
      }),
    );
  });

  test('is subscribed to the products of its terms, hears the publisher, and is taken out again (R32)', async () => {
    const { namespace, api } = vendor.site;
    const product = `maps-${namespace}`;
    const storeRef = { kind: 'KeyStore', name: 'vendor' };
    const shared = { displayName: 'Maps', documentationURL: 'https://maps.example' };
    await api.create(API_PRODUCTS, {
      metadata: { name: product },
      spec: { ...shared, access: 'Open', external: [{ storeRef, productId: 'protected1' }] },
    });
    const terms = { productRefs: [{ name: product }] };
    await vendor.issue('subscribed', { terms });
    const id = await vendor.idOf('subscribed');
    const synced = async (reason: string) =>
      eventually(async () =>
        expect(condition(await vendor.site.key('subscribed'), 'StoreSynced')?.reason).toBe(reason),
      );
    await synced('SubscriptionPending');
    const relations = () =>
      fake.relations().flatMap((each) => (each.keyId === id ? each.status : []));
    expect(relations()).toEqual(['REQUEST']);
    fake.decide('protected1', id, 'DENY');
    await synced('SubscriptionRefused');
    fake.decide('protected1', id, 'ACCEPTED');
    await eventually(async () => {
      const key = await vendor.site.key('subscribed');
      expect(condition(key, 'StoreSynced')?.status ?? 'True').toBe('True');
    });
    await vendor.site.edit('subscribed', { terms: null });
    await eventually(() => {
      expect(relations()).toEqual([]);
    });
    await vendor.site.edit('subscribed', { terms });
    await eventually(() => {
      expect(relations()).toEqual(['REQUEST']);
    });
    await vendor.site.remove('subscribed');
    await vendor.site.untilGone('subscribed');
    expect(relations()).toEqual([]);
    // By grant alone, and one that nobody publishes there.
    await api.create(API_PRODUCTS, {
      metadata: { name: `granted-${namespace}` },
      spec: { ...shared, external: [{ storeRef, productId: 'protected1' }] },
    });
    for (const name of [`granted-${namespace}`, `nowhere-${namespace}`]) {
      await vendor.site.create(name, {
        storeRef,
        displayName: 'maps',
        terms: { productRefs: [{ name }] },
      });
      const key = await vendor.site.until(name, 'UnsupportedByStore');
      expect(condition(key, 'Ready')?.message).toContain(`productRefs '${name}'`);
    }
  });

  test('shows what the vendor said of it, and none of its values (R40, R41, R49)', async () => {
    await vendor.issue('shown');
    const values = await vendor.untilSame('shown');
    const key = await vendor.site.key('shown');
    const { id, createdMs } = await vendor.copyOf('shown');
    expect(key.status.remote).toMatchObject({
      id,
      state: 'Enabled',
      tenantId: OUR_TENANT,
      domainCode: 'PUB',
      modifier: expect.any(String),
      modifiedTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]+(\.\d+)?Z$/),
    });
    expect(Date.parse(key.status.remote?.createdTime ?? '')).toBeCloseTo(createdMs, -4);
    const shown = JSON.stringify(key);
    for (const slot of ['apiKey', 'primaryKey', 'secondaryKey']) {
      expect(shown.includes(values[slot] ?? '-')).toBe(false);
    }
  });

  test('keeps its id at the vendor through renaming and rotation (R40)', async () => {
    await vendor.issue('same');
    const id = await vendor.idOf('same');
    await vendor.site.edit('same', {
      displayName: '다른 이름',
      rotation: { requestId: 'one', urgency: 'Emergency' },
    });
    await vendor.site.untilRotated('same', 'one');
    await eventually(async () => expect((await vendor.copyOf('same')).name).toBe('다른 이름'));
    expect(await vendor.idOf('same')).toBe(id);
  });

  test('is switched off and on as the spec says (R46)', async () => {
    await vendor.issue('switch');
    await vendor.site.edit('switch', { state: 'Suspended' });
    await vendor.site.until('switch', 'Suspended');
    expect((await vendor.copyOf('switch')).enabled).toBe(false);
    await vendor.site.edit('switch', { state: 'Active' });
    await vendor.site.until('switch', 'Active');
    expect((await vendor.copyOf('switch')).enabled).toBe(true);
  });

  test('takes turns between its values, and both work until the overlap is over (R44)', async () => {
    await vendor.issue('turns');
    const before = await vendor.site.values('turns');
    await vendor.site.edit('turns', { rotation: { requestId: 'one', overlapSeconds: 5 } });
    await vendor.site.untilRotated('turns', 'one');
    const during = await vendor.site.values('turns');
    const there = await vendor.copyOf('turns');
    expect(there).toMatchObject({
      enabled: true,
      values: { primaryKey: before['primaryKey'], secondaryKey: during['secondaryKey'] },
    });
    expect(during['primaryKey']).toBe(before['primaryKey']);
    expect(during['secondaryKey']).not.toBe(before['secondaryKey']);
    expect(during['apiKey']).toBe(during['secondaryKey']);
    await eventually(async () => {
      const after = await vendor.site.values('turns');
      expect(after['primaryKey']).not.toBe(before['primaryKey']);
      expect(after['apiKey']).toBe(during['secondaryKey']);
    });
    await vendor.untilSame('turns');
  });

  test('gets two new values at once in an emergency', async () => {
    await vendor.issue('leaked');
    const before = await vendor.site.values('leaked');
    await vendor.site.edit('leaked', { rotation: { requestId: 'one', urgency: 'Emergency' } });
    await vendor.site.untilRotated('leaked', 'one');
    await eventually(async () => {
      const after = await vendor.site.values('leaked');
      expect(after['primaryKey']).not.toBe(before['primaryKey']);
      expect(after['secondaryKey']).not.toBe(before['secondaryKey']);
    });
    await vendor.untilSame('leaked');
  });

  test('gets exactly the value anew that the spec names, also the one in use', async () => {
    await vendor.issue('slot');
    const before = await vendor.site.values('slot');
    await vendor.site.edit('slot', { rotation: { requestId: 'one', slot: 'Primary' } });
    await vendor.site.untilRotated('slot', 'one');
    const after = await vendor.untilSame('slot');
    expect(after['primaryKey']).not.toBe(before['primaryKey']);
    expect(after['secondaryKey']).toBe(before['secondaryKey']);
  });

  test('is disabled there when its validity ends, and revived by a later end', async () => {
    const ending = (inMs: number) => ({
      terms: { validity: { expirationTime: `${new Date(Date.now() + inMs).toISOString()}` } },
    });
    await vendor.issue('visitor', ending(3_600_000));
    const before = await vendor.site.values('visitor');
    await vendor.site.edit('visitor', ending(1_000));
    await vendor.site.until('visitor', 'Expired');
    await eventually(async () => expect((await vendor.copyOf('visitor')).enabled).toBe(false));
    await vendor.site.edit('visitor', ending(3_600_000));
    await vendor.site.until('visitor', 'Active');
    expect((await vendor.copyOf('visitor')).enabled).toBe(true);
    expect(await vendor.site.values('visitor')).toEqual(before);
  });

  test('is gone there before its ApiKey is', async () => {
    await vendor.issue('short');
    const id = await vendor.idOf('short');
    await vendor.site.remove('short');
    await vendor.site.untilGone('short');
    expect(vendor.ids).not.toContain(id);
  });
});

describe.concurrent("what somebody does in NAVER's console", () => {
  test('to name, description or switch is set back, and an event says so (R42, R46)', async () => {
    await vendor.issue('drift', { displayName: 'ours', description: 'our words' });
    const id = await vendor.idOf('drift');
    await eventually(async () => expect((await vendor.copyOf('drift')).name).toBe('ours'));
    fake.act({ act: 'Rename', id, name: 'theirs', description: 'their words' });
    fake.act({ act: 'Disable', id });
    await eventually(async () =>
      expect(await vendor.copyOf('drift')).toMatchObject({
        name: 'ours',
        description: 'our words',
        enabled: true,
      }),
    );
    await eventually(async () => expect(await vendor.reasons('drift')).toContain('RemoteChanged'));
  });

  test('to a value is taken over into the Secret, and an event says so (R44)', async () => {
    await vendor.issue('byhand');
    const before = await vendor.untilSame('byhand');
    fake.act({ act: 'Regenerate', id: await vendor.idOf('byhand'), slot: 'primaryKey' });
    const after = await vendor.untilSame('byhand');
    expect(after['primaryKey']).not.toBe(before['primaryKey']);
    expect(after['apiKey']).toBe(after['primaryKey']);
    await eventually(async () =>
      expect(await vendor.reasons('byhand')).toContain('RemoteValuesChanged'),
    );
  });

  test('by deleting it is answered with a new key, unless the spec says to wait', async () => {
    await vendor.issue('lost');
    await vendor.issue('kept', { secret: { onLoss: 'Wait' } });
    const [lost, kept] = [await vendor.idOf('lost'), await vendor.idOf('kept')];
    fake.act({ act: 'Delete', id: lost });
    fake.act({ act: 'Delete', id: kept });
    await eventually(async () => expect(await vendor.idOf('lost')).not.toBe(lost));
    await vendor.site.until('lost', 'Active');
    await vendor.untilSame('lost');
    const key = await vendor.site.until('kept', 'RemoteMissing');
    expect(condition(key, 'StoreSynced')).toMatchObject({
      status: 'False',
      reason: 'RemoteMissing',
    });
    expect(condition(key, 'Ready')?.message).toContain(kept);
  });

  test('to a key that is suspended is set back, too: off stays off', async () => {
    await vendor.issue('off', { state: 'Active' });
    await vendor.site.edit('off', { state: 'Suspended' });
    await vendor.site.until('off', 'Suspended');
    const id = await vendor.idOf('off');
    fake.act({ act: 'Enable', id });
    await eventually(async () => expect((await vendor.copyOf('off')).enabled).toBe(false));
  });
});

describe.concurrent('a spec that NAVER cannot honour is refused in a sentence, nothing is made', () => {
  test.each([
    ['a name of 21 characters (R36)', 'spec.displayName', { displayName: 'n'.repeat(21) }],
    ['a name of 21 Korean characters (R38)', 'spec.displayName', { displayName: '가'.repeat(21) }],
    ['a description of 51 (R35)', 'spec.description', { description: 'd'.repeat(51) }],
    ['another format', 'spec.format', { format: 'Opaque' }],
    ['a quota', 'spec.terms.quota', { terms: { quota: { requests: 5 } } }],
    [
      'sites',
      'spec.terms.originPolicy',
      { terms: { originPolicy: { allowed: ['https://www.example.com'] } } },
    ],
    ['networks', 'spec.terms.cidrs', { terms: { cidrs: ['203.0.113.0/24'] } }],
    [
      'a product that no ApiProduct puts there (R32)',
      'spec.terms.productRefs',
      { terms: { productRefs: [{ name: 'maps' }] } },
    ],
  ] as const)('%s', async (_, field, spec) => {
    const name = `refused-${(refused += 1)}`;
    await vendor.create(name, spec);
    const key = await vendor.site.until(name, 'UnsupportedByStore');
    expect(condition(key, 'SpecSupported')).toMatchObject({ status: 'False' });
    expect(condition(key, 'SpecSupported')?.message).toContain(field);
    expect(key.status.remote).toBeUndefined();
    expect(await vendor.site.secret(name)).toBeUndefined();
  });

  test('a name without one, when the name of the ApiKey itself is too long (R36)', async () => {
    await vendor.create('a-name-of-more-than-twenty');
    const key = await vendor.site.until('a-name-of-more-than-twenty', 'UnsupportedByStore');
    expect(condition(key, 'Ready')?.message).toContain('spec.displayName');
  });

  test('a change to one leaves the key as it was, and is undone by another edit', async () => {
    await vendor.issue('earlier', { displayName: 'good' });
    await vendor.site.edit('earlier', { displayName: 'b'.repeat(21) });
    const key = await vendor.site.until('earlier', 'UnsupportedByStore');
    expect(condition(key, 'Ready')?.message).toContain('keeps its earlier terms');
    expect(await vendor.copyOf('earlier')).toMatchObject({ name: 'good', enabled: true });
    await vendor.site.edit('earlier', { displayName: 'better' });
    await vendor.site.until('earlier', 'Active');
    await eventually(async () => expect((await vendor.copyOf('earlier')).name).toBe('better'));
  });
});

describe.concurrent('names are counted as people count them', () => {
  test.each([
    ['korean', '가'.repeat(20)],
    ['emoji', '🔑'.repeat(20)],
    ['description', 'short'],
  ])('20 characters, and 50 in the description: %s (R36, R38)', async (name, displayName) => {
    const description = '설'.repeat(50);
    await vendor.issue(`count-${name}`, { displayName, description });
    await eventually(async () =>
      expect(await vendor.copyOf(`count-${name}`)).toMatchObject({
        name: displayName,
        description,
      }),
    );
  });
});

test('a key is found again when the answer to its creation was lost (S12)', async () => {
  fake.inject({ operation: 'create', fault: { kind: 'LostAnswer' } });
  const before = vendor.ids.length;
  await vendor.issue('found');
  expect(vendor.ids).toHaveLength(before + 1);
  await vendor.untilSame('found');
});

test('a Secret that is deleted is written again with the values the vendor has', async () => {
  await vendor.issue('restored', { secret: { onLoss: 'Restore' } });
  const before = await vendor.site.values('restored');
  await vendor.site.api.remove(SECRETS, vendor.site.namespace, 'restored');
  // The loss is believed after its grace time; both come before the deadline of `eventually`.
  await eventually(
    async () => expect(await vendor.site.values('restored')).toEqual(before),
    60_000,
  );
}, 90_000);
