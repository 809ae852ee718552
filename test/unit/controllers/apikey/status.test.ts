import { describe, expect, test } from 'vitest';
import type { ApiKeyStatus } from '../../../../src/api/generated/apikey.ts';
import { firstFinding } from '../../../../src/controllers/apikey/checks.ts';
import { isSameStatus, wantedStatus } from '../../../../src/controllers/apikey/status.ts';
import type { World } from '../../../../src/controllers/apikey/world.ts';
import { KeywardError, type ErrorClass } from '../../../../src/kernel/errors.ts';
import type { KeyRecord } from '../../../../src/ledger/record.ts';
import {
  aCredential,
  aDualCredential,
  aKey,
  anOpenCredential,
  aRecord,
  aRotation,
  aSecret,
  aSpec,
  aStore,
  aWorld,
  NOW_MS,
  OPEN_TERMS,
} from '../../../support/world.ts';
import { asked, settled } from './settled.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function statusOf(world: World, failure?: KeywardError): ApiKeyStatus {
  const status = wantedStatus(world, failure);
  if (status === undefined) throw new Error('there is no status');
  return status;
}

const conditions = (world: World, failure?: KeywardError): Record<string, string> =>
  Object.fromEntries(
    (statusOf(world, failure).conditions ?? []).map(({ type, status, reason }) => [
      type,
      `${status}/${reason}`,
    ]),
  );
const readyOf = (world: World, failure?: KeywardError): string | undefined =>
  conditions(world, failure)['Ready'];
const failing = (reason: string, errorClass: ErrorClass = 'Waiting'): KeywardError =>
  new KeywardError(errorClass, { reason, message: 'why', retryAfterMs: 1_000 });
const endsAt = (endMs: number) => ({ ...OPEN_TERMS, endMs });
const overlapping = aRecord({
  sequence: 2,
  credentials: [
    aCredential({ state: 'Retiring', retireAtMs: NOW_MS + HOUR_MS }),
    aCredential({ sequence: 2 }),
  ],
});

