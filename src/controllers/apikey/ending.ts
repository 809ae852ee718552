/** The rules by which keys end: deleted, vanished, revoked, long expired. Pure. */
import { FINALIZER } from '../../api/names.ts';
import type { CredentialRecord, KeyRecord } from '../../ledger/record.ts';
import { isOpen, retainable } from '../../ledger/transitions.ts';
import { NOTHING, type Action, type Answer, type Rule } from './actions.ts';
import { endNext, isDebt, isEmergency, isOwing } from './remote/rules.ts';
import { isOver, isRevivedBySpec, REVIVAL_MS, wantedState } from './wanted.ts';
import type { World } from './world.ts';

/** An earlier object of this name, or the object of a record, is gone without having been ended. */
export const endVanished: Rule = (world) => {
  const record = world.predecessor ?? (world.key === undefined ? world.record : undefined);
  if (record === undefined || record.phase === 'Retained' || record.phase === 'Ended') {
    return world.key === undefined ? NOTHING : undefined;
  }
  if (record.phase === 'Ending') {
    return endNext(world, record) ?? endInCluster(world, record);
  }
  if (!world.mayEndVanished) return NOTHING;
  return world.evidence.goneUids?.includes(record.uid) === true
    ? { type: 'End', record, because: 'Vanished' }
    : { type: 'ProveGone', record };
};

/** The object is being deleted: dead first, then the Secret, then the finalizer. */
export const endDeleted: Rule = (world) => {
  const { key, record, evidence } = world;
  if (key === undefined || !key.isDeleting) return undefined;
  if (record?.phase === 'Live') return endLive(world, record);
  const step = record?.phase === 'Ending' ? endEverywhere(world, record) : undefined;
  if (step !== undefined) return step;
  if (key.finalizers.includes(FINALIZER) && evidence.finalizerReleased !== true) {
    return { type: 'ReleaseFinalizer' };
  }
  return record?.phase === 'Ending' ? { type: 'Close', record } : NOTHING;
};

/** undefined: what the other rules do for the key comes first, as switching off or ending an overlap. */
function endLive(world: World, record: KeyRecord): Action | undefined {
  if (awaitsStore(world) || unfinished(world) !== undefined) return undefined;
  return mayRetain(world) ? { type: 'Retain' } : { type: 'End', record, because: 'Deleted' };
}

/** Nothing more happens to a revoked key, but that its useless Secret goes. */
export const cleanRevoked: Rule = (world) => {
  const { record, evidence } = world;
  if (record?.state !== 'Revoked') return undefined;
  const step = endNext(world, record);
  if (step !== undefined) return step;
  return record.secret === undefined || evidence.secretDeleted === true
    ? NOTHING
    : { type: 'DeleteSecret', record };
};

/** An expired key keeps its value for a while, then it is ended and its Secret goes. */
export const cleanExpired: Rule = (world) => {
  const { record, nowMs } = world;
  const endMs = record?.terms.endMs;
  if (record === undefined || endMs === undefined || endMs + REVIVAL_MS > nowMs) return undefined;
  if (isRevivedBySpec(world) || !world.isClockTrusted) return undefined;
  if (record.credentials.some(({ state }) => state !== 'Disabled')) {
    // Without its store nobody can tell whether the spec means a later end; the values are dead meanwhile.
    return world.store.type === 'Usable' ? { type: 'DropExpired' } : undefined;
  }
  const step = endNext(world, record);
  if (step !== undefined) return step;
  if (record.secret === undefined || world.evidence.secretDeleted === true) return NOTHING;
  return { type: 'DeleteSecret', record };
};

/** What is left to end outside the ledger while the object waits for it. */
function endEverywhere(world: World, record: KeyRecord): Answer {
  const step = endNext(world, record);
  if (step !== undefined) return step;
  if (world.evidence.secretDeleted !== true) return { type: 'DeleteSecret', record };
  // A vendor that does not answer has its time; then the debt waits without the object. So it does at
  // once where the store is gone: only the debt worker still reaches the vendor.
  const isAwaited = world.store.type !== 'Missing' && !isDebt(world, record);
  return isOwing(record) && isAwaited ? NOTHING : undefined;
}

/** Of a key without an object: nobody waits for the vendor, what is owed stays as a debt. */
function endInCluster(world: World, record: KeyRecord): Action {
  return world.evidence.secretDeleted === true || record.secret === undefined
    ? { type: 'Close', record }
    : { type: 'DeleteSecret', record };
}

/**
 * True when nobody can tell whether a key that is being deleted may go on, because its store cannot be read:
 * what cannot be undone waits for that, or for another deletionPolicy.
 */
export function awaitsStore(world: World): boolean {
  return world.key?.isDeleting === true && world.store.type !== 'Usable' && isToBeRetained(world);
}

/**
 * What is still to be done for a key that is being deleted and goes on, because nobody would do it afterwards:
 * switch it off, or replace values and hand the new ones out. undefined: nothing.
 */
export function unfinished(world: World): 'Suspension' | 'Rotation' | undefined {
  const { key, record, nowMs } = world;
  if (key === undefined || record === undefined || !key.isDeleting || !mayRetain(world)) {
    return undefined;
  }
  const kept = retainable(record, nowMs);
  if (kept === undefined) return undefined;
  if (wantedState(world, key) === 'Suspended' && !isOff(world, record, kept)) return 'Suspension';
  const isMade = kept.remote?.regenerating === undefined && !isOpen(kept);
  return isEmergency(world) || (!isMade && kept.origin !== 'Imported') ? 'Rotation' : undefined;
}

/** Here, and at a vendor that has it and can switch it off. */
function isOff({ store }: World, { state }: KeyRecord, { remote }: CredentialRecord): boolean {
  if (state !== 'Suspended') return false;
  if (remote === undefined || remote.missingSinceMs !== undefined) return true;
  return remote.enabled === false || (store.type === 'Usable' && !store.capabilities.suspend);
}

function mayRetain(world: World): boolean {
  const { key, store } = world;
  if (store.type !== 'Usable' || store.retention !== 'Allowed') return false;
  return isToBeRetained(world) && key !== undefined && wantedState(world, key) !== 'Revoked';
}

function isToBeRetained({ key, record, nowMs }: World): boolean {
  return (
    // Of a key that is over, or that nobody ever had a value of, there is nothing to go on.
    record?.phase === 'Live' &&
    !isOver(record, nowMs) &&
    retainable(record, nowMs) !== undefined &&
    key?.spec.deletionPolicy === 'Retain' &&
    key.spec.applicationRef === undefined
  );
}
