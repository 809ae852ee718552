/**
 * Products at a vendor that a key is to be subscribed to: the next step there. Pure.
 * A vendor whose keys open no product by themselves declares `productRefs` among its terms.
 */
import type { RemoteSubscription } from '../../../ledger/record.ts';
import { isRemote, type RemoteCredentialRecord } from '../../../ledger/remote.ts';
import { isLive } from '../../../terms/verdict.ts';
import type { Rule } from '../actions.ts';
import type { World } from '../world.ts';
import { inTurn, mayTake } from './trouble.ts';

/** Living credentials are subscribed to what the terms name, and to nothing else that we asked for. */
export const syncSubscriptions: Rule = (world) => {
  const { key, record, store, nowMs } = world;
  if (key === undefined || record === undefined || store.type !== 'Usable') return undefined;
  if (store.remote === undefined) return undefined;
  for (const each of inTurn(world, record.credentials.filter(isRemote))) {
    const { id, missingSinceMs } = each.remote;
    if (!isLive(each, nowMs) || id === undefined || missingSinceMs !== undefined) continue;
    if (!mayTake(world, each, 'Subscription')) continue;
    const step = nextSubscription(world, each);
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
function nextSubscription(world: World, credential: RemoteCredentialRecord): Step | undefined {
  const dropped = droppedProduct(world, credential);
  if (dropped !== undefined) return stepOf(dropped, 'Withdraw');
  // An object that is being deleted does not see the end of a request.
  return world.key?.isDeleting === true ? undefined : nextProduct(world, credential);
}

/** One that it was subscribed to and that its terms name no more. */
export function droppedProduct(
  { products = [] }: World,
  { remote: { subscriptions = [] } }: RemoteCredentialRecord,
): RemoteSubscription | undefined {
  return subscriptions.find(
    ({ productId }) => !products.some((each) => each.productId === productId),
  );
}

function nextProduct(
  { products = [] }: World,
  { remote: { subscriptions = [] } }: RemoteCredentialRecord,
): Step | undefined {
  const begun = subscriptions.find(({ state }) => state === 'Begun');
  if (begun !== undefined) return stepOf(begun, 'Request');
  for (const { name: product, productId } of products) {
    const isNew = !subscriptions.some((each) => each.productId === productId);
    if (productId !== undefined && isNew) return { product, productId, how: 'Note' };
  }
  return undefined;
}

function stepOf({ product, productId }: RemoteSubscription, how: Step['how']): Step {
  return { product, productId, how };
}
