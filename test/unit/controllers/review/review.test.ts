import { beforeEach, describe, expect, test } from 'vitest';
import type { ApiKeyReviewStatus } from '../../../../src/api/generated/apikeyreview.ts';
import type { Deps } from '../../../../src/controllers/review/deps.ts';
import { reviewSteps } from '../../../../src/controllers/review/index.ts';
import { cacheReview } from '../../../../src/controllers/review/view.ts';
import type { ReviewView } from '../../../../src/controllers/review/world.ts';
import type { EventInput } from '../../../../src/kube/events.ts';
import { KeywardError } from '../../../../src/kernel/errors.ts';
import type {
  DocumentChange,
  DocumentKind,
  Documents,
  HeldState,
} from '../../../../src/ledger/documents.ts';
import type { DocumentCommit } from '../../../../src/ledger/port.ts';
import { reconcile } from '../../../../src/runtime/pipeline.ts';
import { FakeClock } from '../../../support/clock.ts';
import { aClient, aForm, aGrant, aHeld, aReview, aRound, CREATED_MS, NOW_MS } from './cases.ts';

const aStoreView = (layers: readonly string[]) => ({
  uid: 'store-uid',
  ref: { namespace: '', name: 'default' },
  spec: {
    applications: {
      selfReview: 'Forbidden',
      layers: layers.map((name) => ({ name, approvals: 1 })),
      attestors: [],
    },
  },
});

/** A ledger of documents, a proof and an API server that answers questions. */
class Stage {
  readonly clock = new FakeClock(NOW_MS);
  readonly documents = new Map<string, Documents[DocumentKind]>();
  readonly commits: DocumentCommit[] = [];
  readonly events: EventInput[] = [];
  readonly reviews = new Map<string, ReviewView>();
  readonly asked: { verb: string; user: string; resource: string; name?: string }[] = [];
  statuses = 0;
  /** Who may approve. */
  approvers = new Set(['bob', 'kim']);
  wildcards = new Set<string>();
  /** Of the store, as it is now. */
  layers: readonly string[] = [];
  proven = { fromMs: 0, isProven: true };
  lookMs = 0;
  /** Called before each commit. */
  beforeCommit: () => void = () => undefined;
  askFails = false;
  /** The form at the API server, which the cache may not show yet. */
  live = { uid: 'form-uid', generation: 1, annotations: {} as Record<string, string> };
  /** UID of the key, or of the client, at the API server; undefined: there is none. */
  liveUid: string | undefined;
  /** The UID that the caches show of the key or the client; undefined: they show none. */
  shown: (uid: string) => string | undefined = (uid) => uid;
  reads = 0;
  /** Imposed on an earlier key of the same name. */
  inherited: HeldState | undefined;
  /** spec.storeRef of the key. */
  keyStore: HeldState['store'];

  put<K extends DocumentKind>(kind: K, document: Documents[K]): void {
    this.documents.set(`${kind}/${document.uid}`, document);
  }

  take<K extends DocumentKind>(kind: K, uid: string): Documents[K] | undefined {
    return this.documents.get(`${kind}/${uid}`) as Documents[K] | undefined;
  }

  write(review: ReviewView): void {
    this.reviews.set(review.ref.name, review);
  }

  status(name = 'review'): ApiKeyReviewStatus | undefined {
    return this.reviews.get(name)?.status;
  }

  accepted(name = 'review'): string | undefined {
    return this.status(name)?.conditions?.find(({ type }) => type === 'Accepted')?.reason;
  }

  async look(name = 'review') {
    const stop = new AbortController().signal;
    const ref = { namespace: 'team', name };
    return (await reconcile(reviewSteps(this.deps()), ref, { clock: this.clock, stop })).result;
  }

