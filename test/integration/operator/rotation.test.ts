/** New values for old ones: which value works when, and what acts only once. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ApiKeySpec } from '../../../src/api/generated/apikey.ts';
import { ANNOTATION_ROTATE, API_KEYS, SECRETS } from '../../../src/api/names.ts';
import { sharedControlPlane } from '../../support/controlplane.ts';
import { eventually } from '../../support/eventually.ts';
import { condition, SEALED, Site, type Key } from '../../support/operator.site.ts';

let site: Site;

beforeAll(async () => {
  site = await Site.open({ access: sharedControlPlane() });
  await site.start();
});

afterAll(() => site.close());

type Rotation = Partial<NonNullable<ApiKeySpec['rotation']>> & { readonly requestId: string };

/** Issues a key and answers its first value. */
async function issued(name: string, spec: object = {}): Promise<string> {
  await site.issue(name, spec);
  return await valueOf(name);
}

async function valueOf(name: string): Promise<string> {
  return (await site.values(name))['apiKey'] ?? '';
}

/** Asks for a rotation and waits until it is done. */
async function rotate(name: string, rotation: Rotation): Promise<Key> {
  await site.edit(name, { rotation });
  return await site.untilRotated(name, rotation.requestId);
}

/** How the gate refuses a replaced value, whether the ledger still remembers it or not. */
const DEAD = expect.stringMatching(/^(ValueReplaced|UnknownKey)$/);

async function untilDead(value: string): Promise<void> {
  await eventually(async () => expect(await site.verdict(value)).toEqual(DEAD));
}

describe('planned rotation', () => {
  test('old and new values work side by side until the retire time, then only the new one', async () => {
    const old = await issued('planned');
    const key = await rotate('planned', { requestId: 'one', overlapSeconds: 3 });
    const values = await site.values('planned');
    expect(values['previousApiKey']).toBe(old);
    expect(values['apiKey']).not.toBe(old);
    expect(await site.verdict(values['apiKey'] ?? '')).toBe('Allowed');
    expect(key.status).toMatchObject({ sequence: 2, keyId: values['keyId'] });
    const retireMs = Date.parse(key.status.previous?.retireTime ?? '');
    expect(await site.verdict(old, { nowMs: retireMs - 1 })).toBe('Allowed');
    // Status tells whole seconds, the gate keeps milliseconds.
    expect(await site.verdict(old, { nowMs: retireMs + 1_000 })).toEqual(DEAD);
    const done = await site.until('planned', 'Active');
    expect(done.status.previous).toBeUndefined();
    await eventually(async () => {
      expect(Object.keys(await site.values('planned'))).not.toContain('previousApiKey');
    });
    await untilDead(old);
    expect(await site.verdict(await valueOf('planned'))).toBe('Allowed');
  });

  test('the overlap of the store holds where the spec names none', async () => {
    const old = await issued('default-overlap');
    const key = await rotate('default-overlap', { requestId: 'one' });
    const leftMs = Date.parse(key.status.previous?.retireTime ?? '') - Date.now();
    expect(Math.round(leftMs / 3_600_000)).toBe(24);
    expect(condition(key, 'Ready')).toMatchObject({ status: 'True', reason: 'Rotating' });
    expect(condition(key, 'Rotating')).toMatchObject({ status: 'True', reason: 'OverlapActive' });
    expect(await site.verdict(old)).toBe('Allowed');
  });

  test('with an overlap of 0 the old value is dead when the Secret holds the new one', async () => {
    const old = await issued('no-overlap');
    await rotate('no-overlap', { requestId: 'one', overlapSeconds: 0 });
    expect(Object.keys(await site.values('no-overlap'))).not.toContain('previousApiKey');
    expect(await site.verdict(old)).toEqual(DEAD);
    expect(await site.verdict(await valueOf('no-overlap'))).toBe('Allowed');
  });

  test('the retire time is the same after a restart, and is kept', async () => {
    const old = await issued('restarted');
    const before = await rotate('restarted', { requestId: 'one', overlapSeconds: 6 });
    await site.restart();
    const during = await site.key('restarted');
    expect(during.status.previous).toEqual(before.status.previous);
    const done = await site.until('restarted', 'Active');
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(before.status.previous?.retireTime ?? ''));
    expect(done.status.previous).toBeUndefined();
    expect(await site.verdict(old)).toEqual(DEAD);
  });

  test('a KeyPair overlaps with both halves of the old pair', async () => {
    await site.issue('pair', { format: 'KeyPair', storeRef: SEALED });
    const old = await site.values('pair');
    await rotate('pair', { requestId: 'one', overlapSeconds: 600 });
    const { apiKey = '', apiSecret = '', ...rest } = await site.values('pair');
    expect(rest).toMatchObject({
      previousApiKey: old['apiKey'],
      previousApiSecret: old['apiSecret'],
    });
    expect(await site.verdict([apiKey, apiSecret])).toBe('Allowed');
    expect(await site.verdict([old['apiKey'] ?? '', old['apiSecret'] ?? ''])).toBe('Allowed');
  });

  test('while the Secret cannot be written the old value goes on, and no other was given out', async () => {
    const old = await issued('stuck');
    await site.api.patch(SECRETS, [site.namespace, 'stuck'], { immutable: true });
    await site.edit('stuck', { rotation: { requestId: 'one' } });
    const key = await site.until('stuck', 'SecretConflict');
    expect(condition(key, 'SecretSynced')?.reason).toBe('Immutable');
    expect(await valueOf('stuck')).toBe(old);
    expect(await site.verdict(old)).toBe('Allowed');
  });
});

