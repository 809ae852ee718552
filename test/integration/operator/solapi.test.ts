/** Credentials at SOLAPI: the whole operator against the fake vendor over HTTP. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SolapiFake } from '../../../fakes/solapi/fake.ts';
import { SECRETS } from '../../../src/api/names.ts';
import { eventually } from '../../support/eventually.ts';
import { condition } from '../../support/operator.site.ts';
import { VendorSite } from '../../support/vendor.site.ts';

const fake = new SolapiFake({ strangers: 2 });
/** What was in the account before any ApiKey. */
const strangers = fake.credentials();
let vendor: VendorSite<SolapiFake>;

beforeAll(async () => {
  vendor = await VendorSite.open(fake, {
    checkSeconds: 3,
    flags: { 'loss-grace-seconds': '0', 'log-level': 'debug' },
  });
});

afterAll(() => vendor.close());

describe.concurrent('a pair at SOLAPI', () => {
  test('is made there, and both halves are in the Secret (R63, R64)', async () => {
    const key = await vendor.issue('send');
    const values = await vendor.untilSame('send');
    expect(values['apiKey']).toMatch(/^NCS[0-9A-Z]{13}$/);
    expect(values['apiKey']).toBe(await vendor.idOf('send'));
    expect(key.status.keyHint).toBe(values['apiKey']);
    expect(key.status.remote).toMatchObject({ id: values['apiKey'], state: 'Enabled' });
    expect(JSON.stringify(key).includes(values['apiSecret'] ?? '-')).toBe(false);
  });

  test('is inactive while suspended, and active again (R80, R83, R84)', async () => {
    await vendor.issue('switch');
    await vendor.site.edit('switch', { state: 'Suspended' });
    await vendor.site.until('switch', 'Suspended');
    expect((await vendor.copyOf('switch')).enabled).toBe(false);
    await vendor.site.edit('switch', { state: 'Active' });
    await vendor.site.until('switch', 'Active');
    expect((await vendor.copyOf('switch')).enabled).toBe(true);
  });

  test('is followed by a second pair in a planned rotation, and goes after the overlap', async () => {
    await vendor.issue('turns');
    const before = await vendor.site.values('turns');
    await vendor.site.edit('turns', { rotation: { requestId: 'one', overlapSeconds: 5 } });
    await vendor.site.untilRotated('turns', 'one');
    const during = await vendor.site.values('turns');
    expect(during['apiKey']).not.toBe(before['apiKey']);
    expect(during['previousApiKey']).toBe(before['apiKey']);
    expect(during['previousApiSecret']).toBe(before['apiSecret']);
    expect(vendor.ids).toContain(before['apiKey']);
    await eventually(() => expect(vendor.ids).not.toContain(before['apiKey']));
    expect((await vendor.copyOf('turns')).enabled).toBe(true);
    await eventually(async () =>
      expect(await vendor.site.values('turns')).not.toHaveProperty('previousApiKey'),
    );
  });

  test('keeps its public half and gets a new secret in an emergency (R73, R74)', async () => {
    await vendor.issue('leaked');
    const before = await vendor.site.values('leaked');
    await vendor.site.edit('leaked', { rotation: { requestId: 'one', urgency: 'Emergency' } });
    await vendor.site.untilRotated('leaked', 'one');
    await eventually(async () => {
      const after = await vendor.site.values('leaked');
      expect(after['apiKey']).toBe(before['apiKey']);
      expect(after['apiSecret']).not.toBe(before['apiSecret']);
    });
    await vendor.untilSame('leaked');
  });

  test('that rotates in place is announced before its secret changes (R74)', async () => {
    await vendor.issue('inplace');
    const before = await vendor.site.values('inplace');
    await vendor.site.edit('inplace', { rotation: { requestId: 'one', method: 'InPlace' } });
    await vendor.site.untilRotated('inplace', 'one');
    const after = await vendor.untilSame('inplace');
    expect(after['apiKey']).toBe(before['apiKey']);
    expect(after['apiSecret']).not.toBe(before['apiSecret']);
  });

  test('is written into its Secret again with the same secret when that is lost (R69)', async () => {
    await vendor.issue('restored', { secret: { onLoss: 'Restore' } });
    const before = await vendor.site.values('restored');
    await vendor.site.api.remove(SECRETS, vendor.site.namespace, 'restored');
    await eventually(async () => expect(await vendor.site.values('restored')).toEqual(before));
  });

  test('is inactive when its validity ends, and revived by a later end', async () => {
    const ending = (inMs: number) => ({
      terms: { validity: { expirationTime: new Date(Date.now() + inMs).toISOString() } },
    });
    await vendor.issue('visitor', ending(3_600_000));
    await vendor.site.edit('visitor', ending(1_000));
    await vendor.site.until('visitor', 'Expired');
    await eventually(async () => expect((await vendor.copyOf('visitor')).enabled).toBe(false));
    await vendor.site.edit('visitor', ending(3_600_000));
    await vendor.site.until('visitor', 'Active');
    expect((await vendor.copyOf('visitor')).enabled).toBe(true);
  });

  test('is gone there when its ApiKey is (R85, R86, R94)', async () => {
    await vendor.issue('short');
    const id = await vendor.idOf('short');
    await vendor.site.remove('short');
    await vendor.site.untilGone('short');
    expect(vendor.ids).not.toContain(id);
  });

  test('that somebody deleted there does not hold up its ApiKey (R87, R89)', async () => {
    await vendor.issue('ghost', { secret: { onLoss: 'Wait' } });
    fake.act({ act: 'Delete', id: await vendor.idOf('ghost') });
    await vendor.site.remove('ghost');
    await expect(vendor.site.untilGone('ghost')).resolves.toBeUndefined();
  });

  test('with a quota is refused in a sentence that names the field', async () => {
    await vendor.create('quota', { terms: { quota: { requests: 5 } } });
    const key = await vendor.site.until('quota', 'UnsupportedByStore');
    expect(condition(key, 'SpecSupported')).toMatchObject({ status: 'False' });
    expect(condition(key, 'SpecSupported')?.message).toContain('spec.terms.quota');
  });
});

