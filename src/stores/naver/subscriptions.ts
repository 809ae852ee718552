/** A key's subscriptions to the vendor's products, seen from the subscriber's side. */
import { StoreFailure, type Subscriptions, type SubscriptionState } from '../contract.ts';
import type { Calls } from './calls.ts';
import { readAll } from './pages.ts';
import { checkEmpty, decodeProductPage, garbled, isKeyId } from './wire.ts';

/** A blocked request is as good as a denied one: nobody will decide about it any more. */
const STATES: Readonly<Record<string, SubscriptionState>> = {
  REQUEST: 'Requested',
  ACCEPTED: 'Accepted',
  REJECTED: 'Rejected',
  DENY: 'Denied',
  BLOCKED_REQUEST: 'Denied',
};

/** The contract's subscriptions by means of these calls. */
export function createSubscriptions(calls: Calls): Subscriptions {
  const change = async (
    verb: 'subscribe' | 'unsubscribe',
    { id, productId }: { readonly id: string; readonly productId: string },
    signal: AbortSignal,
  ): Promise<void> => {
    if (!isKeyId(id)) {
      throw new StoreFailure('Refused', { message: 'there is no key of that id at the vendor' });
    }
    const path = `/api-keys/${id}/${verb}`;
    checkEmpty(await calls.send({ method: 'POST', path, body: { productId } }, signal));
  };
  return {
    async state(id, productId, signal) {
      const keys = await readAll(async (range) => {
        // All states are named: what the vendor shows without is not documented.
        const body = { productId, statusSet: Object.keys(STATES), ...range };
        const call = { method: 'POST', path: '/api-keys/search', body } as const;
        return decodeProductPage(await calls.send(call, signal));
      });
      const status = keys.find((key) => key.id === id)?.status;
      if (status === undefined) return 'None';
      const state = Object.hasOwn(STATES, status) ? STATES[status] : undefined;
      if (state === undefined) throw garbled('a subscription in an unknown state');
      return state;
    },
    request: (id, productId, signal) => change('subscribe', { id, productId }, signal),
    withdraw: (id, productId, signal) => change('unsubscribe', { id, productId }, signal),
  };
}
