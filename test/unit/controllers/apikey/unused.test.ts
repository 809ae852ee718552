import { describe, expect, test } from 'vitest';
import type { ApiKeySpec } from '../../../../src/api/generated/apikey.ts';
import { lookAgainAtMs } from '../../../../src/controllers/apikey/index.ts';
import { wantedStatus } from '../../../../src/controllers/apikey/status.ts';
import { QUIET_MS, STILL_USED_MAX_MS } from '../../../../src/controllers/apikey/unused.ts';
import type { World } from '../../../../src/controllers/apikey/world.ts';
import { DAY_MS, formatTime, HOUR_MS } from '../../../../src/kernel/time.ts';
import { aKey, aRotation, aSpec } from '../../../support/world.ts';
import { look, work, workshop, type Workshop } from './bench.ts';

type Rotation = Partial<NonNullable<ApiKeySpec['rotation']>>;

function asked(rotation: Rotation = {}): Partial<World> {
  const whole = aRotation({ retirePrevious: 'WhenUnused', ...rotation });
  return { key: aKey({ spec: aSpec({ rotation: whole }) }), rotationRequest: rotation.requestId };
}

/** A key that was rotated once; its overlap of an hour begins. */
async function rotated(rotation: Rotation = {}): Promise<Workshop> {
  const at = workshop();
  await work(at, look(at, asked()));
  await work(at, look(at, asked({ requestId: 'r1', ...rotation })));
  return at;
}

/** A look at this time; gates saw the previous value last `agoMs` before. */
function later(at: Workshop, agoMs?: number, rotation: Rotation = {}): World {
  const nowMs = at.clock.nowMs();
  const keyId = at.ledger.records.get('uid-1')?.credentials[0]?.keyId ?? '';
  const uses = agoMs === undefined ? [] : ([[keyId, nowMs - agoMs]] as const);
  return look(at, { ...asked(rotation), nowMs, previousUses: new Map(uses) });
}

const statesOf = (at: Workshop) =>
  at.ledger.records.get('uid-1')?.credentials.map(({ state }) => state);
const rotatingOf = (world: World) =>
  wantedStatus(world)?.conditions?.find(({ type }) => type === 'Rotating');

describe('a previous value that is retired when unused', () => {
  test('lives through the overlap, whether it is used or not', async () => {
    const at = await rotated();
    at.clock.advance(HOUR_MS - 1);
    const [world, steps] = await work(at, later(at));
    expect(steps).toEqual([]);
    expect(statesOf(at)).toEqual(['Retiring', 'Active']);
    expect(rotatingOf(world)).toMatchObject({ reason: 'OverlapActive' });
    expect(lookAgainAtMs(world)).toBe(at.clock.nowMs() + 1);
  });

  test('ends with the overlap when nobody uses it', async () => {
    const at = await rotated();
    at.clock.advance(HOUR_MS);
    const [, steps] = await work(at, later(at, QUIET_MS));
    expect(steps).toEqual(['RetireDue', 'WriteSecret', 'Confirm']);
    expect(statesOf(at)).toEqual(['Active']);
  });

  test('outlives it while it is used, which is said, and ends half an hour after the last use', async () => {
    const at = await rotated();
    at.clock.advance(HOUR_MS);
    const [used, none] = await work(at, later(at, 60_000));
    expect(none).toEqual([]);
    expect(rotatingOf(used)).toMatchObject({ status: 'True', reason: 'PreviousStillUsed' });
    expect(lookAgainAtMs(used)).toBe(at.clock.nowMs() + QUIET_MS - 60_000);
    expect(wantedStatus(used)?.conditions?.[0]).toMatchObject({ type: 'Ready', status: 'True' });
    at.clock.advance(QUIET_MS - 60_000);
    const [, steps] = await work(at, later(at, QUIET_MS));
    expect(steps).toEqual(['RetireDue', 'WriteSecret', 'Confirm']);
  });

  test('ends after 30 days although it is used, at the gate too', async () => {
    const at = await rotated();
    const [previous] = at.ledger.records.get('uid-1')?.credentials ?? [];
    expect(previous?.retireAtMs).toBe(at.clock.nowMs() + HOUR_MS + STILL_USED_MAX_MS);
    expect(wantedStatus(later(at))?.previous?.retireTime).toBe(
      formatTime(previous?.retireAtMs ?? 0),
    );
    for (let day = 0; day < 30; day += 1) at.clock.advance(DAY_MS);
    at.clock.advance(HOUR_MS);
    const [, steps] = await work(at, later(at, 0));
    expect(steps[0]).toBe('RetireDue');
  });

  test('is not ended before anybody has asked when it was used', async () => {
    const at = await rotated();
    at.clock.advance(HOUR_MS);
    const { previousUses: _, ...world } = later(at);
    expect((await work(at, world))[1]).toEqual([]);
  });

  test('ends at once when the spec no longer wants to wait', async () => {
    const at = await rotated();
    at.clock.advance(HOUR_MS);
    const [, steps] = await work(at, later(at, 0, { retirePrevious: 'AfterOverlap' }));
    expect(steps[0]).toBe('RetireDue');
  });

  test('is watched for half an hour before it counts as unused, however short its overlap is', async () => {
    const at = await rotated({ overlapSeconds: 0 });
    expect(statesOf(at)).toEqual(['Retiring', 'Active']);
    at.clock.advance(QUIET_MS - 1);
    const [world, none] = await work(at, later(at, undefined, { overlapSeconds: 0 }));
    expect(none).toEqual([]);
    expect(lookAgainAtMs(world)).toBe(at.clock.nowMs() + 1);
    at.clock.advance(1);
    const [, steps] = await work(at, later(at, undefined, { overlapSeconds: 0 }));
    expect(steps[0]).toBe('RetireDue');
  });

  test('is dead at once in an emergency', async () => {
    const at = await rotated({ urgency: 'Emergency' });
    expect(statesOf(at)).toEqual(['Active']);
  });

  test('of before the last ends when another rotation begins', async () => {
    const at = await rotated();
    at.clock.advance(HOUR_MS);
    await work(at, later(at, 0, { requestId: 'r2' }));
    expect(statesOf(at)).toEqual(['Retiring', 'Active']);
    expect(at.ledger.records.get('uid-1')?.credentials.map(({ sequence }) => sequence)).toEqual([
      2, 3,
    ]);
  });
});
