/**
 * What the ledger keeps beside keys: forms, reviews that were judged, clients, decisions about single
 * keys, the proof of the admission policies, and what gates have to know of products and stores. Plain values, read and replaced as a whole; each is
 * stored as one JSON text under its kind and UID.
 * Pure; `port.ts` says how they are kept.
 */
import type { DocumentHead, Person } from './document.ts';
import type { FormRecord } from './form.ts';

/** What became of an ApiKeyReview; written once, at the moment it was judged. */
export type ReviewRecord = DocumentHead & {
  readonly target: { readonly kind: ReviewTarget; readonly uid: string; readonly name: string };
  readonly decision: string;
  /** True: it counted. */
  readonly isCounted: boolean;
  /** Reason of condition Accepted. */
  readonly reason: string;
  /** Sentence for the reviewer; never shown to the applicant. */
  readonly message: string;
  readonly reviewer: Person;
  readonly judgedMs: number;
};

/** Kinds that can be decided about. */
export type ReviewTarget = 'ApiKeyApplication' | 'ApiKey' | 'ApiClient';

/** An ApiClient: whether keys on its behalf may exist and work. */
export type ClientRecord = DocumentHead & {
  /** The stricter of its spec and of what reviewers decided; Revoked is final. */
  readonly state: 'Active' | 'Suspended' | 'Revoked';
  /** What reviewers decided last; an edit of the client cannot lift it. */
  readonly held?: HeldState;
  /** Where registration is reviewed: by which review it was accepted; absent: not yet. */
  readonly registeredBy?: string;
};

/** What a counted review imposed on a key or a client, until another one lifts it. */
export type HeldState = {
  readonly state: 'Suspended' | 'Revoked';
  readonly reviewUid: string;
  readonly reviewer: string;
  readonly message: string;
  readonly sinceMs: number;
  /** Of a key: the store at which its reviewer had the right, and where it takes one to lift it. */
  readonly store?: { readonly kind: 'KeyStore' | 'ClusterKeyStore'; readonly name: string };
};

/** What reviewers decided about one ApiKey; absent `held`: lifted again. */
export type HoldRecord = DocumentHead & { readonly held?: HeldState };

/** Since when the admission policies are known to be in force without a gap. One document. */
export type ProofRecord = DocumentHead & {
  readonly sinceMs: number;
  readonly lastMs: number;
  /** Of the policies and their bindings; another one breaks the chain. */
  readonly fingerprint: string;
};

/** How far somebody has come with the audit chain. */
export type CursorRecord = DocumentHead & {
  /** Number of the last line that was handled. */
  readonly position: number;
};

/** What a gate has to know of an ApiProduct: which calls are calls of it, and who is let in. */
export type ProductRecord = DocumentHead & {
  /** Retired: calls of it are refused. */
  readonly state: 'Published' | 'Deprecated' | 'Retired';
  /** Open: every live key. ByGrant: keys whose grant names it. */
  readonly access: 'Open' | 'ByGrant';
  /** As in the spec, lists never absent; empty: no call belongs to it. */
  readonly match: readonly ProductPattern[];
};

/** Calls that belong to a product; an empty list means any. */
export type ProductPattern = {
  readonly hosts: readonly string[];
  readonly pathPrefix: string;
  readonly methods: readonly string[];
};

/** What a gate has to know of a built-in store: how answers about its keys look. */
export type StoreRecord = DocumentHead & { readonly profile: StoreProfile };

/** Whose habits a store follows: `spec.builtin.profile`. */
export type StoreProfile = 'Keyward' | 'VisitSeoul' | 'Naver' | 'Solapi' | 'DigiRunner';

/** Every kind of document and its shape. */
export type Documents = {
  readonly Form: FormRecord;
  readonly Review: ReviewRecord;
  readonly Client: ClientRecord;
  readonly Hold: HoldRecord;
  readonly Proof: ProofRecord;
  readonly Cursor: CursorRecord;
  readonly Product: ProductRecord;
  readonly Store: StoreRecord;
};

/** A kind of document. */
export type DocumentKind = keyof Documents;

/** One document as it shall be, with what must hold for it. */
export type DocumentChange = {
  readonly [K in DocumentKind]: {
    readonly kind: K;
    /** Its own `revision` is ignored. */
    readonly document: Documents[K];
    /** 0: the document must not exist yet. */
    readonly expectedRevision: number;
  };
}[DocumentKind];
