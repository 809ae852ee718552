/**
 * Everything one decision about an ApiKeyApplication may look at, as one plain value.
 * Pure; `observe.ts` fills it, `plan.ts` and `status.ts` read it, nobody changes it in place.
 */
import type { ApiKeyApplicationSpec } from '../../api/generated/apikeyapplication.ts';
import type { KeyStoreApplications } from '../../api/generated/keystore.ts';
import type { Ref } from '../../api/meta.ts';
import type { KeyFormat } from '../../keys/format.ts';
import type { FormRecord } from '../../ledger/form.ts';
import type { Capabilities } from '../../stores/contract.ts';
import type { ToldQuota } from '../../terms/quotasteps.ts';

/** What the cache keeps of an ApiKeyApplication object. */
export type FormView = {
  readonly ref: Ref;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  /** metadata.creationTimestamp: whole seconds of the API server's clock. */
  readonly createdMs: number;
  readonly isDeleting: boolean;
  readonly finalizers: readonly string[];
  /** Who created it, as admission stamped it; absent: nobody stamped it. */
  readonly applicant?: string;
  /** Who else changed it, as admission stamped it. */
  readonly editors: readonly string[];
  readonly spec: ApiKeyApplicationSpec;
  readonly status: SeenStatus | undefined;
};

/** What is kept of a status: enough to know whether another one has to be written. */
export type SeenStatus = {
  /** Of its canonical JSON. */
  readonly digest: string;
  /** Type, status and time of transition of each condition: a line each, with blanks between. */
  readonly transitions: string;
  /** What it says of the quota. */
  readonly quota?: ToldQuota;
};

/** The store that a form names, or why nobody can apply there. */
export type StoreFact =
  | { readonly type: 'Missing'; readonly name: string }
  | { readonly type: 'Unusable'; readonly name: string; readonly problem: string }
  | {
      readonly type: 'Usable';
      readonly kind: 'KeyStore' | 'ClusterKeyStore';
      readonly name: string;
      readonly uid: string;
      readonly capabilities: Capabilities;
      readonly isAtVendor: boolean;
      readonly defaultFormat: KeyFormat;
      readonly allowsNamespace: boolean;
      readonly rules: KeyStoreApplications;
      readonly durationDays?: number;
      readonly timeZone?: string;
      readonly maxDurationDays?: number;
      readonly maxQuotaRequests?: number;
      readonly expiryNoticeDays: readonly number[];
    };

/** A store that can be applied at. */
export type UsableStore = Extract<StoreFact, { type: 'Usable' }>;

/** The client that a form names. */
export type ClientFact =
  | { readonly type: 'Unnamed' }
  | { readonly type: 'Missing'; readonly name: string }
  | {
      readonly type: 'Present';
      readonly name: string;
      readonly uid: string;
      /** The stricter of what it says and what reviewers decided. */
      readonly state: 'Active' | 'Suspended' | 'Revoked';
      /** Accepted where registration is reviewed. */
      readonly isRegistered: boolean;
    };

/** A product that a form names, as it looks from there. */
export type ProductFact = {
  readonly name: string;
  /** Unavailable: unknown, or not for this namespace or store, which are not told apart. */
  readonly state: 'Published' | 'Deprecated' | 'Retired' | 'Unavailable';
};

/** The ApiKey under the name that the form serves. */
export type ApiKeySight =
  | { readonly type: 'Absent' }
  | {
      readonly type: 'Present';
      readonly uid: string;
      readonly resourceVersion: string;
      readonly isDeleting: boolean;
      /** It names the form in spec.applicationRef. */
      readonly namesForm: boolean;
      /** We made it for this form: the owner reference says so. */
      readonly isOurs: boolean;
      /** Canonical JSON of spec.secret; empty: absent. */
      readonly secretText: string;
    };

/** Whether the policies were in force while the newest edit of the spec was written. */
export type EditFact =
  /** There is none that the ledger has not noted. */
  | { readonly type: 'None' }
  | { readonly type: 'Proven' }
  /** Not then, and nobody will ever know more. */
  | { readonly type: 'Unproven' }
  /** They cannot be proven at this moment: nothing new is believed, and nothing held against anybody. */
  | { readonly type: 'Awaiting'; readonly why: string };

/** Facts gathered during this pass; gone with it. */
type Evidence = {
  readonly finalizerReleased?: true;
  /** UIDs of forms that a live read, or another object of the same name, proved to be gone. */
  readonly goneUids?: readonly string[];
};

/** One moment of one form. */
export type World = {
  readonly ref: Ref;
  readonly nowMs: number;
  /** False while our clock is implausible: nothing is begun or ended for a date's sake. */
  readonly isClockTrusted: boolean;
  /** Undefined: the cache has no such object. */
  readonly form: FormView | undefined;
  /** What the ledger knows of this object, or of the last one when the cache has none. */
  readonly record: FormRecord | undefined;
  /** Of an earlier object of the same name that nobody has ended yet. */
  readonly predecessor: FormRecord | undefined;
  readonly edit: EditFact;
  /** The deadline of the open round has passed, and a review that was written in time is still to be judged. */
  readonly awaitsReview: boolean;
  /** False: too many forms vanished at once; none of them is ended until a person has looked. */
  readonly mayEndVanished: boolean;
  readonly store: StoreFact;
  readonly client: ClientFact;
  /** The client that the grant is for was deleted. */
  readonly isGrantClientGone: boolean;
  readonly products: readonly ProductFact[];
  readonly apiKey: ApiKeySight;
  /** Uses that were counted in the current window of the quota, when that was last asked; absent: never. */
  readonly quotaUses?: number | undefined;
  readonly evidence: Evidence;
};