  deps(): Deps {
    const at = <T extends { readonly uid: string }>(sight: T): T | undefined => {
      const uid = this.shown(sight.uid);
      return uid === undefined ? undefined : { ...sight, uid };
    };
    return {
      reviews: {
        get: ({ name }) => {
          const review = this.reviews.get(name);
          return review && cacheReview(asObject(review));
        },
      },
      sights: {
        form: () => ({ uid: 'form-uid', generation: 1, isDeleting: false, authors: ['ann'] }),
        key: () =>
          at({
            uid: 'key-uid',
            generation: 1,
            isDeleting: false,
            authors: [],
            storeRef: this.keyStore,
            formName: undefined,
          }),
        client: () =>
          at({
            uid: 'client-uid',
            generation: 1,
            isDeleting: false,
            authors: [],
            wanted: 'Active',
          }),
        store: () => aStoreView(this.layers) as never,
        clientStores: () => [],
      },
      client: {
        clockSkewMs: 0,
        get: async ({ kind }, { name }) => this.#read(kind, name),
        ask: async (_, question) => this.#answer(question),
        replaceStatus: async (_, draft) => {
          this.statuses += 1;
          const review = this.reviews.get(draft.metadata.name);
          const status = draft['status'] as ApiKeyReviewStatus;
          if (review !== undefined) this.write({ ...review, status });
          return undefined;
        },
      },
      ledger: {
        load: async () => ({ record: undefined, others: [] }),
        loadDocument: async (kind, uid) => this.take(kind, uid),
        findDocument: async () => undefined,
        commitDocuments: async (commit) => this.#commit(commit),
      },
      imposedOn: (uid) => this.take('Hold', uid)?.held ?? this.inherited,
      epoch: () => 7,
      clusterId: 'cluster-1',
      proof: {
        prove: async () => {
          this.lookMs = this.clock.nowMs();
          return this.proven.isProven
            ? { state: 'Proven' }
            : { state: 'NotProven', reason: 'the policies are not installed' };
        },
        covers: (fromMs, toMs) =>
          this.proven.isProven && fromMs >= this.proven.fromMs && toMs <= this.lookMs,
        atOurClock: (serverMs) => serverMs,
      },
      clock: this.clock,
      events: { record: (event) => void this.events.push(event) },
      metrics: { judged: () => undefined, decided: () => undefined },
    };
  }

  /** The target as the API server has it. */
  #read(kind: string, name: string) {
    this.reads += 1;
    const metadata = { name, uid: this.liveUid ?? '', generation: 1, resourceVersion: '1' };
    if (kind !== 'ApiKeyApplication') {
      return this.liveUid === undefined ? undefined : { metadata, spec: { state: 'Active' } };
    }
    const { uid, generation, annotations } = this.live;
    return { metadata: { name, uid, generation, annotations, resourceVersion: '1' } };
  }

  #answer(question: object): unknown {
    if (this.askFails) {
      throw new KeywardError('Transient', { reason: 'ServerUnreachable', message: 'gone' });
    }
    const { spec } = question as {
      spec: {
        user: string;
        resourceAttributes: { verb: string; resource: string; name?: string };
      };
    };
    const { user, resourceAttributes } = spec;
    this.asked.push({ ...resourceAttributes, user });
    const holders = resourceAttributes.verb === 'approve' ? this.approvers : this.wildcards;
    return { status: { allowed: holders.has(user), reason: 'RBAC: allowed by "admins"' } };
  }

  #commit(commit: DocumentCommit): { type: 'Committed' | 'Stale' } {
    this.beforeCommit();
    const isStale = commit.changes.some(
      ({ kind, document, expectedRevision }) =>
        (this.take(kind, document.uid)?.revision ?? 0) !== expectedRevision,
    );
    if (isStale) return { type: 'Stale' };
    for (const change of commit.changes) this.#store(change);
    this.commits.push(commit);
    return { type: 'Committed' };
  }

  #store({ kind, document, expectedRevision }: DocumentChange): void {
    this.documents.set(`${kind}/${document.uid}`, { ...document, revision: expectedRevision + 1 });
  }
}

/** The object of which the cache makes this review. */
function asObject({ ref, createdMs, isDeleting, spec, status, ...metadata }: ReviewView) {
  const creationTimestamp = new Date(createdMs).toISOString();
  const deletion = isDeleting ? { deletionTimestamp: creationTimestamp } : {};
  return { metadata: { ...metadata, ...ref, creationTimestamp, ...deletion }, spec, status };
}

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
  stage.put('Form', aForm());
});

