/**
 * Subscriptions at a vendor, carried out and compared. The ledger is written first, so that whatever was
 * asked for is taken back later; the vendor is asked before it is told, so that nothing is told twice.
 */
import { KeywardError } from '../../../kernel/errors.ts';
import type { RemoteSubscription } from '../../../ledger/record.ts';
import { isRemote, noteRemote, type RemoteCredentialRecord } from '../../../ledger/remote.ts';
import type { Subscriptions } from '../../../stores/contract.ts';
import type { RemoteStepOf } from '../actions.ts';
import { confirmGrant } from '../behalf.ts';
import { change, mine } from '../commits.ts';
import type { Deps } from '../deps.ts';
import type { World } from '../world.ts';
import { confirmLive, idOf, open } from './vendor.ts';

/** One step about one product. @throws StoreFailure; KeywardError Conflict: the object is gone */
export async function subscription(
  deps: Deps,
  world: World,
  action: RemoteStepOf<'Subscription'>,
  signal: AbortSignal,
): Promise<World> {
  const { sequence, product, productId, how } = action;
  const { credential, session } = await open(deps, { record: mine(world), sequence }, signal);
  const subscriptions = subscriptionsOf(session.remote.subscriptions);
  const id = idOf(credential);
  if (how === 'Note') {
    return note(deps, world, credential, { product, productId, state: 'Begun' });
  }
  const before = await subscriptions.state(id, productId, signal);
  if (how === 'Withdraw') {
    if (before !== 'None') await subscriptions.withdraw(id, productId, signal);
    return note(deps, world, credential, { product, productId, state: 'None' });
  }
  if (before !== 'None')
    return note(deps, world, credential, { product, productId, state: before });
  await confirmLive(deps, world, signal);
  await confirmGrant(deps, world);
  await subscriptions.request(id, productId, signal);
  const after = await subscriptions.state(id, productId, signal);
  // A list that lags does not show yet what was accepted with a yes.
  const state = after === 'None' ? 'Requested' : after;
  return note(deps, world, credential, { product, productId, state });
}

/**
 * Takes over what the vendor decided since; what somebody took away there is asked for again.
 * @throws StoreFailure
 */
export async function checkSubscriptions(
  deps: Deps,
  world: World,
  sequence: number,
  signal: AbortSignal,
): Promise<World> {
  const held = credentialAt(world, sequence)?.remote.subscriptions ?? [];
  if (held.length === 0 || world.evidence.remoteChecked !== true) return world;
  const { credential, session } = await open(deps, { record: mine(world), sequence }, signal);
  const subscriptions = subscriptionsOf(session.remote.subscriptions);
  let next = world;
  for (const { state: before, ...each } of held) {
    // One after the other: they share the pace of the account.
    // oxlint-disable-next-line no-await-in-loop
    const seen = await subscriptions.state(idOf(credential), each.productId, signal);
    const state = seen === 'None' ? 'Begun' : seen;
    if (state === before) continue;
    const current = credentialAt(next, sequence) ?? credential;
    // oxlint-disable-next-line no-await-in-loop
    next = await note(deps, next, current, { ...each, state });
  }
  return next;
}

/** None: nothing is held there any more. */
function note(
  deps: Deps,
  world: World,
  { sequence, remote }: RemoteCredentialRecord,
  seen: Omit<RemoteSubscription, 'state'> & {
    readonly state: RemoteSubscription['state'] | 'None';
  },
): Promise<World> {
  const { product, productId, state } = seen;
  const others = (remote.subscriptions ?? []).filter((each) => each.productId !== productId);
  const subscriptions = state === 'None' ? others : [...others, { product, productId, state }];
  return change(deps, world, noteRemote(mine(world), sequence, { subscriptions }), {
    action: 'RemoteSubscription',
    facts: { sequence, product, productId, state },
  });
}

function credentialAt({ record }: World, sequence: number): RemoteCredentialRecord | undefined {
  return record?.credentials.filter(isRemote).find((each) => each.sequence === sequence);
}

function subscriptionsOf(subscriptions: Subscriptions | undefined): Subscriptions {
  if (subscriptions !== undefined) return subscriptions;
  throw new KeywardError('Bug', {
    reason: 'NoSubscriptions',
    message: 'the driver declares productRefs and has no subscriptions',
  });
}