describe('emergency', () => {
  test('the old value is dead before there is a new one to read', async () => {
    const old = await issued('emergency');
    // A Secret that cannot be written holds the operator between the two steps.
    await site.api.patch(SECRETS, [site.namespace, 'emergency'], { immutable: true });
    await site.edit('emergency', { rotation: { requestId: 'leak', urgency: 'Emergency' } });
    await untilDead(old);
    expect(await valueOf('emergency')).toBe(old);
  });

  test('the new value works, the old one does not, and nothing overlaps', async () => {
    const old = await issued('emergency-2');
    const rotation: Rotation = { requestId: 'leak', urgency: 'Emergency', overlapSeconds: 600 };
    const key = await rotate('emergency-2', rotation);
    const values = await site.values('emergency-2');
    expect(await site.verdict(old)).toEqual(DEAD);
    expect(await site.verdict(values['apiKey'] ?? '')).toBe('Allowed');
    expect(values['previousApiKey']).toBeUndefined();
    expect(key.status.previous).toBeUndefined();
  });

  test('it also ends values that still overlap from a planned rotation', async () => {
    const first = await issued('emergency-3');
    await rotate('emergency-3', { requestId: 'one', overlapSeconds: 600 });
    const second = await valueOf('emergency-3');
    await rotate('emergency-3', { requestId: 'leak', urgency: 'Emergency' });
    expect([await site.verdict(first), await site.verdict(second)]).toEqual([DEAD, DEAD]);
    expect(await site.verdict(await valueOf('emergency-3'))).toBe('Allowed');
  });
});

describe('values that change in place', () => {
  test('InPlace keeps the keyId, and the old value stops with the change', async () => {
    await site.issue('in-place');
    const old = await site.values('in-place');
    await rotate('in-place', { requestId: 'one', method: 'InPlace' });
    const values = await site.values('in-place');
    expect(values['keyId']).toBe(old['keyId']);
    expect(await site.verdict(values['apiKey'] ?? '')).toBe('Allowed');
    expect(await site.verdict(old['apiKey'] ?? '')).toBe('WrongSecret');
  });

  test.for([
    ['Primary', 'primaryKey', 'secondaryKey'],
    ['Secondary', 'secondaryKey', 'primaryKey'],
  ] as const)('slot %s regenerates exactly that value', async ([slot, changed, kept]) => {
    const name = `slot-${slot.toLowerCase()}`;
    await site.issue(name, { format: 'Dual' });
    const old = await site.values(name);
    const key = await rotate(name, { requestId: 'one', slot });
    const values = await site.values(name);
    expect(values[kept]).toBe(old[kept]);
    expect(values['apiKey']).toBe(values['primaryKey']);
    expect(await site.verdict(old[changed] ?? '')).toBe('WrongSecret');
    expect(await site.verdict(values[changed] ?? '')).toBe('Allowed');
    expect(await site.verdict(values[kept] ?? '')).toBe('Allowed');
    expect(key.status.slots?.map((entry) => entry.role)).toEqual(['Active', 'Standby']);
  });

  test('a slot of a key that has none is said, and nothing changes', async () => {
    const old = await issued('slotless');
    await site.edit('slotless', { rotation: { requestId: 'one', slot: 'Primary' } });
    await site.until('slotless', 'UnsupportedByStore');
    expect(await valueOf('slotless')).toBe(old);
    expect(await site.verdict(old)).toBe('Allowed');
  });
});

test('a Dual key takes turns: the standby value becomes the one to use, the old one ends later', async () => {
  await site.issue('turns', { format: 'Dual' });
  const old = await site.values('turns');
  const key = await rotate('turns', { requestId: 'one', overlapSeconds: 3 });
  const during = await site.values('turns');
  expect(during['apiKey']).toBe(during['secondaryKey']);
  expect(during['secondaryKey']).not.toBe(old['secondaryKey']);
  expect(during['primaryKey']).toBe(old['primaryKey']);
  expect(key.status.slots?.map(({ role }) => role)).toEqual(['Standby', 'Active']);
  expect(await site.verdict(during['apiKey'] ?? '')).toBe('Allowed');
  await site.until('turns', 'Active');
  await eventually(async () =>
    expect(await site.verdict(old['primaryKey'] ?? '')).toBe('WrongSecret'),
  );
  const after = await eventually(async () => {
    const values = await site.values('turns');
    expect(values['primaryKey']).not.toBe(old['primaryKey']);
    return values;
  });
  expect(after['apiKey']).toBe(during['apiKey']);
  expect(await site.verdict(after['primaryKey'] ?? '')).toBe('Allowed');
  expect(await site.verdict(after['secondaryKey'] ?? '')).toBe('Allowed');
});

