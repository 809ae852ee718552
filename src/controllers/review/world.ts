/**
 * Everything the judgement of one ApiKeyReview may look at, as one plain value.
 * Pure; `observe.ts` fills it, `judge.ts` reads it, nobody changes it in place.
 */
import type { ApiKeyReviewSpec, ApiKeyReviewStatus } from '../../api/generated/apikeyreview.ts';
import type { Ref } from '../../api/meta.ts';
import type { ClientRecord, HeldState, HoldRecord, ReviewRecord } from '../../ledger/documents.ts';
import type { FormRecord, RoundRules } from '../../ledger/form.ts';
import type { StoreName } from '../../stores/view.ts';
import type { Rights } from './rights.ts';

/** What the cache keeps of an ApiKeyReview. */
export type ReviewView = {
  readonly ref: Ref;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly isDeleting: boolean;
  /** By the clock of the API server, cut to whole seconds. */
  readonly createdMs: number;
  readonly spec: ApiKeyReviewSpec;
  readonly status: ApiKeyReviewStatus | undefined;
};

/** What is seen of the object that is decided about. */
export type TargetSight = {
  readonly uid: string;
  readonly generation: number;
  readonly isDeleting: boolean;
  /** Of a form: everybody whom its annotations name as applicant or editor; else empty. */
  readonly authors: readonly string[];
};

/** What is seen of a key. */
export type KeySight = TargetSight & {
  readonly storeRef: StoreName | undefined;
  /** Name of the form that it was made for. */
  readonly formName: string | undefined;
};

/** What is seen of a client. */
export type ClientSight = TargetSight & { readonly wanted: 'Active' | 'Suspended' };

/** A store whose rules a decision about a key or a client keeps to, as they are now. */
export type StoreRules = Pick<RoundRules, 'selfReview' | 'attestors'> & {
  readonly kind: 'KeyStore' | 'ClusterKeyStore';
  readonly name: string;
  /** Names of its layers; empty: it has none. */
  readonly layers: readonly string[];
};

/** What is seen of a target. */
type Seen = {
  readonly sight: TargetSight | undefined;
  /** The sight is no older than this pass; else it is the cache's. */
  readonly isLive: boolean;
};

/** The form that a review names. */
export type FormTarget = Seen & {
  readonly kind: 'ApiKeyApplication';
  /** The ledger's record under the UID that the review names. */
  readonly form: FormRecord | undefined;
  /** UID of the store that has the name of what is decided about; absent: there is none. */
  readonly storeUid: string | undefined;
  /** Names of the layers that this store has now, whatever the round froze; absent: nobody knows. */
  readonly storeLayers: readonly string[] | undefined;
  /** UID of the client that has the name of the newest round's; absent: there is none, or it is going. */
  readonly clientUid: string | undefined;
};

/** The key that a review names. */
export type KeyTarget = Seen & {
  readonly kind: 'ApiKey';
  /** About this very object. */
  readonly hold: HoldRecord | undefined;
  /** What holds for it, also from an earlier object of its name. */
  readonly held: HeldState | undefined;
  /** Of the application it was made for; absent: it has none, or the ledger does not know it. */
  readonly form: FormRecord | undefined;
  /** Absent: the store of the key does not exist. */
  readonly store: StoreRules | undefined;
};

/** The client that a review names. */
export type ClientTarget = Seen & {
  readonly kind: 'ApiClient';
  /** Absent: the client controller has not seen the object yet. */
  readonly client: ClientRecord | undefined;
  /** spec.state of the object. */
  readonly wanted: 'Active' | 'Suspended';
  /** Stores that serve the namespace and take only reviewed clients. */
  readonly stores: readonly StoreRules[];
};

/** What a review is about. */
export type Target = FormTarget | KeyTarget | ClientTarget;

/**
 * Whether the admission policies were in force when the review was created. Unknown: nobody has
 * looked since; Missing: a look could not prove it now; Broken: nobody can ever tell.
 */
export type ProofSight =
  | { readonly type: 'Covered' | 'Unknown' | 'Broken' }
  | { readonly type: 'Missing'; readonly reason: string };

/** One moment of one review. */
export type World = {
  readonly nowMs: number;
  /** How far the clock of the API server is ahead of ours. */
  readonly skewMs: number;
  readonly review: ReviewView;
  /** What was judged before, for ever; absent: nothing yet. */
  readonly latch: ReviewRecord | undefined;
  readonly target: Target;
  readonly proof: ProofSight;
  /** Answers of the API server, given in this pass; absent: not asked yet. */
  readonly rights: Rights | undefined;
};
