import { beforeEach, describe, expect, test } from 'vitest';
import type { ApiClientStatus } from '../../../../src/api/generated/apiclient.ts';
import { clientSteps, type Deps } from '../../../../src/controllers/client/index.ts';
import type { ClientView } from '../../../../src/controllers/client/world.ts';
import type { ClientRecord } from '../../../../src/ledger/documents.ts';
import type { DocumentCommit } from '../../../../src/ledger/port.ts';
import { reconcile } from '../../../../src/runtime/pipeline.ts';
import { FakeClock } from '../../../support/clock.ts';

const REF = { namespace: 'team', name: 'shop' };
const HELD = {
  reviewUid: 'r',
  reviewer: 'bob',
  message: 'misuse',
  sinceMs: 0,
};

const CLIENT: ClientView = {
  ref: REF,
  uid: 'client-uid',
  resourceVersion: '1',
  generation: 1,
  isDeleting: false,
  spec: { displayName: 'Shop', state: 'Active' },
  status: undefined,
};

/** One client, and what is known of it. */
class Stage {
  readonly clock = new FakeClock();
  readonly records = new Map<string, ClientRecord>();
  readonly commits: DocumentCommit[] = [];
  readonly events: string[] = [];
  /** What a live read shows; absent: what the cache does. */
  live: string | undefined = 'cache';
  registrars: string[] = [];
  statuses = 0;
  client: ClientView | undefined = CLIENT;

  get record(): ClientRecord | undefined {
    return this.records.get('client-uid');
  }

  condition(type: string) {
    return this.client?.status?.conditions?.find((each) => each.type === type);
  }

  edit(state: 'Active' | 'Suspended'): void {
    if (this.client === undefined) return;
    const { spec, generation } = this.client;
    this.client = { ...this.client, generation: generation + 1, spec: { ...spec, state } };
  }

  hold(change: Partial<ClientRecord>): void {
    const record = this.record;
    if (record !== undefined) this.records.set('client-uid', { ...record, ...change });
  }

  async look() {
    const stop = new AbortController().signal;
    return (await reconcile(clientSteps(this.#deps()), REF, { clock: this.clock, stop })).result;
  }

  #deps(): Deps {
    return {
      clients: { get: () => this.client },
      client: {
        get: async () => {
          const uid = this.live === 'cache' ? this.client?.uid : this.live;
          return uid === undefined
            ? undefined
            : { metadata: { name: 'shop', uid, resourceVersion: '1' } };
        },
        replaceStatus: async (_, draft) => {
          this.statuses += 1;
          const status = draft['status'] as ApiClientStatus;
          if (this.client !== undefined) this.client = { ...this.client, status };
          return undefined;
        },
      },
      ledger: {
        loadDocument: async (_, uid) => this.records.get(uid) as never,
        findDocument: async () =>
          [...this.records.values()].find(({ phase }) => phase === 'Live') as never,
        commitDocuments: async (commit) => this.#commit(commit),
      },
      clock: this.clock,
      clusterId: 'cluster-1',
      epoch: () => 1,
      registrars: () => this.registrars,
      countKeys: () => ({ total: 3, active: 2 }),
      events: { record: ({ reason }) => void this.events.push(reason) },
    };
  }

  #commit(commit: DocumentCommit): { type: 'Committed' | 'Stale' } {
    for (const { kind, document, expectedRevision } of commit.changes) {
      if (kind !== 'Client') throw new Error('only clients are committed here');
      if ((this.records.get(document.uid)?.revision ?? 0) !== expectedRevision) {
        return { type: 'Stale' };
      }
    }
    for (const { document, expectedRevision } of commit.changes) {
      const record = document as ClientRecord;
      this.records.set(record.uid, { ...record, revision: expectedRevision + 1 });
    }
    this.commits.push(commit);
    return { type: 'Committed' };
  }
}

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});

