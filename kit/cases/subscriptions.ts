/** Products of the vendor that a credential is subscribed to. */
import assert from 'node:assert/strict';
import type { Subscriptions } from '../../src/stores/contract.ts';
import { create, failureOf, GOING_ON } from '../probes.ts';
import type { Site } from '../subject.ts';
import type { Case } from './case.ts';

/** Of drivers that declare `productRefs`; see `Subject.productId`. */
export const subscriptionCases: readonly Case[] = [
  {
    title: 'has subscriptions exactly when it declares products',
    async run({ handle, store }) {
      const declares = handle.capabilities.terms.includes('productRefs');
      assert.equal(store.subscriptions !== undefined, declares);
    },
  },
  {
    title: 'a credential is subscribed to a product and taken out again, and no other with it',
    when: declaresProducts,
    async run(site) {
      const { subscriptions, productId } = partsOf(site);
      const { id } = await create(site);
      const { id: other } = await create(site);
      const stateOf = (which: string) => subscriptions.state(which, productId, GOING_ON);
      assert.equal(await stateOf(id), 'None');
      await subscriptions.request(id, productId, GOING_ON);
      assert.ok(['Requested', 'Accepted'].includes(await stateOf(id)));
      assert.equal(await stateOf(other), 'None');
      await subscriptions.request(other, productId, GOING_ON);
      await subscriptions.withdraw(id, productId, GOING_ON);
      assert.equal(await stateOf(id), 'None');
      assert.notEqual(await stateOf(other), 'None');
    },
  },
  {
    title: 'a subscription whose answer was lost is found by asking for its state',
    when: declaresProducts,
    async run(site) {
      const { subscriptions, productId } = partsOf(site);
      const { id } = await create(site);
      site.fake.inject({ operation: 'subscribe', fault: { kind: 'LostAnswer' } });
      const lost = await failureOf(subscriptions.request(id, productId, GOING_ON));
      assert.equal(lost.executed, 'Unknown');
      assert.notEqual(await subscriptions.state(id, productId, GOING_ON), 'None');
      site.fake.inject({ operation: 'unsubscribe', fault: { kind: 'LostAnswer' } });
      await failureOf(subscriptions.withdraw(id, productId, GOING_ON));
      assert.equal(await subscriptions.state(id, productId, GOING_ON), 'None');
    },
  },
  {
    title:
      'a product that there is not, or a credential that there is not, is a no and no subscription',
    when: declaresProducts,
    async run(site) {
      const { subscriptions, productId } = partsOf(site);
      const { id } = await create(site);
      await failureOf(subscriptions.request(id, 'no-product', GOING_ON));
      assert.equal(await subscriptions.state(id, 'no-product', GOING_ON), 'None');
      await site.store.delete(id, GOING_ON);
      await failureOf(subscriptions.request(id, productId, GOING_ON));
      assert.equal(await subscriptions.state(id, productId, GOING_ON), 'None');
    },
  },
];

function declaresProducts({ terms }: { readonly terms: readonly string[] }): boolean {
  return terms.includes('productRefs');
}

function partsOf({ store, subject }: Site): {
  readonly subscriptions: Subscriptions;
  readonly productId: string;
} {
  const { subscriptions } = store;
  const { productId } = subject;
  assert.ok(subscriptions !== undefined, 'the store has subscriptions');
  assert.ok(productId !== undefined, 'the subject names a product of its fake: productId');
  return { subscriptions, productId };
}
