/** The awkward vendor, end to end: a value that is shown once must never be lost or doubled. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { AwkwardFake } from '../../../fakes/awkward/fake.ts';
import type { Hold, Holds } from '../../../fakes/holds.ts';
import { API_KEYS } from '../../../src/api/names.ts';
import { sharedControlPlane } from '../../support/controlplane.ts';
import { eventually } from '../../support/eventually.ts';
import { openVendorSite, VENDOR, type VendorSite } from '../../support/operator.vendors.ts';

/** Create calls that may be lost before a person must look. */
const ATTEMPTS_MAX = 5;
const LOST = { operation: 'create', fault: { kind: 'LostAnswer' } } as const;

let vendor: VendorSite;

/** Values that the vendor has at this moment. */
function held(): readonly unknown[] {
  return vendor.fake.credentials().map(({ values }) => values['apiKey']);
}

async function valueOf(name: string): Promise<string | undefined> {
  return (await vendor.site.values(name))['apiKey'];
}

function created(): number {
  return vendor.fake.calls.filter(({ operation }) => operation === 'create').length;
}

/** The harness starts fakes of our own, which can hold calls. */
function holds(): Holds {
  return (vendor.fake as AwkwardFake).holds;
}

/** Kills the operator while the call stands still, cuts the connection and starts another one. */
async function killAt(hold: Hold): Promise<void> {
  await hold.arrived;
  await vendor.site.operator.kill();
  hold.release('Cut');
  await vendor.site.start();
}

/** Each test begins with a vendor that has nothing and does nothing wrong. */
async function endAll(): Promise<void> {
  vendor.fake.clear();
  const { api, namespace } = vendor.site;
  const keys = await api.list(API_KEYS, namespace);
  await Promise.all(keys.map(({ metadata }) => api.remove(API_KEYS, namespace, metadata.name)));
  await eventually(async () => expect(await api.list(API_KEYS, namespace)).toEqual([]));
  for (const { id } of vendor.fake.credentials()) vendor.fake.act({ act: 'Delete', id });
}

describe('class O, values shown once', () => {
  beforeAll(async () => {
    vendor = await openVendorSite({ access: sharedControlPlane(), type: 'Awkward' });
    await vendor.site.start();
  });
  afterEach(endAll);
  afterAll(() => vendor.close());

  test('a key is made once, its value is in the Secret, and it goes with its object', async () => {
    await vendor.site.issue('simple', { storeRef: VENDOR });
    expect(held()).toEqual([await valueOf('simple')]);
    expect(created()).toBe(1);
    await vendor.site.remove('simple');
    await vendor.site.untilGone('simple');
    await eventually(() => expect(held()).toEqual([]));
  });

  test('a create call whose answer is lost is burnt and made anew, also when lists lag', async () => {
    vendor.fake.listLagMs = 700;
    vendor.fake.inject(LOST);
    await vendor.site.issue('lost', { storeRef: VENDOR });
    expect(held()).toEqual([await valueOf('lost')]);
    expect(created()).toBe(2);
  });

  test('killed five times between answer and ledger, it stops, and at most one key is left', async () => {
    // All at once: the next operator may be at its create call before the test is.
    const attempts = Array.from({ length: ATTEMPTS_MAX }, () => holds().add('create', 'After'));
    await vendor.site.create('blocked', { storeRef: VENDOR });
    for (const hold of attempts) {
      // One after the other: each is about what the one before left.
      // oxlint-disable-next-line no-await-in-loop
      await killAt(hold);
      expect(held().length).toBeLessThanOrEqual(1);
    }
    await vendor.site.until('blocked', 'CreateBlocked');
    expect(created()).toBe(ATTEMPTS_MAX);
    expect(held().length).toBeLessThanOrEqual(1);
    await vendor.site.remove('blocked');
    await vendor.site.untilGone('blocked');
    await eventually(() => expect(held()).toEqual([]));
  });

  test.each(['Before', 'After'] as const)(
    'an operator that is killed in the middle of the create call (%s) leaves exactly one key',
    async (point) => {
      const name = `killed-${point.toLowerCase()}`;
      const hold = holds().add('create', point);
      await vendor.site.create(name, { storeRef: VENDOR });
      await killAt(hold);
      await vendor.site.until(name, 'Active');
      expect(held()).toEqual([await valueOf(name)]);
    },
  );

  test('a key is switched off and on at the vendor, its value unchanged', async () => {
    await vendor.site.issue('paused', { storeRef: VENDOR });
    const before = held();
    await vendor.site.edit('paused', { state: 'Suspended' });
    await vendor.site.until('paused', 'Suspended');
    expect(vendor.fake.credentials().map(({ enabled }) => enabled)).toEqual([false]);
    await vendor.site.edit('paused', { state: 'Active' });
    await vendor.site.until('paused', 'Active');
    expect(vendor.fake.credentials().map(({ enabled }) => enabled)).toEqual([true]);
    expect(held()).toEqual(before);
  });

  test('a rotated key has a new credential, and the old one ends with the overlap', async () => {
    await vendor.site.issue('rotated', { storeRef: VENDOR });
    const before = await valueOf('rotated');
    await vendor.site.edit('rotated', { rotation: { requestId: 'one', overlapSeconds: 0 } });
    await vendor.site.untilRotated('rotated', 'one');
    const after = await valueOf('rotated');
    expect(after).not.toBe(before);
    await eventually(() => expect(held()).toEqual([after]));
  });

  test("a stranger's token in the same account is left alone", async () => {
    const id = vendor.fake.act({ act: 'Create', name: 'not yours' });
    await vendor.site.issue('beside', { storeRef: VENDOR });
    await vendor.site.remove('beside');
    await vendor.site.untilGone('beside');
    await eventually(() => expect(vendor.fake.credentials()).toMatchObject([{ id }]));
  });
});

describe('class X, nothing to find out by', () => {
  beforeAll(async () => {
    vendor = await openVendorSite({ access: sharedControlPlane(), type: 'AwkwardX' });
    await vendor.site.start();
  });
  afterAll(() => vendor.close());

  test('a key is made as long as answers come', async () => {
    await vendor.site.issue('simple', { storeRef: VENDOR });
    expect(held()).toEqual([await valueOf('simple')]);
    await endAll();
  });

  test('a lost answer stops for a person: nothing is adopted, repeated or deleted', async () => {
    vendor.fake.inject(LOST);
    await vendor.site.create('lost', { storeRef: VENDOR });
    await vendor.site.until('lost', 'OwnershipAmbiguous');
    expect(created()).toBe(1);
    expect(held()).toHaveLength(1);
    expect(await vendor.site.secret('lost')).toBeUndefined();
  });
});