describe('a review that counts', () => {
  test('changes form and latch in one commit, with one entry in the audit chain', async () => {
    stage.write(aReview());
    await stage.look();
    expect(stage.commits).toHaveLength(1);
    expect(stage.commits[0]?.changes.map(({ kind }) => kind)).toEqual(['Form', 'Review']);
    expect(stage.commits[0]?.epoch).toBe(7);
    expect(stage.commits[0]?.audit).toMatchObject({
      action: 'RoundApproved',
      actor: 'bob',
      facts: { application: 'shop', round: 1, type: 'Issue', reviewer: 'bob' },
    });
    expect(stage.take('Form', 'form-uid')?.grant?.round).toBe(1);
    expect(stage.accepted()).toBe('Decisive');
    expect(stage.status()?.reviewer).toEqual({ username: 'bob', source: 'Authenticated' });
    expect(stage.status()?.effectiveTime).toBe('2026-01-01T09:01:01Z');
  });

  test('is judged once: neither edit nor restart nor a lost right changes what it became', async () => {
    stage.write(aReview());
    await stage.look();
    stage.approvers.clear();
    stage.write(aReview({ decision: 'Denied' }, { generation: 2 }));
    await stage.look();
    expect(stage.commits).toHaveLength(1);
    expect(stage.accepted()).toBe('Decisive');
    expect(stage.take('Form', 'form-uid')?.round?.state).toBe('Approved');
  });

  test('is written into status once', async () => {
    stage.write(aReview());
    await stage.look();
    await stage.look();
    expect(stage.statuses).toBe(1);
  });

  test('keeps the narrowed terms in the grant', async () => {
    const terms = { quota: { requests: 100 } };
    stage.put('Form', aForm({ round: aRound({ content: { ...aRound().content, terms } }) }));
    stage.write(aReview({ narrowed: { quota: { requests: 5 } } }));
    await stage.look();
    const granted = stage.take('Form', 'form-uid')?.grant?.content.terms;
    expect(granted?.quota).toEqual({ requests: 5 });
  });

  test('says where a right comes from that was given with all others', async () => {
    stage.wildcards.add('bob');
    stage.write(aReview());
    await stage.look();
    const [ready] = stage.status()?.conditions ?? [];
    expect(ready?.message).toContain('RBAC: allowed by "admins"');
  });
});

describe('a withdrawal of a grant', () => {
  test('from a layer of the store as it is now counts, also after a round that nobody had to decide', async () => {
    const free = aRound({ number: 2, type: 'Revoke', state: 'Approved' }, { layers: [] });
    stage.put('Form', aForm({ grant: aGrant(), round: free }));
    stage.layers = ['business', 'security'];
    const { requestHash: _, ...spec } = aReview().spec;
    const withdrawal = { ...spec, decision: 'Revoked', grantRound: 1, message: 'x' } as const;
    stage.write({ ...aReview(), spec: { ...withdrawal, layer: 'security' } });
    await stage.look();
    expect(stage.accepted()).toBe('Decisive');
    expect(stage.asked[0]).toMatchObject({ subresource: 'security' });
    expect(stage.take('Form', 'form-uid')?.ended?.cause).toBe('Withdrawn');
  });
});

describe('the client of a form', () => {
  test('that is gone, or was made anew, is granted nothing, and the form is not ended by that', async () => {
    for (const liveUid of [undefined, 'another-client']) {
      stage = new Stage();
      stage.put('Form', aForm());
      stage.shown = () => liveUid;
      stage.liveUid = liveUid;
      stage.write(aReview());
      // One after the other: each has a stage of its own.
      // oxlint-disable-next-line no-await-in-loop
      await stage.look();
      expect(stage.accepted()).toBe('ClientNotAvailable');
      expect(stage.take('Form', 'form-uid')?.round?.state).toBe('Pending');
    }
  });

  test('is read live before a review is refused for it', async () => {
    stage.shown = () => undefined;
    stage.liveUid = 'client-uid';
    stage.write(aReview());
    await stage.look();
    expect(stage.accepted()).toBe('Decisive');
  });
});

