import { describe, expect, test } from 'vitest';
import {
  grantWithdrawal,
  reviewedBy,
  roundDecision,
  targetDecision,
  type Said,
} from '../../../src/cli/decision.ts';
import { parseNarrowed } from '../../../src/cli/narrowed.ts';
import { changeForm, HASH } from './forms.ts';

const nothing: Said = {
  decision: 'Approved',
  layer: undefined,
  reason: undefined,
  message: undefined,
  narrowed: undefined,
  hash: undefined,
};

describe('a decision about a round', () => {
  test('is bound to the UID and the hash, for the layer that is awaited', () => {
    expect(roundDecision(changeForm(), nothing, 'a1b2c3')).toEqual({
      apiVersion: 'keyward.dev/v1alpha1',
      kind: 'ApiKeyReview',
      metadata: { name: 'payments-approved-a1b2c3', namespace: 'shop' },
      spec: {
        applicationRef: { name: 'payments', uid: 'u-1' },
        decision: 'Approved',
        requestHash: HASH,
        layer: 'security',
      },
    });
  });

  test('takes no beginning of a hash so short that an applicant finds two requests with it', () => {
    const begun = (digits: number) =>
      roundDecision(
        changeForm(),
        { ...nothing, hash: '0123456789abcdef'.repeat(4).slice(0, digits) },
        'x',
      );
    for (const digits of [4, 12, 31]) expect(() => begun(digits)).toThrow('at least 32');
    for (const digits of [32, 64]) expect(begun(digits).spec.decision).toBe('Approved');
  });

  test('is refused where nothing waits, where it is not what was read, and where words are missing', () => {
    const decided = changeForm({ status: { state: 'Denied' } });
    expect(() => roundDecision(decided, nothing, 'x')).toThrow('is Denied');
    expect(() => roundDecision(changeForm(), { ...nothing, hash: 'f'.repeat(32) }, 'x')).toThrow(
      'not what was read',
    );
    const denied = { ...nothing, decision: 'Denied' } as const;
    expect(() => roundDecision(changeForm(), { ...denied, message: ' ' }, 'x')).toThrow(
      '--message',
    );
    expect(() =>
      roundDecision(changeForm(), { ...denied, message: 'm', reason: 'Nope' }, 'x'),
    ).toThrow('PurposeMismatch');
  });

  test('an edit that the operator has not seen cannot be approved, but denied', () => {
    const behind = changeForm({ status: { observedGeneration: 3 } });
    expect(() => roundDecision(behind, nothing, 'x')).toThrow('edited a moment ago');
    const { spec } = roundDecision(behind, { ...nothing, decision: 'Denied', message: 'no' }, 'x');
    expect(spec).toMatchObject({ decision: 'Denied', reason: 'Other', message: 'no' });
  });
});

test('a withdrawal names the round of the grant, and needs one', () => {
  const said = { ...nothing, decision: 'Revoked', message: 'misused' } as const;
  expect(grantWithdrawal(changeForm(), said, 'x').spec).toEqual({
    applicationRef: { name: 'payments', uid: 'u-1' },
    decision: 'Revoked',
    grantRound: 2,
    reason: 'Other',
    message: 'misused',
  });
  const none = changeForm({ status: { grant: { state: 'None' } } });
  expect(() => grantWithdrawal(none, said, 'x')).toThrow('no grant');
});

test('a decision about a client needs no words to accept it, and carries who decides', () => {
  const metadata = { name: 'checkout', namespace: 'shop', uid: 'u-9' };
  const draft = targetDecision({ field: 'clientRef', metadata }, nothing, 'x');
  expect(reviewedBy(draft, { username: 'mina', groups: ['a'] }).spec).toEqual({
    clientRef: { name: 'checkout', uid: 'u-9' },
    decision: 'Approved',
    reviewer: { username: 'mina', groups: ['a'] },
  });
});

describe('narrowing', () => {
  test('takes each field by its name', () => {
    expect(
      parseNarrowed([
        'durationDays=30',
        'quota=10/day',
        'products=a, b',
        'origins=https://a.example',
        'missing=deny',
        'cidrs=10.0.0.0/8',
      ]),
    ).toEqual({
      durationDays: 30,
      quota: { requests: 10, period: 'Day' },
      productRefs: [{ name: 'a' }, { name: 'b' }],
      originPolicy: { allowed: ['https://a.example'], missing: 'Deny' },
      cidrs: ['10.0.0.0/8'],
    });
    expect(parseNarrowed([])).toBeUndefined();
  });

  test.each(['quota', 'quota=', 'quota=x', 'quota=1/Year', 'durationDays=1.5', 'colour=red'])(
    'says what there is instead of %s',
    (text) => {
      expect(() => parseNarrowed([text])).toThrow(expect.objectContaining({ reason: 'Usage' }));
    },
  );
});
