import { describe, expect, test } from 'vitest';
import { nextAction } from '../../../../src/controllers/apikey/plan.ts';
import { wantedStatus } from '../../../../src/controllers/apikey/status.ts';
import { REVIVAL_MS } from '../../../../src/controllers/apikey/wanted.ts';
import type { World } from '../../../../src/controllers/apikey/world.ts';
import type { KeyRecord } from '../../../../src/ledger/record.ts';
import {
  aKey,
  anOpenCredential,
  aRecord,
  aRotation,
  aSpec,
  aStore,
  aWorld,
  NOW_MS,
} from '../../../support/world.ts';
import { asked, settled, typeOf } from './settled.ts';

const DAY_MS = 86_400_000;
const AWAY: readonly World['store'][] = [
  { type: 'Missing', name: "ClusterKeyStore 'default'" },
  { type: 'Unusable', name: "ClusterKeyStore 'default'", problem: 'it may not be listed' },
];

/** In the order in which terms are resolved: equal terms have equal text. */
const endsAt = (endMs: number) => ({ timeZone: 'UTC', endMs, cidrs: [], productRefs: [] });
const expiredSince = (agoMs: number): KeyRecord => aRecord({ terms: endsAt(NOW_MS - agoMs) });
const endingAt = (atMs: number) => ({
  terms: { validity: { expirationTime: new Date(atMs).toISOString() } },
});

describe('expiry', () => {
  const longAgo = REVIVAL_MS;

  test('keeps value and Secret while the key can be revived', () => {
    const spec = endingAt(NOW_MS - 1_000);
    expect(typeOf(asked(spec, { record: expiredSince(1_000) }))).toBe('nothing');
  });

  test('is undone by a later end, with the same value', () => {
    const spec = endingAt(NOW_MS + DAY_MS);
    expect(typeOf(asked(spec, { record: expiredSince(1_000) }))).toBe('SetTerms');
  });

  test('of thirty days ends the values, and then the Secret goes', () => {
    const spec = endingAt(NOW_MS - longAgo);
    const world = asked(spec, { record: expiredSince(longAgo) });
    expect(typeOf(world)).toBe('DropExpired');
    const dropped = { ...expiredSince(longAgo), credentials: [] };
    expect(typeOf({ ...world, record: dropped })).toBe('DeleteSecret');
  });

  test('ends nothing by a clock that is not believed (T3)', () => {
    const spec = endingAt(NOW_MS - longAgo);
    const world = asked(spec, { record: expiredSince(longAgo), isClockTrusted: false });
    expect(typeOf(world)).toBe('nothing');
  });

  test.each(AWAY)(
    'of thirty days ends nothing that a later end may revive: $type store',
    (store) => {
      const world = asked(endingAt(NOW_MS + DAY_MS), { record: expiredSince(longAgo), store });
      expect(typeOf(world)).toBe('nothing');
      expect(typeOf({ ...world, store: aStore() })).toBe('SetTerms');
      expect(wantedStatus(world)?.conditions).toContainEqual(
        expect.objectContaining({ type: 'StoreSynced', reason: 'StoreUnavailable' }),
      );
    },
  );

  test('that outlived its values gets new ones with a later end', () => {
    const { secret: _, ...dropped } = { ...expiredSince(longAgo), credentials: [] };
    const world = asked(endingAt(NOW_MS + DAY_MS), { record: dropped });
    expect(typeOf(world)).toBe('SetTerms');
    const followed = { ...dropped, terms: endsAt(NOW_MS + DAY_MS) };
    expect(nextAction({ ...world, record: followed })).toMatchObject({
      type: 'Rotate',
      trigger: 'Revival',
    });
  });
});

