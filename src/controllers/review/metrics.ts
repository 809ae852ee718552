/** What is measured of decisions. */
import { Counter, type Registry } from '../../kernel/metrics.ts';
import type { ReviewTarget } from '../../ledger/documents.ts';

/** What became of a review is told here, once. */
export type ReviewMetrics = {
  judged(target: ReviewTarget, decision: string, reason: string): void;
};

/** Registers the metrics; once per registry. */
export function createReviewMetrics(registry: Registry): ReviewMetrics {
  const judged = new Counter({
    name: 'keyward_reviews_judged_total',
    help: 'Reviews that were judged, by target, decision and reason of condition Accepted.',
    labelNames: ['target', 'decision', 'reason'],
    registers: [registry],
  });
  return {
    judged: (target, decision, reason) => judged.inc({ target, decision, reason }),
  };
}