describe('Ready', () => {
  test('is the only condition of a key that works', () => {
    expect(conditions(settled())).toEqual({ Ready: 'True/Active' });
  });

  test.each([
    ['while it is issued', {}, 'Unknown/Pending'],
    [
      'before its first day',
      { validity: { notBeforeTime: '2027-01-01T00:00:00Z' } },
      'False/NotYetValid',
    ],
    [
      'after its last day',
      { validity: { expirationTime: '2025-01-01T00:00:00Z' } },
      'False/Expired',
    ],
  ] as const)('of a key that was never issued tells, %s', (_why, terms, ready) => {
    expect(readyOf(aWorld({ key: aKey({ spec: aSpec({ terms }) }) }))).toBe(ready);
  });

  test.each<[string, Partial<KeyRecord>, string]>([
    ['an open value', { credentials: [anOpenCredential()] }, 'Unknown/Pending'],
    ['an overlap', { ...overlapping }, 'True/Rotating'],
    ['an end that has passed', { terms: endsAt(NOW_MS) }, 'False/Expired'],
    ['a missing Secret', { secret: aSecret({ missingSinceMs: NOW_MS }) }, 'False/SecretLost'],
    ['an edited Secret', { secret: aSecret({ health: 'Tampered' }) }, 'False/SecretLost'],
    ['a revocation', { state: 'Revoked', credentials: [] }, 'False/Revoked'],
  ])('of a key with %s says so', (_why, change, ready) => {
    expect(readyOf(settled({ record: aRecord(change) }))).toBe(ready);
  });

  test('of a suspended key says how to switch it on again', () => {
    const world = asked({ state: 'Suspended' }, { record: aRecord({ state: 'Suspended' }) });
    expect(readyOf(world)).toBe('False/Suspended');
    expect(statusOf(world).conditions?.[0]?.message).toContain('spec.state');
  });

  test.each([
    ['its spec has', { deletionPolicy: 'Retain' }, aStore({ retention: 'Forbidden' })],
    ['the store has', {}, { type: 'Missing', name: "KeyStore 's'" } as const],
  ] as const)(
    'of a key that is off says so first, and names the fault that %s',
    (_why, spec, store) => {
      const record = aRecord({ state: 'Suspended' });
      const world = asked({ ...spec, state: 'Suspended' }, { record, store });
      expect(readyOf(world)).toBe('False/Suspended');
      expect(conditions(world)).not.toHaveProperty('Stalled');
      const { message: fault } = firstFinding(world) ?? {};
      expect(statusOf(world).conditions?.[0]?.message).toContain(`besides, ${fault}`);
    },
  );

  test.each([
    ['its vendor still accepts', { enabled: true }, 'Live'],
    ['its store cannot switch off', {}, 'Live'],
    ['outlived an earlier object', { enabled: false }, 'Retained'],
  ] as const)('of a key that %s does not say that it is off', (_why, there, phase) => {
    const remote = { id: '7', account: 'a', facts: {}, ...there };
    const record = aRecord({ state: 'Suspended', phase, credentials: [aCredential({ remote })] });
    const store = { type: 'Missing', name: "KeyStore 's'" } as const;
    expect(readyOf(asked({ state: 'Suspended' }, { record, store }))).not.toBe('False/Suspended');
  });

  test('of a key whose Secret is somebody else’s says SecretConflict (I8)', () => {
    const world = settled({ evidence: { inspection: { type: 'Foreign' } } });
    expect(conditions(world)).toMatchObject({
      Ready: 'False/SecretConflict',
      SecretSynced: 'False/Conflict',
    });
  });

  test('of a working key stays True while its store is away, and the store is named', () => {
    const world = settled({ store: { type: 'Missing', name: "ClusterKeyStore 'default'" } });
    expect(conditions(world)).toEqual({
      Ready: 'True/Active',
      StoreSynced: 'Unknown/StoreUnavailable',
    });
  });

  test('of a working key with a wrong spec says that the earlier terms go on', () => {
    const world = asked({ format: 'Opaque', terms: { validity: { timeZone: 'Mars/Olympus' } } });
    expect(conditions(world)).toMatchObject({
      Ready: 'False/InvalidSpec',
      SpecSupported: 'False/InvalidSpec',
    });
    expect(statusOf(world).conditions?.[0]?.message).toContain('keeps its earlier terms');
  });
});

describe('a failure', () => {
  test.each([
    ['SecretConflict', 'False/SecretConflict', { SecretSynced: 'False/Conflict' }],
    ['SecretImmutable', 'False/SecretConflict', { SecretSynced: 'False/Immutable' }],
    ['Forbidden', 'False/SecretForbidden', { SecretSynced: 'False/Forbidden' }],
    ['QuotaExceeded', 'False/SecretForbidden', { SecretSynced: 'False/Forbidden' }],
    ['SecretTooLarge', 'False/InvalidSpec', {}],
    ['LimitExceeded', 'False/LimitExceeded', { StoreSynced: 'False/StoreLimitReached' }],
  ])('%s becomes the reason of Ready and of its own condition', (reason, ready, beside) => {
    expect(conditions(aWorld(), failing(reason))).toMatchObject({ Ready: ready, ...beside });
  });

  test('that will pass is said of a key that does not work yet', () => {
    expect(readyOf(aWorld(), failing('LedgerUnavailable', 'Transient'))).toBe(
      'False/StoreUnavailable',
    );
  });

  test('that will pass is not said of a key that works', () => {
    expect(readyOf(settled(), failing('LedgerUnavailable', 'Transient'))).toBe('True/Active');
  });
});

describe('the end', () => {
  test.each([
    ['within the notice days', DAY_MS * 30, 'True/WithinNoticeWindow'],
    ['before the notice days', DAY_MS * 30 + 1, undefined],
  ])('%s is announced accordingly', (_why, inMs, expected) => {
    const world = settled({ record: aRecord({ terms: endsAt(NOW_MS + inMs) }) });
    expect(conditions(world)['ExpiringSoon']).toBe(expected);
  });

  test('that has passed is a condition of its own', () => {
    const world = settled({ record: aRecord({ terms: endsAt(NOW_MS) }) });
    expect(conditions(world)).toMatchObject({ Expired: 'True/Expired' });
  });
});

