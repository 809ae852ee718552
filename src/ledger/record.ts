/**
 * What the ledger knows about one ApiKey: a plain value that is read and replaced as a whole.
 * Pure; `transitions.ts` says how it may change, `port.ts` how it is kept.
 */
import type { KeyFormat } from '../keys/format.ts';
import type { SlotName } from '../keys/mint.ts';
import type { Sealed } from '../keys/sealing.ts';
import type { KeyTerms } from '../terms/terms.ts';

/**
 * Where a credential is in its life.
 *
 *     Intent -> Created -> Sealed -> Published -> Active -> Retiring -> Disabled -> Deleted
 *     side states: Unknown (outcome of a remote call), Ambiguous (a person decides), Blocked
 *
 * The built-in store starts at Sealed, because nothing outside the ledger has to be created.
 * Sealed, Published and Active verify at the gate; Retiring does until its retire time.
 */
export type CredentialState =
  | 'Intent'
  | 'Created'
  | 'Sealed'
  | 'Published'
  | 'Active'
  | 'Retiring'
  | 'Disabled'
  | 'Deleted'
  | 'Unknown'
  | 'Ambiguous'
  | 'Blocked';

/** One secret value of a credential. */
export type SlotRecord = {
  readonly name: SlotName;
  /**
   * Active: the value to use now. Standby: the other value of a Dual credential. Next: a Standby
   * whose fresh value becomes the Active one as soon as the Secret holds it.
   */
  readonly role: 'Active' | 'Standby' | 'Next';
  /** Counts the values this slot has had, from 1. */
  readonly generation: number;
  /** SHA-256 over pepper, keyId and secret; 32 bytes. */
  readonly digest: Uint8Array;
  /** Master key version of the pepper in the digest. */
  readonly pepperVersion: number;
  /** The value itself: until it is in the Secret, and after that only where the store can recover. */
  readonly sealed?: Sealed;
  readonly rotatedAtMs: number;
  /** Standby of a Dual credential: when the value that was active before is replaced. */
  readonly retireAtMs?: number;
};

/** One credential generation of a key. */
export type CredentialRecord = {
  /** Idempotency token, unique over all clusters and stores. */
  readonly token: string;
  /** Number of this generation, from 1; never reused for the same ApiKey. */
  readonly sequence: number;
  /** How often creating it outside was tried; always 1 for the built-in store. */
  readonly attempt: number;
  /** Public name and index of the credential; unique for ever. */
  readonly keyId: string;
  /** What status may show: the public half of a KeyPair, else prefix and last letters of the value. */
  readonly hint: string;
  readonly state: CredentialState;
  readonly origin: 'Issued' | 'Imported';
  readonly slots: readonly SlotRecord[];
  readonly createdAtMs: number;
  /** Retiring: the instant from which the gate denies. */
  readonly retireAtMs?: number;
  /** Retiring: from then on the operator retires it as soon as nobody uses it, at `retireAtMs` in any case. */
  readonly overlapEndMs?: number;
  /** Its value can no longer be read anywhere: the Secret that held it was lost or edited. */
  readonly valueLost?: true;
  /** Its counterpart at a vendor; absent for the built-in store. */
  readonly remote?: RemoteRecord;
};

/**
 * What is known of a credential at a vendor. A credential that is to end there stays in the record
 * as Disabled, without slots, until it is proven to be gone; when nothing else keeps the key's object,
 * that is the debt.
 */
export type RemoteRecord = {
  /** The account it is in, by the name that its store has for it; creates go one at a time where asked. */
  readonly account: string;
  /** Absent while no create call is known to have succeeded. Never changes afterwards. */
  readonly id?: string;
  /** When the last create call began; its outcome is open while there is no id. */
  readonly createBegunAtMs?: number;
  /** Class D: the ids that the account had before that call. */
  readonly idsBefore?: readonly string[];
  /** Ambiguous: the ids among which a person must choose. */
  readonly candidates?: readonly string[];
  /** Slots whose values are being replaced, in order; the first may have been already. */
  readonly regenerating?: Regeneration;
  /** Products there that were asked for on behalf of the key; absent: none ever was. */
  readonly subscriptions?: readonly RemoteSubscription[];
  /** What the vendor has, as last written or read. Absent: it was told, and has not answered. */
  readonly enabled?: boolean;
  readonly name?: string;
  readonly description?: string;
  /** Disabled: since when, and since when it works no more. */
  readonly doomedAtMs?: number;
  readonly disabledAtMs?: number;
  /** A debt: why it could not be ended when that was tried last. */
  readonly endTrouble?: { readonly reason: string; readonly sinceMs: number };
  /** Two proven looks did not find it. */
  readonly missingSinceMs?: number;
  readonly createdMs?: number;
  readonly modifiedMs?: number;
  /** Public facts for status, by its field names. */
  readonly facts: Readonly<Record<string, string>>;
};