describe('two reviews at the same instant', () => {
  test('have one winner, and the other one is judged again', async () => {
    stage.write(aReview());
    stage.write(
      aReview(
        { decision: 'Denied', reviewer: { username: 'kim' } },
        { ref: { namespace: 'team', name: 'second' }, uid: 'second-uid' },
      ),
    );
    let isNested = false;
    const nested: Promise<unknown>[] = [];
    stage.beforeCommit = () => {
      if (isNested) return;
      isNested = true;
      // The other commit goes first, between the judgement and the commit of this one.
      const form = aForm();
      stage.put('Form', { ...form, revision: form.revision + 1 });
    };
    expect((await stage.look()).kind).toBe('conflict');
    nested.push(stage.look('second'));
    await Promise.all(nested);
    await stage.look();
    expect([stage.accepted(), stage.accepted('second')]).toEqual(['AlreadyDecided', 'Decisive']);
    expect(stage.take('Form', 'form-uid')?.round?.state).toBe('Denied');
  });
});

describe('a decision', () => {
  test.each([
    ['Approved', 'ApplicationApproved'],
    ['Denied', 'ApplicationDenied'],
    ['Returned', 'ApplicationReturned'],
  ] as const)(
    'that is %s is told at the form as %s, with who decided and why',
    async (decision, reason) => {
      stage.write(aReview({ decision, message: 'See the rules.' }));
      await stage.look();
      expect(stage.events).toMatchObject([
        { reason, note: expect.stringContaining("'bob': See the rules.") },
      ]);
    },
  );
});

describe('a review that does not count', () => {
  test('leaves the form alone, and says why in latch, status, event and audit chain', async () => {
    stage.approvers.delete('bob');
    stage.write(aReview());
    await stage.look();
    expect(stage.commits[0]?.changes.map(({ kind }) => kind)).toEqual(['Review']);
    expect(stage.commits[0]?.audit).toMatchObject({
      action: 'ReviewRefused',
      actor: 'bob',
      facts: { because: 'ReviewerNotAuthorized' },
    });
    expect(stage.accepted()).toBe('ReviewerNotAuthorized');
    expect(stage.events.map(({ reason }) => reason)).toEqual(['ReviewRefused']);
    expect(stage.take('Review', 'review-uid')?.isCounted).toBe(false);
  });

  test('does not count later either, when its reviewer has the right', async () => {
    stage.approvers.delete('bob');
    stage.write(aReview());
    await stage.look();
    stage.approvers.add('bob');
    await stage.look();
    expect(stage.accepted()).toBe('ReviewerNotAuthorized');
    expect(stage.commits).toHaveLength(1);
  });

  test('never has its claimed name as an actor where nobody proved it', async () => {
    stage.proven.fromMs = CREATED_MS + 1;
    stage.write(aReview());
    await stage.look();
    expect(stage.accepted()).toBe('IdentityUnverified');
    expect(stage.commits[0]?.audit.actor).toBe('operator');
  });

  test('nor where it is refused before anybody asks for the proof', async () => {
    stage.proven.fromMs = CREATED_MS + 1;
    stage.write(aReview({ applicationRef: { name: 'shop', uid: 'another-uid' } }));
    await stage.look();
    expect(stage.accepted()).toBe('ApplicationReplaced');
    expect(stage.commits[0]?.audit.actor).toBe('operator');
  });
});

describe('an edit that the cache does not show yet', () => {
  test('holds the approval up until the application controller has seen it', async () => {
    stage.live.generation = 2;
    stage.write(aReview());
    expect((await stage.look()).kind).toBe('again');
    expect(stage.commits).toEqual([]);
  });

  test('by the reviewer himself makes it his own form', async () => {
    stage.live = {
      ...stage.live,
      generation: 2,
      annotations: { 'keyward.dev/applicant': 'ann', 'keyward.dev/editors': 'kim\nbob' },
    };
    stage.write(aReview());
    await stage.look();
    expect(stage.accepted()).toBe('SelfReviewNotAllowed');
  });

  test('cannot be a form made anew', async () => {
    stage.live.uid = 'another-uid';
    stage.write(aReview());
    await stage.look();
    expect(stage.accepted()).toBe('ApplicationReplaced');
  });
});

