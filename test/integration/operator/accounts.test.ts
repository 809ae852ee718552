/** Accounts at a vendor: whose credentials a store has, and what becomes of its keys. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NaverFake } from '../../../fakes/naver/fake.ts';
import { API_KEYS, KEY_STORES, SECRETS } from '../../../src/api/names.ts';
import { eventually } from '../../support/eventually.ts';
import { condition } from '../../support/operator.site.ts';
import { VendorSite } from '../../support/vendor.site.ts';

const fake = new NaverFake();
const [mine, theirs] = fake.accounts;
let vendor: VendorSite<NaverFake>;

beforeAll(async () => {
  vendor = await VendorSite.open(fake, { checkSeconds: 2 });
});

afterAll(() => vendor.close());

describe('credentials of another tenant', () => {
  test('of which nothing shows yet make no key: it is left alone and said so (R41)', async () => {
    // Their account is empty, so the login cannot tell; the answer to the first creation does.
    await vendor.putStore('blind', {}, theirs?.credentials);
    await vendor.untilStore('blind', 'Connected');
    await vendor.create('misled', {}, 'blind');
    const key = await vendor.site.until('misled', 'OwnershipMismatch');
    expect(key.status.remote).toBeUndefined();
    expect(await vendor.site.secret('misled')).toBeUndefined();
    const there = fake.credentials().filter(({ accountId }) => accountId === theirs?.id);
    expect(there).toEqual([]);
    // The right account is empty, too, and the key that waits does not hold the store to the wrong one.
    await vendor.putAccount('blind-right');
    await vendor.editStore('blind', { credentialsSecretRef: { name: 'blind-right' } });
    await vendor.site.until('misled', 'Active');
    const made = fake.credentials();
    expect(made.map(({ accountId }) => accountId)).toEqual([mine?.id]);
    await vendor.site.remove('misled');
    await vendor.site.untilGone('misled');
  });

  test('that has keys are refused before anything is made (R41)', async () => {
    fake.act({ act: 'Create', accountId: theirs?.id ?? '' });
    const before = fake.credentials();
    await vendor.putStore('theirs', {}, theirs?.credentials);
    const message = await vendor.untilStore('theirs', 'AuthenticationFailed');
    expect(message).toContain('another tenant');
    await vendor.create('nothing', {}, 'theirs');
    await vendor.site.until('nothing', 'StoreUnavailable');
    expect(fake.credentials()).toEqual(before);
  });

  test('in a store that has keys already touch nothing, and the right ones mend it', async () => {
    await vendor.putStore('moved', { tenantId: null });
    await vendor.untilStore('moved', 'Connected');
    await vendor.issue('mine', {}, 'moved');
    const id = await vendor.idOf('mine');
    const before = fake.credentials();
    await vendor.putAccount('other-account', theirs?.credentials);
    await vendor.editStore('moved', { credentialsSecretRef: { name: 'other-account' } });
    await vendor.untilStore('moved', 'AccountChanged');
    await vendor.site.edit('mine', { displayName: 'renamed' });
    await vendor.create('more', {}, 'moved');
    await vendor.site.until('more', 'StoreUnavailable');
    expect(fake.credentials()).toEqual(before);
    expect(await vendor.site.values('mine')).toMatchObject(
      before.find((c) => c.id === id)?.values ?? {},
    );
    await vendor.editStore('moved', { credentialsSecretRef: { name: 'moved-account' } });
    await vendor.untilStore('moved', 'Connected');
    await vendor.site.until('more', 'Active');
    await eventually(async () => expect((await vendor.copyOf('mine')).name).toBe('renamed'));
  });
});

describe('credentials of a store', () => {
  test('that rotate are followed: the old ones refused, the new ones used, no key touched', async () => {
    await vendor.putStore('rotated');
    await vendor.untilStore('rotated', 'Connected');
    await vendor.issue('before', {}, 'rotated');
    const values = await vendor.site.values('before');
    await vendor.putAccount('rotated-account-2');
    await vendor.editStore('rotated', { credentialsSecretRef: { name: 'rotated-account-2' } });
    await vendor.site.api.remove(SECRETS, vendor.site.namespace, 'rotated-account');
    await vendor.issue('after', {}, 'rotated');
    expect(await vendor.site.values('before')).toEqual(values);
    expect(condition(await vendor.site.key('before'), 'Ready')).toMatchObject({ status: 'True' });
  });
});

describe('two stores on one account', () => {
  test('do not disturb each other: each ends its own keys only', async () => {
    await vendor.putStore('second');
    await vendor.untilStore('second', 'Connected');
    await Promise.all([
      vendor.issue('here', { displayName: 'same name' }),
      vendor.issue('there', { displayName: 'same name' }, 'second'),
    ]);
    const [here, there] = [await vendor.idOf('here'), await vendor.idOf('there')];
    expect(here).not.toBe(there);
    expect((await vendor.store('second'))?.account).toBe((await vendor.store('vendor'))?.account);
    await vendor.site.remove('here');
    await vendor.site.untilGone('here');
    expect(vendor.ids).not.toContain(here);
    expect(vendor.ids).toContain(there);
    await vendor.untilSame('there');
  });

  test('one that is deleted stays until its last key is gone, the other is not held up', async () => {
    const { api, namespace } = vendor.site;
    await vendor.putStore('leaving');
    await vendor.issue('last', {}, 'leaving');
    const id = await vendor.idOf('last');
    await api.remove(KEY_STORES, namespace, 'leaving');
    const message = await vendor.untilStore('leaving', 'KeysRemain');
    expect(message).toBe('1 key remains in the store; delete it first');
    expect(condition(await vendor.site.key('last'), 'Ready')).toMatchObject({ status: 'True' });
    expect(vendor.ids).toContain(id);
    await api.remove(API_KEYS, namespace, 'last');
    await eventually(async () => {
      expect(await api.get(KEY_STORES, namespace, 'leaving')).toBeUndefined();
    });
    expect(vendor.ids).not.toContain(id);
    await vendor.untilStore('vendor', 'Connected');
  });
});