describe('a rotation', () => {
  test('shows the previous key and until when it works', () => {
    expect(statusOf(settled({ record: overlapping }))).toMatchObject({
      keyId: 'keyId-2',
      sequence: 2,
      previous: { keyId: 'keyId-1', retireTime: '2026-01-01T01:00:00Z' },
    });
  });

  test('that a revoked key refuses is said', () => {
    const record = aRecord({ state: 'Revoked', credentials: [] });
    const spec = { state: 'Revoked', rotation: aRotation({ requestId: 'r1' }) } as const;
    expect(conditions(asked(spec, { record, rotationRequest: 'r1' }))['Rotating']).toBe(
      'False/RotationRefused',
    );
  });

  test('that was handled is named, so that a revert in Git rotates nothing', () => {
    const record = aRecord({ lastRotationRequestId: 'r1' });
    expect(statusOf(settled({ record })).lastHandledRotationRequestId).toBe('r1');
  });

  test('that only status remembers at a vendor is named on, until another one is handled', () => {
    const status = { remote: { id: 'id-2' }, lastHandledRotationRequestId: 'r2' };
    const shown = (requestId: string, change: Partial<KeyRecord>) =>
      statusOf(
        settled({
          key: aKey({ spec: aSpec({ rotation: aRotation({ requestId }) }), status }),
          record: aRecord(change),
        }),
      ).lastHandledRotationRequestId;
    expect(shown('r2', {})).toBe('r2');
    expect(shown('r2', { lastRotationRequestId: 'r1' })).toBe('r2');
    expect(shown('r3', { lastRotationRequestId: 'r3' })).toBe('r3');
    expect(shown('r3', { lastRotationRequestId: 'r1' })).toBe('r1');
  });

  test('that was handled before the last is named, too, while it stands in the object', () => {
    const shown = (change: Partial<KeyRecord>) => {
      const record = aRecord({ lastRotationRequestId: 'r2', ...change });
      const status = statusOf(settled({ record, handledRequests: ['r1', 'r2'] }));
      return [status.lastHandledRotationRequestId, status.handledRotationRequestIds];
    };
    expect(shown({})).toEqual(['r2', ['r1']]);
    // One that was only begun at the vendor is not.
    const begun = aCredential({ sequence: 2, state: 'Intent', slots: [] });
    expect(shown({ credentials: [aCredential(), begun] })).toEqual([undefined, ['r1']]);
  });

  test('by age shows when it is due', () => {
    const world = asked({ rotation: aRotation({ maxAgeDays: 30 }) });
    expect(statusOf(world).rotationDueTime).toBe('2026-01-31T00:00:00Z');
  });
});

describe('the facts', () => {
  test('of a working key are public names and times, and never a value', () => {
    expect(statusOf(settled())).toMatchObject({
      observedGeneration: 1,
      keyId: 'keyId-1',
      keyHint: 'kw_…1',
      sequence: 1,
      storeRef: { kind: 'ClusterKeyStore', name: 'default' },
      binding: { name: 'web' },
      fields: ['apiKey', 'keyId', 'provider', 'type'],
      issuedTime: '2026-01-01T00:00:00Z',
    });
  });

  test('of a Dual key name its slots and their roles', () => {
    const record = aRecord({ format: 'Dual', credentials: [aDualCredential()] });
    expect(statusOf(settled({ record })).slots).toMatchObject([
      { name: 'primaryKey', role: 'Active' },
      { name: 'secondaryKey', role: 'Standby' },
    ]);
  });

  test('keep the entries of the Secret while the store is away', () => {
    const key = aKey({ status: { fields: ['apiKey'] } });
    const world = settled({ key, store: { type: 'Missing', name: 'default' } });
    expect(statusOf(world).fields).toEqual(['apiKey']);
  });

  test('of a client are selectable before the first issue', () => {
    const key = aKey({ spec: aSpec({ clientRef: { name: 'shop' } }) });
    expect(statusOf(aWorld({ key })).clientName).toBe('shop');
  });

  test('of a quota name its limit and what is left, in steps', () => {
    const terms = {
      ...OPEN_TERMS,
      quota: { requests: 7, period: 'Day', timeZone: 'UTC' },
    } as const;
    const world = settled({ record: aRecord({ terms }) });
    expect(statusOf(world).quota).toEqual({ limit: 7, remaining: 7 });
    expect(statusOf({ ...world, quotaUses: 3 }).quota).toEqual({ limit: 7, remaining: 4 });
    expect(statusOf({ ...world, quotaUses: 7 }).quota).toEqual({ limit: 7, remaining: 0 });
  });
});