describe('a target that the watch does not show yet', () => {
  const ofKey = {
    applicationRef: undefined,
    requestHash: undefined,
    apiKeyRef: { name: 'web', uid: 'key-uid' },
  } as object;
  const ofClient = {
    applicationRef: undefined,
    requestHash: undefined,
    clientRef: { name: 'shop', uid: 'client-uid' },
  } as object;

  test.each([undefined, 'earlier-uid'])(
    'a suspension of a key that the watch does not show yet counts (it shows %s)',
    async (shownUid) => {
      stage.shown = () => shownUid;
      stage.liveUid = 'key-uid';
      stage.write(aReview({ ...ofKey, decision: 'Suspended' }));
      await stage.look();
      expect(stage.accepted()).toBe('Decisive');
      expect(stage.take('Hold', 'key-uid')?.held?.state).toBe('Suspended');
    },
  );

  test('a suspension of such a client waits until its controller has seen it, and counts', async () => {
    stage.shown = () => undefined;
    stage.liveUid = 'client-uid';
    stage.write(aReview({ ...ofClient, decision: 'Suspended' }));
    expect((await stage.look()).kind).toBe('again');
    expect(stage.commits).toEqual([]);
    stage.put('Client', aClient());
    await stage.look();
    expect(stage.take('Client', 'client-uid')?.state).toBe('Suspended');
  });

  test.each([
    ['is not there', undefined, 'TargetNotFound'],
    ['is another one', 'later-uid', 'TargetReplaced'],
  ])('is refused for good when it %s, after one look', async (_, liveUid, reason) => {
    stage.shown = () => undefined;
    stage.liveUid = liveUid;
    stage.write(aReview({ ...ofKey, decision: 'Suspended' }));
    await stage.look();
    expect(stage.take('Review', 'review-uid')).toMatchObject({ isCounted: false, reason });
    expect(stage.reads).toBe(1);
  });

  test('costs no read where the watch shows it', async () => {
    stage.write(aReview({ ...ofKey, decision: 'Suspended' }));
    await stage.look();
    expect(stage.accepted()).toBe('Decisive');
    expect(stage.reads).toBe(0);
  });
});

describe('while something is missing', () => {
  test('a review waits for the policies, says so, and is refused when they came too late', async () => {
    stage.proven.isProven = false;
    stage.write(aReview());
    expect((await stage.look()).kind).toBe('again');
    expect(stage.commits).toEqual([]);
    expect(stage.accepted()).toBe('IdentityUnverified');
    stage.proven = { isProven: true, fromMs: CREATED_MS + 5_000 };
    await stage.look();
    expect(stage.take('Review', 'review-uid')?.reason).toBe('IdentityUnverified');
  });

  test('a review counts when a failed proof is followed by one without a gap', async () => {
    stage.proven.isProven = false;
    stage.write(aReview());
    await stage.look();
    stage.proven.isProven = true;
    await stage.look();
    expect(stage.accepted()).toBe('Decisive');
  });

  test('an API server that cannot be asked is never a yes', async () => {
    stage.askFails = true;
    stage.write(aReview());
    expect((await stage.look()).kind).toBe('retry');
    expect(stage.commits).toEqual([]);
    stage.askFails = false;
    await stage.look();
    expect(stage.accepted()).toBe('Decisive');
  });

  test('a review that is being deleted is not judged', async () => {
    stage.write(aReview({}, { isDeleting: true }));
    await stage.look();
    expect(stage.commits).toEqual([]);
  });
});

