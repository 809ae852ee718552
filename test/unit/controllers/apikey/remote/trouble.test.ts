/** What the vendor cannot do with one credential holds up no other one of the same key. */
import { describe, expect, test } from 'vitest';
import { lookAgainAtMs } from '../../../../../src/controllers/apikey/index.ts';
import { nextAction } from '../../../../../src/controllers/apikey/plan.ts';
import { mayTake, withTrouble } from '../../../../../src/controllers/apikey/remote/trouble.ts';
import { wantedStatus } from '../../../../../src/controllers/apikey/status.ts';
import type { ApiKeyView } from '../../../../../src/controllers/apikey/world.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../../../../src/kernel/time.ts';
import type { CredentialRecord } from '../../../../../src/ledger/record.ts';
import { StoreFailure } from '../../../../../src/stores/contract.ts';
import { aKey, aRotation, aSpec, aWorld } from '../../../../support/world.ts';
import { look, onePass, put, settle, workshop, type Pass, type Workshop } from './workshop.ts';

type Call = 'update' | 'delete';

const OVERLAP_SECONDS = (7 * DAY_MS) / SECOND_MS;
const PLAIN = aKey();
const rotated = (requestId: string, change: Parameters<typeof aSpec>[0] = {}): ApiKeyView =>
  aKey({
    spec: aSpec({
      rotation: aRotation({ requestId, overlapSeconds: OVERLAP_SECONDS }),
      ...change,
    }),
  });

/** Ids at the vendor after these were the spec, one after the other. */
async function live(at: Workshop, keys: readonly ApiKeyView[]): Promise<readonly string[]> {
  for (const key of keys) {
    put(at, key);
    // oxlint-disable-next-line no-await-in-loop
    await settle(at, key);
  }
  return [...at.vendor.credentials.keys()];
}

/** Calls of this name about these credentials fail for good; answers the ids that were asked for. */
function poison(
  { vendor }: Workshop,
  name: Call,
  ids: readonly string[],
  failure = new StoreFailure('Unavailable', { message: 'HTTP 500' }),
): string[] {
  const asked: string[] = [];
  const meet = (id: string): void => {
    asked.push(id);
    if (ids.includes(id)) throw failure;
  };
  const [update, remove] = [vendor.update.bind(vendor), vendor.delete.bind(vendor)];
  if (name === 'delete') {
    vendor.delete = async (id) => {
      meet(id);
      return remove(id);
    };
    return asked;
  }
  vendor.update = async (id, wish) => {
    meet(id);
    return update(id, wish);
  };
  return asked;
}

/** Passes as they come in this time; the last of them. */
async function work(at: Workshop, key: ApiKeyView, minutes: number): Promise<Pass> {
  put(at, key);
  const endMs = at.clock.nowMs() + minutes * MINUTE_MS;
  let pass = await onePass(at, key);
  while (at.clock.nowMs() < endMs) {
    const againMs = Math.min(lookAgainAtMs(pass.world) ?? endMs, endMs);
    at.clock.advance(Math.max(SECOND_MS, againMs - at.clock.nowMs()));
    // oxlint-disable-next-line no-await-in-loop
    pass = await onePass(at, key);
  }
  return pass;
}

const isOn = (at: Workshop, id = ''): boolean | undefined => at.vendor.credentials.get(id)?.enabled;
const syncedIn = ({ world, thrown }: Pass) =>
  wantedStatus(world, thrown)?.conditions?.find(({ type }) => type === 'StoreSynced');

const REVOKED = rotated('r1', { state: 'Revoked' });
const SUSPENDED = rotated('r1', { state: 'Suspended' });
const EMERGENCY = aKey({
  spec: aSpec({ rotation: aRotation({ requestId: 'r2', urgency: 'Emergency' }) }),
});

