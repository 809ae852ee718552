/** The rules by which keys end: deleted, vanished, revoked, long expired. Pure. */
import { FINALIZER } from '../../api/names.ts';
import type { KeyRecord } from '../../ledger/record.ts';
import { NOTHING, type Action, type Answer, type Rule } from './actions.ts';
import { followTerms } from './following.ts';
import { firstFinding } from './checks.ts';
import { endNext, isDebt, isOwing } from './remote/rules.ts';
import { awaitsStore, mayRetain, unfinished } from './retaining.ts';
import { isRevivedBySpec, REVIVAL_MS } from './wanted.ts';
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
