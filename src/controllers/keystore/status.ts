/** Pure; what the status of a store says. */
import {
  keyStoreCondition,
  keyStoreReady,
  type KeyStoreReadyReason,
} from '../../api/conditions.ts';
import { mergeConditions, type WantedCondition } from '../../api/reasons.ts';
import type { KeyStoreStatus } from '../../api/generated/keystore.ts';
import type { KeywardError } from '../../kernel/errors.ts';
import { formatTime, SECOND_MS } from '../../kernel/time.ts';
import type { StoreHandle } from '../../stores/contract.ts';
import type { HealthState, StoreHealth } from '../../stores/health.ts';
import { debtsGoAtMs, type World } from './world.ts';

/** What a store at a vendor is doing, as a reason of Ready. */
const REASONS: Readonly<Record<HealthState, KeyStoreReadyReason>> = {
  Unknown: 'Pending',
  Connected: 'Connected',
  CredentialsNotFound: 'CredentialsNotFound',
  Denied: 'AuthenticationFailed',
  ClockSkew: 'ClockSkew',
  AccountChanged: 'AccountChanged',
  NotAllowed: 'EndpointNotAllowed',
  Unreachable: 'ConnectionFailed',
};

/** The status as it should be; `failure` is what stopped the work on the store. */
export function wantedStatus(world: World, failure: KeywardError | undefined): KeyStoreStatus {
  const { store, handle, count, remote } = world;
  const before = statusOf(world);
  const wanted = [...readiness(world, failure), ...durability(world)];
  const conditions = mergeConditions(before?.conditions ?? [], wanted, {
    nowMs: world.nowMs,
    generation: store.generation,
  });
  // An account that was proven once stays named while the store is out of reach.
  const account = remote?.account ?? before?.account;
  return {
    observedGeneration: store.generation,
    conditions,
    storeId: world.databaseId,
    ...(account === undefined ? {} : { account }),
    keys: { total: count.keys },
    ...(count.debts === 0 ? {} : { debts: count.debts }),
    ...('problem' in handle ? {} : { capabilities: capabilities(handle) }),
  };
}

/** Something to tell people about once: how a store at a vendor is doing has changed. */
type Turn = {
  readonly reason: 'StoreConnected' | 'StoreConnectionFailed';
  readonly note: string;
};

/**
 * What changed between the status that is published and the wanted one; the first connection is no
 * news. Worked out from what is published, so that a restart repeats nothing.
 */
export function turnOf(world: World, wanted: KeyStoreStatus): Turn | undefined {
  const before = readyOf(statusOf(world));
  const after = readyOf(wanted);
  if (world.remote === undefined || after === undefined || before?.reason === after.reason) {
    return undefined;
  }
  if (after.status === 'True') {
    if (before?.status !== 'False') return undefined;
    return { reason: 'StoreConnected', note: 'The store answers and accepts the credentials' };
  }
  const isTrouble = after.status === 'False' && after.reason !== 'KeysRemain';
  return isTrouble ? { reason: 'StoreConnectionFailed', note: after.message } : undefined;
}

function capabilities(handle: StoreHandle): NonNullable<KeyStoreStatus['capabilities']> {
  const { formats, recoverable, regeneratePerSlot, suspend, ...more } = handle.capabilities;
  const features = [
    ...(suspend ? ['Suspend'] : []),
    ...(regeneratePerSlot ? ['RegeneratePerSlot'] : []),
    ...(recoverable ? ['Recover'] : []),
  ];
  if (handle.type === 'Local') return { formats, features };
  const { class: driverClass, displayNameMax, descriptionMax } = more;
  const settleSeconds = Math.ceil(handle.settleMs / SECOND_MS);
  const limits = { displayNameMax, descriptionMax, settleSeconds };
  return { class: driverClass, formats, features, ...limits };
}

function readiness(world: World, failure: KeywardError | undefined): readonly WantedCondition[] {
  const { handle, remote } = world;
  if (failure !== undefined) return keyStoreReady('ConnectionFailed', failure.message);
  if (world.store.isDeleting) return keyStoreReady('KeysRemain', whatRemains(world));
  if ('problem' in handle) return keyStoreReady('InvalidConfiguration', handle.problem);
  return remote === undefined ? keyStoreReady('Connected', '') : ofVendor(remote.health);
}

/** Said of stores at a vendor too: their keys live there, but nobody knows any more which are whose. */
function durability({ isEphemeral }: World): readonly WantedCondition[] {
  if (!isEphemeral) return [];
  return [keyStoreCondition('Durable', 'EphemeralStorage', 'the database is lost with the pod')];
}

function ofVendor({ state, message }: StoreHealth): readonly WantedCondition[] {
  return keyStoreReady(REASONS[state], message);
}

function whatRemains(world: World): string {
  const { keys, debts } = world.count;
  if (keys === 1) return '1 key remains in the store; delete it first';
  if (keys > 1) return `${keys} keys remain in the store; delete them first`;
  const untilMs = debtsGoAtMs(world);
  const end =
    untilMs === undefined ? '' : `; at ${formatTime(untilMs)} the store goes all the same`;
  const what = debts === 1 ? '1 credential' : `${debts} credentials`;
  return `${what} must still be ended at the vendor${end}`;
}

function statusOf({ store }: World): KeyStoreStatus | undefined {
  // Parser: status is only written by us, in the shape of the schema.
  return store.status as KeyStoreStatus | undefined;
}

function readyOf(status: KeyStoreStatus | undefined) {
  return status?.conditions?.find(({ type }) => type === 'Ready');
}
