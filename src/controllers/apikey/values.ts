/** The steps that make values: each is minted, digested and sealed before anything is committed. */
import type { KeyRecord } from '../../ledger/record.ts';
import { addCredential, currentCredential, regenerateSlot } from '../../ledger/transitions.ts';
import { change, local, mine, usable } from './commits.ts';
import type { Deps } from './deps.ts';
import { mintRecord, mintSlotValue } from './material.ts';
import type { Action } from './actions.ts';
import type { World } from './world.ts';

type ActionOf<T extends Action['type']> = Extract<Action, { type: T }>;

/** The first credential of a key. */
export async function issue(deps: Deps, world: World, action: ActionOf<'Issue'>): Promise<World> {
  const { key, store, handle } = usable(deps, world);
  const blank: KeyRecord = {
    clusterId: deps.clusterId,
    uid: key.uid,
    namespace: key.ref.namespace,
    name: key.ref.name,
    revision: 0,
    phase: 'Live',
    state: key.spec.state === 'Suspended' ? 'Suspended' : 'Active',
    store: { kind: store.kind, name: store.name, uid: store.uid, incarnation: 1 },
    format: action.format,
    terms: action.terms,
    // The instant the terms were worked out for: a duration must end where they say.
    firstIssuedMs: world.nowMs,
    sequence: 0,
    credentials: [],
  };
  const credential = mintRecord(deps, local(handle), {
    uid: key.uid,
    storeUid: store.uid,
    format: action.format,
    sequence: 1,
  });
  const requestId = world.rotationRequest;
  const record = addCredential(blank, {
    credential,
    oldValuesEnd: 'AtConfirm',
    lost: 'Nothing',
    ...(requestId === undefined ? {} : { requestId }),
  });
  const { maxKeys, maxKeysPerNamespace } = store;
  const limits = {
    ...(maxKeys === undefined ? {} : { maxKeys }),
    ...(maxKeysPerNamespace === undefined ? {} : { maxKeysPerNamespace }),
  };
  return change(deps, world, record, {
    action: 'KeyIssued',
    facts: { keyId: credential.keyId, store: store.name },
    limits,
    ...(requestId === undefined ? {} : { spendRequestId: requestId }),
  });
}

/** The next credential of a key. */
export async function rotate(deps: Deps, world: World, action: ActionOf<'Rotate'>): Promise<World> {
  const { key, store, handle } = usable(deps, world);
  const before = mine(world);
  const credential = mintRecord(deps, local(handle), {
    uid: key.uid,
    storeUid: store.uid,
    format: before.format,
    sequence: before.sequence + 1,
  });
  const { requestId, oldValuesEnd, lost, trigger } = action;
  const request = requestId === undefined ? {} : { requestId };
  const record = addCredential(before, { credential, oldValuesEnd, lost, ...request });
  deps.metrics.rotations.inc({ trigger });
  const next = await change(deps, world, record, {
    action: 'KeyRotated',
    facts: { keyId: credential.keyId, trigger, oldValuesEnd },
    ...(requestId === undefined ? {} : { spendRequestId: requestId }),
  });
  deps.reporter.rotated(world, trigger, oldValuesEnd);
  const { inspection: _, lossProven: __, ...evidence } = next.evidence;
  return {
    ...next,
    rotationRequest: requestId === undefined ? world.rotationRequest : undefined,
    evidence,
  };
}

/** The next value of one slot. */
export async function regenerate(
  deps: Deps,
  world: World,
  action: ActionOf<'Regenerate'>,
): Promise<World> {
  const { handle } = usable(deps, world);
  const before = mine(world);
  const credential = currentCredential(before, world.nowMs);
  if (credential === undefined) return world;
  const { requestId, trigger, slot, becomesActive } = action;
  const value = mintSlotValue(deps, local(handle), credential, slot);
  const record = regenerateSlot(before, {
    ...value,
    ...(becomesActive ? { role: 'Next' } : {}),
    ...(requestId === undefined ? {} : { requestId }),
  });
  deps.metrics.rotations.inc({ trigger });
  const next = await change(deps, world, record, {
    action: 'SlotRegenerated',
    facts: { keyId: credential.keyId, slot, trigger },
    ...(requestId === undefined ? {} : { spendRequestId: requestId }),
  });
  deps.reporter.rotated(world, trigger, becomesActive ? 'AtConfirm' : 'AtOnce');
  return requestId === undefined ? next : { ...next, rotationRequest: undefined };
}
