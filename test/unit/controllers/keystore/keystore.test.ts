import { describe, expect, test } from 'vitest';
import type { KeyStoreStatus } from '../../../../src/api/generated/keystore.ts';
import { FINALIZER, KEY_STORES } from '../../../../src/api/names.ts';
import {
  keyStoreSteps,
  type KeyStoreDeps,
  type Sessions,
} from '../../../../src/controllers/keystore/index.ts';
import type { StoreObject } from '../../../../src/controllers/keystore/world.ts';
import type { EventInput } from '../../../../src/kube/events.ts';
import { KeywardError } from '../../../../src/kernel/errors.ts';
import type { Draft } from '../../../../src/kube/port.ts';
import type { DocumentCommit } from '../../../../src/ledger/port.ts';
import { reconcile } from '../../../../src/runtime/pipeline.ts';
import { builtinDriver } from '../../../../src/stores/builtin/driver.ts';
import { StoreFailure, type RemoteHandle } from '../../../../src/stores/contract.ts';
import type { HealthState } from '../../../../src/stores/health.ts';
import { FakeClock } from '../../../support/clock.ts';
import { MemoryDocuments } from '../../../support/documents.ts';

const REF = { namespace: 'team', name: 'vendor' };
const MINUTE_MS = 60_000;

const HANDLE: RemoteHandle = {
  type: 'Remote',
  capabilities: {
    class: 'M',
    formats: ['Dual'],
    recoverable: true,
    rotation: 'InPlace',
    regeneratePerSlot: true,
    suspend: true,
    displayNameMax: 20,
    descriptionMax: 50,
    terms: [],
  },
  defaultFormat: 'Dual',
  provider: 'fake',
  endpoint: new URL('https://vendor.example'),
  credentials: { secretName: 'login', entries: ['word'] },
  settleMs: 30_000,
  deleteGraceMs: 0,
  onExpiry: 'Disable',
  connect: () => {
    throw new Error('only sessions connect');
  },
};

/** One store, and everything that its controller sees of the world. */
class Stage {
  readonly clock = new FakeClock();
  readonly events: EventInput[] = [];
  readonly statuses: KeyStoreStatus[] = [];
  readonly forgotten: string[] = [];
  readonly documents = new MemoryDocuments();
  readonly actions: string[] = [];
  trouble: KeywardError | undefined;
  /** False: the cache has no such store. */
  isThere = true;
  /** UID of what a live read shows. */
  live: string | undefined;
  count = { keys: 0, debts: 0 };
  health: { state: HealthState; message: string } = { state: 'Connected', message: '' };
  proofs = 0;
  isEphemeral = false;
  store: StoreObject = {
    ref: REF,
    uid: 'store-uid',
    resourceVersion: '1',
    generation: 1,
    isDeleting: false,
    finalizers: [FINALIZER],
    spec: { type: 'Fake' },
    status: undefined,
  };

  get profile() {
    const known = this.documents.peek('Store', this.store.uid);
    return known && [known.phase, known.profile];
  }

  get ready() {
    return this.statuses.at(-1)?.conditions?.find(({ type }) => type === 'Ready');
  }

  async look(handle: ReturnType<KeyStoreDeps<StoreObject>['open']> = HANDLE) {
    const steps = keyStoreSteps(this.#deps(handle));
    const stop = new AbortController().signal;
    const { result } = await reconcile(steps, REF, { clock: this.clock, stop });
    return result;
  }

  delete(): void {
    this.store = { ...this.store, isDeleting: true, deletedAtMs: this.clock.nowMs() };
  }

  #deps(handle: ReturnType<KeyStoreDeps<StoreObject>['open']>): KeyStoreDeps<StoreObject> {
    const written = { name: REF.name, uid: this.store.uid, resourceVersion: '2' };
    const client = {
      replaceStatus: async (_: unknown, draft: Draft) => {
        this.statuses.push(draft.status as KeyStoreStatus);
        this.store = { ...this.store, status: draft.status };
        return written;
      },
      get: async () => (this.live === undefined ? undefined : { metadata: { uid: this.live } }),
      patchMetadata: async (_: unknown, __: unknown, metadata: Partial<StoreObject>) => {
        this.store = { ...this.store, finalizers: metadata.finalizers ?? [] };
        return written;
      },
    };
    return {
      resource: KEY_STORES,
      stores: { get: () => (this.isThere ? this.store : undefined) } as never,
      client: client as never,
      ledger: {
        countByStore: async () => [{ storeUid: this.store.uid, ...this.count }],
        identity: async () => ({ databaseId: 'database-1' }),
        ...this.documents.reads(),
        commitDocuments: async (commit: DocumentCommit) => this.#commit(commit),
      } as never,
      clock: this.clock,
      clusterId: 'cluster-1',
      epoch: () => 1,
      open: () => handle,
      isEphemeral: this.isEphemeral,
      sessions: this.#sessions(),
      events: { record: (event) => void this.events.push(event) },
    };
  }

