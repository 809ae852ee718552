/** What something on the way answers in the vendor's place, with a status of success. */
import { describe, expect, test } from 'vitest';
import { GOING_ON, naverSite, wanted } from './site.ts';

const PAGE = '<html><title>Request Rejected</title></html>';
const PRODUCT = 'protected1';
const GARBLED = { kind: 'Garbled', executed: 'Unknown' };

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
