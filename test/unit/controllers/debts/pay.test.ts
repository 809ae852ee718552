import { describe, expect, test } from 'vitest';
import { payDebts, type DebtDeps } from '../../../../src/controllers/debts/pay.ts';
import { silentLogger } from '../../../../src/kernel/log.ts';
import type { KeyRecord, RemoteRecord } from '../../../../src/ledger/record.ts';
import {
  StoreFailure,
  type Capabilities,
  type RemoteListing,
} from '../../../../src/stores/contract.ts';
import { clusterMark } from '../../../../src/stores/mark.ts';
import { FakeClock } from '../../../support/clock.ts';

const LIVE = new AbortController().signal;
const TOKEN = 'a'.repeat(26);
const MARK = { cluster: clusterMark('cluster-1'), token: TOKEN, attempt: 1 };

/** A ledger with debts, and vendors that keep ids. */
class Stage {
  readonly clock = new FakeClock();
  readonly records = new Map<string, KeyRecord>();
  readonly calls: string[] = [];
  readonly audit: string[] = [];
  /** By store: what exists at the vendor. */
  readonly vendor = new Map<string, RemoteListing>();
  /** Stores that do not answer. */
  readonly dead = new Set<string>();
  account = 'account-1';
  driverClass: Capabilities['class'] = 'M';
  claimed: readonly string[] = [];
  /** Called when the vendor is asked to delete. */
  onDelete: (id: string) => 'Deleted' | 'NotFound' = (id) =>
    this.vendor.delete(id) ? 'Deleted' : 'NotFound';

  owe(uid: string, remote: Partial<RemoteRecord>, storeUid = 'store-1'): void {
    const credential = {
      token: TOKEN,
      sequence: 1,
      attempt: 1,
      state: 'Disabled',
      slots: [],
      remote: { account: 'account-1', facts: {}, ...remote },
    };
    const record = {
      uid,
      revision: 1,
      phase: 'Ended',
      store: { uid: storeUid },
      credentials: [credential],
    };
    this.records.set(uid, record as unknown as KeyRecord);
  }

  exists(id: string, more: Partial<RemoteListing> = {}): void {
    this.vendor.set(id, { id, enabled: true, ...more });
  }

  pay() {
    return payDebts(this.#deps(), LIVE);
  }

  #deps(): DebtDeps {
    return {
      ledger: {
        debts: async (limit, after = '') => {
          const owing = [...this.records.values()].filter(
            ({ credentials }) => credentials.length > 0,
          );
          const records = owing.filter(({ uid }) => uid > after).slice(0, limit);
          return { records, next: records.length < limit ? undefined : records.at(-1)?.uid };
        },
        commit: async ({ record, expectedRevision, audit }) => {
          if (this.records.get(record.uid)?.revision !== expectedRevision) return { type: 'Stale' };
          const stored = { ...record, revision: expectedRevision + 1 };
          this.records.set(record.uid, stored);
          this.audit.push(audit.action);
          return { type: 'Committed', record: stored };
        },
        claimedIds: async () => this.claimed,
      },
      sessions: { fromMemory: async (storeUid) => this.#session(storeUid) as never },
      epoch: () => 1,
      clock: this.clock,
      clusterId: 'cluster-1',
      log: silentLogger,
    };
  }

  #session(storeUid: string) {
    if (storeUid === 'forgotten') return undefined;
    const call = (text: string): void => {
      this.calls.push(text);
      if (this.dead.has(storeUid)) throw new StoreFailure('Unavailable', { message: 'no answer' });
    };
    return {
      handle: { capabilities: { class: this.driverClass, suspend: true }, settleMs: 30_000 },
      account: { id: this.account, facts: {} },
      prove: async () => call('prove'),
      connect: async () => ({
        update: async (id: string) => {
          call(`update ${id}`);
          return this.vendor.get(id);
        },
        delete: async (id: string) => {
          call(`delete ${id}`);
          return this.onDelete(id);
        },
        read: async (id: string) => {
          call(`read ${id}`);
          return this.vendor.get(id);
        },
        find: async () => {
          call('find');
          return [...this.vendor.values()];
        },
        list: async () => {
          call('list');
          return [...this.vendor.values()];
        },
      }),
    };
  }
}