describe('requests', () => {
  test('a request id acts once: given again after it was removed, it changes nothing', async () => {
    await issued('once');
    await rotate('once', { requestId: 'one' });
    const value = await valueOf('once');
    await site.edit('once', { rotation: { requestId: null } });
    await site.untilSeen('once');
    await site.edit('once', { rotation: { requestId: 'one' } });
    expect((await site.untilSeen('once')).status.sequence).toBe(2);
    expect(await valueOf('once')).toBe(value);
  });

  test('a GitOps revert to an earlier request id rotates nothing', async () => {
    await issued('reverted');
    await rotate('reverted', { requestId: 'one' });
    await rotate('reverted', { requestId: 'two' });
    const value = await valueOf('reverted');
    await site.edit('reverted', { rotation: { requestId: 'one' } });
    expect((await site.untilSeen('reverted')).status.sequence).toBe(3);
    expect(await valueOf('reverted')).toBe(value);
    expect(await site.verdict(value)).toBe('Allowed');
  });

  test('the ids that were handled are remembered over a restart', async () => {
    await issued('remembered');
    await rotate('remembered', { requestId: 'one' });
    await rotate('remembered', { requestId: 'two' });
    await site.restart();
    await site.edit('remembered', { rotation: { requestId: 'one' } });
    expect((await site.untilSeen('remembered')).status.sequence).toBe(3);
  });

  test('two requests within a second end in a value that works, and each acts at most once', async () => {
    await issued('twice');
    await site.edit('twice', { rotation: { requestId: 'one' } });
    await site.edit('twice', { rotation: { requestId: 'two' } });
    const key = await site.untilRotated('twice', 'two');
    expect([2, 3]).toContain(key.status.sequence);
    expect(await site.verdict(await valueOf('twice'))).toBe('Allowed');
  });

  test('the annotation asks for a rotation as the field does, and once', async () => {
    const old = await issued('annotated');
    const annotate = async (requestId: string): Promise<void> => {
      const annotations = { [ANNOTATION_ROTATE]: requestId };
      const where = [site.namespace, 'annotated'] as const;
      await site.api.patch(API_KEYS, where, { metadata: { annotations } });
    };
    await annotate('by-hand');
    const key = await site.untilRotated('annotated', 'by-hand');
    expect(key.status.sequence).toBe(2);
    expect(await valueOf('annotated')).not.toBe(old);
    await rotate('annotated', { requestId: 'by-field' });
    await annotate('by-hand ');
    await annotate('by-hand');
    await site.edit('annotated', { description: 'seen' });
    expect((await site.untilSeen('annotated')).status.sequence).toBeLessThanOrEqual(4);
  });

  test('an id that stands in the first manifest is fulfilled by the first issue', async () => {
    await site.issue('born-with', { rotation: { requestId: 'first' } });
    const key = await site.untilRotated('born-with', 'first');
    expect(key.status.sequence).toBe(1);
  });

  test('a rotation during suspension switches nothing on, and is done when the key is resumed', async () => {
    const old = await issued('asleep');
    await site.edit('asleep', { state: 'Suspended' });
    await site.until('asleep', 'Suspended');
    await site.edit('asleep', { rotation: { requestId: 'one', overlapSeconds: 0 } });
    await site.until('asleep', 'Suspended');
    expect(await site.verdict(old)).not.toBe('Allowed');
    expect(await site.verdict(await valueOf('asleep'))).not.toBe('Allowed');
    await site.edit('asleep', { state: 'Active' });
    const key = await site.untilRotated('asleep', 'one');
    expect(key.status.sequence).toBe(2);
    expect(await site.verdict(old)).toEqual(DEAD);
    expect(await site.verdict(await valueOf('asleep'))).toBe('Allowed');
  });

  test('a rotation after revocation is refused in a condition, and nothing comes back to life', async () => {
    const old = await issued('ended');
    await site.edit('ended', { state: 'Revoked' });
    await site.until('ended', 'Revoked');
    await site.edit('ended', { rotation: { requestId: 'too-late' } });
    const key = await site.until('ended', 'Revoked');
    expect(condition(key, 'Rotating')).toMatchObject({
      status: 'False',
      reason: 'RotationRefused',
    });
    expect(condition(key, 'Rotating')?.message).toContain('too-late');
    expect(await site.secret('ended')).toBeUndefined();
    expect(await site.verdict(old)).not.toBe('Allowed');
  });
});