describe('a deletion', () => {
  const deleting = (change: Partial<World> = {}, spec = aSpec()) =>
    settled({ key: aKey({ isDeleting: true, spec }), ...change });
  const ending = aRecord({ phase: 'Ending', credentials: [] });

  test('kills the values first', () => {
    expect(nextAction(deleting())).toMatchObject({ type: 'End', because: 'Deleted' });
  });

  test('then the Secret, then the finalizer, then the record', () => {
    const step = deleting({ record: ending });
    expect(typeOf(step)).toBe('DeleteSecret');
    const secretless = { ...step, evidence: { secretDeleted: true } } as const;
    expect(typeOf(secretless)).toBe('ReleaseFinalizer');
    const released: World = {
      ...secretless,
      evidence: { secretDeleted: true, finalizerReleased: true },
    };
    expect(typeOf(released)).toBe('Close');
  });

  test('of a key that was never issued releases the finalizer at once', () => {
    expect(typeOf(deleting({ record: undefined }))).toBe('ReleaseFinalizer');
  });

  test('goes on while the store is away', () => {
    expect(typeOf(deleting({ store: { type: 'Missing', name: 'default' } }))).toBe('End');
  });

  test('retains the key where spec and store agree', () => {
    const spec = aSpec({ deletionPolicy: 'Retain' });
    expect(typeOf(deleting({ store: aStore({ retention: 'Allowed' }) }, spec))).toBe('Retain');
    expect(typeOf(deleting({}, spec))).toBe('End');
  });

  describe.each(AWAY)('of a key that is to be retained, while its store is $type,', (store) => {
    const retained = (spec: Parameters<typeof aSpec>[0] = {}, change: Partial<World> = {}) =>
      deleting({ store, ...change }, aSpec({ deletionPolicy: 'Retain', ...spec }));

    test('waits, and says what to do', () => {
      const world = retained();
      expect(typeOf(world)).toBe('nothing');
      const ready = wantedStatus(world)?.conditions?.find(({ type }) => type === 'Ready');
      expect(ready).toMatchObject({ status: 'False', reason: 'StoreUnavailable' });
      expect(ready?.message).toContain("ClusterKeyStore 'default'");
      expect(ready?.message).toMatch(/Retain.*store usable again.*deletionPolicy to Revoke/);
    });

    test('goes on when the store is back, or when it is to be ended by now', () => {
      expect(typeOf(retained({ deletionPolicy: 'Revoke' }))).toBe('End');
      expect(typeOf(retained({}, { store: aStore({ retention: 'Allowed' }) }))).toBe('Retain');
      expect(typeOf(retained({}, { store: aStore() }))).toBe('End');
    });

    test('ends it as soon as it is revoked, or where there is nothing to retain', () => {
      expect(nextAction(retained({ state: 'Revoked' }))).toMatchObject({ state: 'Revoked' });
      const record = aRecord({ state: 'Revoked', credentials: [] });
      expect(typeOf(retained({ state: 'Revoked' }, { record }))).toBe('End');
      expect(typeOf(retained({}, { record: expiredSince(1_000) }))).toBe('End');
    });

    test('puts no finalizer on an object that takes none any more', () => {
      const spec = aSpec({ deletionPolicy: 'Retain' });
      const key = aKey({ isDeleting: true, finalizers: ['example.com/other'], spec });
      expect(typeOf(retained({}, { key }))).toBe('nothing');
    });
  });

  test('ends a key all the same whose only values nobody has seen', () => {
    const spec = aSpec({ deletionPolicy: 'Retain' });
    const store = aStore({ retention: 'Allowed' });
    const { secret: _, ...first } = aRecord({ credentials: [anOpenCredential()] });
    expect(typeOf(deleting({ store, record: first }, spec))).toBe('End');
  });

  describe('of a key that is to be retained and was exposed in the same moment', () => {
    const rotation = aRotation({ requestId: 'leak', urgency: 'Emergency' });
    const spec = aSpec({ deletionPolicy: 'Retain', rotation });
    const store = aStore({ retention: 'Allowed' });
    const replaced = aRecord({ credentials: [anOpenCredential()], lastRotationRequestId: 'leak' });

    test('ends the exposed value first, and hands out the new one before it is retained', () => {
      const world = deleting({ store, rotationRequest: 'leak' }, spec);
      expect(nextAction(world)).toMatchObject({ type: 'Rotate', oldValuesEnd: 'AtOnce' });
      expect(typeOf(deleting({ store, record: replaced }, spec))).toBe('WriteSecret');
      const record = aRecord({ lastRotationRequestId: 'leak' });
      expect(typeOf(deleting({ store, record }, spec))).toBe('Retain');
    });

    test('ends it where the Secret is gone that the new value was for', () => {
      const secret = { type: 'Absent' } as const;
      expect(typeOf(deleting({ store, record: replaced, secret }, spec))).toBe('End');
    });
  });

  test('of a key that is to be retained ends nothing by a clock that is not believed (T3)', () => {
    const spec = aSpec({ deletionPolicy: 'Retain', ...endingAt(NOW_MS - 1_000) });
    const store = aStore({ retention: 'Allowed' });
    const world = deleting({ store, record: expiredSince(1_000) }, spec);
    expect(typeOf(world)).toBe('End');
    expect(typeOf({ ...world, isClockTrusted: false })).toBe('Retain');
  });

  test('of a retained key touches neither values nor Secret', () => {
    const world = deleting({ record: aRecord({ phase: 'Retained' }) });
    expect(typeOf(world)).toBe('ReleaseFinalizer');
  });
});

describe('a key whose object vanished', () => {
  const vanished = (change: Partial<World> = {}) =>
    aWorld({ key: undefined, record: aRecord(), ...change });

  test('is read live before anything is believed (A24)', () => {
    expect(typeOf(vanished())).toBe('ProveGone');
  });

  test('is ended once it is proven to be gone', () => {
    const world = vanished({ evidence: { goneUids: ['uid-1'] } });
    expect(nextAction(world)).toMatchObject({ type: 'End', because: 'Vanished' });
  });

  test('is left alone while too many vanished at once (A24)', () => {
    expect(typeOf(vanished({ mayEndVanished: false }))).toBe('nothing');
  });

  test('is closed after its Secret', () => {
    const ending = aRecord({ phase: 'Ending', credentials: [] });
    expect(typeOf(vanished({ record: ending }))).toBe('DeleteSecret');
    const done = vanished({ record: ending, evidence: { secretDeleted: true } });
    expect(typeOf(done)).toBe('Close');
  });

  test.each(['Retained', 'Ended'] as const)('and is %s needs nothing', (phase) => {
    expect(typeOf(vanished({ record: aRecord({ phase }) }))).toBe('nothing');
  });

  test('is ended before its successor of the same name is issued (K6)', () => {
    const predecessor = aRecord({ uid: 'uid-0' });
    expect(nextAction(aWorld({ predecessor }))).toMatchObject({
      type: 'ProveGone',
      record: { uid: 'uid-0' },
    });
  });

  test('does not keep its successor from being issued once it is over', () => {
    const predecessor = aRecord({ uid: 'uid-0', phase: 'Ended' });
    expect(typeOf(aWorld({ predecessor }))).toBe('Issue');
  });
});
