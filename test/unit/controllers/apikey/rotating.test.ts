import { describe, expect, test } from 'vitest';
import { lookAgainAtMs } from '../../../../src/controllers/apikey/index.ts';
import { nextAction } from '../../../../src/controllers/apikey/plan.ts';
import { inPlaceAnnouncement } from '../../../../src/controllers/apikey/rotating.ts';
import type { World } from '../../../../src/controllers/apikey/world.ts';
import {
  aCredential,
  aDualCredential,
  aKey,
  anOpenCredential,
  aRecord,
  aRotation,
  aSpec,
  NOW_MS,
} from '../../../support/world.ts';
import { asked, settled, shaped, typeOf } from './settled.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const rotating = (urgency: 'Planned' | 'Emergency' = 'Planned') => ({
  rotation: aRotation({ requestId: 'r1', urgency }),
});

describe('a rotation', () => {
  const requested = (spec: Parameters<typeof aSpec>[0], change: Partial<World> = {}) =>
    nextAction(asked(spec, { rotationRequest: 'r1', ...change }));

  test('on request leaves the old values working until the new ones are in the Secret', () => {
    expect(requested(rotating())).toEqual({
      type: 'Rotate',
      trigger: 'Request',
      oldValuesEnd: 'AtConfirm',
      lost: 'Nothing',
      requestId: 'r1',
    });
  });

  test('in an emergency ends the old values first', () => {
    expect(requested(rotating('Emergency'))).toMatchObject({ oldValuesEnd: 'AtOnce' });
  });

  test('in an emergency does not wait for a rotation that is under way', () => {
    const record = aRecord({
      sequence: 2,
      credentials: [aCredential(), anOpenCredential({ sequence: 2 })],
    });
    expect(requested(rotating('Emergency'), { record })).toMatchObject({ type: 'Rotate' });
  });

  test('that is planned waits for the one that is under way', () => {
    const record = aRecord({
      sequence: 2,
      credentials: [aCredential(), anOpenCredential({ sequence: 2 })],
    });
    expect(requested(rotating(), { record })).toMatchObject({ type: 'WriteSecret' });
  });

  test('that was handled before does nothing', () => {
    expect(nextAction(asked(rotating()))).toBeUndefined();
  });

  test('of a Dual key replaces the standby value, which then becomes the active one', () => {
    const record = aRecord({ format: 'Dual', credentials: [aDualCredential()] });
    expect(requested(rotating(), { record })).toMatchObject({
      type: 'Regenerate',
      slot: 'secondaryKey',
      becomesActive: true,
    });
  });

  test('of one slot replaces exactly this value', () => {
    const record = aRecord({ format: 'Dual', credentials: [aDualCredential()] });
    const spec = { rotation: aRotation({ requestId: 'r1', slot: 'Primary' }) };
    expect(requested(spec, { record })).toMatchObject({
      type: 'Regenerate',
      slot: 'primaryKey',
      becomesActive: false,
    });
  });

  test('of one slot in an emergency does not wait for what is under way, and then replaces all values', () => {
    const slots = aDualCredential().slots;
    const open = anOpenCredential({ slots });
    const spec = {
      rotation: aRotation({ requestId: 'r1', slot: 'Primary', urgency: 'Emergency' }),
    };
    const record = aRecord({ format: 'Dual', credentials: [open] });
    expect(requested(spec, { record })).toMatchObject({ type: 'Rotate', oldValuesEnd: 'AtOnce' });
    const whole = aRecord({ format: 'Dual', credentials: [aDualCredential()] });
    expect(requested(spec, { record: whole })).toMatchObject({ slot: 'primaryKey' });
  });

  const inPlace = { rotation: aRotation({ requestId: 'r1', method: 'InPlace' }) };

  test('in place is said before it is done', () => {
    expect(requested(inPlace)).toBeUndefined();
  });

  test('in place is done once the status has said it', () => {
    const message = "rotation 'r1' changes the value in place: the old one stops at once";
    const said = {
      type: 'Rotating',
      status: 'True',
      reason: 'InPlaceAnnounced',
      message,
      lastTransitionTime: '2026-01-01T00:00:00Z',
    } as const;
    const key = aKey({ spec: aSpec(inPlace), status: { conditions: [said] } });
    const world = settled({ key, rotationRequest: 'r1' });
    expect(nextAction(world)).toMatchObject({ type: 'Regenerate', slot: 'apiKey' });
  });

  test('in place is looked at each second until it was said, and of a key that is over not at all', () => {
    const world = asked(inPlace, { rotationRequest: 'r1' });
    expect(lookAgainAtMs(world)).toBe(NOW_MS + 1_000);
    const message = inPlaceAnnouncement(world);
    const said = { type: 'Rotating', status: 'True', reason: 'InPlaceAnnounced', message } as never;
    const key = aKey({ spec: aSpec(inPlace), status: { conditions: [said] } });
    expect(lookAgainAtMs({ ...world, key })).toBeUndefined();
    const { terms } = aRecord();
    const record = aRecord({ terms: { ...terms, endMs: NOW_MS } });
    expect(inPlaceAnnouncement({ ...world, record })).toBeUndefined();
  });

  const aged = { rotation: aRotation({ maxAgeDays: 30 }) };

  test.each([
    ['is not due before its day', NOW_MS + 30 * DAY_MS - 1, 'nothing'],
    ['is due on its day', NOW_MS + 30 * DAY_MS, 'Rotate'],
  ] as const)('by age %s', (_why, nowMs, type) => {
    expect(typeOf(asked(aged, { nowMs }))).toBe(type);
  });

  test('by age waits while the clock is not believed (T3)', () => {
    const later = { nowMs: NOW_MS + 30 * DAY_MS, isClockTrusted: false };
    expect(typeOf(asked(aged, later))).toBe('nothing');
  });
});

describe('an overlap', () => {
  const overlapping = aRecord({
    sequence: 2,
    credentials: [
      aCredential({ state: 'Retiring', retireAtMs: NOW_MS + HOUR_MS }),
      aCredential({ sequence: 2 }),
    ],
  });

  test.each([
    ['goes on until its instant', NOW_MS + HOUR_MS - 1, true, 'nothing'],
    ['ends at its instant', NOW_MS + HOUR_MS, true, 'RetireDue'],
    ['does not end by a clock that is not believed', NOW_MS + HOUR_MS, false, 'nothing'],
  ] as const)('%s', (_why, nowMs, isClockTrusted, type) => {
    const world = settled({ record: overlapping });
    const later = { ...world, nowMs, isClockTrusted };
    // At the end the wanted layout has lost the previous value, so only its first step counts.
    expect(typeOf(type === 'nothing' ? shaped(later) : later)).toBe(type);
  });

  test('of a Dual key ends with a fresh standby value', () => {
    const [primary, secondary] = aDualCredential().slots;
    const waiting = aDualCredential({
      slots: [
        { ...primary!, role: 'Standby', retireAtMs: NOW_MS },
        { ...secondary!, role: 'Active' },
      ],
    });
    const record = aRecord({ format: 'Dual', credentials: [waiting] });
    expect(nextAction(settled({ record }))).toMatchObject({
      type: 'Regenerate',
      slot: 'primaryKey',
      trigger: 'Retire',
      becomesActive: false,
    });
  });
});
