/** For which reviews a round waits beyond its deadline. Pure. */
import type { FormRecord } from '../../ledger/form.ts';
import { isWrittenAfter, isWrittenBefore } from './rounds.ts';
import { viewReview, type CachedReview } from './view.ts';

/**
 * Whether this review decides about the newest round of the form, was written in its time as far as clocks can
 * tell, and is not judged yet. Never for a round without a deadline, or for a review that is going.
 *
 * @param skewMs how far the clock of the API server is ahead of ours
 */
export function isAwaited(
  cached: CachedReview,
  { uid, namespace, round }: Pick<FormRecord, 'uid' | 'namespace' | 'round'>,
  skewMs: number,
): boolean {
  if (cached.isJudged || cached.isDeleting || cached.ref.namespace !== namespace) return false;
  if (round?.deadlineMs === undefined) return false;
  const { hash, submittedMs, deadlineMs } = round;
  // Of many reviews hardly one is about this round, and only that is parsed.
  if (!cached.specText.includes(hash)) return false;
  if (isWrittenBefore(cached, submittedMs, skewMs)) return false;
  if (isWrittenAfter(cached, deadlineMs, skewMs)) return false;
  const { applicationRef, requestHash } = viewReview(cached).spec;
  return applicationRef?.uid === uid && requestHash === hash;
}
