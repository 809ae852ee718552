/** Built-in stores that behave as another system: what their keys are, and what gates know of them. */
import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KEY_STORES } from '../../../src/api/names.ts';
import { sharedControlPlane } from '../../support/controlplane.ts';
import { eventually } from '../../support/eventually.ts';
import { Site, storeObject } from '../../support/operator.site.ts';

let site: Site;

beforeAll(async () => {
  site = await Site.open({ access: sharedControlPlane() });
  await site.start();
});

afterAll(() => site.close());

async function putStore(name: string, builtin: object): Promise<string> {
  const draft = storeObject(site.namespace, name, builtin);
  const { metadata } = await site.api.create(KEY_STORES, draft);
  return metadata.uid;
}

/** What gates know of the store. */
async function known(uid: string) {
  const document = await (await site.ledger()).loadDocument('Store', uid);
  return document && [document.phase, document.profile];
}

describe('a built-in store with a profile', () => {
  test.each([
    ['VisitSeoul', ['apiKey']],
    ['Naver', ['apiKey', 'primaryKey', 'secondaryKey']],
    ['Solapi', ['apiKey', 'apiSecret']],
    ['DigiRunner', ['apiKey', 'apiSecret']],
  ])('%s gives keys of that shape, and gates are told', async (profile, entries) => {
    const name = profile.toLowerCase();
    const uid = await putStore(name, { profile });
    await site.issue(`of-${name}`, { storeRef: { kind: 'KeyStore', name } });
    const values = await site.values(`of-${name}`);
    const named = Object.keys(values).filter((entry) => /key$|secret$/i.test(entry));
    expect(named.toSorted()).toEqual(entries);
    await eventually(async () => expect(await known(uid)).toEqual(['Live', profile]));
  });

  test('says what it cannot do, and another profile is known as soon as it is Ready', async () => {
    const uid = await putStore('changing', { profile: 'Solapi' });
    await site.create('single', {
      storeRef: { kind: 'KeyStore', name: 'changing' },
      format: 'Opaque',
    });
    await site.until('single', 'UnsupportedByStore');
    await site.api.patch(KEY_STORES, [site.namespace, 'changing'], {
      spec: { builtin: { profile: 'VisitSeoul' } },
    });
    await site.until('single', 'Active');
    await eventually(async () => expect(await known(uid)).toEqual(['Live', 'VisitSeoul']));
  });

  test('ends for gates when it is deleted, and a store of the default has no need of a word', async () => {
    const uid = await putStore('going', { profile: 'Naver' });
    await eventually(async () => expect(await known(uid)).toEqual(['Live', 'Naver']));
    await site.api.remove(KEY_STORES, site.namespace, 'going');
    await eventually(async () => expect(await known(uid)).toEqual(['Ended', 'Naver']));
    const plain = await site.api.get(KEY_STORES, site.namespace, 'plain');
    assert.ok(plain);
    expect(await known(plain.metadata.uid)).toBeUndefined();
  });
});
