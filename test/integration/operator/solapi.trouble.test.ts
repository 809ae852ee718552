/** Credentials at SOLAPI: grace, losses, doubts, and what a stranger does behind our back. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SolapiFake } from '../../../fakes/solapi/fake.ts';
import type { VendorCredential } from '../../../kit/fake.ts';
import { API_VERSION, KEY_STORES, SECRETS } from '../../../src/api/names.ts';
import { formatTime } from '../../../src/kernel/time.ts';
import { sharedControlPlane } from '../../support/controlplane.ts';
import { eventually } from '../../support/eventually.ts';
import { Site } from '../../support/operator.site.ts';

const SOLAPI = { kind: 'KeyStore', name: 'solapi' } as const;
const fake = new SolapiFake({ strangers: 3 });
const strangers = fake.credentials();
let site: Site;

beforeAll(async () => {
  await fake.start();
  site = await Site.open({
    access: sharedControlPlane(),
    flags: { 'endpoint-hosts': `Solapi=${new URL(fake.address).host}` },
  });
  const { namespace } = site;
  await site.api.create(SECRETS, {
    metadata: { name: 'solapi-account', namespace },
    stringData: fake.accounts[0]?.credentials,
  });
  await site.api.create(KEY_STORES, {
    apiVersion: API_VERSION,
    kind: 'KeyStore',
    metadata: { name: 'solapi', namespace },
    spec: {
      type: 'Solapi',
      solapi: {
        endpoint: fake.address,
        credentialsSecretRef: { name: 'solapi-account' },
        settleSeconds: 1,
        deleteGraceSeconds: 1,
      },
    },
  });
  await site.start();
});

afterAll(async () => {
  await site.close();
  await fake.stop();
});

const find = (id: string | undefined): VendorCredential | undefined =>
  fake.credentials().find((known) => known.id === id);

/** The vendor's copy of a key. */
async function atVendor(name: string): Promise<VendorCredential | undefined> {
  return find((await site.key(name)).status.remote?.id);
}

describe('a pair at SOLAPI', () => {
  test('R71: shows in its status when it was made there', async () => {
    const key = await site.issue('pair', { storeRef: SOLAPI });
    const { createdMs = 0 } = (await atVendor('pair')) ?? {};
    expect(key.status.remote).toMatchObject({ createdTime: formatTime(createdMs) });
    expect((await site.values('pair'))['provider']).toBe('solapi');
  });

  test('R94: is followed by a second one when it is rotated, and is inactive before it is deleted', async () => {
    await site.issue('turns', { storeRef: SOLAPI });
    const before = await site.values('turns');
    await site.edit('turns', { rotation: { requestId: 'one', overlapSeconds: 2 } });
    await site.untilRotated('turns', 'one');
    const after = await site.values('turns');
    expect(after['apiKey']).not.toBe(before['apiKey']);
    expect(find(after['apiKey'])?.enabled).toBe(true);
    await eventually(() => expect(find(before['apiKey'])).toBeUndefined());
    const calls = fake.calls.filter(({ id }) => id === before['apiKey']);
    const ended = calls.map(({ operation }) => operation).filter((name) => name !== 'read');
    expect(ended).toEqual(['update', 'delete']);
  });

  test('R73: keeps its apiKey and gets a new secret when it is rotated in place', async () => {
    await site.issue('inplace', { storeRef: SOLAPI });
    const before = await site.values('inplace');
    await site.edit('inplace', { rotation: { requestId: 'one', method: 'InPlace' } });
    await site.untilRotated('inplace', 'one');
    await eventually(async () => {
      const after = await site.values('inplace');
      expect(after['apiKey']).toBe(before['apiKey']);
      expect(after['apiSecret']).not.toBe(before['apiSecret']);
      expect(after['apiSecret']).toBe((await atVendor('inplace'))?.values.apiSecret);
    });
  });

  test('R87: can be deleted when somebody has deleted it there before', async () => {
    await site.issue('gone', { storeRef: SOLAPI });
    fake.act({ act: 'Delete', id: (await site.key('gone')).status.remote?.id ?? '' });
    await site.remove('gone');
    await expect(site.untilGone('gone')).resolves.not.toThrow();
  });

  test('R69: is written again with the same secret when its Secret is lost', async () => {
    await site.issue('restored', { storeRef: SOLAPI, secret: { onLoss: 'Restore' } });
    const before = await site.values('restored');
    await site.api.remove(SECRETS, site.namespace, 'restored');
    await eventually(async () => {
      expect(await site.secret('restored')).toBeDefined();
      expect(await site.values('restored')).toMatchObject({
        apiKey: before['apiKey'],
        apiSecret: before['apiSecret'],
      });
    });
  });

  test('R93: is found as the one more in the list when the answer to its creation was lost', async () => {
    const before = fake.credentials().length;
    fake.inject({ operation: 'create', fault: { kind: 'LostAnswer' } });
    await site.issue('lost', { storeRef: SOLAPI });
    expect(fake.credentials()).toHaveLength(before + 1);
    const values = await site.values('lost');
    expect(values['apiSecret']).toBe(find(values['apiKey'])?.values.apiSecret);
  });

  test('R93: waits for a person when a stranger makes one while an answer is lost', async () => {
    const hold = fake.holds.add('create', 'After');
    await site.create('doubt', { storeRef: SOLAPI });
    await hold.arrived;
    const stranger = fake.act({ act: 'Create' });
    hold.release('Cut');
    await site.until('doubt', 'OwnershipAmbiguous');
    expect(find(stranger)?.enabled).toBe(true);
    expect((await site.key('doubt')).status.remote?.id).toBeUndefined();
  });

  test('R79: leaves the credentials of others as they were', () => {
    expect(strangers.map(({ id }) => find(id))).toEqual(strangers);
  });
});
