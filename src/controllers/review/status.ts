/** What the status of a review says: a copy of its latch, for people and tools. Pure. */
import {
  reviewCondition,
  reviewReady,
  type AcceptedReason,
} from '../../api/applicationconditions.ts';
import { mergeConditions, type WantedCondition } from '../../api/reasons.ts';
import type { ApiKeyReviewStatus } from '../../api/generated/apikeyreview.ts';
import type { KeywardError } from '../../kernel/errors.ts';
import { formatTime } from '../../kernel/time.ts';
import type { ReviewRecord } from '../../ledger/documents.ts';
import type { Judgement } from './judgement.ts';
import type { World } from './world.ts';

/**
 * The status as it should be; undefined: it stays as it is, because all is under way.
 *
 * @param judgement of a world without a latch
 * @param failure what stopped the judgement
 */
export function wantedStatus(
  world: World,
  judgement: Judgement | undefined,
  failure: KeywardError | undefined,
): ApiKeyReviewStatus | undefined {
  const { review, latch, nowMs } = world;
  const conditions = latch === undefined ? unsettled(judgement, failure) : settled(latch);
  if (conditions === undefined) return undefined;
  return {
    observedGeneration: review.generation,
    conditions: mergeConditions(review.status?.conditions ?? [], conditions, {
      nowMs,
      generation: review.generation,
    }),
    ...(latch === undefined ? {} : facts(latch)),
  };
}

function settled({ isCounted, reason, message }: ReviewRecord): readonly WantedCondition[] {
  // Parser: the ledger holds what was written there from this closed list.
  const accepted = reviewCondition('Accepted', reason as AcceptedReason, message);
  return [...reviewReady(isCounted ? 'Accepted' : 'Refused', message), accepted];
}

/** Nothing is final yet, and the next look may say otherwise. */
function unsettled(
  judgement: Judgement | undefined,
  failure: KeywardError | undefined,
): readonly WantedCondition[] | undefined {
  if (judgement?.type === 'Unproven') {
    const { message } = judgement;
    return [
      ...reviewReady('AwaitingProof', message),
      reviewCondition('Accepted', 'IdentityUnverified', message),
    ];
  }
  return failure === undefined ? undefined : reviewReady('Pending', failure.message);
}

function facts({ reviewer, isCounted, judgedMs }: ReviewRecord): Partial<ApiKeyReviewStatus> {
  const { username, source } = reviewer;
  return {
    ...(username === '' ? {} : { reviewer: { username, source } }),
    ...(isCounted ? { effectiveTime: formatTime(judgedMs) } : {}),
  };
}
