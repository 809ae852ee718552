/** The rules by which keys end: deleted, vanished, revoked, long expired. Pure. */
import { FINALIZER } from '../../api/names.ts';
import type { CredentialRecord, KeyRecord } from '../../ledger/record.ts';
import { isOpen, retainable } from '../../ledger/transitions.ts';
import { isLive } from '../../terms/verdict.ts';
import { NOTHING, type Action, type Answer, type Rule } from './actions.ts';
import { followTerms } from './following.ts';
import { canDeliver } from './loss.ts';
import { firstFinding } from './checks.ts';
import { endNext, isDebt, isEmergencyAsked, isOwing, isTold } from './remote/rules.ts';
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
function endLive(world: World, record: KeyRecord): Answer {
  if (awaitsStore(world) || unfinished(world) !== undefined) return undefined;
  if (!mayRetain(world)) return { type: 'End', record, because: 'Deleted' };
  // Nobody can change what it is retained with. A spec with a fault has said nothing.
  return (firstFinding(world) === undefined ? followTerms(world) : undefined) ?? { type: 'Retain' };
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
 * tell its state, or replace values and hand the new ones out. undefined: nothing, or nothing that can be done.
 */
export function unfinished(world: World): 'State' | 'Rotation' | undefined {
  const { key, record } = world;
  if (key === undefined || record === undefined || !key.isDeleting || !mayRetain(world)) {
    return undefined;
  }
  const kept = goesOnWith(world, record);
  if (kept === undefined) return undefined;
  if (record.state !== wantedState(world, key) || !isTold(world, key, kept)) return 'State';
  const isReplacing =
    kept.remote?.regenerating !== undefined && kept.remote.missingSinceMs === undefined;
  const isOwed = isReplacing || (isReplacement(kept) && canDeliver(world));
  // Also with a spec that has a fault: what leaked does not go on before somebody mends that.
  return isOwed || isEmergencyAsked(world) ? 'Rotation' : undefined;
}

/** A value of it is made that nobody has yet, in the place of one that somebody had. */
function isReplacement(credential: CredentialRecord): boolean {
  const isFirst = credential.slots.every(({ generation }) => generation === 1);
  return isOpen(credential) && !(credential.origin === 'Imported' && isFirst);
}

/**
 * What the key has when it outlives its object. Where the values that people had are dead, as after an
 * emergency, those that are on their way to them.
 */
function goesOnWith(world: World, record: KeyRecord): CredentialRecord | undefined {
  const { nowMs } = world;
  const onTheWay = (each: CredentialRecord): boolean =>
    isLive(each, nowMs) && isOpen(each) && canDeliver(world);
  return retainable(record, nowMs) ?? record.credentials.findLast(onTheWay);
}

function mayRetain(world: World): boolean {
  const { key, store } = world;
  if (store.type !== 'Usable' || store.retention !== 'Allowed') return false;
  return isToBeRetained(world) && key !== undefined && wantedState(world, key) !== 'Revoked';
}

function isToBeRetained(world: World): boolean {
  const { key, record, nowMs } = world;
  return (
    // Of a key that is over, or that nobody ever had a value of, there is nothing to go on.
    record?.phase === 'Live' &&
    !isOver(record, nowMs) &&
    goesOnWith(world, record) !== undefined &&
    key?.spec.deletionPolicy === 'Retain' &&
    key.spec.applicationRef === undefined
  );
}
