/** Credentials at SOLAPI: the whole operator against the fake vendor over HTTP. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SolapiFake } from '../../../fakes/solapi/fake.ts';
import { API_VERSION, KEY_STORES, SECRETS } from '../../../src/api/names.ts';
import { sharedControlPlane } from '../../support/controlplane.ts';
import { eventually } from '../../support/eventually.ts';
import { Site } from '../../support/operator.site.ts';

const SOLAPI = { kind: 'KeyStore', name: 'solapi' } as const;
const fake = new SolapiFake({ strangers: 2 });
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
        deleteGraceSeconds: 0,
      },
    },
  });
  await site.start();
});

afterAll(async () => {
  await site.close();
  await fake.stop();
});

/** The vendor's copy of the pair in the Secret. */
async function atVendor(name: string) {
  const { apiKey } = await site.values(name);
  return fake.credentials().find(({ id }) => id === apiKey);
}

describe('a pair at SOLAPI', () => {
  test('is made there, and both halves are in the Secret (R63, R64)', async () => {
    const key = await site.issue('send', { storeRef: SOLAPI });
    const values = await site.values('send');
    expect(values['apiKey']).toMatch(/^NCS[0-9A-Z]{13}$/);
    expect(await atVendor('send')).toMatchObject({
      enabled: true,
      values: { apiSecret: values['apiSecret'] },
    });
    expect(key.status.keyHint).toBe(values['apiKey']);
    expect(JSON.stringify(key)).not.toContain(values['apiSecret']);
  });

  test('is inactive while suspended, and active again (R80, R83)', async () => {
    await site.issue('switch', { storeRef: SOLAPI });
    await site.edit('switch', { state: 'Suspended' });
    await site.until('switch', 'Suspended');
    expect((await atVendor('switch'))?.enabled).toBe(false);
    await site.edit('switch', { state: 'Active' });
    await site.until('switch', 'Active');
    expect((await atVendor('switch'))?.enabled).toBe(true);
  });

  test('is followed by a second pair in a planned rotation, and goes after the overlap', async () => {
    await site.issue('turns', { storeRef: SOLAPI });
    const before = await site.values('turns');
    await site.edit('turns', { rotation: { requestId: 'one', overlapSeconds: 3 } });
    await site.untilRotated('turns', 'one');
    const during = await site.values('turns');
    expect(during['apiKey']).not.toBe(before['apiKey']);
    expect(during['previousApiKey']).toBe(before['apiKey']);
    expect(fake.credentials().map(({ id }) => id)).toContain(before['apiKey']);
    await eventually(async () =>
      expect(fake.credentials().map(({ id }) => id)).not.toContain(before['apiKey']),
    );
    expect(await atVendor('turns')).toMatchObject({ enabled: true });
  });

  test('keeps its public half and gets a new secret in an emergency (R73, R74)', async () => {
    await site.issue('leaked', { storeRef: SOLAPI });
    const before = await site.values('leaked');
    await site.edit('leaked', { rotation: { requestId: 'one', urgency: 'Emergency' } });
    await site.untilRotated('leaked', 'one');
    await eventually(async () => {
      const after = await site.values('leaked');
      expect(after['apiKey']).toBe(before['apiKey']);
      expect(after['apiSecret']).not.toBe(before['apiSecret']);
      expect(after['apiSecret']).toBe((await atVendor('leaked'))?.values['apiSecret']);
    });
  });

  test('is gone there when its ApiKey is; those of others stay (R79, R86)', async () => {
    const strangers = fake.credentials().filter(({ id }) => isStranger(id));
    await site.issue('short', { storeRef: SOLAPI });
    const { apiKey } = await site.values('short');
    await site.remove('short');
    await site.untilGone('short');
    expect(fake.credentials().map(({ id }) => id)).not.toContain(apiKey);
    expect(fake.credentials()).toEqual(expect.arrayContaining(strangers));
  });

  test('many at once are made one after the other, each for its own ApiKey (R93)', async () => {
    const names = Array.from({ length: 6 }, (_, i) => `many-${i}`);
    await Promise.all(names.map((name) => site.create(name, { storeRef: SOLAPI })));
    for (const name of names) {
      // oxlint-disable-next-line no-await-in-loop
      await site.until(name, 'Active');
    }
    const ids = await Promise.all(names.map(async (name) => (await site.values(name))['apiKey']));
    expect(new Set(ids).size).toBe(names.length);
  });
});

const first = new Set(fake.credentials().map(({ id }) => id));

/** Whether a credential was there before any ApiKey. */
function isStranger(id: string): boolean {
  return first.has(id);
}