describe.concurrent("what somebody does in SOLAPI's console", () => {
  test('to the state is set back, and an event says so (R70)', async () => {
    await vendor.issue('drift');
    fake.act({ act: 'Disable', id: await vendor.idOf('drift') });
    await eventually(async () => expect((await vendor.copyOf('drift')).enabled).toBe(true));
    await eventually(async () => expect(await vendor.reasons('drift')).toContain('RemoteChanged'));
  });

  test('to the secret is taken over, and an event says so (R73)', async () => {
    await vendor.issue('byhand');
    const before = await vendor.site.values('byhand');
    fake.act({ act: 'Regenerate', id: await vendor.idOf('byhand'), slot: 'apiSecret' });
    await eventually(async () =>
      expect((await vendor.site.values('byhand'))['apiSecret']).not.toBe(before['apiSecret']),
    );
    await vendor.untilSame('byhand');
    await eventually(async () =>
      expect(await vendor.reasons('byhand')).toContain('RemoteValuesChanged'),
    );
  });

  test('by deleting it is answered with another pair (R87)', async () => {
    await vendor.issue('lost');
    const lost = await vendor.idOf('lost');
    fake.act({ act: 'Delete', id: lost });
    await eventually(async () => expect(await vendor.idOf('lost')).not.toBe(lost));
    await vendor.site.until('lost', 'Active');
    await vendor.untilSame('lost');
  });
});

describe('creations at SOLAPI', () => {
  test('many at once are made one after the other, each for its own ApiKey (R78, R93)', async () => {
    const names = Array.from({ length: 6 }, (_, i) => `many-${i}`);
    await Promise.all(names.map((name) => vendor.issue(name)));
    const ids = await Promise.all(names.map((name) => vendor.idOf(name)));
    expect(new Set(ids).size).toBe(names.length);
    await Promise.all(names.map((name) => vendor.untilSame(name)));
  });

  test('that come to life inactive are made active (R72)', async () => {
    fake.quirks.created = 'inactive';
    await vendor.issue('asleep');
    fake.quirks.created = 'active';
    await eventually(async () => expect((await vendor.copyOf('asleep')).enabled).toBe(true));
  });

  test('whose answer was lost are found in the list, not made twice (R75, R76)', async () => {
    const before = vendor.ids.length;
    fake.inject({ operation: 'create', fault: { kind: 'LostAnswer' } });
    await vendor.issue('found');
    expect(vendor.ids).toHaveLength(before + 1);
    await vendor.untilSame('found');
  });

  test('whose answer was lost while somebody else made one, too, wait for a person (R93)', async () => {
    const held = fake.holds.add('create', 'After');
    await vendor.create('twins');
    await held.arrived;
    const theirs = fake.act({ act: 'Create' });
    held.release('Cut');
    const key = await vendor.site.until('twins', 'OwnershipAmbiguous');
    expect(condition(key, 'Ready')?.message).toContain(theirs);
    expect(condition(key, 'Ready')?.message).toContain('keyward keys resolve');
    expect(await vendor.site.secret('twins')).toBeUndefined();
  });
});

test("other people's credentials are what they were (R79)", () => {
  expect(strangers).toHaveLength(2);
  expect(fake.credentials()).toEqual(expect.arrayContaining([...strangers]));
});

test('secrets in bodies of errors, and in every list, are shown nowhere (R64, R77)', async () => {
  for (const operation of ['create', 'list', 'read', 'update', 'delete']) {
    fake.inject({ operation, fault: { kind: 'EchoSecrets', status: 500 } });
  }
  await vendor.issue('angry');
  await vendor.site.remove('angry');
  await vendor.site.untilGone('angry');
  expect(fake.calls.filter(({ fault }) => fault === 'EchoSecrets').length).toBeGreaterThan(2);
  expect(await vendor.leaks()).toEqual([]);
});