describe('a client', () => {
  test('is known to the ledger from its first look on, and shows how many keys it has', async () => {
    await stage.look();
    expect(stage.record).toMatchObject({ phase: 'Live', state: 'Active', name: 'shop' });
    expect(stage.condition('Ready')?.reason).toBe('Active');
    expect(stage.condition('Registered')?.reason).toBe('NotRequired');
    expect(stage.client?.status?.keys).toEqual({ total: 3, active: 2 });
    await stage.look();
    expect([stage.statuses, stage.commits.length]).toEqual([1, 1]);
  });

  test('follows its spec, and says so once', async () => {
    await stage.look();
    stage.edit('Suspended');
    await stage.look();
    expect(stage.record?.state).toBe('Suspended');
    expect(stage.commits.at(-1)?.audit.action).toBe('ClientSuspended');
    stage.edit('Active');
    await stage.look();
    expect(stage.record?.state).toBe('Active');
    expect(stage.events).toEqual(['ClientSuspended', 'ClientResumed']);
  });

  test('is never opened by its spec where a reviewer closed it', async () => {
    await stage.look();
    stage.hold({ state: 'Suspended', held: { state: 'Suspended', ...HELD } });
    stage.edit('Active');
    await stage.look();
    expect(stage.record?.state).toBe('Suspended');
    expect(stage.condition('Ready')).toMatchObject({
      reason: 'Suspended',
      message: 'Suspended by reviewer "bob": misuse',
    });
    stage.hold({ state: 'Revoked', held: { state: 'Revoked', ...HELD } });
    await stage.look();
    expect(stage.condition('Ready')?.reason).toBe('Revoked');
    expect(stage.condition('Registered')?.reason).toBe('Revoked');
  });

  test('waits for a reviewer where a store takes only reviewed clients', async () => {
    stage.registrars = ["ClusterKeyStore 'default'"];
    await stage.look();
    expect(stage.condition('Ready')).toMatchObject({
      reason: 'PendingReview',
      message: expect.stringContaining("ClusterKeyStore 'default'"),
    });
    stage.hold({ registeredBy: 'review-uid' });
    await stage.look();
    expect(stage.condition('Ready')?.reason).toBe('Active');
    expect(stage.condition('Registered')?.reason).toBe('Registered');
  });
});

describe('a client that is gone', () => {
  beforeEach(() => stage.look());

  test('is ended after a live read, and stays known as what it was', async () => {
    stage.client = undefined;
    await stage.look();
    expect(stage.record).toMatchObject({ phase: 'Ended', state: 'Active' });
    expect(stage.commits.at(-1)?.audit.action).toBe('ClientEnded');
  });

  test('is not ended while the API server still has it', async () => {
    stage.client = undefined;
    stage.live = 'client-uid';
    expect((await stage.look()).kind).toBe('wait');
    expect(stage.record?.phase).toBe('Live');
  });

  test('is ended when another one has its name, and that one is opened', async () => {
    if (stage.client !== undefined) stage.client = { ...stage.client, uid: 'second-uid' };
    await stage.look();
    expect(stage.record?.phase).toBe('Ended');
    expect(stage.records.get('second-uid')).toMatchObject({ phase: 'Live', state: 'Active' });
  });

  describe.each(['Suspended', 'Revoked'] as const)('while reviewers had it %s', (state) => {
    beforeEach(async () => {
      stage.hold({ state, held: { state, ...HELD } });
      stage.client = undefined;
      await stage.look();
    });

    test('ends, and nothing of its name is active again: the next object is held, too', async () => {
      expect(stage.record?.phase).toBe('Ended');
      stage.client = { ...CLIENT, uid: 'second-uid' };
      await stage.look();
      expect(stage.records.get('second-uid')).toMatchObject({ phase: 'Live', state });
      expect(stage.condition('Ready')).toMatchObject({
        reason: state,
        message: `${state} by reviewer "bob": misuse`,
      });
      stage.client = undefined;
      stage.live = undefined;
      await stage.look();
      stage.live = 'cache';
      stage.client = { ...CLIENT, uid: 'third-uid' };
      await stage.look();
      expect(stage.records.get('third-uid')?.state).toBe(state);
    });

    test('is looked at in vain while there is no object of its name', async () => {
      const before = stage.commits.length;
      expect((await stage.look()).kind).toBe('done');
      expect(stage.commits).toHaveLength(before);
    });
  });

  test('leaves its hold to another one that has its name already', async () => {
    stage.hold({ state: 'Revoked', held: { state: 'Revoked', ...HELD } });
    stage.client = { ...CLIENT, uid: 'second-uid' };
    await stage.look();
    expect(stage.record?.phase).toBe('Ended');
    expect(stage.records.get('second-uid')).toMatchObject({ phase: 'Live', state: 'Revoked' });
    const live = [...stage.records.values()].filter(({ phase }) => phase === 'Live');
    expect(live.map(({ uid }) => uid)).toEqual(['second-uid']);
  });
});
