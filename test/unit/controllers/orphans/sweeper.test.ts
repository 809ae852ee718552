/** Nothing of ours is left behind at a vendor, and nothing of anybody else's is ever touched. */
import { describe, expect, test } from 'vitest';
import {
  OrphanSweeper,
  SWEEP_EVERY_MS,
  type SweptStore,
} from '../../../../src/controllers/orphans/sweeper.ts';
import { silentLogger } from '../../../../src/kernel/log.ts';
import type { CredentialState, RemoteRecord } from '../../../../src/ledger/record.ts';
import { clusterMark } from '../../../../src/stores/mark.ts';
import { FakeClock } from '../../../support/clock.ts';
import { MemoryLedger } from '../../../support/memory.ts';
import { MemoryVendor } from '../../../support/vendor.ts';
import { aCredential, aRecord } from '../../../support/world.ts';

const LIVE = new AbortController().signal;
const STORE: SweptStore = { uid: 'store-1', type: 'Fake', text: 'KeyStore team/shop' };
const token = (letter: string): string => letter.repeat(26);

class Stage {
  readonly clock = new FakeClock();
  readonly ledger = new MemoryLedger();
  readonly vendor: MemoryVendor;
  readonly alarms: string[] = [];
  readonly done: string[] = [];
  unclaimed: number | undefined;
  readonly sweeper: OrphanSweeper<SweptStore>;

  constructor(driverClass: 'M' | 'D' | 'O' = 'M', clusterId = 'cluster-1', vendor?: MemoryVendor) {
    this.vendor = vendor ?? new MemoryVendor(driverClass, this.clock);
    this.sweeper = new OrphanSweeper({
      ledger: this.ledger.port,
      clock: this.clock,
      clusterId,
      stores: () => [STORE],
      session: async () => ({
        handle: this.vendor.handle(),
        account: { id: 'account-1', facts: {} },
        remote: this.vendor,
        prove: async () => undefined,
        exclusively: (work) => work(),
      }),
      alarm: (_, note) => this.alarms.push(note),
      metrics: {
        found: () => undefined,
        done: (_, what) => this.done.push(what),
        unclaimed: (_, __, count) => (this.unclaimed = count),
        gone: () => undefined,
      },
      log: silentLogger,
      random: () => 0,
    });
  }

  /** The ledger has a credential with this token. */
  async know(letter: string, state: CredentialState, remote: Partial<RemoteRecord>): Promise<void> {
    const record = aRecord({
      uid: letter,
      revision: 0,
      credentials: [
        aCredential({
          token: token(letter),
          state: state === 'Deleted' ? 'Active' : state,
          remote: { account: 'account-1', facts: {}, ...remote },
        }),
      ],
    });
    const audit = { action: 'Test', actor: 'test', atMs: 0, facts: {} };
    const commit = { epoch: 1, audit };
    await this.ledger.port.commit({ ...commit, record, expectedRevision: 0 });
    if (state !== 'Deleted') return;
    await this.ledger.port.commit({
      ...commit,
      record: { ...record, credentials: [] },
      expectedRevision: 1,
    });
  }

  /** A credential at the vendor that bears this mark. */
  exists(letter: string, clusterId = 'cluster-1') {
    const cluster = clusterMark(clusterId);
    return this.vendor.plantMarked({ cluster, token: token(letter), attempt: 1 });
  }

  /** This many sweeps, half an hour apart. */
  async sweep(times = 1): Promise<void> {
    for (let nth = 0; nth < times; nth += 1) {
      // oxlint-disable-next-line no-await-in-loop
      await Promise.all(this.sweeper.tick(LIVE));
      this.clock.advance(SWEEP_EVERY_MS);
    }
  }

  get ids(): readonly string[] {
    return [...this.vendor.credentials.keys()];
  }
}

