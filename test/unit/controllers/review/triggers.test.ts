import { expect, test } from 'vitest';
import { onReview } from '../../../../src/controllers/review/triggers.ts';
import { cacheReview } from '../../../../src/controllers/review/view.ts';

const REF = { namespace: 'team', name: 'review' };

function cached(decision: string, reason?: string) {
  const metadata = { ...REF, uid: 'u', resourceVersion: '1', generation: 1 };
  const conditions = reason === undefined ? [] : [{ type: 'Ready', reason }];
  return cacheReview({ metadata, spec: { decision }, status: { conditions } } as never);
}

const laneOf = (current: ReturnType<typeof cached>, previous?: ReturnType<typeof cached>) =>
  onReview({ ref: REF, previous, current }).map(({ lane }) => lane);

test('what switches off goes first, what was judged before goes last', () => {
  expect(laneOf(cached('Approved'))).toEqual(['normal']);
  expect(laneOf(cached('Suspended', 'Pending'))).toEqual(['urgent']);
  expect(laneOf(cached('Revoked'))).toEqual(['urgent']);
  expect(laneOf(cached('Revoked', 'Accepted'))).toEqual(['bulk']);
  expect(laneOf(cached('Approved', 'Refused'))).toEqual(['bulk']);
});

test('our own status wakes nothing', () => {
  expect(laneOf(cached('Approved', 'Accepted'), cached('Approved'))).toEqual([]);
});