describe('decisions about keys and clients', () => {
  const { applicationRef: _, requestHash: __, ...bare } = aReview().spec;
  const about = (spec: object, name = 'review') =>
    stage.write({
      ...aReview({}, { uid: `${name}-uid`, ref: { namespace: 'team', name } }),
      spec: { ...bare, ...spec },
    });
  const KEY_REF = { apiKeyRef: { name: 'web', uid: 'key-uid' } };
  const CLIENT_REF = { clientRef: { name: 'shop', uid: 'client-uid' } };

  test('hold a key until another one lifts that', async () => {
    about({ ...KEY_REF, decision: 'Suspended', message: 'leaked' });
    await stage.look();
    expect(stage.take('Hold', 'key-uid')?.held).toMatchObject({
      state: 'Suspended',
      reviewer: 'bob',
      message: 'leaked',
    });
    expect(stage.commits[0]?.audit.action).toBe('KeyHeld');
    about({ ...KEY_REF, decision: 'Resumed', reviewer: { username: 'kim' } }, 'second');
    await stage.look('second');
    expect(stage.take('Hold', 'key-uid')).toMatchObject({ revision: 2, name: 'web' });
    expect(stage.take('Hold', 'key-uid')?.held).toBeUndefined();
    expect(stage.commits[1]?.audit.action).toBe('KeyReleased');
  });

  test('lift what was imposed on an earlier key of that name', async () => {
    stage.inherited = aHeld();
    about({ ...KEY_REF, decision: 'Resumed' });
    await stage.look();
    expect(stage.accepted()).toBe('Decisive');
    expect(stage.take('Hold', 'key-uid')).toMatchObject({ revision: 1, name: 'web' });
    expect(stage.take('Hold', 'key-uid')?.held).toBeUndefined();
  });

  test('lift it only with the right at the store where it was imposed, whatever store the new key names', async () => {
    about({ ...KEY_REF, decision: 'Suspended', message: 'x' });
    await stage.look();
    const store = { kind: 'ClusterKeyStore', name: 'default' } as const;
    expect(stage.take('Hold', 'key-uid')?.held).toMatchObject({ store });
    stage.documents.delete('Hold/key-uid');
    stage.inherited = aHeld({ store });
    stage.keyStore = { kind: 'KeyStore', name: 'mine' };
    about({ ...KEY_REF, decision: 'Resumed' }, 'second');
    await stage.look('second');
    expect(stage.asked.at(-1)).toMatchObject({ resource: 'clusterkeystores', name: 'default' });
  });

  test('change the state of a client, and register it', async () => {
    stage.put('Client', aClient());
    about({ ...CLIENT_REF, decision: 'Suspended', message: 'x' });
    await stage.look();
    expect(stage.take('Client', 'client-uid')).toMatchObject({ state: 'Suspended' });
    expect(stage.commits[0]?.audit.action).toBe('ClientSuspended');
    expect(stage.events.map(({ reason }) => reason)).toEqual(['ClientSuspended']);
    about({ ...CLIENT_REF, decision: 'Approved' }, 'second');
    await stage.look('second');
    expect(stage.take('Client', 'client-uid')).toMatchObject({
      state: 'Suspended',
      registeredBy: 'second-uid',
    });
    about({ ...CLIENT_REF, decision: 'Resumed' }, 'third');
    await stage.look('third');
    expect(stage.take('Client', 'client-uid')).toMatchObject({ state: 'Active' });
  });
});

test('two hundred forms are approved one after the other, each with one commit', async () => {
  const names = Array.from({ length: 200 }, (_, index) => `review-${index}`);
  for (const name of names) {
    const uid = `form-of-${name}`;
    stage.put('Form', aForm({ uid }));
    stage.write(
      aReview(
        { applicationRef: { name: 'shop', uid } },
        { uid: `${name}-uid`, ref: { namespace: 'team', name } },
      ),
    );
  }
  const deps = stage.deps();
  const form = (uid: string) => ({ uid, generation: 1, isDeleting: false, authors: ['ann'] });
  const results = await Promise.all(
    names.map((name) => {
      const uid = `form-of-${name}`;
      const sights = { ...deps.sights, form: () => form(uid) };
      const metadata = { name: 'shop', uid, resourceVersion: '1', generation: 1 };
      const client = { ...deps.client, get: async () => ({ metadata }) };
      const stop = new AbortController().signal;
      const ref = { namespace: 'team', name };
      return reconcile(reviewSteps({ ...deps, sights, client }), ref, { clock: stage.clock, stop });
    }),
  );
  expect(results.every(({ result }) => result.kind === 'done')).toBe(true);
  expect(stage.commits).toHaveLength(200);
});
