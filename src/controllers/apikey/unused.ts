/**
 * Values that outlive their overlap as long as somebody uses them (`retirePrevious: WhenUnused`). Pure.
 *
 *     Retiring --overlap ends--> used? --quiet for half an hour--> ended
 *                                  |---30 days------------------> ended
 *
 * The gate ends them after the 30 days by itself; up to then an operator that is down ends nothing, because
 * who asks for this would rather have an old value too long than a caller refused.
 */
import { DAY_MS, formatTime, MINUTE_MS } from '../../kernel/time.ts';
import type { CredentialRecord, KeyRecord } from '../../ledger/record.ts';
import type { Action } from './actions.ts';
import { overlapText } from './remote/status.ts';
import type { World } from './world.ts';

/** A value that no gate saw for this long is not used any more. */
export const QUIET_MS = 30 * MINUTE_MS;
/** So long after the overlap a value ends although it is used: a caller that nobody looks after. */
export const STILL_USED_MAX_MS = 30 * DAY_MS;

/**
 * How long the value before a new one goes on, at least and at most. Its own uses are counted from the new one's
 * confirmation on, so until it was watched for as long as quiet lasts nobody knows that it is not used.
 */
export function overlapOf({ overlapMs, previous }: Extract<Action, { type: 'Confirm' }>) {
  return previous === 'WhenUnused'
    ? { overlapMs: Math.max(overlapMs, QUIET_MS), stillUsedMaxMs: STILL_USED_MAX_MS }
    : { overlapMs };
}

/** Credentials whose overlap is over and that have not ended. */
export function outliving(
  record: KeyRecord | undefined,
  nowMs: number,
): readonly CredentialRecord[] {
  return (record?.credentials ?? []).filter(
    ({ state, overlapEndMs }) =>
      state === 'Retiring' && overlapEndMs !== undefined && overlapEndMs <= nowMs,
  );
}

/** keyIds of those among them that end now. */
export function unusedKeyIds(world: World): readonly string[] {
  const isWaiting = world.key?.spec.rotation?.retirePrevious === 'WhenUnused';
  return outliving(world.record, world.nowMs)
    .filter(({ keyId }) => !isWaiting || (quietAtMs(world, keyId) ?? Infinity) <= world.nowMs)
    .map(({ keyId }) => keyId);
}

/** From when on it counts as unused; undefined: nobody has asked when it was used last. */
function quietAtMs({ previousUses }: World, keyId: string): number | undefined {
  return previousUses === undefined ? undefined : (previousUses.get(keyId) ?? 0) + QUIET_MS;
}

/** When there is something to decide about them. */
export function quietInstants(world: World): readonly (number | undefined)[] {
  const overlapEnds = (world.record?.credentials ?? []).map(({ overlapEndMs }) => overlapEndMs);
  const quiet = outliving(world.record, world.nowMs).map(({ keyId }) => quietAtMs(world, keyId));
  return [...overlapEnds, ...quiet];
}

/** Why there is a previous value, for the condition Rotating. */
export function previousReason(world: World): 'OverlapActive' | 'PreviousStillUsed' {
  return outliving(world.record, world.nowMs).length > 0 ? 'PreviousStillUsed' : 'OverlapActive';
}

/** What becomes of the previous value, for people. */
export function previousText(world: World, retireTime: string): string {
  const { record, nowMs } = world;
  const waiting = record?.credentials.find(
    ({ state, overlapEndMs }) => state === 'Retiring' && overlapEndMs !== undefined,
  );
  if (waiting?.overlapEndMs === undefined) return overlapText(retireTime, nowMs);
  const most = `until ${retireTime} at most`;
  return waiting.overlapEndMs <= nowMs
    ? `the overlap is over, but the previous value was used in the last half hour: it works on, ${most}; find who uses it`
    : `the previous value works until ${formatTime(waiting.overlapEndMs)}, and then for as long as it is used, ${most}`;
}
