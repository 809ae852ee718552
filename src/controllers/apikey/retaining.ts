/** Whether a key outlives its object (`deletionPolicy: Retain`), with what, and what comes before that. Pure. */
import type { CredentialRecord, KeyRecord } from '../../ledger/record.ts';
import { isRemote } from '../../ledger/remote.ts';
import { isOpen, retainable } from '../../ledger/transitions.ts';
import { isLive } from '../../terms/verdict.ts';
import { firstFinding } from './checks.ts';
import { canDeliver } from './loss.ts';
import { droppedProduct } from './remote/products.ts';
import { isEmergencyAsked, isTold } from './remote/rules.ts';
import { isOver, isRevivedBySpec, wantedState } from './wanted.ts';
import type { World } from './world.ts';

/**
 * True when nobody can tell whether a key that is being deleted may go on, because its store cannot be read:
 * what cannot be undone waits for that, or for another deletionPolicy.
 */
export function awaitsStore(world: World): boolean {
  return world.key?.isDeleting === true && world.store.type !== 'Usable' && isToBeRetained(world);
}

/**
 * What is still to be done for a key that is being deleted and goes on, because nobody would do it afterwards:
 * tell its state, take products back, or replace values and hand the new ones out. undefined: nothing, or nothing
 * that can be done.
 */
export function unfinished(world: World): 'State' | 'Products' | 'Rotation' | undefined {
  const { key, record } = world;
  if (key === undefined || record === undefined || !key.isDeleting || !mayRetain(world)) {
    return undefined;
  }
  const kept = goesOnWith(world, record);
  if (kept === undefined) return undefined;
  if (record.state !== wantedState(world, key) || !isTold(world, key, kept)) return 'State';
  if (isSubscribedBeyond(world, kept)) return 'Products';
  // Also with a spec that has a fault: what leaked does not go on before somebody mends that.
  return isEmergencyAsked(world) || isOwedValues(world, kept) ? 'Rotation' : undefined;
}

/** A spec with a fault has said nothing of products. */
function isSubscribedBeyond(world: World, kept: CredentialRecord): boolean {
  if (!isRemote(kept) || kept.remote.missingSinceMs !== undefined) return false;
  return firstFinding(world) === undefined && droppedProduct(world, kept) !== undefined;
}

function isOwedValues(world: World, kept: CredentialRecord): boolean {
  const { regenerating, missingSinceMs } = kept.remote ?? {};
  if (regenerating !== undefined && missingSinceMs === undefined) return true;
  return isReplacement(kept) && canDeliver(world);
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
  const kept = retainable(record, nowMs) ?? record.credentials.findLast(onTheWay);
  const { missingSinceMs, regenerating } = kept?.remote ?? {};
  // The vendor has it no more. Should it come back, then with the value that was to be replaced.
  return missingSinceMs !== undefined && regenerating !== undefined ? undefined : kept;
}

/** True when spec and store agree that a key that is being deleted goes on. */
export function mayRetain(world: World): boolean {
  const { key, store } = world;
  if (store.type !== 'Usable' || store.retention !== 'Allowed') return false;
  return isToBeRetained(world) && key !== undefined && wantedState(world, key) !== 'Revoked';
}

function isToBeRetained(world: World): boolean {
  const { key, record, nowMs, isClockTrusted } = world;
  return (
    // Of a key that is over, or that nobody ever had a value of, there is nothing to go on.
    record?.phase === 'Live' &&
    !(isClockTrusted && isOver(record, nowMs) && !isRevivedBySpec(world)) &&
    goesOnWith(world, record) !== undefined &&
    key?.spec.deletionPolicy === 'Retain' &&
    key.spec.applicationRef === undefined
  );
}