describe('a key that the database forgot', () => {
  test('keeps what was shown of it, or the next look would issue it anew unasked (I2)', () => {
    const shown = {
      keyId: 'k1',
      sequence: 3,
      remote: { id: '7' },
      storeRef: { kind: 'KeyStore', name: 'a' },
    } as const;
    const { conditions: worked = [] } = statusOf(settled());
    const before = aKey({ status: { ...shown, conditions: worked, observedGeneration: 1 } });
    const first = statusOf(aWorld({ key: before, record: undefined }));
    expect(first).toMatchObject(shown);
    const again = aWorld({ key: { ...before, status: first }, record: undefined });
    expect(readyOf(again)).toBe('False/KeyNotInLedger');
    const [ready] = statusOf(again).conditions ?? [];
    expect(ready?.message).toContain('until somebody deletes 7 there');
  });
});

describe('a write', () => {
  test('is not wanted for an object that is going or gone', () => {
    expect(wantedStatus(aWorld({ key: undefined }))).toBeUndefined();
    expect(wantedStatus(aWorld({ key: aKey({ isDeleting: true }) }))).toBeUndefined();
  });

  test('is wanted for one that is going and waits for its vendor: it must not look as if it worked', () => {
    const remote = { id: '7', account: 'a', enabled: true, facts: {}, doomedAtMs: NOW_MS };
    const record = aRecord({
      phase: 'Ending',
      credentials: [aCredential({ state: 'Disabled', remote })],
    });
    const key = aKey({ isDeleting: true });
    const trouble = { reason: 'StoreUnavailable', message: 'no answer', retryAtMs: NOW_MS + 1 };
    const going = settled({ key, record, evidence: { remoteTrouble: trouble } });
    expect(conditions(going)).toMatchObject({
      Ready: 'False/Revoked',
      StoreSynced: 'Unknown/StoreUnavailable',
    });
    const throttled = { ...trouble, reason: 'StoreThrottled' };
    expect(wantedStatus({ ...going, evidence: { remoteTrouble: throttled } })).toBeUndefined();
    const released = { remoteTrouble: trouble, finalizerReleased: true } as const;
    expect(wantedStatus({ ...going, evidence: released })).toBeUndefined();
    expect(wantedStatus({ ...going, nowMs: NOW_MS + HOUR_MS })).toBeUndefined();
  });

  test('is not wanted when nothing differs, in whatever order fields come (I11)', () => {
    const world = settled();
    const first = statusOf(world);
    const shuffled = Object.fromEntries(Object.entries(first).toReversed());
    const again = statusOf({ ...world, key: aKey({ status: first }), nowMs: NOW_MS + HOUR_MS });
    expect(isSameStatus(shuffled, again)).toBe(true);
  });

  test('is wanted when there was none', () => {
    expect(isSameStatus(undefined, statusOf(settled()))).toBe(false);
  });

  test('moves the transition time only when the status flips', () => {
    const world = settled();
    const key = aKey({ status: statusOf(world) });
    const later = { ...world, key, nowMs: NOW_MS + HOUR_MS };
    expect(statusOf(later).conditions?.[0]?.lastTransitionTime).toBe('2026-01-01T00:00:00Z');
    const suspended = {
      ...later,
      key: { ...key, spec: aSpec({ state: 'Suspended' }) },
      store: aStore(),
    };
    expect(statusOf(suspended).conditions?.[0]?.lastTransitionTime).toBe('2026-01-01T01:00:00Z');
  });
});
