/**
 * Everything one decision about an ApiKey may look at, as one plain value.
 * Pure; `observe.ts` fills it, `plan.ts` and `status.ts` read it, nobody changes it in place.
 */
import type { ApiKeyRestartTarget, ApiKeySpec, ApiKeyStatus } from '../../api/generated/apikey.ts';
import type { Ref } from '../../api/meta.ts';
import type { ClientRecord, HeldState } from '../../ledger/documents.ts';
import type { FormRecord, Grant } from '../../ledger/form.ts';
import type { KeyRecord } from '../../ledger/record.ts';
import type { KeyFormat } from '../../keys/format.ts';
import type { Resolution } from '../../terms/resolve.ts';
import type { Capabilities, RemoteHandle } from '../../stores/contract.ts';
import type { VendorProduct } from './remote/vendorproduct.ts';
import type { CreateSearch } from '../../stores/searching.ts';

/** What the cache keeps of an ApiKey object. */
export type ApiKeyView = {
  readonly ref: Ref;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly isDeleting: boolean;
  readonly finalizers: readonly string[];
  /** Value of the rotate annotation. */
  readonly rotateRequestId?: string;
  /** A request of the object that counts as none: its id is one of those that forms have. */
  readonly reservedRequestId?: string;
  /** The import annotation is there: its first values are those of a key that exists already. */
  readonly isImport?: true;
  readonly spec: ApiKeySpec;
  readonly status: ApiKeyStatus | undefined;
};

/** What applications.requiredFor of a store can name. */
type ReviewedStep = 'Issue' | 'Change' | 'Reissue' | 'Revoke' | 'Client';

/** The store the key names, or why it cannot be used. */
export type StoreFact =
  | { readonly type: 'Missing'; readonly name: string }
  | { readonly type: 'Unusable'; readonly name: string; readonly problem: string }
  | {
      readonly type: 'Usable';
      readonly kind: 'KeyStore' | 'ClusterKeyStore';
      readonly name: string;
      readonly uid: string;
      readonly capabilities: Capabilities;
      /** Present exactly for stores at a vendor. */
      readonly remote?: RemoteRules;
      readonly defaultFormat: KeyFormat;
      readonly provider: string;
      readonly allowsNamespace: boolean;
      readonly requiresApplication: boolean;
      /** What a person decides about. */
      readonly reviewed: readonly ReviewedStep[];
      readonly retention: 'Forbidden' | 'Allowed';
      readonly overlapSeconds: number;
      readonly durationDays?: number;
      readonly timeZone?: string;
      readonly maxKeys?: number;
      readonly maxKeysPerNamespace?: number;
      readonly maxDurationDays?: number;
      readonly maxQuotaRequests?: number;
      readonly expiryNoticeDays: readonly number[];
    };

/** What the settings of a remote store say about when. */
export type RemoteRules = Pick<RemoteHandle, 'settleMs' | 'deleteGraceMs' | 'onExpiry'>;

/** A store that keys can be issued in. */
export type UsableStore = Extract<StoreFact, { type: 'Usable' }>;

/** What the metadata cache shows of the Secret. Unwatched: Secrets are not watched at all. */
export type SecretSight =
  | { readonly type: 'Unwatched' }
  | { readonly type: 'Absent' }
  | { readonly type: 'Present'; readonly uid: string; readonly resourceVersion: string };

/** A Secret that was just written, before the ledger knows. */
type WrittenSecret = {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly fingerprint: string;
  readonly shape: string;
};

/** What a live read of the Secret showed. */
export type Inspection =
  | { readonly type: 'Absent' }
  /** Somebody else's object: it carries no proof that we wrote it. */
  | { readonly type: 'Foreign' }
  /** Ours; Tampered: an entry of ours differs. Altered: labels, annotations or owner differ. */
  | {
      readonly type: 'Intact' | 'Altered' | 'Tampered';
      readonly uid: string;
      readonly resourceVersion: string;
      /** It was to be written again, and some value that it shows was neither in the ledger nor in it. */
      readonly isBeyondRepair?: true;
    };

