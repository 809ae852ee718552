import { describe, expect, test } from 'vitest';
import { nextAction } from '../../../../src/controllers/apikey/plan.ts';
import {
  aKey,
  anOpenCredential,
  aRecord,
  aRotation,
  aSecretSpec,
  aSlot,
  aSpec,
  aStore,
  aWorld,
  OPEN_TERMS,
  SEALED,
} from '../../../support/world.ts';
import { asked, settled, typeOf } from './settled.ts';

const HOUR_MS = 3_600_000;
const WRITTEN = {
  name: 'web',
  uid: 'secret-1',
  resourceVersion: '21',
  fingerprint: 'f',
  shape: 's',
} as const;
const rotating = (urgency: 'Planned' | 'Emergency' = 'Planned') => ({
  rotation: aRotation({ requestId: 'r1', urgency }),
});

describe('a new key', () => {
  test('is issued in the format of its store', () => {
    expect(nextAction(aWorld())).toEqual({ type: 'Issue', format: 'Opaque', terms: OPEN_TERMS });
  });

  test('is issued in its own format where it names one', () => {
    const key = aKey({ spec: aSpec({ format: 'Dual' }) });
    expect(nextAction(aWorld({ key }))).toMatchObject({ type: 'Issue', format: 'Dual' });
  });

  test('gets its finalizer before anything exists', () => {
    expect(typeOf(aWorld({ key: aKey({ finalizers: [] }) }))).toBe('StampFinalizer');
  });

  test.each([
    ['before its effective instant', { validity: { notBeforeTime: '2026-01-01T00:00:01Z' } }],
    ['after its end', { validity: { expirationTime: '2025-12-31T23:59:59Z' } }],
    ['with terms that contradict themselves', { validity: { timeZone: 'Mars/Olympus' } }],
  ])('is not issued %s', (_why, terms) => {
    expect(typeOf(aWorld({ key: aKey({ spec: aSpec({ terms }) }) }))).toBe('nothing');
  });

  test('is not issued when it is already revoked', () => {
    expect(typeOf(aWorld({ key: aKey({ spec: aSpec({ state: 'Revoked' }) }) }))).toBe('nothing');
  });

  test('is issued while suspended, so that resuming needs no new value', () => {
    expect(typeOf(aWorld({ key: aKey({ spec: aSpec({ state: 'Suspended' }) }) }))).toBe('Issue');
  });

  test.each([
    ['that is missing', { type: 'Missing', name: 'ClusterKeyStore default' }],
    ['that cannot be used', { type: 'Unusable', name: 'x', problem: 'no driver' }],
    ['that does not serve its namespace', aStore({ allowsNamespace: false })],
    ['that wants an application', aStore({ requiresApplication: true })],
  ] as const)('is not issued in a store %s', (_why, store) => {
    expect(typeOf(aWorld({ store }))).toBe('nothing');
  });
});

describe('an issue that was cut off', () => {
  const open = aRecord({ credentials: [anOpenCredential()] });
  const { secret: _, ...unwritten } = open;

  test('goes on with its Secret after the first commit', () => {
    expect(typeOf(aWorld({ record: unwritten }))).toBe('WriteSecret');
  });

  test('goes on with its confirmation after the Secret', () => {
    const world = aWorld({ record: unwritten, evidence: { written: WRITTEN } });
    expect(nextAction(world)).toEqual({
      type: 'Confirm',
      overlapMs: HOUR_MS,
      previous: 'AfterOverlap',
    });
  });

  test('confirms nothing for a key that was revoked meanwhile', () => {
    const key = aKey({ spec: aSpec({ state: 'Revoked' }) });
    const world = aWorld({ key, record: unwritten, evidence: { written: WRITTEN } });
    expect(nextAction(world)).toEqual({ type: 'SetState', state: 'Revoked' });
  });
});