/** A product at the vendor that a credential is subscribed to, or is to be. */
export type RemoteSubscription = {
  /** Name of the ApiProduct, for people. */
  readonly product: string;
  readonly productId: string;
  /** Begun: it is about to be asked for; the others as the vendor says. */
  readonly state: 'Begun' | 'Requested' | 'Accepted' | 'Rejected' | 'Denied';
};

/** New values that were decided on and are not all there yet. */
export type Regeneration = {
  readonly slots: readonly SlotName[];
  /** Why; for who is told when it is done. */
  readonly trigger: string;
  /** Next: the value becomes the one to use, as in a planned rotation of a Dual credential. */
  readonly role?: 'Next';
  readonly begunAtMs: number;
};

/** The Secret as we last wrote or inspected it. */
export type SecretRecord = {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** Digest of the entries we wrote. */
  readonly fingerprint: string;
  /** Digest of everything that decides what the Secret should look like; differs = write again. */
  readonly shape: string;
  readonly health: 'Intact' | 'Tampered';
  /** Since when a watch or a read has not shown it. */
  readonly missingSinceMs?: number;
};

/** What the workloads that a key restarts run with. */
export type RolloutRecord = {
  /** The values in use (`valuesInUse`) that all of them have; empty: not known. */
  readonly told: string;
  /** When values that they do not have came into the Secret. */
  readonly sinceMs?: number;
  /** When workloads were restarted for the key; those of the last day. */
  readonly recentMs?: readonly number[];
};

/** The store a key was issued in; it stays bound to this incarnation. */
export type StoreBinding = {
  readonly kind: 'KeyStore' | 'ClusterKeyStore';
  readonly name: string;
  readonly uid: string;
  /** Counts incarnations of the account behind one store object, from 1. */
  readonly incarnation: number;
};

/** An approved round of a form; the form never changes for the same key. */
export type GrantBinding = { readonly formUid: string; readonly round: number };

/**
 * Live: the object exists. Retained: it was deleted, the key goes on. Ending: dead, the Secret is
 * going. Ended: nothing is left but the tombstone.
 */
export type Phase = 'Live' | 'Retained' | 'Ending' | 'Ended';

/** Suspended denies until resumed, Revoked for ever. */
export type KeyState = 'Active' | 'Suspended' | 'Revoked';

/** One ApiKey, as the ledger remembers it. */
export type KeyRecord = {
  readonly clusterId: string;
  /** UID of the ApiKey object: the identity of the record. */
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** Grows by one with each commit; compared before the next. 0 = not stored yet. */
  readonly revision: number;
  readonly phase: Phase;
  readonly state: KeyState;
  readonly store: StoreBinding;
  readonly format: KeyFormat;
  readonly terms: KeyTerms;
  /** First issue of the grant: where durationDays count from. */
  readonly firstIssuedMs: number;
  /** Highest sequence ever used. */
  readonly sequence: number;
  readonly lastRotationRequestId?: string;
  /** The grant that it was issued under, or follows by now; absent: it needs none. */
  readonly grant?: GrantBinding;
  /** UID of the ApiClient on whose behalf it was issued; never changes once it is known. */
  readonly clientUid?: string;
  readonly secret?: SecretRecord;
  /** Absent: the key restarts no workloads. */
  readonly rollout?: RolloutRecord;
  /** Credentials that are not Deleted, by sequence. */
  readonly credentials: readonly CredentialRecord[];
};