  #commit(commit: DocumentCommit) {
    if (this.trouble !== undefined) throw this.trouble;
    if (!this.documents.areCurrent(commit.changes)) return { type: 'Stale' };
    this.documents.write(commit.changes);
    this.actions.push(commit.audit.action);
    return { type: 'Committed' };
  }

  #sessions(): Sessions {
    const { health } = this;
    return {
      of: () => ({
        health: { ...health, sinceMs: 0 },
        account: health.state === 'Connected' ? { id: 'account-1', facts: {} } : undefined,
        prove: async () => {
          this.proofs += 1;
          if (health.state === 'Connected') return { id: 'account-1', facts: {} };
          throw new StoreFailure('Denied', { message: health.message });
        },
      }),
      forget: (uid) => void this.forgotten.push(uid),
    };
  }
}

describe('a store at a vendor', () => {
  test('that answers says whose account it is and what it can do', async () => {
    const stage = new Stage();
    await stage.look();
    expect(stage.statuses).toEqual([
      {
        observedGeneration: 1,
        conditions: [
          expect.objectContaining({ type: 'Ready', status: 'True', reason: 'Connected' }),
        ],
        storeId: 'database-1',
        account: 'account-1',
        keys: { total: 0 },
        capabilities: {
          class: 'M',
          formats: ['Dual'],
          features: ['Suspend', 'RegeneratePerSlot', 'Recover'],
          displayNameMax: 20,
          descriptionMax: 50,
          settleSeconds: 30,
        },
      },
    ]);
    expect(stage.events).toEqual([]);
  });

  test.each([
    ['CredentialsNotFound', 'CredentialsNotFound', undefined],
    ['Denied', 'AuthenticationFailed', 'Stalled'],
    ['ClockSkew', 'ClockSkew', 'Stalled'],
    ['AccountChanged', 'AccountChanged', 'Stalled'],
    ['NotAllowed', 'EndpointNotAllowed', 'Stalled'],
    ['Unreachable', 'ConnectionFailed', 'Reconciling'],
  ] as const)('that is %s is not ready because of %s', async (state, reason, companion) => {
    const stage = new Stage();
    stage.health = { state, message: 'what to do' };
    const result = await stage.look();
    expect(result).not.toHaveProperty('error');
    expect(stage.ready).toMatchObject({ status: 'False', reason, message: 'what to do' });
    const types = stage.statuses.at(-1)?.conditions?.map(({ type }) => type);
    expect(types).toEqual(companion === undefined ? ['Ready'] : ['Ready', companion]);
  });

  test('says once that it fails, and once that it works again', async () => {
    const stage = new Stage();
    const states: HealthState[] = ['Connected', 'Denied', 'Denied', 'Connected', 'Connected'];
    for (const state of states) {
      stage.health = { state, message: state === 'Denied' ? 'wrong credentials' : '' };
      stage.clock.advance(MINUTE_MS);
      // oxlint-disable-next-line no-await-in-loop
      await stage.look();
    }
    expect(stage.events.map(({ reason, type, note }) => [reason, type, note])).toEqual([
      ['StoreConnectionFailed', 'Warning', 'wrong credentials'],
      ['StoreConnected', 'Normal', 'The store answers and accepts the credentials'],
    ]);
    expect(stage.statuses).toHaveLength(3);
  });

  test('keeps its account in status while it is out of reach', async () => {
    const stage = new Stage();
    await stage.look();
    stage.health = { state: 'Unreachable', message: 'no answer' };
    await stage.look();
    expect(stage.statuses.at(-1)).toMatchObject({ account: 'account-1' });
  });
});

describe('a store that is deleted', () => {
  test('stays until its last key is ended, and is not logged in to any more', async () => {
    const stage = new Stage();
    stage.count = { keys: 2, debts: 0 };
    stage.delete();
    stage.clock.advance(60 * MINUTE_MS);
    await stage.look();
    expect(stage.ready).toMatchObject({ reason: 'KeysRemain' });
    expect(stage.ready?.message).toContain('2 keys remain');
    stage.count = { keys: 1, debts: 0 };
    await stage.look();
    expect(stage.ready?.message).toBe('1 key remains in the store; delete it first');
    expect([stage.store.finalizers, stage.proofs]).toEqual([[FINALIZER], 0]);
    stage.count = { keys: 0, debts: 0 };
    await stage.look();
    expect([stage.store.finalizers, stage.forgotten]).toEqual([[], ['store-uid']]);
  });

  test('waits ten minutes for its debts, says so, and goes all the same (S20)', async () => {
    const stage = new Stage();
    stage.count = { keys: 0, debts: 3 };
    stage.delete();
    await stage.look();
    expect(stage.ready?.message).toBe(
      '3 credentials must still be ended at the vendor; at 2026-01-01T00:10:00Z the store goes all the same',
    );
    stage.clock.advance(10 * MINUTE_MS - 1);
    await stage.look();
    expect(stage.store.finalizers).toEqual([FINALIZER]);
    stage.clock.advance(1);
    await stage.look();
    expect(stage.store.finalizers).toEqual([]);
  });
});

