/** Reviews and what they are about; each builder shows only what matters to a test. */
import type { ApiKeyReviewSpec } from '../../../../src/api/generated/apikeyreview.ts';
import { judge } from '../../../../src/controllers/review/judge.ts';
import type { Judgement } from '../../../../src/controllers/review/judgement.ts';
import type {
  ClientTarget,
  FormTarget,
  KeyTarget,
  ReviewView,
  StoreRules,
  World,
} from '../../../../src/controllers/review/world.ts';
import type { ClientRecord, HeldState } from '../../../../src/ledger/documents.ts';
import type { CountedReview, FormRecord, Grant, Round } from '../../../../src/ledger/form.ts';

/** The round was submitted here. */
export const SUBMITTED_MS = Date.UTC(2026, 0, 1, 9);
/** The review was created a minute later, */
export const CREATED_MS = SUBMITTED_MS + 60_000;
/** and is judged a second after that. */
export const NOW_MS = CREATED_MS + 1_000;
/** Hash of the open round. */
export const HASH = 'sha256:read';

/** Bob, authenticated. */
export const BOB = { username: 'bob', uid: 'bob-uid', groups: ['reviewers'] } as const;

/** An approval by Bob of what he read. */
export function aReview(
  spec: Partial<ApiKeyReviewSpec> = {},
  change: Partial<ReviewView> = {},
): ReviewView {
  return {
    ref: { namespace: 'team', name: 'review' },
    uid: 'review-uid',
    resourceVersion: '5',
    generation: 1,
    isDeleting: false,
    createdMs: CREATED_MS,
    spec: {
      applicationRef: { name: 'shop', uid: 'form-uid' },
      decision: 'Approved',
      requestHash: HASH,
      reviewer: BOB,
      ...spec,
    },
    status: undefined,
    ...change,
  };
}

/** The first round, Pending, of a store with one unnamed layer. */
export function aRound(change: Partial<Round> = {}, rules: Partial<Round['rules']> = {}): Round {
  return {
    number: 1,
    type: 'Issue',
    content: {
      storeRef: { kind: 'ClusterKeyStore', name: 'default', uid: 'store-uid' },
      client: { name: 'shop', uid: 'client-uid' },
      format: 'Opaque',
      apiKeyName: 'shop',
      terms: { validity: { timeZone: 'UTC' } },
    },
    hash: HASH,
    changes: [],
    rules: {
      layers: [{ name: '', approvals: 1 }],
      selfReview: 'Forbidden',
      attestors: [],
      onDenied: 'Resubmit',
      ...rules,
    },
    state: 'Pending',
    submittedMs: SUBMITTED_MS,
    ...change,
  };
}

/** Ann's form, waiting in its first round. */
export function aForm(change: Partial<FormRecord> = {}): FormRecord {
  return {
    clusterId: 'cluster-1',
    uid: 'form-uid',
    namespace: 'team',
    name: 'shop',
    revision: 3,
    phase: 'Live',
    applicant: { username: 'ann', source: 'Authenticated' },
    editors: [],
    seen: { generation: 1, atMs: SUBMITTED_MS, isProven: true },
    round: aRound(),
    spentReissueIds: [],
    reviews: [],
    ...change,
  };
}

/** An approval that counted for the first round. */
export function aCounted(username: string, change: Partial<CountedReview> = {}): CountedReview {
  return {
    uid: `review-of-${username}`,
    name: `review-of-${username}`,
    round: 1,
    decision: 'Approved',
    layer: '',
    reviewer: { username, source: 'Authenticated' },
    atMs: SUBMITTED_MS + 1_000,
    ...change,
  };
}

/** What the first round granted. */
export function aGrant(change: Partial<Grant> = {}): Grant {
  const { content, hash } = aRound();
  return {
    round: 1,
    hash,
    content,
    rules: {},
    approvedMs: SUBMITTED_MS,
    effectiveMs: SUBMITTED_MS,
    ...change,
  };
}

/** The form as a review finds it. */
export function aFormTarget(form: FormRecord | undefined = aForm()): FormTarget {
  return {
    kind: 'ApiKeyApplication',
    sight: { uid: 'form-uid', generation: 1, isDeleting: false, authors: ['ann'] },
    isLive: true,
    form,
    storeUid: 'store-uid',
    storeLayers: [],
    clientUid: 'client-uid',
  };
}

/** A store without layers. */
export function aStore(change: Partial<StoreRules> = {}): StoreRules {
  return {
    kind: 'ClusterKeyStore',
    name: 'default',
    layers: [],
    selfReview: 'Forbidden',
    attestors: [],
    ...change,
  };
}

/** A key without an application. */
export function aKeyTarget(change: Partial<KeyTarget> = {}): KeyTarget {
  return {
    kind: 'ApiKey',
    sight: { uid: 'key-uid', generation: 1, isDeleting: false, authors: [] },
    isLive: true,
    hold: undefined,
    held: undefined,
    form: undefined,
    store: aStore(),
    ...change,
  };
}

/** A client that the ledger knows. */
export function aClientTarget(change: Partial<ClientTarget> = {}): ClientTarget {
  return {
    kind: 'ApiClient',
    sight: { uid: 'client-uid', generation: 1, isDeleting: false, authors: [] },
    isLive: true,
    client: aClient(),
    wanted: 'Active',
    stores: [aStore()],
    ...change,
  };
}

/** An active client that no reviewer has seen. */
export function aClient(change: Partial<ClientRecord> = {}): ClientRecord {
  return {
    clusterId: 'cluster-1',
    uid: 'client-uid',
    namespace: 'team',
    name: 'shop',
    revision: 1,
    phase: 'Live',
    state: 'Active',
    ...change,
  };
}

/** What a review imposed an hour ago. */
export function aHeld(change: Partial<HeldState> = {}): HeldState {
  return {
    state: 'Suspended',
    reviewUid: 'earlier',
    reviewer: 'eve',
    message: 'leaked',
    sinceMs: SUBMITTED_MS,
    ...change,
  };
}

/** Bob approves Ann's form, the policies were in force, and he has the right. */
export function aWorld(change: Partial<World> = {}): World {
  return {
    nowMs: NOW_MS,
    skewMs: 0,
    review: aReview(),
    latch: undefined,
    target: aFormTarget(),
    proof: { type: 'Covered' },
    rights: { mayDecide: true },
    ...change,
  };
}

/** The reason of the judgement, or what it needs first. */
export function verdict(change: Partial<World> = {}): string {
  return said(judge(aWorld(change)));
}

/** The judgement's message; empty where it needs something first. */
export function messageOf(change: Partial<World> = {}): string {
  const judgement = judge(aWorld(change));
  return 'message' in judgement ? judgement.message : '';
}

function said(judgement: Judgement): string {
  return 'reason' in judgement ? judgement.reason : judgement.type;
}
