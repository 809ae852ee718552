import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  apiKeyCondition,
  apiKeyReady,
  keyStoreCondition,
  keyStoreReady,
} from '../../../src/api/conditions.ts';
import { CONDITION_TABLES, type ConditionTable } from '../../../src/api/conditiontables.ts';
import {
  applicationCondition,
  applicationReady,
  clientReady,
  reviewCondition,
} from '../../../src/api/applicationconditions.ts';
import {
  CONDITION_TYPES,
  mergeConditions,
  MESSAGE_LENGTH_MAX,
  type ReasonFact,
  type WantedCondition,
} from '../../../src/api/reasons.ts';

const EPOCH = '1970-01-01T00:00:00Z';
const seenAtMs = Date.parse('2026-03-01T00:00:00Z');
const at = { nowMs: seenAtMs, generation: 3 };

const TABLES: readonly ConditionTable[] = Object.values(CONDITION_TABLES);

describe('the list', () => {
  it.each(Object.entries<ConditionTable>(CONDITION_TABLES))(
    '%s: Stalled stands beside Ready exactly where the situation is Failed',
    (_kind, { ready }) => {
      for (const [reason, fact] of Object.entries(ready)) {
        expect({ reason, stalled: fact.companion === 'Stalled' }).toEqual({
          reason,
          stalled: fact.kstatus === 'Failed',
        });
        expect({ reason, current: fact.kstatus === 'Current' }).toEqual({
          reason,
          current: fact.status === 'True',
        });
      }
    },
  );

  it('has a sentence and a one-word reason for every entry', () => {
    const all = TABLES.flatMap(({ ready, further }) =>
      [ready, ...Object.values(further)].flatMap((facts) => Object.entries<ReasonFact>(facts)),
    );
    for (const [reason, fact] of all) {
      expect(reason).toMatch(/^[A-Z][A-Za-z]{2,40}$/);
      expect(fact.sentence).toMatch(/^[A-Z].*\.$/);
    }
  });

  it('names every condition type in the publishing order', () => {
    const used = ['Ready', ...TABLES.flatMap(({ further }) => Object.keys(further))];
    expect(new Set(used)).toEqual(new Set(CONDITION_TYPES));
  });
});

describe('building conditions', () => {
  it('brings Stalled along with the same reason when a person must act', () => {
    expect(apiKeyReady('SecretConflict', 'taken')).toEqual([
      { type: 'Ready', status: 'False', reason: 'SecretConflict', message: 'taken' },
      { type: 'Stalled', status: 'True', reason: 'SecretConflict', message: 'taken' },
    ]);
  });

  it('brings Reconciling along while a store is retried', () => {
    expect(keyStoreReady('ConnectionFailed', 'no answer').map((c) => c.type)).toEqual([
      'Ready',
      'Reconciling',
    ]);
  });

  it('says Ready alone when nothing is out of the ordinary', () => {
    expect(apiKeyReady('Active', 'live')).toHaveLength(1);
  });

  it('takes the status of a further condition from its reason', () => {
    expect(apiKeyCondition('StoreSynced', 'StoreUnavailable', 'm').status).toBe('Unknown');
    expect(apiKeyCondition('Rotating', 'OverlapActive', 'm').status).toBe('True');
    expect(keyStoreCondition('Durable', 'EphemeralStorage', 'm').status).toBe('False');
  });
});

describe('what GitOps tools make of an application', () => {
  it('is in progress, not stalled, while another person or the day itself is awaited', () => {
    const waiting = ['PendingReview', 'Draft', 'NotYetEffective', 'AwaitingProof'] as const;
    for (const reason of waiting) {
      expect(applicationReady(reason, 'm')).toEqual([
        { type: 'Ready', status: 'False', reason, message: 'm' },
      ]);
    }
    expect(clientReady('PendingReview', 'm')).toHaveLength(1);
  });

  it('R14 R18: is a failure with the reason in it when a reviewer refused', () => {
    expect(applicationReady('Denied', 'PurposeMismatch: no resale')).toContainEqual({
      type: 'Stalled',
      status: 'True',
      reason: 'Denied',
      message: 'PurposeMismatch: no resale',
    });
  });

  it('R121: stays ready while a change of what is in force waits', () => {
    expect(applicationReady('ChangePending', 'm').map((c) => c.status)).toEqual(['True']);
  });

  it('leaves Approved unknown until enough reviewers agreed', () => {
    expect(applicationCondition('Approved', 'NeedsMoreApprovals', 'm').status).toBe('Unknown');
    expect(applicationCondition('Approved', 'ApprovedByReviewer', 'm').status).toBe('True');
    expect(reviewCondition('Accepted', 'Counted', 'm').status).toBe('True');
    expect(reviewCondition('Accepted', 'HashMismatch', 'm').status).toBe('False');
  });
});

describe('mergeConditions', () => {
  const pending = {
    type: 'Ready',
    status: 'Unknown',
    reason: 'Pending',
    message: '',
    lastTransitionTime: EPOCH,
  } as const;

  it('moves the transition time when the status flips', () => {
    const [ready] = mergeConditions([pending], apiKeyReady('Active', 'live'), at);
    expect(ready).toEqual({
      type: 'Ready',
      status: 'True',
      reason: 'Active',
      message: 'live',
      lastTransitionTime: '2026-03-01T00:00:00Z',
      observedGeneration: 3,
    });
  });

  it('keeps the transition time when only reason, message or generation change', () => {
    const first = mergeConditions([], apiKeyReady('Active', 'live'), at);
    const later = mergeConditions(first, apiKeyReady('Rotating', 'two values'), {
      nowMs: seenAtMs + 5_000,
      generation: 4,
    });
    expect(later[0]).toMatchObject({
      reason: 'Rotating',
      lastTransitionTime: '2026-03-01T00:00:00Z',
      observedGeneration: 4,
    });
  });

  it('drops what nobody wants any more and lists the rest in the fixed order', () => {
    const first = mergeConditions(
      [],
      [apiKeyCondition('Rotating', 'OverlapActive', 'm'), ...apiKeyReady('Rotating', 'm')],
      at,
    );
    expect(first.map((c) => c.type)).toEqual(['Ready', 'Rotating']);
    expect(mergeConditions(first, apiKeyReady('Active', 'm'), at).map((c) => c.type)).toEqual([
      'Ready',
    ]);
  });

  it('cuts a message at what the CRD accepts, on a whole character', () => {
    const [ready] = mergeConditions([], apiKeyReady('InvalidSpec', '😀'.repeat(2_000)), at);
    expect(Array.from(ready?.message ?? '')).toHaveLength(MESSAGE_LENGTH_MAX);
    expect(ready?.message.isWellFormed()).toBe(true);
  });

  it('changes nothing when repeated on its own result, at any later time', () => {
    const wanted: fc.Arbitrary<WantedCondition[]> = fc.array(
      fc.record({
        type: fc.constantFrom(...CONDITION_TYPES),
        status: fc.constantFrom('True', 'False', 'Unknown'),
        reason: fc.constantFrom('Active', 'Pending'),
        message: fc.string({ maxLength: 10 }),
      }),
    );
    fc.assert(
      fc.property(wanted, fc.nat(), (conditions, laterMs) => {
        const once = mergeConditions([], conditions, at);
        const again = mergeConditions(once, conditions, { ...at, nowMs: seenAtMs + laterMs });
        expect(again).toEqual(once);
      }),
    );
  });
});
