/** The steps that make values: each is minted, digested and sealed before anything is committed. */
import { firstIssuedMs } from '../../ledger/grants.ts';
import type { AuditEntry } from '../../ledger/port.ts';
import type { CredentialRecord, KeyRecord } from '../../ledger/record.ts';
import { addCredential, currentCredential, regenerateSlot } from '../../ledger/transitions.ts';
import { belongingOf } from './belonging.ts';
import { change, local, mine, usable } from './commits.ts';
import { openVendor } from './remote/vendor.ts';
import { beginRegeneration } from './remote/values.ts';
import type { Deps } from './deps.ts';
import { intendRecord, mintRecord, mintSlotValue, type Generation } from './material.ts';
import type { ActionOf } from './actions.ts';
import { wantedState } from './wanted.ts';
import type { World } from './world.ts';

/** The first credential of a key. */
export async function issue(
  deps: Deps,
  world: World,
  action: ActionOf<'Issue'>,
  signal: AbortSignal,
): Promise<World> {
  const { key, store } = usable(deps, world);
  const blank: KeyRecord = {
    clusterId: deps.clusterId,
    uid: key.uid,
    namespace: key.ref.namespace,
    name: key.ref.name,
    revision: 0,
    phase: 'Live',
    state: wantedState(world, key),
    store: { kind: store.kind, name: store.name, uid: store.uid, incarnation: 1 },
    format: action.format,
    terms: action.terms,
    // The instant the terms were worked out for: a duration must end where they say.
    firstIssuedMs: firstIssuedMs(world.application?.form ?? {}) ?? world.nowMs,
    sequence: 0,
    ...belongingOf(world),
    credentials: [],
  };
  const generation = { uid: key.uid, storeUid: store.uid, format: action.format, sequence: 1 };
  const credential = await nextCredential(deps, world, { record: blank, generation }, signal);
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
  const next = await change(deps, world, record, {
    action: 'KeyIssued',
    facts: { keyId: credential.keyId, store: store.name, ...grantFacts(record) },
    limits,
    issued: { keyUid: key.uid, atMs: world.nowMs },
    ...(requestId === undefined ? {} : { spendRequestId: requestId }),
  });
  deps.metrics.issued[record.grant === undefined ? 'Direct' : 'Application'].inc();
  return requestId === undefined ? next : { ...next, rotationRequest: undefined };
}

function grantFacts({ grant }: KeyRecord): AuditEntry['facts'] {
  return grant === undefined ? {} : { formUid: grant.formUid, round: grant.round };
}

/** The next credential of a key. */
export async function rotate(
  deps: Deps,
  world: World,
  action: ActionOf<'Rotate'>,
  signal: AbortSignal,
): Promise<World> {
  const { key, store } = usable(deps, world);
  const before = mine(world);
  const sequence = before.sequence + 1;
  const generation = { uid: key.uid, storeUid: store.uid, format: before.format, sequence };
  const credential = await nextCredential(deps, world, { record: before, generation }, signal);
  const { requestId, oldValuesEnd, lost, trigger } = action;
  const request = requestId === undefined ? {} : { requestId };
  const record = addCredential(before, { credential, oldValuesEnd, lost, ...request });
  deps.metrics.rotations.inc({ trigger });
  const next = await change(deps, world, record, {
    action: 'KeyRotated',
    facts: { keyId: credential.keyId, trigger, oldValuesEnd },
    ...(requestId === undefined ? {} : { spendRequestId: requestId }),
  });
  const dead = credential.remote === undefined ? 'Ended' : 'Ending';
  deps.reporter.rotated(world, trigger, oldValuesEnd === 'AtOnce' ? dead : 'Overlap');
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
  if (handle.type === 'Remote') {
    return beginRegeneration(deps, world, action, credential.sequence);
  }
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
  deps.reporter.rotated(world, trigger, becomesActive ? 'Overlap' : 'Ended');
  return requestId === undefined ? next : { ...next, rotationRequest: undefined };
}

/** A fresh credential: minted here, or only intended where a vendor makes it. */
async function nextCredential(
  deps: Deps,
  world: World,
  { record, generation }: { readonly record: KeyRecord; readonly generation: Generation },
  signal: AbortSignal,
): Promise<CredentialRecord> {
  const { handle } = usable(deps, world);
  const isFirst = generation.sequence === 1;
  const origin = isFirst && world.key?.isImport === true ? 'Imported' : 'Issued';
  if (handle.type === 'Local') {
    return origin === 'Issued'
      ? mintRecord(deps, handle, generation)
      : intendRecord(deps, generation, { account: undefined, origin });
  }
  const { session } = await openVendor(deps, record, signal);
  return intendRecord(deps, generation, { account: session.account.id, origin });
}