describe('a debt', () => {
  test('is paid by switching off and deleting, and is then no debt any more', async () => {
    const stage = new Stage();
    stage.exists('id-1');
    stage.owe('key-1', { id: 'id-1' });
    expect(await stage.pay()).toEqual({ paid: 1, left: 0 });
    expect(stage.calls).toEqual(['update id-1', 'delete id-1']);
    expect(stage.audit).toEqual(['RemoteDisabled', 'RemoteEnded']);
    expect(await stage.pay()).toEqual({ paid: 0, left: 0 });
  });

  test('whose credential is gone already is paid after a proven login and a second look (S17)', async () => {
    const stage = new Stage();
    stage.owe('key-1', { id: 'id-1', enabled: false });
    expect(await stage.pay()).toEqual({ paid: 1, left: 0 });
    expect(stage.calls).toEqual(['delete id-1', 'prove', 'read id-1']);
  });

  test('is not forgotten because a vendor contradicts itself', async () => {
    const stage = new Stage();
    stage.exists('id-1');
    stage.onDelete = () => 'NotFound';
    stage.owe('key-1', { id: 'id-1', enabled: false });
    expect(await stage.pay()).toEqual({ paid: 0, left: 1 });
    expect(stage.audit).toEqual([]);
  });

  test('to another account than the credentials lead to stays', async () => {
    const stage = new Stage();
    stage.account = 'account-2';
    stage.owe('key-1', { id: 'id-1' });
    expect(await stage.pay()).toEqual({ paid: 0, left: 1 });
    expect(stage.calls).toEqual([]);
  });

  test('to a dead vendor is tried once a round, and holds up no other (S20)', async () => {
    const stage = new Stage();
    for (let index = 100; index < 350; index += 1) {
      const id = `id-${index}`;
      const isDead = index % 2 === 0;
      if (!isDead) stage.exists(id);
      stage.owe(`key-${index}`, { id, enabled: false }, isDead ? 'dead' : 'store-1');
    }
    stage.dead.add('dead');
    expect(await stage.pay()).toEqual({ paid: 125, left: 125 });
    expect(stage.calls).toHaveLength(126);
    stage.dead.clear();
    expect(await stage.pay()).toEqual({ paid: 125, left: 0 });
  });

  test('to a store that nothing is remembered of stays, and is counted', async () => {
    const stage = new Stage();
    stage.owe('key-1', { id: 'id-1' }, 'forgotten');
    expect(await stage.pay()).toEqual({ paid: 0, left: 1 });
  });
});

describe('a debt whose create call had no answer', () => {
  test('is looked for by its mark, and everything that bears it goes', async () => {
    const stage = new Stage();
    stage.exists('id-1', { mark: MARK });
    stage.exists('id-2', { mark: { ...MARK, attempt: 2 } });
    stage.exists('other', { mark: { ...MARK, token: 'b'.repeat(26) } });
    stage.exists('stranger');
    stage.owe('key-1', { createBegunAtMs: 0 });
    expect(await stage.pay()).toEqual({ paid: 1, left: 0 });
    expect([...stage.vendor.keys()]).toEqual(['other', 'stranger']);
    expect(stage.audit).toEqual(['RemoteClaimed', 'RemoteDisabled', 'RemoteEnded']);
  });

  test('is paid when two proven looks find nothing', async () => {
    const stage = new Stage();
    stage.owe('key-1', { createBegunAtMs: 0 });
    expect(await stage.pay()).toEqual({ paid: 1, left: 0 });
    expect(stage.calls).toEqual(['prove', 'find', 'find']);
  });

  test('is not believed to be nothing before lists have settled', async () => {
    const stage = new Stage();
    stage.owe('key-1', { createBegunAtMs: stage.clock.nowMs() - 29_999 });
    expect(await stage.pay()).toEqual({ paid: 0, left: 1 });
    stage.clock.advance(1);
    expect(await stage.pay()).toEqual({ paid: 1, left: 0 });
  });

  test('without marks is the one more in the list; among several a person decides', async () => {
    const stage = new Stage();
    stage.driverClass = 'D';
    stage.claimed = ['claimed'];
    for (const id of ['before', 'claimed', 'fresh']) stage.exists(id);
    stage.exists('old', { createdMs: 0 });
    const createBegunAtMs = stage.clock.nowMs() - 600_000;
    stage.owe('key-1', { createBegunAtMs, idsBefore: ['before'] });
    stage.exists('fresh too');
    expect(await stage.pay()).toEqual({ paid: 0, left: 1 });
    stage.vendor.delete('fresh too');
    stage.claimed = ['claimed', 'old'];
    expect(await stage.pay()).toEqual({ paid: 1, left: 0 });
    expect([...stage.vendor.keys()]).toEqual(['before', 'claimed', 'old']);
  });
});