describe('a create call that arrives after it was made again (S21)', () => {
  test.each(['M', 'O'] as const)(
    'is seen twice, switched off, and deleted, class %s',
    async (c) => {
      const stage = new Stage(c);
      const zombie = stage.exists('a');
      const live = stage.exists('a');
      await stage.know('a', 'Active', { id: live.id });
      await stage.sweep();
      expect([zombie.enabled, stage.done]).toEqual([true, []]);
      await stage.sweep();
      expect([zombie.enabled, stage.ids.length]).toEqual([false, 2]);
      await stage.sweep();
      expect(stage.ids).toEqual([live.id]);
      expect([live.enabled, stage.done]).toEqual([true, ['Quarantined', 'Deleted']]);
    },
  );

  test('of a key that is gone by now goes the same way', async () => {
    const stage = new Stage();
    stage.exists('a');
    await stage.know('a', 'Deleted', { id: 'id-other' });
    await stage.sweep(3);
    expect(stage.ids).toEqual([]);
  });

  test.each(['Intent', 'Unknown', 'Ambiguous', 'Blocked', 'Disabled'] as const)(
    'is left alone while the outcome of the call is open (%s)',
    async (state) => {
      const stage = new Stage();
      stage.exists('a');
      await stage.know('a', state, { createBegunAtMs: 1 });
      await stage.sweep(4);
      expect([stage.ids.length, stage.done]).toEqual([1, []]);
    },
  );

  test('is left alone when it is adopted between two sweeps', async () => {
    const stage = new Stage();
    const made = stage.exists('a');
    await stage.know('a', 'Deleted', {});
    await stage.sweep();
    await stage.know('b', 'Active', { id: made.id });
    made.mark = { cluster: clusterMark('cluster-1'), token: token('b'), attempt: 1 };
    await stage.sweep(3);
    expect([stage.ids, made.enabled]).toEqual([[made.id], true]);
  });

  test('is not touched before it is ten minutes old', async () => {
    const stage = new Stage();
    await stage.know('a', 'Deleted', {});
    stage.exists('a');
    await Promise.all(stage.sweeper.tick(LIVE));
    stage.vendor.credentials.clear();
    stage.clock.advance(SWEEP_EVERY_MS - 1);
    const young = stage.exists('a');
    stage.clock.advance(1);
    await stage.sweep();
    expect([young.enabled, stage.done]).toEqual([true, []]);
  });
});

test('a key whose description somebody made look like the mark of another is left alone', async () => {
  const stage = new Stage();
  await stage.know('a', 'Active', { id: stage.exists('a').id });
  const disguised = stage.exists('a');
  await stage.know('b', 'Active', { id: disguised.id });
  await stage.sweep(4);
  expect([stage.ids.length, disguised.enabled, stage.done]).toEqual([2, true, []]);
});

describe('what is not ours', () => {
  test('is never touched: without a mark, or with the mark of another cluster (U5)', async () => {
    const here = new Stage();
    const there = new Stage('M', 'cluster-2', here.vendor);
    await here.know('a', 'Active', { id: here.exists('a').id });
    const other = here.exists('b', 'cluster-2');
    const stranger = here.vendor.plant();
    await here.sweep(4);
    expect([here.done, other.enabled, stranger.enabled]).toEqual([[], true, true]);
    // The other cluster sees its own orphan, and nothing of the first.
    await there.know('b', 'Deleted', {});
    there.clock.advance(SWEEP_EVERY_MS);
    await there.sweep(3);
    expect([here.ids.length, here.ids.includes(stranger.id)]).toEqual([2, true]);
  });

  test('is only counted where credentials bear no marks', async () => {
    const stage = new Stage('D');
    stage.vendor.plant();
    stage.vendor.plant();
    await stage.sweep(4);
    expect([stage.unclaimed, stage.done, stage.ids.length]).toEqual([2, [], 2]);
  });
});