/** Facts gathered by live reads during this pass; gone with it. */
type Evidence = {
  readonly written?: WrittenSecret;
  readonly inspection?: Inspection;
  /** Secret, object and namespace were read live: the Secret is gone and nothing else is going. */
  readonly lossProven?: true;
  /** UIDs of ApiKeys that a live read proved to be gone. */
  readonly goneUids?: readonly string[];
  /** The Secret of the ending key is gone. */
  readonly secretDeleted?: true;
  readonly finalizerReleased?: true;
  /** What searches at the vendor found, one for each create call that was looked for. */
  readonly searches?: readonly CreateSearch[];
  /** The vendor could not be asked or told; the rest of the pass goes on without that. */
  readonly remoteTrouble?: RemoteTrouble;
  /** The vendor's copy was read in this pass. */
  readonly remoteChecked?: true;
  /** Workloads were restarted in this pass, but for these. */
  readonly rollout?: { readonly troubles: readonly RolloutTrouble[] };
};

/** A workload that has not the values in use yet. */
export type RolloutTrouble = {
  readonly reason: 'TargetMissing' | 'TargetRefused' | 'TargetUnavailable' | 'RestartLimited';
  readonly target: ApiKeyRestartTarget;
  /** What is wrong, and what to do about it. */
  readonly message: string;
  readonly retryAtMs: number;
};

/** See Evidence. */
export type RemoteTrouble = {
  readonly reason: string;
  readonly message: string;
  readonly retryAtMs: number;
  /** Steps that may have failed for their credentials alone; absent: the whole store failed. */
  readonly failed?: readonly { readonly token: string; readonly act: string }[];
};

/** The form that a key names in spec.applicationRef, as the ledger knows it. */
export type ApplicationFact = {
  readonly name: string;
  /** The one the record is bound to, else the Live one of that name; undefined: there is none. */
  readonly form: FormRecord | undefined;
  /** The one whose date has come; undefined: none was given, not yet, or it is over. */
  readonly grant: Grant | undefined;
  /** Reviewed: its store gives new values only in a Reissue round. */
  readonly reissues: 'Reviewed' | 'Free';
  /** Fields of the spec as written that would make new values without review. */
  readonly refused: readonly string[];
};

/** The client on whose behalf a key is. */
export type ClientFact = {
  readonly name: string;
  /** The one the record is bound to, else the Live one of that name; undefined: there is none. */
  readonly client: ClientRecord | undefined;
};

/** One moment of one ApiKey: object, store, record, Secret and clock. */
export type World = {
  readonly ref: Ref;
  readonly nowMs: number;
  /**
   * False while our clock is implausible compared with the API server's: nothing irreversible is
   * done for a date's sake.
   */
  readonly isClockTrusted: boolean;
  /** The terms of the spec, worked out once: a named time zone makes that dear. */
  readonly resolution?: Resolution;
  /**
   * Undefined: the cache has no such object. The spec of a key with a grant is the one that the grant
   * stands for, not the one that was written; see granted.ts.
   */
  readonly key: ApiKeyView | undefined;
  readonly store: StoreFact;
  /** Absent: the key names no application, or there is no object. */
  readonly application?: ApplicationFact | undefined;
  /** Absent: the key is on nobody's behalf. */
  readonly client?: ClientFact | undefined;
  /** Products that the terms name, where the store is at a vendor; absent: none are named. */
  readonly products?: readonly VendorProduct[];
  /** What a reviewer decided about this key, or about an earlier object of its name. */
  readonly held?: HeldState | undefined;
  /** The ledger's record of this object, or of the last object when the cache has none. */
  readonly record: KeyRecord | undefined;
  /** A record of an earlier object of the same name that is not ended yet. */
  readonly predecessor: KeyRecord | undefined;
  /** False: too many keys vanished at once; none of them is ended until a person has looked. */
  readonly mayEndVanished: boolean;
  /** A rotation request that was not handled before. */
  readonly rotationRequest: string | undefined;
  /** Those of the object as it was written that were; absent: none. */
  readonly handledRequests?: readonly string[];
  readonly secret: SecretSight;
  /** It is time to compare the vendor's copy with ours. */
  readonly isRemoteCheckDue: boolean;
  /** Tokens of credentials that the vendor failed for, the longest ago first; absent: none. */
  readonly remoteFailures?: readonly string[];
  /** A missing Secret counts as lost after this time: a backup tool may be at work. */
  readonly lossGraceMs: number;
  /** How long a vendor may hold up the deletion of a key. */
  readonly debtAfterMs: number;
  /** Uses that were counted in the current window of the quota, when that was last asked; absent: never. */
  readonly quotaUses?: number | undefined;
  /**
   * When gates last saw each value that outlives its overlap, by keyId; one that is left out was never seen
   * since. Absent: there are none, so nobody was asked.
   */
  readonly previousUses?: ReadonlyMap<string, number>;
  readonly evidence: Evidence;
};
