/** A RemoteStore whose every call goes through one gate, and whose changes must show in their answers. */
import {
  StoreFailure,
  type RemoteCredential,
  type RemoteStore,
  type RemoteWish,
  type Subscriptions,
} from './contract.ts';

/** What is asked of a store; for metrics, and to tell what changes something from what only looks. */
export type Operation =
  | 'login'
  | 'create'
  | 'read'
  | 'find'
  | 'list'
  | 'update'
  | 'regenerate'
  | 'delete'
  | 'subscription'
  | 'subscribe'
  | 'unsubscribe';

/** Runs one call with the store that is connected then, or refuses it. */
type Gate = <T>(
  operation: Operation,
  act: (remote: RemoteStore) => Promise<T>,
  signal: AbortSignal,
) => Promise<T>;

/** The same store behind the gate. */
export function guarded(remote: RemoteStore, gate: Gate): RemoteStore {
  const subscriptions = remote.subscriptions && guardedSubscriptions(remote.subscriptions, gate);
  return {
    login: (signal) => gate('login', (to) => to.login(signal), signal),
    create: (wanted, signal) => gate('create', (to) => to.create(wanted, signal), signal),
    read: (id, signal) => gate('read', (to) => to.read(id, signal), signal),
    find: (mark, signal) => gate('find', (to) => to.find(mark, signal), signal),
    list: (signal) => gate('list', (to) => to.list(signal), signal),
    update: (id, wish, signal) =>
      gate('update', async (to) => expectWished(await to.update(id, wish, signal), wish), signal),
    regenerate: (id, slot, signal) =>
      gate('regenerate', (to) => to.regenerate(id, slot, signal), signal),
    delete: (id, signal) => gate('delete', (to) => to.delete(id, signal), signal),
    ...(subscriptions === undefined ? {} : { subscriptions }),
  };
}

/**
 * The answer to an update. Were a credential that still works put on record as off, nobody would look
 * again; a vendor that takes its time shows the wish when it is repeated. @throws StoreFailure Garbled
 */
function expectWished(
  shown: RemoteCredential | undefined,
  { enabled }: Pick<RemoteWish, 'enabled'>,
): RemoteCredential | undefined {
  if (shown === undefined || shown.enabled === enabled) return shown;
  const message = "the vendor's answer to the change shows the credential";
  throw new StoreFailure('Garbled', { message: `${message} ${shown.enabled ? 'on' : 'off'}` });
}

function guardedSubscriptions(first: Subscriptions, gate: Gate): Subscriptions {
  // A reconnected store of the same driver has what the first one had.
  const of = (remote: RemoteStore): Subscriptions => remote.subscriptions ?? first;
  return {
    state: (id, product, signal) =>
      gate('subscription', (to) => of(to).state(id, product, signal), signal),
    request: (id, product, signal) =>
      gate('subscribe', (to) => of(to).request(id, product, signal), signal),
    withdraw: (id, product, signal) =>
      gate('unsubscribe', (to) => of(to).withdraw(id, product, signal), signal),
  };
}
