/** What makes a review be looked at, and how soon. Pure. */
import type { Change } from '../../kube/port.ts';
import type { Lane } from '../../runtime/lanes.ts';
import { anyOf, wakeItself, whenChanged, type Trigger } from '../../runtime/trigger.ts';
import type { CachedReview } from './view.ts';

/** A review appeared, or somebody tampered with it; our own status wakes nothing. */
export const onReview: Trigger<CachedReview> = wakeItself(
  anyOf<CachedReview>(
    whenChanged((review) => review.uid),
    whenChanged((review) => review.generation),
  ),
  laneOf,
);

/** The switch for the night goes first, what was judged before a restart last. */
function laneOf({ current }: Change<CachedReview>): Lane {
  if (current === undefined || current.isJudged) return 'bulk';
  const { decision } = current;
  return decision === 'Revoked' || decision === 'Suspended' ? 'urgent' : 'normal';
}