describe('a credential that the vendor cannot delete', () => {
  test.each([
    ['revoked', 'D', REVOKED],
    ['revoked', 'O', REVOKED],
    ['replaced in an emergency', 'O', EMERGENCY],
  ] as const)(
    'keeps no other one working of a key that was %s (class %s)',
    async (_, vendorClass, key) => {
      const at = workshop(vendorClass);
      const before = await live(at, [PLAIN, rotated('r1')]);
      poison(at, 'delete', [before[0] ?? '']);
      const pass = await work(at, key, 1);
      expect(before.map((id) => isOn(at, id))).toEqual([false, undefined]);
      expect(syncedIn(pass)).toMatchObject({ reason: 'StoreUnavailable' });
    },
  );

  test('is tried after all that is on was switched off', async () => {
    const at = workshop('D');
    const ids = await live(at, [PLAIN, rotated('r1')]);
    const deleted = poison(at, 'delete', ids);
    const failing = at.vendor.delete.bind(at.vendor);
    at.vendor.delete = async (id) => {
      expect(ids.map((each) => isOn(at, each))).toEqual([false, false]);
      return failing(id);
    };
    put(at, REVOKED);
    await onePass(at, REVOKED);
    expect(deleted).toEqual(ids);
  });

  test.each([1, 3])(
    'leaves the name of the one in use to be told, also where there are %i such',
    async (bad) => {
      const at = workshop('O');
      const rotations = Array.from({ length: bad }, (_, index) => rotated(`r${index}`));
      const ids = await live(at, [PLAIN, ...rotations]);
      const right = new StoreFailure('Refused', {
        message: 'no right to delete',
        class: 'Waiting',
      });
      poison(at, 'delete', ids.slice(0, -1), right);
      const renamed = aKey({
        spec: aSpec({
          displayName: 'other',
          rotation: aRotation({ requestId: 'last', urgency: 'Emergency' }),
        }),
      });
      await work(at, renamed, 1);
      expect([...at.vendor.credentials.values()].at(-1)?.name).toBe('other');
      const again = aKey({ spec: { ...renamed.spec, displayName: 'third' } });
      await work(at, again, 1);
      expect([...at.vendor.credentials.values()].at(-1)?.name).toBe('third');
    },
  );
});

describe('a credential that the vendor cannot switch off', () => {
  test('keeps no other one on when the key is suspended', async () => {
    const at = workshop('D');
    const ids = await live(at, [PLAIN, rotated('r1')]);
    poison(at, 'update', [ids[0] ?? '']);
    const pass = await work(at, SUSPENDED, 1);
    expect(ids.map((id) => isOn(at, id))).toEqual([true, false]);
    expect(syncedIn(pass)).toMatchObject({ reason: 'StoreUnavailable' });
  });

  test.each([
    ['suspended', rotated('r3', { state: 'Suspended' })],
    ['revoked', rotated('r3', { state: 'Revoked' })],
  ])('lets others go first, however many there are of a key that is %s', async (_, key) => {
    const at = workshop('D');
    const ids = await live(at, [PLAIN, rotated('r1'), rotated('r2'), rotated('r3')]);
    const asked = poison(at, 'update', ids.slice(0, -1));
    put(at, key);
    await onePass(at, key);
    // What fails is bounded in each pass: it may be the vendor that is down.
    expect(asked).toEqual(ids.slice(0, 2));
    await work(at, key, 1);
    expect(isOn(at, ids.at(-1)) ?? false).toBe(false);
    expect(new Set(asked)).toEqual(new Set(ids));
  });

  test('is asked for in growing pauses', async () => {
    const at = workshop('D');
    const ids = await live(at, [PLAIN, rotated('r1')]);
    const asked = poison(at, 'update', ids.slice(0, 1));
    await work(at, REVOKED, 60);
    expect(asked.length).toBeLessThanOrEqual(24);
  });
});

