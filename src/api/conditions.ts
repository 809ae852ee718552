/**
 * Every condition reason of keys and stores, and every event reason, as one closed list with a
 * sentence each; forms and what belongs to them are in applicationconditions.ts. `docs/conditions.md` is written from these tables, status code picks from them.
 *
 * To keep objects small, `Ready` is always present and every other condition only while it has
 * something out of the ordinary to say: absent means that all is well there. Only forms, reviews and
 * clients always show how far they are.
 */
import {
  awaits,
  failed,
  isFalse,
  isTrue,
  isUnknown,
  readyWith,
  retries,
  stalledReasons,
  statusOf,
  unseen,
  type ReadyFact,
  type WantedCondition,
  works,
} from './reasons.ts';

/**
 * Reasons of an ApiKey's Ready: does the value in the Secret work now?
 *
 * The rule behind `kstatus`: what only a person can end is Failed. Absent stores and forms are the
 * exception, because the order in which manifests arrive is no mistake. A suspended or revoked key
 * is what its spec asked for, so nothing is stalled.
 */
export const API_KEY_READY = {
  Active: works('The key is live and its Secret is in place.'),
  Rotating: works('The key is live; the previous values still work until their retire time.'),
  ChangePending: works('The key is live under its old grant while a change is in review.'),
  Pending: unseen(
    'The operator has not looked at the object yet; if this lasts, see that it runs.',
  ),
  PendingReview: awaits('The application waits for a reviewer.'),
  Returned: failed('A reviewer wants more information; edit the application.'),
  Denied: failed('A reviewer refused the application; the message says why.'),
  Lapsed: failed('Nobody decided in time; submit the application again.'),
  ApplicationNotSubmitted: awaits(
    'The application is a draft, incomplete or withdrawn; submit it.',
  ),
  NotYetValid: awaits('The validity begins later; there is no Secret before that.'),
  Suspended: awaits('The key is switched off until it is set to Active again.'),
  Revoked: awaits('The key is ended for good; create another ApiKey for a new one.'),
  Expired: failed('The validity is over; set a later end to use the key again.'),
  StoreNotAvailable: awaits('The store does not exist, or may not be used from here.'),
  ClientNotAvailable: awaits('The ApiClient does not exist or is not registered yet.'),
  StoreUnavailable: retries('The store does not answer; the operator keeps trying.'),
  SecretConflict: failed('The Secret name is taken by something else; choose another name.'),
  SecretLost: failed('The Secret is gone; spec.secret.onLoss says what follows.'),
  InvalidSpec: failed('The spec contradicts itself or its store; the message names the field.'),
  ApplicationRequired: failed('The store gives keys only on application; name one.'),
  ApplicationNotFound: awaits('The application named in spec.applicationRef does not exist.'),
  ApplicationInUse: failed('The application already serves another ApiKey.'),
  ApiKeyConflict: failed('The application names another ApiKey than this one.'),
  ReissueRequired: failed(
    'New values need an approved Reissue round of the application; keyward rotate asks for one.',
  ),
  LimitExceeded: failed('A limit of the store is reached; delete keys or ask for more.'),
  NamespaceNotAllowed: failed('The store does not serve this namespace.'),
  UnsupportedByStore: failed(
    'The store cannot do what the spec asks; the message names the field.',
  ),
  SecretForbidden: failed(
    'The cluster refuses the Secret: a missing right, a quota or a policy; see the message.',
  ),
  KeyNotInLedger: failed(
    'The database, restored or exchanged, does not know the key that the status shows.',
  ),
  OwnershipAmbiguous: failed(
    'One or several remote keys could be this one; an administrator must choose.',
  ),
  OwnershipMismatch: failed(
    'The store leads to keys of somebody else, which are left alone; put its credentials right.',
  ),
  CreateBlocked: failed(
    'The vendor made keys whose values were lost on the way, again and again; see keyward keys resolve.',
  ),
  RemoteMissing: failed('The vendor has the key no more; spec.secret.onLoss says what follows.'),
  GrantWithdrawn: failed(
    'The grant was withdrawn, or ended with its form or client; every value is dead.',
  ),
} as const satisfies Record<string, ReadyFact>;

/** A reason of an ApiKey's Ready condition. */
export type ReadyReason = keyof typeof API_KEY_READY;