describe('a settled key', () => {
  test('needs nothing', () => {
    expect(nextAction(settled())).toBeUndefined();
  });

  test('needs nothing when Secrets are not watched', () => {
    expect(nextAction(settled({ secret: { type: 'Unwatched' } }))).toBeUndefined();
  });

  test('keeps its values while its store is away', () => {
    expect(typeOf(settled({ store: { type: 'Missing', name: 'default' } }))).toBe('nothing');
  });

  test('gets its Secret written again when the layout changes', () => {
    const spec = aSpec({ secret: aSecretSpec({ layout: 'Env' }) });
    const world = { ...settled(), key: aKey({ spec }) };
    expect(typeOf(world)).toBe('WriteSecret');
  });

  test('follows its terms without new values', () => {
    const world = asked({ terms: { quota: { requests: 5, period: 'Day' } } });
    expect(nextAction(world)).toMatchObject({
      type: 'SetTerms',
      terms: { quota: { requests: 5, period: 'Day' } },
    });
  });
});

describe('suspending, resuming and revoking', () => {
  test.each([
    ['Active', 'Suspended'],
    ['Suspended', 'Active'],
    ['Active', 'Revoked'],
    ['Suspended', 'Revoked'],
  ] as const)('a key that is %s and shall be %s changes in one step', (state, wanted) => {
    const world = asked({ state: wanted }, { record: aRecord({ state }) });
    expect(nextAction(world)).toEqual({ type: 'SetState', state: wanted });
  });

  test('go on while the store is away', () => {
    const world = asked({ state: 'Revoked' }, { store: { type: 'Missing', name: 'default' } });
    expect(nextAction(world)).toEqual({ type: 'SetState', state: 'Revoked' });
  });

  test('come before a rotation', () => {
    const world = asked({ state: 'Suspended', ...rotating() }, { rotationRequest: 'r1' });
    expect(typeOf(world)).toBe('SetState');
  });

  test('a store that shuts the namespace out suspends its keys', () => {
    const world = settled({ store: aStore({ allowsNamespace: false }) });
    expect(nextAction(world)).toEqual({ type: 'SetState', state: 'Suspended' });
  });

  test('nothing is switched on while nobody knows whether the store serves the namespace', () => {
    const record = aRecord({ state: 'Suspended' });
    const store = { type: 'Missing', name: 'default' } as const;
    expect(typeOf(asked({ state: 'Active' }, { record, store }))).toBe('nothing');
    expect(typeOf(asked({ state: 'Active' }, { record }))).toBe('SetState');
  });

  test('Revoked set back to Active stays revoked (I7)', () => {
    const record = aRecord({ state: 'Revoked', credentials: [] });
    const { secret: _, ...clean } = record;
    expect(typeOf(asked({ state: 'Active' }, { record: clean }))).toBe('nothing');
  });

  test('the Secret of a revoked key goes, once', () => {
    const record = aRecord({ state: 'Revoked', credentials: [] });
    const world = asked({ state: 'Revoked' }, { record });
    expect(typeOf(world)).toBe('DeleteSecret');
    expect(typeOf({ ...world, evidence: { secretDeleted: true } })).toBe('nothing');
  });

  test('a revoked key makes no new values, whoever asks', () => {
    const { secret: _, ...record } = aRecord({ state: 'Revoked', credentials: [] });
    const spec = { state: 'Revoked', ...rotating('Emergency') } as const;
    expect(typeOf(asked(spec, { record, rotationRequest: 'r1' }))).toBe('nothing');
  });
});

test('a record that ended while its object lives is never revived (I7)', () => {
  expect(typeOf(settled({ record: aRecord({ phase: 'Ended', credentials: [] }) }))).toBe('nothing');
});

test('a credential whose value has no sealed copy is not written from nothing', () => {
  const slots = [aSlot({ sealed: SEALED })];
  const open = aRecord({ credentials: [anOpenCredential({ slots })] });
  expect(typeOf(settled({ record: open }))).toBe('WriteSecret');
});
