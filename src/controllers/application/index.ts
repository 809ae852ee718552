/** The ApiKeyApplication controller: its four steps, and when it looks again. */
import type { Ref } from '../../api/meta.ts';
import { API_KEY_APPLICATIONS } from '../../api/names.ts';
import type { KeywardError } from '../../kernel/errors.ts';
import { DAY_MS, earlier, MINUTE_MS, SECOND_MS } from '../../kernel/time.ts';
import { statusDraft } from '../../kube/statusdraft.ts';
import { isHeldBack } from '../../runtime/heldback.ts';
import type { Steps } from '../../runtime/pipeline.ts';
import type { Action } from './actions.ts';
import { apply } from './apply.ts';
import type { Deps } from './deps.ts';
import { observe } from './observe.ts';
import { nextAction } from './plan.ts';
import { draftEndsAtMs, standingOf } from './standing.ts';
import { wantedStatus } from './status.ts';
import { seenStatus } from './view.ts';
import type { World } from './world.ts';

/** A review is being judged at that moment, and if it does not count nothing else tells us. */
const REVIEW_WAIT_MS = 2 * SECOND_MS;

/** The steps for the pipeline. */
export function applicationSteps(deps: Deps): Steps<World, Action> {
  return {
    name: 'apikeyapplication',
    observe: (ref: Ref, signal) => observe(deps, ref, signal),
    next: nextAction,
    apply: (world, action, signal) => apply(deps, world, action, signal),
    report: (world, failure, signal) => report(deps, world, failure, signal),
    lookAgainAtMs,
    // What only a date changes may wait behind what people asked for.
    lookAgainLane: () => 'bulk',
  };
}

/** The one status write, and only if something differs; so a forged one does not stay. */
async function report(
  deps: Deps,
  world: World,
  failure: KeywardError | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { form, record } = world;
  const quotaUses =
    record?.grant &&
    deps.quotaUses({ formUid: record.uid, round: record.grant.round }, world.nowMs);
  const status = wantedStatus({ ...world, quotaUses }, failure);
  if (form === undefined || status === undefined) return;
  const seen = seenStatus(status);
  if (seen.digest === form.status?.digest) return;
  const written = await deps.client.replaceStatus(
    API_KEY_APPLICATIONS,
    statusDraft(API_KEY_APPLICATIONS, form, status),
    { signal },
  );
  if (written === undefined) return;
  const own = { resourceVersion: written.resourceVersion, status: seen };
  deps.ownStatus.wrote(form.uid, own, deps.forms.get(form.ref)?.resourceVersion);
}

/**
 * The next instant at which a date alone changes what is wanted. Pure.
 * Instants that have passed are left out: what they asked for was done in this pass, if the clock is believed.
 */
export function lookAgainAtMs(world: World): number | undefined {
  const { record, store, nowMs, awaitsReview } = world;
  if (record?.phase === 'Ended') return undefined;
  const endMs = standingOf(world)?.endMs;
  const notices = store.type === 'Usable' && endMs !== undefined ? store.expiryNoticeDays : [];
  const { round, grant, nextGrant, revocation } = record ?? {};
  const instants = [
    round?.state === 'Pending' ? round.deadlineMs : undefined,
    grant?.effectiveMs,
    nextGrant?.effectiveMs,
    revocation?.atMs,
    endMs,
    ...notices.map((days) => (endMs ?? 0) - days * DAY_MS),
    draftEndsAtMs(world),
    awaitsReview ? nowMs + REVIEW_WAIT_MS : undefined,
    isHeldBack(world, nextAction) ? nowMs + MINUTE_MS : undefined,
  ];
  return instants
    .filter((atMs) => atMs !== undefined && atMs > nowMs)
    .reduce<number | undefined>(earlier, undefined);
}
