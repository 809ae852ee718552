/**
 * What a failure at a vendor leaves of a pass. Pure. One credential that the vendor cannot process must
 * not keep another one working, so a failure ends the steps about its own credential alone; one of the
 * whole store ends them all.
 */
import { isRemote, type RemoteCredentialRecord } from '../../../ledger/remote.ts';
import type { RemoteStepOf } from '../actions.ts';
import type { RemoteTrouble, World } from '../world.ts';

/**
 * Credentials that one kind of step may fail for in one pass: a vendor that is down is not asked once
 * per credential, and a right that the account lacks for one kind of call stops no other kind. Those
 * that were not reached come first in the next pass; see `inTurn`.
 */
const FAILURES_MAX = 2;

/** Steps whose failure must not hold up the rest of the pass. */
export type SparedStep = RemoteStepOf<'Search' | 'Update' | 'Read' | 'Subscription' | 'End'>;

/** The kind of step; the ways to end a credential are kinds of their own. */
export type Act = Exclude<SparedStep['type'], 'End'> | RemoteStepOf<'End'>['how'];

/** See Act. */
export function actOf(step: SparedStep): Act {
  return step.type === 'End' ? step.how : step.type;
}

/** False when in this pass the store failed, or the credential at this act, or too many others at it. */
export function mayTake(
  world: World,
  credential: Pick<RemoteCredentialRecord, 'token'>,
  act: Act,
): boolean {
  const { remoteTrouble } = world.evidence;
  if (remoteTrouble === undefined) return true;
  if (remoteTrouble.failed === undefined) return false;
  // A name that the vendor refuses must not end comparisons of the same credential.
  const alike = remoteTrouble.failed.filter((each) => each.act === act);
  const tokens = new Set(alike.map(({ token }) => token));
  return tokens.size < FAILURES_MAX && !hasFailed(world, credential, act);
}

/** True when in this pass an act failed for this very credential. */
export function hasFailed(
  { evidence: { remoteTrouble } }: World,
  { token }: Pick<RemoteCredentialRecord, 'token'>,
  act: Act,
): boolean {
  return remoteTrouble?.failed?.some((each) => each.token === token && each.act === act) === true;
}

/** Those that failed in earlier passes stand behind all others, in the order of their failures. */
export function inTurn(
  { remoteFailures = [] }: World,
  credentials: readonly RemoteCredentialRecord[],
): readonly RemoteCredentialRecord[] {
  return credentials.toSorted(
    (a, b) => remoteFailures.indexOf(a.token) - remoteFailures.indexOf(b.token),
  );
}

/** The credential that a step is about; undefined: the record has it no more. */
export function concerned(world: World, step: SparedStep): RemoteCredentialRecord | undefined {
  const record = 'record' in step ? step.record : world.record;
  return record?.credentials.filter(isRemote).find(({ sequence }) => sequence === step.sequence);
}

/** What is known after one more failure; the status tells the first, unless the whole store failed. */
export function withTrouble(before: RemoteTrouble | undefined, next: RemoteTrouble): RemoteTrouble {
  if (before?.failed === undefined) return next;
  // What failed first waits no longer because of what was to come after it.
  const retryAtMs = Math.min(before.retryAtMs, next.retryAtMs);
  if (next.failed === undefined) return { ...next, retryAtMs };
  return { ...before, retryAtMs, failed: [...before.failed, ...next.failed] };
}