test('the built-in store needs no session', async () => {
  const stage = new Stage();
  await stage.look(builtinDriver.open({}));
  expect(stage.proofs).toBe(0);
  expect(stage.statuses.at(-1)?.capabilities).toEqual({
    formats: ['Opaque', 'Dual'],
    features: ['Suspend', 'RegeneratePerSlot'],
  });
});

describe('a database that is lost with the pod', () => {
  const durable = (stage: Stage) =>
    stage.statuses.at(-1)?.conditions?.find(({ type }) => type === 'Durable');

  test.each([
    ['a vendor', HANDLE],
    ['Keyward', builtinDriver.open({})],
  ])('is told once at a store of %s, and no more once it is on a volume', async (_, handle) => {
    const stage = new Stage();
    stage.isEphemeral = true;
    await stage.look(handle);
    await stage.look(handle);
    expect(durable(stage)).toMatchObject({ status: 'False', reason: 'EphemeralStorage' });
    expect([stage.statuses.length, stage.ready?.status]).toEqual([1, 'True']);
    stage.isEphemeral = false;
    await stage.look(handle);
    await stage.look(handle);
    expect([stage.statuses.length, durable(stage)]).toEqual([2, undefined]);
  });

  test('is told at stores that do not work and at those that are deleted', async () => {
    const stage = new Stage();
    stage.isEphemeral = true;
    stage.health = { state: 'Denied', message: 'wrong credentials' };
    await stage.look();
    expect(stage.statuses.at(-1)?.conditions?.map(({ type }) => type)).toEqual([
      'Ready',
      'Durable',
      'Stalled',
    ]);
    stage.count = { keys: 1, debts: 0 };
    stage.delete();
    await stage.look();
    expect([stage.ready?.reason, durable(stage)?.reason]).toEqual([
      'KeysRemain',
      'EphemeralStorage',
    ]);
  });
});

describe('the profile of a built-in store', () => {
  const naver = builtinDriver.open({ profile: 'Naver' });

  test('is known to gates before the store is Ready', async () => {
    const stage = new Stage();
    const reason = 'LedgerUnavailable';
    stage.trouble = new KeywardError('Transient', { reason, message: 'the disk is full' });
    await stage.look(naver);
    expect(stage.ready).toMatchObject({ status: 'False', message: 'the disk is full' });
    stage.trouble = undefined;
    await stage.look(naver);
    expect(stage.profile).toEqual(['Live', 'Naver']);
    expect(stage.ready?.status).toBe('True');
    await stage.look(naver);
    expect(stage.actions).toEqual(['StoreOpened']);
  });

  test('follows the spec, back to the one that needs no word, but not into a contradiction', async () => {
    const stage = new Stage();
    await stage.look(builtinDriver.open({}));
    await stage.look(HANDLE);
    expect(stage.profile).toBeUndefined();
    await stage.look(naver);
    await stage.look(builtinDriver.open({ profile: 'Solapi', recovery: 'None' }));
    expect([stage.profile, stage.ready?.reason]).toEqual([
      ['Live', 'Naver'],
      'InvalidConfiguration',
    ]);
    await stage.look(builtinDriver.open({}));
    expect(stage.profile).toEqual(['Live', 'Keyward']);
    expect(stage.actions).toEqual(['StoreOpened', 'StoreChanged']);
  });

  test('ends with the store, before that may go', async () => {
    const stage = new Stage();
    await stage.look(naver);
    stage.delete();
    stage.count = { keys: 1, debts: 0 };
    await stage.look(naver);
    expect(stage.profile).toEqual(['Live', 'Naver']);
    stage.count = { keys: 0, debts: 0 };
    await stage.look(naver);
    expect([stage.profile, stage.store.finalizers]).toEqual([['Ended', 'Naver'], []]);
  });

  test('of a store that vanished ends after a live read', async () => {
    const stage = new Stage();
    await stage.look(naver);
    stage.isThere = false;
    stage.live = 'store-uid';
    expect((await stage.look(naver)).kind).toBe('wait');
    expect(stage.profile).toEqual(['Live', 'Naver']);
    stage.live = undefined;
    await stage.look(naver);
    await stage.look(naver);
    expect(stage.profile).toEqual(['Ended', 'Naver']);
    expect(stage.actions).toEqual(['StoreOpened', 'StoreEnded']);
  });

  test('of an earlier store of the name ends, and the new one has its own', async () => {
    const stage = new Stage();
    await stage.look(naver);
    stage.store = { ...stage.store, uid: 'second-uid' };
    await stage.look(builtinDriver.open({ profile: 'VisitSeoul' }));
    expect(stage.documents.peek('Store', 'store-uid')?.phase).toBe('Ended');
    expect(stage.profile).toEqual(['Live', 'VisitSeoul']);
  });
});
