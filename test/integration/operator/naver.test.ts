/** Keys at NAVER Cloud API Gateway: the whole operator against the fake vendor over HTTP. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BASE_PATH, NaverFake, OUR_TENANT } from '../../../fakes/naver/fake.ts';
import { API_VERSION, KEY_STORES, SECRETS } from '../../../src/api/names.ts';
import { sharedControlPlane } from '../../support/controlplane.ts';
import { eventually } from '../../support/eventually.ts';
import { condition, Site } from '../../support/operator.site.ts';

const NAVER = { kind: 'KeyStore', name: 'naver' } as const;
const fake = new NaverFake();
let site: Site;

beforeAll(async () => {
  await fake.start();
  site = await Site.open({
    access: sharedControlPlane(),
    flags: { 'endpoint-hosts': `Naver=${new URL(fake.address).host}` },
  });
  const { namespace } = site;
  await site.api.create(SECRETS, {
    metadata: { name: 'naver-account', namespace },
    stringData: fake.accounts[0]?.credentials,
  });
  await site.api.create(KEY_STORES, {
    apiVersion: API_VERSION,
    kind: 'KeyStore',
    metadata: { name: 'naver', namespace },
    spec: {
      type: 'Naver',
      naver: {
        endpoint: `${fake.address}${BASE_PATH}`,
        credentialsSecretRef: { name: 'naver-account' },
        tenantId: OUR_TENANT,
        settleSeconds: 1,
      },
    },
  });
  await site.start();
});

afterAll(async () => {
  await site.close();
  await fake.stop();
});

/** The vendor's copy of a key. */
async function atVendor(name: string) {
  const { status } = await site.key(name);
  return fake.credentials().find(({ id }) => id === status.remote?.id);
}

describe('a key at NAVER', () => {
  test('is made there, and its two values are in the Secret (R43)', async () => {
    const key = await site.issue('maps', {
      storeRef: NAVER,
      displayName: '지도 서비스',
      description: 'store locator',
    });
    const remote = await atVendor('maps');
    const values = await site.values('maps');
    expect(values).toMatchObject(remote?.values ?? {});
    expect(values['apiKey']).toBe(values['primaryKey']);
    expect(key.status.remote?.id).toBe(remote?.id);
    await eventually(async () =>
      expect(await atVendor('maps')).toMatchObject({
        name: '지도 서비스',
        description: 'store locator',
        enabled: true,
      }),
    );
  });

  test('is switched off and on as the spec says (R46)', async () => {
    await site.issue('switch', { storeRef: NAVER });
    await site.edit('switch', { state: 'Suspended' });
    await site.until('switch', 'Suspended');
    expect((await atVendor('switch'))?.enabled).toBe(false);
    await site.edit('switch', { state: 'Active' });
    await site.until('switch', 'Active');
    expect((await atVendor('switch'))?.enabled).toBe(true);
  });

  test('takes turns between its values when it is rotated', async () => {
    await site.issue('turns', { storeRef: NAVER });
    const before = await site.values('turns');
    await site.edit('turns', { rotation: { requestId: 'one', overlapSeconds: 2 } });
    await site.untilRotated('turns', 'one');
    const during = await site.values('turns');
    expect(during['primaryKey']).toBe(before['primaryKey']);
    expect(during['secondaryKey']).not.toBe(before['secondaryKey']);
    expect(during['apiKey']).toBe(during['secondaryKey']);
    await eventually(async () => {
      const after = await site.values('turns');
      expect(after['primaryKey']).not.toBe(before['primaryKey']);
      expect(after).toMatchObject((await atVendor('turns'))?.values ?? {});
    });
  });

  test('gets two new values at once in an emergency', async () => {
    await site.issue('leaked', { storeRef: NAVER });
    const before = await site.values('leaked');
    await site.edit('leaked', { rotation: { requestId: 'one', urgency: 'Emergency' } });
    await site.untilRotated('leaked', 'one');
    await eventually(async () => {
      const after = await site.values('leaked');
      expect(after['primaryKey']).not.toBe(before['primaryKey']);
      expect(after['secondaryKey']).not.toBe(before['secondaryKey']);
      expect(after).toMatchObject((await atVendor('leaked'))?.values ?? {});
    });
  });

  test('is gone there before its ApiKey is', async () => {
    await site.issue('short', { storeRef: NAVER });
    const id = (await site.key('short')).status.remote?.id;
    await site.remove('short');
    await site.untilGone('short');
    expect(fake.credentials().map((each) => each.id)).not.toContain(id);
  });

  test('is found again when the answer to its creation was lost (S12)', async () => {
    fake.inject({ operation: 'create', nth: 1, times: 1, fault: { kind: 'LostAnswer' } });
    const before = fake.credentials().length;
    await site.issue('lost', { storeRef: NAVER });
    fake.clear();
    expect(fake.credentials().length).toBe(before + 1);
    expect(await site.values('lost')).toMatchObject((await atVendor('lost'))?.values ?? {});
  });

  test('with a name of 21 characters is refused with a sentence, nothing is made (R36)', async () => {
    const before = fake.credentials().length;
    await site.create('long', { storeRef: NAVER, displayName: 'n'.repeat(21) });
    const key = await site.until('long', 'UnsupportedByStore');
    expect(condition(key, 'SpecSupported')?.message).toContain('spec.displayName');
    expect(fake.credentials().length).toBe(before);
  });
});
