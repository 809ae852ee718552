/**
 * What a key-store driver is: the code behind one value of `KeyStore.spec.type`. This file is all
 * that a driver must know of Keyward, and all that Keyward knows of a driver.
 *
 * A driver declares what its store can do; the controller turns what it cannot do into the condition
 * SpecSupported=False, so nothing is skipped silently. It speaks the vendor's wire format and
 * translates failures into StoreFailures; it keeps no state, retries nothing and decides nothing:
 * when to call, what to do about a lost answer and what may be deleted is the protocol's business
 * (docs/protocol.md).
 */
import type { Clock } from '../kernel/clock.ts';
import type { Entropy } from '../kernel/entropy.ts';
import { KeywardError, type ErrorClass } from '../kernel/errors.ts';
import type { Sensitive } from '../kernel/sensitive.ts';
import { SECOND_MS } from '../kernel/time.ts';
import type { KeyFormat } from '../keys/format.ts';
import type { MintedCredential, SlotName } from '../keys/mint.ts';
import type { StoreProfile } from '../ledger/documents.ts';
import type { Mark } from './mark.ts';

/**
 * How a create call whose answer was lost is found again.
 *
 * - Local: there is no such call; credentials exist in the ledger alone.
 * - M: credentials bear a mark of ours, and their values can be read later.
 * - D: no mark, but the account can be listed and values read: the difference of two lists tells.
 * - O: a mark, but values are shown once: what is found is deleted and made anew.
 * - I: the vendor honours an idempotency key: the same call is made again.
 * - X: nothing of that: a person decides.
 */
export type DriverClass = 'Local' | 'M' | 'D' | 'O' | 'I' | 'X';

/** Terms beside validity that the store, or a gate that reads it, enforces. */
export type EnforcedTerm = 'quota' | 'originPolicy' | 'cidrs' | 'productRefs';

/** What a store can do, so that what it cannot do is said and never skipped. */
export type Capabilities = {
  readonly class: DriverClass;
  readonly formats: readonly KeyFormat[];
  /** A lost Secret can be restored: the ledger keeps values sealed. */
  readonly recoverable: boolean;
  /** Rotation the driver prefers when the spec names none. */
  readonly rotation: 'Replace' | 'InPlace';
  /** Each value of a credential can be replaced by itself, the credential staying what it is. */
  readonly regeneratePerSlot: boolean;
  readonly suspend: boolean;
  /** Code points. */
  readonly displayNameMax: number;
  /** Code points. */
  readonly descriptionMax: number;
  readonly terms: readonly EnforcedTerm[];
};

/** Which value of which credential. */
export type SlotIdentity = { readonly keyId: string; readonly slot: SlotName };

/** What every opened store has, wherever its credentials live. */
type HandleBase = {
  readonly capabilities: Capabilities;
  /** Format of a key that names none. */
  readonly defaultFormat: KeyFormat;
  /** Text of the Secret entry `provider`. */
  readonly provider: string;
};

/** A store of class Local: Keyward makes the values, the ledger holds them. */
export interface LocalHandle extends HandleBase {
  readonly type: 'Local';
  /** Whose habits the gate follows when it answers about keys of the store. */
  readonly profile: StoreProfile;
  /** Fresh random values for one credential; never derived, never repeated. */
  mint(format: KeyFormat, entropy: Entropy): MintedCredential;
  /** A fresh value for one slot of a credential that exists. */
  mintSlot(identity: SlotIdentity, entropy: Entropy): Sensitive;
  /** What status may show of a value. */
  hint(identity: SlotIdentity, value: Sensitive): string;
  /** The 32-byte digest of a value, or undefined when the value is none of this store's shape. */
  digest(
    identity: SlotIdentity,
    value: Sensitive,
    pepper: Readonly<Uint8Array>,
  ): Uint8Array | undefined;
}

/** A store at a vendor: settings only; `connect` gives something to call. */
export interface RemoteHandle extends HandleBase {
  readonly type: 'Remote';
  /** Where it is reached. The administrator's list of hosts is checked by the caller. */
  readonly endpoint: URL;
  /** The Secret with the account's credentials, and the entries it must have. */
  readonly credentials: { readonly secretName: string; readonly entries: readonly string[] };
  /** How long after a create call its result may still not show in lists. */
  readonly settleMs: number;
  /** Disabled this long before it is deleted. */
  readonly deleteGraceMs: number;
  /** What happens to the vendor's credential when the validity of the key ends. */
  readonly onExpiry: 'Disable' | 'Delete';
  /** Cheap and without traffic; made anew whenever the credentials change. */
  connect(connection: Connection): RemoteStore;
}