/** Reasons of an ApiKey's other conditions, by condition type. */
export const API_KEY_CONDITIONS = {
  SecretSynced: {
    Conflict: isFalse('A Secret of that name exists and is not ours; it was not touched.'),
    Missing: isFalse('The Secret was deleted.'),
    Tampered: isFalse('Entries or type of the Secret were changed by somebody else.'),
    Immutable: isFalse('The Secret was made immutable, so new values cannot be written.'),
    Forbidden: isFalse(
      'The cluster refuses to have the Secret read or written by the operator; see the message.',
    ),
  },
  StoreSynced: {
    StoreUnavailable: isUnknown('The store does not answer; what it holds is not known.'),
    StoreRejected: isFalse('The store refused the last change; live values are unchanged.'),
    RemoteMissing: isFalse('The vendor has the key no more.'),
    StoreLimitReached: isFalse('The store has no room for another key.'),
    SubscriptionPending: isFalse(
      'A product at the vendor was asked for; its publisher has to accept.',
    ),
    SubscriptionRefused: isFalse('The publisher of a product at the vendor refused the key.'),
  },
  SpecSupported: {
    UnsupportedByStore: isFalse('The store cannot honour a field; a live key keeps its old terms.'),
    InvalidSpec: isFalse('A field makes no sense here; a live key keeps its old terms.'),
  },
  ExpiringSoon: {
    WithinNoticeWindow: isTrue('The end of the validity is nearer than the notice days.'),
  },
  Expired: {
    Expired: isTrue('The end of the validity has passed.'),
  },
  Rotating: {
    OverlapActive: isTrue('Old and new values both work until the retire time.'),
    PreviousStillUsed: isTrue('The overlap is over, but the old value is still in use.'),
    InPlaceAnnounced: isTrue('The value will change in place; the old one stops at once.'),
    RotationRefused: isFalse('A rotation was asked for that cannot be done; see the message.'),
  },
  WorkloadsRestarted: {
    TargetMissing: isFalse('A workload in restartTargets does not exist; the key itself works.'),
    TargetRefused: isFalse('The operator may not restart a workload; the message says what to do.'),
    TargetUnavailable: isFalse('A workload could not be restarted yet; it is tried again.'),
    RestartLimited: isFalse('Workloads were restarted too often lately; the newest values wait.'),
  },
  Reconciling: {
    RetryingStore: isTrue('The operator keeps trying to reach the store.'),
  },
  /** Carries the reason of Ready; listed are the reasons whose kstatus is Failed. */
  Stalled: stalledReasons(API_KEY_READY),
} as const;

/** Reasons of a KeyStore's and ClusterKeyStore's Ready: can keys be issued here now? */
export const KEY_STORE_READY = {
  Connected: works('The store answers and keys can be issued.'),
  Pending: unseen(
    'The operator has not looked at the object yet; if this lasts, see that it runs.',
  ),
  ConnectionFailed: retries('The store does not answer; the operator keeps trying.'),
  AuthenticationFailed: failed('The store refuses the credentials.'),
  CredentialsNotFound: awaits('The Secret with the credentials, or an entry of it, is missing.'),
  ClockSkew: failed('The store says that the clock of the operator is wrong; set the clock.'),
  AccountChanged: failed('The credentials or the endpoint lead away from the keys in the store.'),
  EndpointNotAllowed: failed('The administrator does not allow the endpoint of the store.'),
  InvalidConfiguration: failed('The spec contradicts itself; the message names the field.'),
  KeysRemain: awaits('The store is being deleted and waits for the keys in it to be ended.'),
} as const satisfies Record<string, ReadyFact>;

/** A reason of a KeyStore's Ready condition. */
export type KeyStoreReadyReason = keyof typeof KEY_STORE_READY;

/** Reasons of a KeyStore's other conditions, by condition type. */
export const KEY_STORE_CONDITIONS = {
  Durable: {
    EphemeralStorage: isFalse('The database is lost with the pod; fine for a trial only.'),
  },
  Reconciling: {
    RetryingStore: isTrue('The operator keeps trying to reach the store.'),
  },
  Stalled: stalledReasons(KEY_STORE_READY),
} as const;

/** The condition types of an ApiKey beside Ready. */
type ApiKeyConditionType = keyof typeof API_KEY_CONDITIONS;

/** The reasons that one condition type of an ApiKey may carry. */
type ApiKeyConditionReason<T extends ApiKeyConditionType> = keyof (typeof API_KEY_CONDITIONS)[T] &
  string;

/** The condition types of a KeyStore beside Ready. */
type KeyStoreConditionType = keyof typeof KEY_STORE_CONDITIONS;

/** The reasons that one condition type of a KeyStore may carry. */
type KeyStoreConditionReason<T extends KeyStoreConditionType> =
  keyof (typeof KEY_STORE_CONDITIONS)[T] & string;

/**
 * Ready of an ApiKey, and Stalled or Reconciling where the reason brings them along.
 *
 * @param message one sentence for the person who reads it; never key material
 */
