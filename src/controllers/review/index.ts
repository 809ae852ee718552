/** The review controller: judges each ApiKeyReview exactly once. */
import { EVENT_REASONS, type EventReason } from '../../api/conditions.ts';
import { refText } from '../../api/meta.ts';
import { API_KEY_REVIEWS, API_VERSION } from '../../api/names.ts';
import { KeywardError } from '../../kernel/errors.ts';
import { isSameJson } from '../../kernel/samejson.ts';
import { SECOND_MS } from '../../kernel/time.ts';
import { statusDraft } from '../../kube/statusdraft.ts';
import type { ReviewRecord } from '../../ledger/documents.ts';
import { ledgerMoved } from '../../runtime/behind.ts';
import type { Steps } from '../../runtime/pipeline.ts';
import { askRights } from './access.ts';
import type { Deps } from './deps.ts';
import { rulingOf, type Verdict } from './effects.ts';
import { judge } from './judge.ts';
import { lookForProof, lookLive, observe } from './observe.ts';
import { questionsOf } from './officechecks.ts';
import { wantedStatus } from './status.ts';
import type { World } from './world.ts';

/** The controllers of forms and clients are at work at that moment; nothing else tells us the end. */
const WAIT_MS = 500;
/** Whoever composes the operator wakes such reviews when the prover has found out; this is for the rest. */
const PROOF_WAIT_MS = 10 * SECOND_MS;

/** One step of a judgement. */
type Action =
  | { readonly type: 'Prove' | 'Look' | 'Ask' }
  | { readonly type: 'Settle'; readonly verdict: Verdict };

/** The steps for the pipeline. */
export function reviewSteps(deps: Deps): Steps<World, Action> {
  return {
    name: 'apikeyreview',
    observe: (ref) => observe(deps, ref),
    next: nextAction,
    apply: (world, action, signal) => apply(deps, world, action, signal),
    report: (world, failure, signal) => report(deps, world, failure, signal),
    lookAgainAtMs,
  };
}

/** What is judged stays judged; else what the judgement needs, or the judgement itself. Pure. */
function nextAction(world: World): Action | undefined {
  if (world.latch !== undefined) return undefined;
  const judgement = judge(world);
  switch (judgement.type) {
    case 'Prove':
    case 'Look':
    case 'Ask':
      return { type: judgement.type };
    case 'Wait':
    case 'Unproven':
      return undefined;
    case 'Refused':
    case 'Counted':
      return { type: 'Settle', verdict: judgement };
  }
}

function lookAgainAtMs(world: World): number | undefined {
  if (world.latch !== undefined) return undefined;
  switch (judge(world).type) {
    case 'Wait':
      return world.nowMs + WAIT_MS;
    case 'Unproven':
      return world.nowMs + PROOF_WAIT_MS;
    default:
      return undefined;
  }
}

async function apply(
  deps: Deps,
  world: World,
  action: Action,
  signal: AbortSignal,
): Promise<World> {
  switch (action.type) {
    case 'Prove':
      return { ...world, proof: await lookForProof(deps.proof, world.review, world.nowMs) };
    case 'Look':
      return lookLive(deps, world, signal);
    case 'Ask':
      return ask(deps, world, signal);
    case 'Settle':
      return settle(deps, world, action.verdict);
  }
}

async function ask(deps: Deps, world: World, signal: AbortSignal): Promise<World> {
  const questions = questionsOf(world);
  if (questions === undefined) {
    throw new KeywardError('Bug', {
      reason: 'NothingToAsk',
      message: `ApiKeyReview ${refText(world.review.ref)}: a question was planned that nobody asks`,
    });
  }
  return { ...world, rights: await askRights(deps.client, questions, signal) };
}

/**
 * One commit: the latch, and what the review does. Two reviews of one form compare its revision, so of
 * two at the same instant one is first, and the other one is judged again.
 */
async function settle(deps: Deps, world: World, verdict: Verdict): Promise<World> {
  const { latch, ...ruling } = rulingOf(world, verdict, deps.clusterId);
  const { type } = await deps.ledger.commitDocuments({ ...ruling, epoch: deps.epoch() });
  if (type === 'Stale')
    throw ledgerMoved(`what ApiKeyReview ${refText(world.review.ref)} is about`);
  deps.metrics.judged(latch.target.kind, latch.decision, latch.reason);
  const { target, nowMs } = world;
  const round = target.kind === 'ApiKeyApplication' ? target.form?.round : undefined;
  if (round !== undefined && latch.reason === 'Decisive' && round.state === 'Pending') {
    deps.metrics.decided(latch.decision, Math.max(0, nowMs - round.submittedMs));
  }
  tell(deps, world, latch);
  return { ...world, latch };
}

/** What keys come to is told by their own controller. */
function tell({ events }: Deps, { review }: World, latch: ReviewRecord): void {
  const { target, isCounted, message, reviewer } = latch;
  const { ref, uid } = review;
  if (!isCounted) {
    const regarding = { apiVersion: API_VERSION, kind: 'ApiKeyReview', ref, uid };
    events.record({ regarding, ...eventOf('ReviewRefused'), action: 'Judge', note: message });
    return;
  }
  const reason = happeningOf(latch);
  if (reason === undefined) return;
  const words = review.spec.message === undefined ? '' : `: ${review.spec.message}`;
  const at = { namespace: ref.namespace, name: target.name };
  events.record({
    regarding: { apiVersion: API_VERSION, kind: target.kind, ref: at, uid: target.uid },
    ...eventOf(reason),
    action: target.kind === 'ApiClient' ? 'Switch' : 'Review',
    note: `${EVENT_REASONS[reason].sentence} Decided by '${reviewer.username}'${words}`,
  });
}

/** What a counted review brought about; undefined: nothing yet, or somebody else tells it. */
function happeningOf({ target, decision, reason }: ReviewRecord): EventReason | undefined {
  if (target.kind === 'ApiClient') return CLIENT_EVENTS[decision];
  const isDecided = target.kind === 'ApiKeyApplication' && reason === 'Decisive';
  return isDecided ? FORM_EVENTS[decision] : undefined;
}

const FORM_EVENTS: Readonly<Record<string, EventReason | undefined>> = {
  Approved: 'ApplicationApproved',
  Denied: 'ApplicationDenied',
  Returned: 'ApplicationReturned',
  Revoked: 'GrantWithdrawn',
};

const CLIENT_EVENTS: Readonly<Record<string, EventReason | undefined>> = {
  Suspended: 'ClientSuspended',
  Resumed: 'ClientResumed',
  Revoked: 'ClientRevoked',
};

function eventOf(reason: EventReason) {
  return { type: EVENT_REASONS[reason].type, reason };
}

async function report(
  deps: Deps,
  world: World,
  failure: KeywardError | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { review, latch } = world;
  const judgement = latch === undefined ? judge(world) : undefined;
  const status = wantedStatus(world, judgement, failure);
  if (status === undefined || isSameJson(status, review.status)) return;
  await deps.client.replaceStatus(API_KEY_REVIEWS, statusDraft(API_KEY_REVIEWS, review, status), {
    signal,
  });
}