/** The settings of one store, as its driver understands them. */
export type StoreHandle = LocalHandle | RemoteHandle;

/** What a driver works with. */
export type Connection = {
  readonly http: VendorHttp;
  /** By entry name of the credentials Secret; all that `credentials.entries` names. */
  readonly credentials: Readonly<Record<string, Sensitive>>;
  readonly clock: Clock;
  readonly entropy: Entropy;
};

/** One request to the vendor. The path is sent exactly as given: signatures cover it. */
export type VendorRequest = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Absolute path with query, below the endpoint's origin. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Absent: 1 MiB; 16 MiB at most, for lists that a vendor gives in one piece. */
  readonly responseMaxBytes?: number;
};

/** A complete answer within the limits. The body may hold key material: never log it, never quote it. */
export type VendorResponse = {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** A request that has no complete answer by then was given up; it may still arrive. */
export const REQUEST_MAX_MS = 15 * SECOND_MS;

/**
 * The way out to a vendor: TLS, time and size limits, no redirects, addresses checked, rate limits.
 * `send` answers whatever status the vendor gave. @throws StoreFailure Unavailable, Garbled
 */
export interface VendorHttp {
  send(request: VendorRequest, signal: AbortSignal): Promise<VendorResponse>;
}

/** Whose credentials these are; `id` never changes for the same account. */
export type Account = {
  readonly id: string;
  /** Further public facts for status. */
  readonly facts: Readonly<Record<string, string>>;
  /**
   * The vendor shows today nothing by which the account could be told; `id` is what the settings say.
   * Other credentials than before are then refused while keys are in the store. Absent: it was shown.
   */
  readonly isAssumed?: true;
};

/** What a credential is to be called and whether it is to work. */
export type RemoteWish = {
  readonly enabled: boolean;
  /** Code points within the capabilities. Ignored by stores without names. */
  readonly name: string;
  readonly description: string;
};

/** What a create call asks for. Stores with marks put the mark where it can be found again. */
export type NewCredential = {
  readonly mark: Mark;
  readonly format: KeyFormat;
  readonly name: string;
  readonly description: string;
};

/** A credential as a list shows it: enough to find and to count, no values. */
export type RemoteListing = {
  /** Unique over everything that stores of the type lead to: one account may have two names. */
  readonly id: string;
  /** Absent: it bears no mark in our form, or bears one no more. */
  readonly mark?: Mark;
  readonly enabled: boolean;
  /** Class D: by it a lost credential is told from what other people make later; absent: made just now. */
  readonly createdMs?: number;
};

/** A credential as a single answer shows it. */
export type RemoteCredential = RemoteListing & {
  /** The account it belongs to, where the vendor says so; another one than ours is a foreign key. */
  readonly accountId?: string;
  /** What may be shown of it: the public half of a pair, else a few last letters. */
  readonly hint: string;
  /** By slot; what this answer does not show is absent. */
  readonly values: Readonly<Partial<Record<SlotName, Sensitive>>>;
  /** As the vendor has them; absent where it keeps none. */
  readonly name?: string;
  readonly description?: string;
  readonly modifiedMs?: number;
  /** Public facts for `status.remote`, by its field names: tenantId, modifier, domainCode, ... */
  readonly facts: Readonly<Record<string, string>>;
};

/**
 * The calls of a remote store. Each is one attempt, signed anew.
 *
 * Errors: StoreFailures only. A call that was not carried out for certain says so (`executed: 'No'`);
 * everything else counts as unknown. Not found is an answer, not an error; the caller decides whether
 * to believe it.
 */
export interface RemoteStore {
  /** Proves that the account's credentials work. Changes nothing. */
  login(signal: AbortSignal): Promise<Account>;
  create(wanted: NewCredential, signal: AbortSignal): Promise<RemoteCredential>;
  read(id: string, signal: AbortSignal): Promise<RemoteCredential | undefined>;
  /** M, O, I: credentials that bear this mark (any attempt). May ask the vendor to filter. */
  find(mark: Mark, signal: AbortSignal): Promise<readonly RemoteListing[]>;
  /** Every credential of the account; pages that shift meanwhile must not hide one. */
  list(signal: AbortSignal): Promise<readonly RemoteListing[]>;
  /**
   * Name, description and state as a whole, answered as the vendor shows it: Keyward does not believe
   * a change that shows another state than the wish. undefined: there is no such credential.
   */
  update(id: string, wish: RemoteWish, signal: AbortSignal): Promise<RemoteCredential | undefined>;
  /** Replaces one value; the old one is dead. undefined: there is no such credential. */
  regenerate(
    id: string,
    slot: SlotName,
    signal: AbortSignal,
  ): Promise<RemoteCredential | undefined>;
  delete(id: string, signal: AbortSignal): Promise<'Deleted' | 'NotFound'>;
  /** The vendor's products that a credential may be subscribed to; absent: it knows none. */
  readonly subscriptions?: Subscriptions;
}

/** Where a subscription stands; Denied and Rejected end it, Requested waits for a person there. */
export type SubscriptionState = 'None' | 'Requested' | 'Accepted' | 'Rejected' | 'Denied';

/** A vendor's own approval of a credential for one of its products. */
export interface Subscriptions {
  state(id: string, productId: string, signal: AbortSignal): Promise<SubscriptionState>;
  request(id: string, productId: string, signal: AbortSignal): Promise<void>;
  withdraw(id: string, productId: string, signal: AbortSignal): Promise<void>;
}

/** A driver; `registry.ts` lists them. */
export interface Driver {
  /** The value of KeyStore.spec.type. */
  readonly type: string;
  /** Hosts it may be reached at without the administrator naming any; empty for class Local. */
  readonly hosts: readonly string[];
  /**
   * Reads the driver's member of a KeyStore spec (`{}` when it is absent). The schema was checked by
   * the API server; what it cannot express is answered as a problem: one sentence naming the field.
   */
  open(member: Readonly<Record<string, unknown>>): StoreHandle | { readonly problem: string };
}

/**
 * What went wrong at a vendor.
 *
 * - Unavailable: no answer, or 5xx; soon again.
 * - Garbled: an answer that cannot be understood: torn, too big, not JSON, of another shape.
 * - Throttled: too much; again after `retryAfterMs`.
 * - Exhausted: a paid or daily limit; again much later.
 * - ClockSkew: the vendor thinks our clock is wrong.
 * - Denied: the account's credentials are wrong or lack a right; nothing else will work either.
 * - Refused: the vendor does not accept this request; the spec must change. Of class Waiting: the account
 *   lacks the right to this call alone.
 */
export type FailureKind =
  | 'Unavailable'
  | 'Garbled'
  | 'Throttled'
  | 'Exhausted'
  | 'ClockSkew'
  | 'Denied'
  | 'Refused';

const CLASSES: Readonly<Record<FailureKind, ErrorClass>> = {
  Unavailable: 'Transient',
  Garbled: 'Transient',
  Throttled: 'Transient',
  Exhausted: 'Waiting',
  ClockSkew: 'Waiting',
  Denied: 'Waiting',
  Refused: 'Terminal',
};

const EXHAUSTED_PAUSE_MS = 600_000;

/** A failure of a vendor call. Its message is safe to show: never a word of the vendor's body. */
export class StoreFailure extends KeywardError {
  readonly kind: FailureKind;
  /** No: nothing was changed at the vendor, for certain; a page of a proxy never says so. */
  readonly executed: 'No' | 'Unknown';

  constructor(
    kind: FailureKind,
    details: {
      readonly message: string;
      readonly executed?: 'No' | 'Unknown';
      readonly retryAfterMs?: number;
      /** Absent: as the kind has it. */
      readonly class?: ErrorClass;
      /** The vendor's own short code, such as `400` or `InvalidAPIKey`; letters and digits only. */
      readonly code?: string;
    },
  ) {
    const { message, code } = details;
    const pauseMs =
      details.retryAfterMs ?? (CLASSES[kind] === 'Waiting' ? EXHAUSTED_PAUSE_MS : undefined);
    const isCertain = kind === 'Denied' || kind === 'Refused' || kind === 'Throttled';
    const executed = details.executed ?? (isCertain ? 'No' : 'Unknown');
    // What may have been done has to be looked for, and not only when the object changes.
    const isOpen = kind === 'Refused' && executed === 'Unknown';
    super(details.class ?? (isOpen ? 'Transient' : CLASSES[kind]), {
      reason: `Store${kind}`,
      message: code === undefined ? message : `${message} (vendor code ${safeCode(code)})`,
      ...(pauseMs === undefined ? {} : { retryAfterMs: pauseMs }),
    });
    this.kind = kind;
    this.executed = executed;
  }
}

/** Vendors' codes are data of somebody else: only a short word of theirs is ever shown. */
function safeCode(code: string): string {
  return /^[A-Za-z0-9_.-]{1,40}$/.test(code) ? code : 'unreadable';
}