export function apiKeyReady(reason: ReadyReason, message: string): readonly WantedCondition[] {
  return readyWith(reason, API_KEY_READY[reason], message);
}

/** Ready of a KeyStore, and Stalled or Reconciling where the reason brings them along. */
export function keyStoreReady(
  reason: KeyStoreReadyReason,
  message: string,
): readonly WantedCondition[] {
  return readyWith(reason, KEY_STORE_READY[reason], message);
}

/** One further condition of an ApiKey; its status follows from the reason. */
export function apiKeyCondition<T extends ApiKeyConditionType>(
  type: T,
  reason: ApiKeyConditionReason<T>,
  message: string,
): WantedCondition {
  return { type, ...statusOf(API_KEY_CONDITIONS[type], reason), message };
}

/** One further condition of a KeyStore; its status follows from the reason. */
export function keyStoreCondition<T extends KeyStoreConditionType>(
  type: T,
  reason: KeyStoreConditionReason<T>,
  message: string,
): WantedCondition {
  return { type, ...statusOf(KEY_STORE_CONDITIONS[type], reason), message };
}

/**
 * Reasons of the events that the operator reports. An event says what happened, once; a key that is
 * issued without an application reports none.
 */
export const EVENT_REASONS = {
  KeyRotated: {
    type: 'Normal',
    sentence: 'New values are live; the note says how long old ones work.',
  },
  PreviousKeyRetired: { type: 'Normal', sentence: 'The previous values are dead.' },
  PreviousKeyStillUsed: {
    type: 'Warning',
    sentence: 'The previous value outlives its overlap: it is in use.',
  },
  KeySuspended: { type: 'Normal', sentence: 'The key was switched off.' },
  KeyResumed: { type: 'Normal', sentence: 'The key was switched on again.' },
  KeyRevoked: { type: 'Normal', sentence: 'The key was ended for good.' },
  QuotaUsedUp: {
    type: 'Warning',
    sentence:
      'Nothing is left of the quota; calls are refused until its next period begins or a higher quota is in force.',
  },
  RemoteNotEnded: {
    type: 'Warning',
    sentence:
      'The object went, and a database that does not know the key could not end it at its vendor; the note says what to delete there.',
  },
  RemoteChanged: {
    type: 'Warning',
    sentence: 'Somebody switched or renamed the credential at the vendor; it is set back.',
  },
  RemoteValuesChanged: {
    type: 'Warning',
    sentence: 'Somebody replaced values at the vendor; they are taken over into the Secret.',
  },
  ApplicationSubmitted: { type: 'Normal', sentence: 'A round of review was opened.' },
  ApplicationApproved: { type: 'Normal', sentence: 'The round was approved.' },
  ApplicationDenied: { type: 'Warning', sentence: 'The round was refused.' },
  ApplicationReturned: { type: 'Warning', sentence: 'A reviewer wants the form corrected.' },
  ApplicationLapsed: { type: 'Warning', sentence: 'Nobody decided before the deadline.' },
  GrantWithdrawn: { type: 'Warning', sentence: 'A reviewer withdrew what had been granted.' },
  GrantEnded: { type: 'Normal', sentence: 'The grant ended as its holder asked.' },
  ReviewRefused: { type: 'Warning', sentence: 'The review does not count; the note says why.' },
  ClientSuspended: { type: 'Warning', sentence: 'All keys of the client were switched off.' },
  ClientResumed: { type: 'Normal', sentence: 'The keys of the client were switched on again.' },
  ClientRevoked: { type: 'Warning', sentence: 'The client and all its keys were ended for good.' },
  SecretLost: { type: 'Warning', sentence: 'The Secret was deleted by somebody else.' },
  SecretTampered: { type: 'Warning', sentence: 'The Secret was changed by somebody else.' },
  RolloutTriggered: {
    type: 'Normal',
    sentence: 'A workload named in restartTargets was restarted.',
  },
  RolloutFailed: {
    type: 'Warning',
    sentence: 'A workload named in restartTargets could not be restarted.',
  },
  StoreConnected: { type: 'Normal', sentence: 'The store answers again.' },
  StoreConnectionFailed: {
    type: 'Warning',
    sentence: 'The store stopped answering, or refuses us; the note says which.',
  },
  OrphansFound: {
    type: 'Warning',
    sentence: 'The account holds keys of ours that no ApiKey has; the note says what follows.',
  },
} as const satisfies Record<string, { type: 'Normal' | 'Warning'; sentence: string }>;

/** The reason of an event. */
export type EventReason = keyof typeof EVENT_REASONS;