describe('too much at once', () => {
  test.each([
    ['more than 20', 21, 1_000],
    ['more than 5 % of the account', 6, 100],
  ])('%s stops the sweep with one alarm, and nothing is touched', async (_, orphans, all) => {
    const stage = new Stage();
    await stage.know('a', 'Deleted', {});
    for (let n = 0; n < orphans; n += 1) stage.exists('a');
    for (let n = orphans; n < all; n += 1) stage.vendor.plant();
    await stage.sweep(4);
    expect(stage.ids).toHaveLength(all);
    expect([...stage.vendor.credentials.values()].every(({ enabled }) => enabled)).toBe(true);
    expect(stage.alarms).toEqual([expect.stringContaining(`${orphans} of ${all} credentials`)]);
    expect(stage.alarms).toEqual([expect.stringMatching(/\(id-1, .*, …\)$/)]);
    expect(new Set(stage.done)).toEqual(new Set(['Stopped']));
  });

  test('has what the database never knew named as well, within the room of an event', async () => {
    const stage = new Stage();
    await stage.know('a', 'Deleted', {});
    const forgotten = stage.exists('b');
    for (let n = 0; n < 21; n += 1) stage.exists('a');
    await stage.sweep(4);
    expect(stage.ids).toHaveLength(22);
    expect(stage.alarms).toEqual([expect.stringContaining(`(${forgotten.id})`)]);
    // Ten ids of 36 characters take some 300 more than these.
    expect(Buffer.byteLength(stage.alarms[0] ?? '')).toBeLessThan(724);
    expect(new Set(stage.done)).toEqual(new Set(['Stopped', 'Held']));
  });
});

describe('a database that was restored from a backup (U2)', () => {
  test('has what it never knew named by the second sweep, and neither switched off nor deleted', async () => {
    const stage = new Stage();
    const forgotten = stage.exists('a');
    await stage.sweep(2);
    expect(stage.alarms).toEqual([expect.stringContaining(forgotten.id)]);
    await stage.sweep(4);
    expect([stage.ids, forgotten.enabled]).toEqual([[forgotten.id], true]);
    expect(new Set(stage.done)).toEqual(new Set(['Held']));
    expect(stage.alarms).toHaveLength(1);
  });

  test('has what it did know ended however much it has forgotten, and some of that named', async () => {
    const stage = new Stage();
    const forgotten = Array.from({ length: 30 }, () => stage.exists('a'));
    await stage.know('b', 'Deleted', {});
    stage.exists('b');
    await stage.sweep(3);
    expect(stage.ids).toEqual(forgotten.map(({ id }) => id));
    expect(forgotten.every(({ enabled }) => enabled)).toBe(true);
    expect(stage.alarms).toEqual([expect.stringMatching(/^30 .*\(id-1, .*, …\)$/)]);
  });

  test('has what it never knew named even while the vendor ends nothing', async () => {
    const stage = new Stage();
    const forgotten = stage.exists('a');
    await stage.know('b', 'Deleted', {});
    stage.exists('b');
    stage.vendor.fault = (call) => (call === 'update' ? 'Cut' : undefined);
    await stage.sweep(2);
    expect(stage.alarms).toEqual([expect.stringContaining(forgotten.id)]);
  });

  test('has what it did know and no key has ended all the same', async () => {
    const stage = new Stage();
    const forgotten = stage.exists('a');
    await stage.know('b', 'Deleted', {});
    stage.exists('b');
    await stage.sweep(3);
    expect([stage.ids, forgotten.enabled]).toEqual([[forgotten.id], true]);
  });
});

describe('a store', () => {
  test('that fails is swept again later, and what was seen before still counts', async () => {
    const stage = new Stage();
    await stage.know('a', 'Deleted', {});
    stage.exists('a');
    await stage.sweep();
    stage.vendor.fault = () => 'Cut';
    await stage.sweep();
    stage.vendor.fault = () => undefined;
    await stage.sweep(2);
    expect(stage.ids).toEqual([]);
  });
});
