import { expect, test } from 'vitest';
import { isAwaited } from '../../../../src/controllers/review/awaited.ts';
import { cacheReview } from '../../../../src/controllers/review/view.ts';
import type { ReviewView } from '../../../../src/controllers/review/world.ts';
import { formatTime } from '../../../../src/kernel/time.ts';
import {
  aForm,
  aFormTarget,
  aReview,
  aRound,
  CREATED_MS,
  NOW_MS,
  SUBMITTED_MS,
  verdict,
} from './cases.ts';

const DEADLINE_MS = CREATED_MS + 10_000;
const DAY_LATER_MS = NOW_MS + 86_400_000;
const LATE_FORM = aForm({ round: aRound({ deadlineMs: DEADLINE_MS }) });

/** Whether the round waits for it. */
function isWaitedFor(review: ReviewView, form = LATE_FORM, skewMs = 0): boolean {
  const { ref, uid, resourceVersion, generation, createdMs, isDeleting, spec, status } = review;
  const creationTimestamp = formatTime(createdMs);
  const metadata = {
    ...ref,
    uid,
    resourceVersion,
    generation,
    creationTimestamp,
    ...(isDeleting ? { deletionTimestamp: creationTimestamp } : {}),
  };
  const object = { apiVersion: '', kind: 'ApiKeyReview', metadata, spec, status };
  return isAwaited(cacheReview(object), form, skewMs);
}

const at = (createdMs: number) => aReview({}, { createdMs });

test('a round waits for each decision about it that still counts when it is looked at', () => {
  for (const decision of ['Approved', 'Denied', 'Returned'] as const) {
    const review = aReview({ decision }, { createdMs: DEADLINE_MS });
    expect(isWaitedFor(review)).toBe(true);
    const target = aFormTarget(LATE_FORM);
    expect(verdict({ target, review, nowMs: DAY_LATER_MS })).toBe('Decisive');
  }
});

test('a round waits for nothing that was written after its deadline, by the clock of the API server', () => {
  expect(isWaitedFor(at(DEADLINE_MS + 5_000))).toBe(false);
  expect(isWaitedFor(at(DEADLINE_MS + 5_000), LATE_FORM, 60_000)).toBe(true);
  expect(isWaitedFor(at(DEADLINE_MS), LATE_FORM, -60_000)).toBe(false);
});

test('a round waits for nothing about another request, another form or another namespace', () => {
  expect(isWaitedFor(aReview({ requestHash: 'sha256:forged' }))).toBe(false);
  expect(isWaitedFor(aReview({ applicationRef: { name: 'shop', uid: 'other' } }))).toBe(false);
  const ref = { namespace: 'others', name: 'review' };
  expect(isWaitedFor(aReview({}, { ref }))).toBe(false);
  expect(isWaitedFor(at(SUBMITTED_MS - 5_000))).toBe(false);
  expect(isWaitedFor(aReview({ requestHash: 'x', message: aRound().hash }))).toBe(false);
});

test('a round waits for nothing that was judged, or that goes unjudged', () => {
  const time = { lastTransitionTime: '2026-01-01T00:00:00Z', message: '' };
  const ready = { type: 'Ready', status: 'False', reason: 'Refused', ...time } as const;
  expect(isWaitedFor(aReview({}, { status: { conditions: [ready] } }))).toBe(false);
  expect(isWaitedFor(aReview({}, { isDeleting: true }))).toBe(false);
});

test('a round without a deadline waits anyway', () => {
  expect(isWaitedFor(aReview(), aForm())).toBe(false);
});
