import { describe, expect, test } from 'vitest';
import type { Key, Review } from '../../../src/cli/objects.ts';
import {
  outcomeOfForm,
  outcomeOfReview,
  outcomeOfRotation,
  outcomeOfSwitch,
} from '../../../src/cli/outcome.ts';
import { changeForm, issuedKey } from './forms.ts';

function review(status: string, reason: string): Review {
  const lastTransitionTime = '2027-01-01T10:00:00Z';
  const accepted = { type: 'Accepted', status, reason, message: 'm\u001b', lastTransitionTime };
  return { status: { conditions: [accepted] } } as unknown as Review;
}

describe('what became of a review', () => {
  test.each([
    ['True', 'Decisive', 0],
    ['False', 'HashMismatch', 1],
    ['False', 'ReviewerNotAuthorized', 4],
    ['False', 'SelfReviewNotAllowed', 4],
    ['False', 'ApplicationNotFound', 3],
  ])('%s %s ends with %d', (status, reason, code) => {
    expect(outcomeOfReview(review(status, reason))).toEqual({
      text: expect.stringContaining(`(${reason}): m\\x1b\n`),
      code,
    });
  });

  test('is not known before it was judged', () => {
    expect(outcomeOfReview({} as Review)).toBeUndefined();
    expect(outcomeOfReview(review('Unknown', 'AwaitingProof'))).toBeUndefined();
  });
});

describe('what became of a form', () => {
  test.each([
    ['Approved', 0],
    ['Draft', 0],
    ['Denied', 6],
    ['Returned', 6],
    ['Lapsed', 6],
    ['Withdrawn', 6],
    ['Incomplete', 1],
    ['Pending', undefined],
  ])('%s ends with %s', (state, code) => {
    expect(outcomeOfForm(changeForm({ status: { state } }))?.code).toBe(code);
  });

  test('is not known while the status is about the edit before', () => {
    const behind = changeForm({ status: { state: 'Denied', observedGeneration: 3 } });
    expect(outcomeOfForm(behind)).toBeUndefined();
  });
});

describe('what became of a rotation', () => {
  const outcomeOf = outcomeOfRotation('r2');
  const refused = (message: string): object => ({
    conditions: [
      {
        type: 'Rotating',
        status: 'False',
        reason: 'RotationRefused',
        message,
        lastTransitionTime: 'x',
      },
    ],
  });

  test('is known by its request id alone, because an annotation is no new generation', () => {
    expect(outcomeOf(issuedKey())).toBeUndefined();
    expect(
      outcomeOf(issuedKey({ status: { lastHandledRotationRequestId: 'r1' } })),
    ).toBeUndefined();
    expect(outcomeOf(issuedKey({ status: { lastHandledRotationRequestId: 'r2' } }))?.code).toBe(0);
  });

  test('is known of one that was handled before the last', () => {
    const status = { lastHandledRotationRequestId: 'r3', handledRotationRequestIds: ['r2'] };
    expect(outcomeOf(issuedKey({ status }))?.code).toBe(0);
  });

  test('is not known by a message that has the letters of its id in other words', () => {
    const status = refused("rotation 'r22' is refused, r2");
    expect(outcomeOf(issuedKey({ status }))).toBeUndefined();
  });

  test('is a failure when it was refused, and not when another one was', () => {
    expect(outcomeOf(issuedKey({ status: refused("rotation 'r2' is refused") }))?.code).toBe(1);
    expect(outcomeOf(issuedKey({ status: refused("rotation 'r1' is refused") }))).toBeUndefined();
  });
});

describe('what became of a switch', () => {
  const key = (status: string, reason: string, ...more: readonly string[]): Key => {
    const conditions = [{ type: 'Ready', status, reason, message: 'm' }].concat(
      more.map((type) => ({ type, status: 'True', reason, message: 'm' })),
    );
    return { metadata: { generation: 2 }, status: { observedGeneration: 2, conditions } } as never;
  };

  test.each([
    ['Resumed', key('True', 'Active'), 0],
    ['Suspended', key('False', 'Suspended'), 0],
    ['Revoked', key('False', 'Revoked'), 0],
    // A reviewer holds it, or its client is off.
    ['Resumed', key('False', 'Suspended'), 1],
    ['Resumed', key('False', 'Revoked'), 1],
    ['Suspended', key('False', 'Revoked'), 1],
    // Its vendor goes on accepting it; of a key that is off, other faults stand behind Suspended.
    ['Suspended', key('False', 'UnsupportedByStore', 'Stalled'), 1],
    // On, and waiting for its day or for a reviewer who accepts its client.
    ['Resumed', key('False', 'NotYetValid'), 0],
    ['Resumed', key('False', 'PendingReview'), 0],
    ['Suspended', key('False', 'NotYetValid'), undefined],
    // It may still come to it.
    ['Resumed', key('False', 'StoreNotAvailable'), undefined],
    ['Resumed', key('False', 'Suspended', 'Reconciling'), undefined],
    ['Revoked', key('True', 'Active', 'Reconciling'), undefined],
    ['Suspended', key('True', 'Active'), undefined],
    ['Suspended', key('Unknown', 'Pending'), undefined],
  ] as const)('%s is done only when the object says so', (wanted, object, code) => {
    expect(outcomeOfSwitch(wanted)(object)?.code).toBe(code);
  });

  test('is not known while the status is about the edit before', () => {
    const { status } = key('False', 'Suspended');
    const behind = { metadata: { generation: 3 }, status } as Key;
    expect(outcomeOfSwitch('Suspended')(behind)).toBeUndefined();
  });
});
