/**
 * A vendor without marks, in whose account other people make credentials as well: what the answer to
 * our create call was lost of must not be taken for theirs, nor theirs for ours.
 */
import { describe, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../../../src/kernel/time.ts';
import { aKey } from '../../../../support/world.ts';
import type { KeyRecord } from '../../../../../src/ledger/record.ts';
import { expectWhole, onePass, put, settle, workshop, type Workshop } from './workshop.ts';

const PLAIN = aKey();
const GOING = aKey({ isDeleting: true });

/** The first create call fails so. */
async function begin(at: Workshop, fault: 'Cut' | 'LostAnswer'): Promise<void> {
  put(at, PLAIN);
  at.vendor.fault = (call) => (call === 'create' ? fault : undefined);
  await onePass(at, PLAIN);
}

async function be(at: Workshop, key: typeof PLAIN): Promise<void> {
  at.vendor.fault = () => undefined;
  put(at, key);
  await settle(at, key);
}

/** The vendor says that all it has was made so much later. */
function shiftDates(at: Workshop, byMs: number): void {
  for (const [id, each] of at.vendor.credentials)
    at.vendor.credentials.set(id, { ...each, createdMs: each.createdMs + byMs });
}

const held = (at: Workshop) => at.ledger.records.get('uid-1')?.credentials ?? [];

describe('a create call that never arrived', () => {
  /** The vendor is out of reach; then somebody makes a credential in its console. */
  async function outage(at: Workshop, key: typeof PLAIN, lastsMs: number) {
    await begin(at, 'Cut');
    at.vendor.fault = () => 'Cut';
    put(at, key);
    at.clock.advance(lastsMs);
    await onePass(at, key);
    const stranger = at.vendor.plant();
    at.clock.advance(MINUTE_MS);
    return stranger;
  }

  test.each([
    ['minutes', 10 * MINUTE_MS],
    ['hours', 3 * HOUR_MS],
    ['days', 3 * DAY_MS],
  ])('does not make a key of what somebody else made %s later; a person decides', async (_, ms) => {
    const at = workshop('D');
    const { id } = await outage(at, PLAIN, ms);
    await be(at, PLAIN);
    expect(held(at)).toMatchObject([{ state: 'Ambiguous', remote: { candidates: [id] } }]);
    expect(at.vendor.credentials.size).toBe(1);
  });

  test('ends nothing that somebody else made hours later; a person decides', async () => {
    const at = workshop('D');
    const { id } = await outage(at, GOING, 3 * HOUR_MS);
    await be(at, GOING);
    expect(held(at)).toMatchObject([{ state: 'Disabled', remote: { candidates: [id] } }]);
    expect(at.vendor.credentials.get(id)).toMatchObject({ enabled: true, name: 'stranger' });
  });
});

describe('a credential whose answer was lost, at a vendor whose clock differs', () => {
  test.each([-14 * MINUTE_MS, -6 * MINUTE_MS, 14 * MINUTE_MS])(
    'by %i ms, is never made a second time; a person decides',
    async (differenceMs) => {
      const at = workshop('D');
      await begin(at, 'LostAnswer');
      shiftDates(at, differenceMs);
      await be(at, PLAIN);
      expect(at.vendor.credentials.size).toBe(1);
      expect(held(at)).toMatchObject([{ state: 'Ambiguous', remote: { candidates: ['id-1'] } }]);
    },
  );

  test('is not forgotten with its key; a person decides', async () => {
    const at = workshop('D');
    await begin(at, 'LostAnswer');
    shiftDates(at, -6 * MINUTE_MS);
    await be(at, GOING);
    expect(held(at)).toMatchObject([{ state: 'Disabled', remote: { candidates: ['id-1'] } }]);
  });

  test.each([-4 * MINUTE_MS, 4 * MINUTE_MS])('by %i ms only, is taken over', async (byMs) => {
    const at = workshop('D');
    await begin(at, 'LostAnswer');
    shiftDates(at, byMs);
    // The vendor in memory shows nothing from the future.
    at.clock.advance(Math.max(0, byMs));
    await be(at, PLAIN);
    expect(at.vendor.credentials.size).toBe(1);
    expectWhole(at);
  });
});

describe('somebody else makes a credential just before ours, whose answer is lost', () => {
  /** Lists show the stranger's already and ours not yet. */
  async function meanwhile(at: Workshop): Promise<readonly string[]> {
    at.vendor.listLagMs = 20_000;
    put(at, PLAIN);
    at.vendor.fault = (call) => {
      if (call !== 'create') return undefined;
      at.vendor.fault = () => undefined;
      at.vendor.plant();
      at.clock.advance(5_000);
      return 'LostAnswer';
    };
    await onePass(at, PLAIN);
    at.clock.advance(16_000);
    expect(await at.vendor.list()).toHaveLength(1);
    return [...at.vendor.credentials.keys()];
  }

  test('a key takes over neither before lists show both, and then a person decides', async () => {
    const at = workshop('D');
    const ids = await meanwhile(at);
    await be(at, PLAIN);
    expect(held(at)).toMatchObject([{ state: 'Ambiguous', remote: { candidates: ids } }]);
  });

  test('the end of the key ends neither', async () => {
    const at = workshop('D');
    const ids = await meanwhile(at);
    await be(at, GOING);
    expect(held(at)).toMatchObject([{ state: 'Disabled', remote: { candidates: ids } }]);
    expect([...at.vendor.credentials.values()].every((each) => each.enabled)).toBe(true);
  });
});

describe('an account that two stores know by different names', () => {
  /** Another key, in a store that calls the account otherwise, has this credential from now on. */
  async function take(at: Workshop, id: string): Promise<void> {
    const mine = at.ledger.records.get('uid-1');
    const store = { kind: 'KeyStore', name: 'other', uid: 'store-2', incarnation: 1 } as const;
    const theirs = {
      ...mine,
      uid: 'uid-2',
      name: 'other',
      phase: 'Retained',
      store,
      credentials: mine?.credentials.map((each) => ({
        ...each,
        token: 'theirs',
        state: 'Active',
        remote: { account: 'account-2', id, facts: {} },
      })),
    } as unknown as KeyRecord;
    const audit = { action: 'Test', actor: 'test', atMs: 0, facts: {} };
    await at.ledger.port.commit({ record: theirs, expectedRevision: 0, epoch: 1, audit });
  }

  /** As it is while the other key's create call has no answer yet, which comes when ours has its turn. */
  async function meanwhile(at: Workshop, fault: 'Cut' | 'LostAnswer' = 'Cut'): Promise<string> {
    await begin(at, fault);
    const { id } = at.vendor.plant();
    let [isTaken, isInside] = [false, false];
    const session = at.deps.vendors.session.bind(at.deps.vendors);
    Object.assign(at.deps.vendors, {
      session: async (...asked: Parameters<typeof session>) => ({
        ...(await session(...asked)),
        exclusively: async <T>(work: () => Promise<T>) => {
          // Whoever stands in the line already would wait for itself.
          expect(isInside).toBe(false);
          isInside = true;
          if (!isTaken) await take(at, id);
          isTaken = true;
          return work().finally(() => (isInside = false));
        },
      }),
    });
    at.clock.advance(MINUTE_MS);
    return id;
  }

  test('gives no credential to two keys', async () => {
    const at = workshop('D');
    await begin(at, 'Cut');
    const { id } = at.vendor.plant();
    await take(at, id);
    await be(at, PLAIN);
    expect(held(at)).toMatchObject([{ state: 'Active' }]);
    expect(held(at)[0]?.remote?.id).not.toBe(id);
  });

  test('gives no credential to two keys that are made at the same time', async () => {
    const at = workshop('D');
    const id = await meanwhile(at);
    await be(at, PLAIN);
    expect(held(at)).toMatchObject([{ state: 'Active' }]);
    expect(held(at)[0]?.remote?.id).not.toBe(id);
  });

  test('leaves no key to a person because another is being made at the same time', async () => {
    const at = workshop('D');
    const id = await meanwhile(at, 'LostAnswer');
    await be(at, PLAIN);
    expect(held(at)).toMatchObject([{ state: 'Active', remote: { id: 'id-1' } }]);
    expect([...at.vendor.credentials.keys()]).toEqual(['id-1', id]);
  });

  test('leaves no end of a key to a person because another is being made at the same time', async () => {
    const at = workshop('D');
    const id = await meanwhile(at, 'LostAnswer');
    await be(at, GOING);
    expect(held(at)).toEqual([]);
    expect([...at.vendor.credentials.keys()]).toEqual([id]);
  });

  test('makes a key anew when all that was found is what another is being given', async () => {
    const at = workshop('D');
    const id = await meanwhile(at);
    // Later than the call of ours, so it waits for nothing but the other's claim.
    shiftDates(at, HOUR_MS);
    at.clock.advance(HOUR_MS);
    await be(at, PLAIN);
    expect(held(at)).toMatchObject([{ state: 'Active' }]);
    expect([...at.vendor.credentials.keys()]).toEqual([id, held(at)[0]?.remote?.id]);
  });

  test('does not end with one key what another is being given', async () => {
    const at = workshop('D');
    const id = await meanwhile(at);
    await be(at, GOING);
    expect(held(at)).toEqual([]);
    expect(at.vendor.credentials.get(id)).toMatchObject({ enabled: true });
  });
});
