/**
 * Products at a vendor that a key is to be subscribed to: the next step there. Pure.
 * A vendor whose keys open no product by themselves declares `productRefs` among its terms.
 */
import type { RemoteSubscription } from '../../../ledger/record.ts';
import { isRemote, type RemoteCredentialRecord } from '../../../ledger/remote.ts';
import { isLive } from '../../../terms/verdict.ts';
import type { Rule } from '../actions.ts';
import { inTurn, mayTake } from './trouble.ts';
import type { VendorProduct } from './vendorproduct.ts';

/** Living credentials are subscribed to what the terms name, and to nothing else that we asked for. */
export const syncSubscriptions: Rule = (world) => {
  const { key, record, store, products, nowMs } = world;
  if (key === undefined || record === undefined || store.type !== 'Usable') return undefined;
  if (store.remote === undefined) return undefined;
  for (const each of inTurn(world, record.credentials.filter(isRemote))) {
    const { id, missingSinceMs } = each.remote;
    if (!isLive(each, nowMs) || id === undefined || missingSinceMs !== undefined) continue;
    if (!mayTake(world, each, 'Subscription')) continue;
    const step = nextSubscription(each, products ?? []);
    if (step !== undefined) {
      return { type: 'Remote', step: { type: 'Subscription', sequence: each.sequence, ...step } };
    }
  }
  return undefined;
};

type Step = Pick<RemoteSubscription, 'productId' | 'product'> & {
  readonly how: 'Note' | 'Request' | 'Withdraw';
};

/** What is no longer wanted goes first: a vendor may allow only so many. */
function nextSubscription(
  { remote: { subscriptions = [] } }: RemoteCredentialRecord,
  wanted: readonly VendorProduct[],
): Step | undefined {
  const dropped = subscriptions.find(
    ({ productId }) => !wanted.some((each) => each.productId === productId),
  );
  if (dropped !== undefined) return stepOf(dropped, 'Withdraw');
  const begun = subscriptions.find(({ state }) => state === 'Begun');
  if (begun !== undefined) return stepOf(begun, 'Request');
  for (const { name: product, productId } of wanted) {
    const isNew = !subscriptions.some((each) => each.productId === productId);
    if (productId !== undefined && isNew) return { product, productId, how: 'Note' };
  }
  return undefined;
}

function stepOf({ product, productId }: RemoteSubscription, how: Step['how']): Step {
  return { product, productId, how };
}
