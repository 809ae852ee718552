import { describe, expect, test } from 'vitest';
import type { ApiKeySpec } from '../../../../src/api/generated/apikey.ts';
import {
  grantedKey,
  grantedSpec,
  refusedFields,
  reissueRequestId,
} from '../../../../src/controllers/apikey/granted.ts';
import type { FormRecord, Grant, Reissue } from '../../../../src/ledger/form.ts';
import { openRound } from '../../../../src/ledger/formchanges.ts';
import { countReview } from '../../../../src/ledger/formdecisions.ts';
import { aDecision, aForm, aRequest, aRoundRequest } from '../../../support/forms.ts';
import { aKey, aRotation, aSecretSpec, aSpec } from '../../../support/world.ts';

const CONTENT = aRequest({
  displayName: 'Maps',
  format: 'Dual',
  terms: {
    validity: { timeZone: 'UTC' },
    quota: { requests: 5 },
    originPolicy: { allowed: ['example.com'] },
  },
});

/** A form with a grant, and what became of its wish for new values. */
function granted(reissue?: Partial<Reissue>): FormRecord & { readonly grant: Grant } {
  const uid = '0f0e0d0c-0b0a-4908-8706-050403020100';
  const form = countReview(openRound(aForm({ uid }), aRoundRequest({ content: CONTENT })), {
    ...aDecision(),
  });
  if (form.grant === undefined) throw new Error('nothing was granted');
  const whole = {
    requestId: 'again',
    reason: 'Routine',
    round: 2,
    whileWaiting: 'KeepActive',
    state: 'Approved',
    ...reissue,
  } as const;
  return { ...form, grant: form.grant, ...(reissue === undefined ? {} : { reissue: whole }) };
}

const effective = (
  spec: Partial<ApiKeySpec>,
  form: FormRecord & { readonly grant: Grant },
  reissues: 'Reviewed' | 'Free' = 'Reviewed',
): ApiKeySpec =>
  grantedSpec(aSpec({ applicationRef: { name: 'web' }, ...spec }), form, {
    grant: form.grant,
    reissues,
  });

describe('The spec that a grant stands for', () => {
  test('is what was approved, in the shape in which the API server completes it', () => {
    expect(effective({}, granted())).toEqual({
      applicationRef: { name: 'web' },
      state: 'Active',
      deletionPolicy: 'Revoke',
      clientRef: { name: 'acme' },
      storeRef: { kind: 'KeyStore', name: 'default' },
      format: 'Dual',
      displayName: 'Maps',
      terms: {
        validity: { timeZone: 'UTC' },
        quota: { requests: 5, period: 'Lifetime' },
        originPolicy: { allowed: ['example.com'], missing: 'Deny', unknownPath: 'Allow' },
      },
      secret: aSecretSpec({ onLoss: 'Wait' }),
    });
  });

  test('takes nothing that was granted from the object', () => {
    const own = {
      storeRef: { kind: 'ClusterKeyStore', name: 'elsewhere' },
      format: 'Opaque',
      displayName: 'mine',
      description: 'mine',
      clientRef: { name: 'friend' },
      terms: { quota: { requests: -1, period: 'Lifetime' } },
    } as const;
    expect(effective(own, granted())).toEqual(effective({}, granted()));
  });

  test('leaves state and Secret to the object', () => {
    const secret = aSecretSpec({ name: 'mine', onLoss: 'Restore' });
    expect(effective({ state: 'Suspended', secret }, granted())).toMatchObject({
      state: 'Suspended',
      secret,
    });
  });

  test('is the spec as written where there is no grant', () => {
    const key = aKey({ spec: aSpec({ applicationRef: { name: 'web' } }) });
    const none = { form: aForm(), grant: undefined, reissues: 'Reviewed' } as const;
    expect(grantedKey(key, none)).toBe(key);
  });
});

describe('Rotation of a key with a grant', () => {
  const own = aRotation({
    requestId: 'r1',
    urgency: 'Emergency',
    slot: 'Primary',
    maxAgeDays: 30,
    overlapSeconds: 9,
    method: 'InPlace',
  });

  test('has no way to a new value where that is reviewed', () => {
    const { rotation } = effective({ rotation: own }, granted());
    expect(rotation).toEqual({
      urgency: 'Planned',
      retirePrevious: 'AfterOverlap',
      method: 'InPlace',
    });
  });

  test('is its own where it is not reviewed', () => {
    const { rotation, secret } = effective({ rotation: own }, granted(), 'Free');
    expect({ rotation, secret }).toEqual({ rotation: own, secret: undefined });
  });

  test.each([
    ['Exposed', 'Emergency'],
    ['SecurityConcern', 'Planned'],
    ['Routine', 'Planned'],
  ] as const)('is what was approved: %s is %s', (reason, urgency) => {
    const form = granted({ reason });
    for (const reissues of ['Reviewed', 'Free'] as const) {
      const { rotation } = effective({ rotation: own }, form, reissues);
      expect(rotation).toMatchObject({ urgency, requestId: reissueRequestId(form) });
      expect(rotation?.slot).toBeUndefined();
    }
  });

  test.each(['Waiting', 'Denied', 'Lapsed'] as const)(
    'is none while the reissue is %s',
    (state) => {
      expect(effective({}, granted({ state })).rotation).toBeUndefined();
    },
  );

  test('is asked for under an id that status can hold, once for each round', () => {
    const id = reissueRequestId(granted({ round: 1_000_000 })) ?? '';
    expect(id.length).toBeLessThanOrEqual(64);
    expect(id).not.toBe(reissueRequestId(granted({ round: 2 })));
  });

  test('goes before what the annotation asks for', () => {
    const key = aKey({ rotateRequestId: 'r2', spec: aSpec({ applicationRef: { name: 'web' } }) });
    const rotateIdOf = (
      form: FormRecord & { readonly grant: Grant },
      reissues: 'Reviewed' | 'Free',
    ) => grantedKey(key, { form, grant: form.grant, reissues }).rotateRequestId;
    expect(rotateIdOf(granted(), 'Free')).toBe('r2');
    expect(rotateIdOf(granted({}), 'Free')).toBeUndefined();
    expect(rotateIdOf(granted(), 'Reviewed')).toBeUndefined();
  });
});

test('What is refused is named, and nothing is refused of a spec that asks for nothing', () => {
  expect(refusedFields(aSpec(), undefined)).toEqual([]);
  expect(refusedFields(aSpec({ rotation: aRotation({ requestId: 'spent' }) }), undefined)).toEqual(
    [],
  );
  const all = aRotation({ maxAgeDays: 1, slot: 'Primary', urgency: 'Emergency' });
  expect(refusedFields(aSpec({ rotation: all }), 'r1')).toHaveLength(4);
});
