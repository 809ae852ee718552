/** What something on the way answers in the vendor's place, with a status of success. */
import { describe, expect, test } from 'vitest';
import { markName, markText, type Mark } from '../../../../src/stores/mark.ts';
import { aMark, GOING_ON, naverSite, wanted } from './site.ts';

const PAGE = '<html><title>Request Rejected</title></html>';
const PRODUCT = 'protected1';
const GARBLED = { kind: 'Garbled', executed: 'Unknown' };

/** The answer to the creation of another key than the one that was asked for. */
function answerAbout(id: string, mark: Mark, apiKeyDescription: string | undefined): string {
  return JSON.stringify({
    apiKey: {
      apiKeyId: id,
      apiKeyName: markName(mark),
      apiKeyDescription,
      primaryKey: 'p'.repeat(40),
      secondaryKey: 's'.repeat(40),
      isEnabled: true,
    },
  });
}

describe('a creation', () => {
  const stranger = aMark();
  test.each([
    ['with the mark of another generation', markText(stranger)],
    ["with somebody's words", 'made by hand'],
    ['without words', ''],
    ['without a description', undefined],
  ])(
    'is not believed when the answer shows a key %s, and the search by mark finds the right one',
    async (_, description) => {
      await using site = await naverSite();
      const strangers = site.fake.act({ act: 'Create', name: markName(stranger) });
      const body = answerAbout(strangers, stranger, description);
      const fault = { kind: 'Status', status: 201, body, handled: true } as const;
      site.fake.inject({ operation: 'create', fault });
      const want = wanted();
      await expect(site.store.create(want, GOING_ON)).rejects.toMatchObject(GARBLED);
      const found = await site.store.find(want.mark, GOING_ON);
      const ours = site.fake.credentials().filter(({ id }) => id !== strangers);
      expect(found.map(({ id }) => id)).toEqual(ours.map(({ id }) => id));
    },
  );

  test('is believed when the answer shows the mark that was sent', async () => {
    await using site = await naverSite();
    const want = wanted();
    const body = answerAbout('abcdefghij', want.mark, markText(want.mark));
    site.fake.inject({ operation: 'create', fault: { kind: 'Status', status: 201, body } });
    expect(await site.store.create(want, GOING_ON)).toMatchObject({ id: 'abcdefghij' });
  });
});

test.each([true, false])(
  'a change is not believed when the answer shows isEnabled other than %s, and may be repeated',
  async (enabled) => {
    await using site = await naverSite();
    const { id } = await site.store.create(wanted(), GOING_ON);
    const wish = { enabled, name: 'n', description: '' };
    const apiKey = { apiKeyId: id, apiKeyName: 'n', isEnabled: !enabled };
    const body = JSON.stringify({ apiKey });
    site.fake.inject({ operation: 'update', fault: { kind: 'Status', status: 200, body } });
    await expect(site.store.update(id, wish, GOING_ON)).rejects.toMatchObject({
      ...GARBLED,
      class: 'Transient',
    });
    expect(await site.store.update(id, wish, GOING_ON)).toMatchObject({ id, enabled });
  },
);

describe('a deletion', () => {
  test.each([
    [200, PAGE],
    [200, ''],
    [201, ''],
    [202, ''],
    [200, '{"result":"queued"}'],
  ])('is not believed with status %i and the body %j', async (status, body) => {
    await using site = await naverSite();
    const { id } = await site.store.create(wanted(), GOING_ON);
    site.fake.inject({ operation: 'delete', fault: { kind: 'Status', status, body } });
    await expect(site.store.delete(id, GOING_ON)).rejects.toMatchObject(GARBLED);
    expect(await site.store.delete(id, GOING_ON)).toBe('Deleted');
  });

  test('that was done and answered with another status is confirmed by the next look', async () => {
    await using site = await naverSite();
    const { id } = await site.store.create(wanted(), GOING_ON);
    const fault = { kind: 'Status', status: 200, body: '', handled: true } as const;
    site.fake.inject({ operation: 'delete', fault });
    await expect(site.store.delete(id, GOING_ON)).rejects.toMatchObject(GARBLED);
    expect(await site.store.delete(id, GOING_ON)).toBe('NotFound');
  });
});

test('a subscription is not believed to be asked for or given up by a page of success', async () => {
  await using site = await naverSite();
  const { id } = await site.store.create(wanted(), GOING_ON);
  const { subscriptions } = site.store;
  const fault = { kind: 'Status', status: 200, body: PAGE } as const;
  site.fake.inject({ operation: 'subscribe', fault });
  const asked = subscriptions?.request(id, PRODUCT, GOING_ON);
  await expect(asked).rejects.toMatchObject(GARBLED);
  await subscriptions?.request(id, PRODUCT, GOING_ON);
  site.fake.inject({ operation: 'unsubscribe', fault });
  const left = subscriptions?.withdraw(id, PRODUCT, GOING_ON);
  await expect(left).rejects.toMatchObject(GARBLED);
  expect(await subscriptions?.state(id, PRODUCT, GOING_ON)).toBe('Requested');
});