test('new values for a credential that is off hold up no switching off and no ending', async () => {
  const at = workshop('D');
  await live(at, [PLAIN, rotated('r1')]);
  put(at, SUSPENDED);
  const { record, ...world } = look(at, SUSPENDED);
  const [first, second] = record?.credentials ?? [];
  if (record === undefined || first?.remote === undefined || second === undefined)
    throw new Error('two credentials were expected');
  const regenerating = { slots: [], trigger: 'Request', begunAtMs: at.clock.nowMs() };
  const stuck = { ...first, remote: { ...first.remote, enabled: false, regenerating } };
  const next = (other: CredentialRecord) =>
    nextAction({
      ...world,
      record: { ...record, state: 'Suspended', credentials: [stuck, other] },
    });
  const { sequence } = second;
  expect(next(second)).toMatchObject({
    step: { type: 'Update', sequence, wish: { enabled: false } },
  });
  expect(next({ ...second, state: 'Disabled' })).toMatchObject({ step: { type: 'End', sequence } });
});

test('a name that the vendor refuses ends no comparison of the same credential', async () => {
  const at = workshop('M');
  await live(at, [PLAIN]);
  const ids = [...at.vendor.credentials.keys()];
  poison(at, 'update', ids, new StoreFailure('Refused', { message: 'too long' }));
  let reads = 0;
  const read = at.vendor.read.bind(at.vendor);
  at.vendor.read = async (...asked) => {
    reads += 1;
    return read(...asked);
  };
  const renamed = aKey({ spec: aSpec({ displayName: 'Another' }) });
  put(at, renamed);
  const token = look(at, renamed).record?.credentials[0]?.token ?? '';
  at.clock.advance(at.deps.remoteChecks.dueMs(token) - at.clock.nowMs());
  await onePass(at, renamed);
  expect(reads).toBe(1);
});

test('a key that was switched off just now is tried again soon, whatever rests beside it', async () => {
  const at = workshop('D', { handle: { deleteGraceMs: 7 * DAY_MS } });
  const soon = (change: Parameters<typeof aSpec>[0] = {}) =>
    aKey({
      spec: aSpec({ rotation: aRotation({ requestId: 'r1', overlapSeconds: 60 }), ...change }),
    });
  const ids = await live(at, [PLAIN, soon()]);
  await work(at, soon(), 10);
  at.clock.advance(DAY_MS);
  expect(ids.map((id) => isOn(at, id))).toEqual([false, true]);
  poison(at, 'update', ids);
  put(at, soon({ state: 'Suspended' }));
  const { world } = await onePass(at, soon({ state: 'Suspended' }));
  expect(world.evidence.remoteTrouble?.retryAtMs).toBe(at.clock.nowMs() + 5 * SECOND_MS);
});

test('what failed first does not wait for what the store refused after it', () => {
  const first = {
    reason: 'a',
    message: '',
    retryAtMs: 5,
    failed: [{ token: 't', act: 'Update' }],
  } as const;
  const next = { reason: 'b', message: '', retryAtMs: 600 };
  expect(withTrouble(first, next)).toEqual({ ...next, retryAtMs: 5 });
});

describe('a failure of the whole store', () => {
  test.each([
    [
      'a request that was not sent',
      new StoreFailure('Unavailable', { message: '', executed: 'No' }),
    ],
    ['too many requests', new StoreFailure('Throttled', { message: '' })],
    ['an account that is refused', new StoreFailure('Denied', { message: '' })],
  ])('ends all steps with one call: %s', async (_, failure) => {
    const at = workshop('D');
    const ids = await live(at, [PLAIN, rotated('r1')]);
    const asked = poison(at, 'update', ids, failure);
    put(at, REVOKED);
    const pass = await onePass(at, REVOKED);
    expect(asked).toEqual(ids.slice(0, 1));
    expect(pass.world.evidence.remoteTrouble?.retryAtMs).toBeGreaterThan(at.clock.nowMs());
    expect(syncedIn(pass)).toMatchObject({ reason: 'StoreUnavailable' });
  });
});

test('a credential that failed twice in one pass does not count as two', () => {
  const failed = [
    { token: 'a', act: 'Update' },
    { token: 'a', act: 'Update' },
  ] as const;
  const remoteTrouble = { reason: 'StoreRefused', message: 'a name', retryAtMs: 0, failed };
  const world = aWorld({ evidence: { remoteTrouble } });
  expect(mayTake(world, { token: 'a' }, 'Update')).toBe(false);
  expect(mayTake(world, { token: 'b' }, 'Update')).toBe(true);
});
