/** What is measured of decisions. */
import { Counter, Histogram, type Registry } from '../../kernel/metrics.ts';
import { SECOND_MS } from '../../kernel/time.ts';
import type { ReviewTarget } from '../../ledger/documents.ts';

/** What became of a review is told here, once. */
export type ReviewMetrics = {
  judged(target: ReviewTarget, decision: string, reason: string): void;
  /** A form was decided about, so long after it was submitted. */
  decided(decision: string, waitedMs: number): void;
};

/** From a minute to a month. */
const WAITED_SECONDS = [60, 600, 3_600, 14_400, 86_400, 259_200, 604_800, 1_209_600, 2_592_000];

/** Registers the metrics; once per registry. */
export function createReviewMetrics(registry: Registry): ReviewMetrics {
  const judged = new Counter({
    name: 'keyward_reviews_judged_total',
    help: 'Reviews that were judged, by target, decision and reason of condition Accepted.',
    labelNames: ['target', 'decision', 'reason'],
    registers: [registry],
  });
  const waited = new Histogram({
    name: 'keyward_application_decision_seconds',
    help: 'Seconds from the submission of a form to the decision of reviewers, by decision.',
    labelNames: ['decision'],
    buckets: WAITED_SECONDS,
    registers: [registry],
  });
  return {
    decided: (decision, waitedMs) => waited.observe({ decision }, waitedMs / SECOND_MS),
    judged: (target, decision, reason) => judged.inc({ target, decision, reason }),
  };
}
