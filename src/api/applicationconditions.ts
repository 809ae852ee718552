/**
 * Every condition reason of forms, reviews, clients and products, with a sentence each that says what
 * to do next. `docs/conditions.md` is written from these tables, status code picks from them.
 *
 * What a person other than the owner of the object is about to do (review, registration), and what
 * only its day or its own spec holds up, is awaited; what the owner has to put right is Failed.
 */
import {
  awaits,
  failed,
  isFalse,
  isTrue,
  isUnknown,
  readyWith,
  stalledReasons,
  statusOf,
  unseen,
  type ReadyFact,
  type WantedCondition,
  works,
} from './reasons.ts';

const PENDING = unseen(
  'The operator has not looked at the object yet; if this lasts, see that it runs.',
);
const AWAITING_PROOF = awaits(
  'The admission policies were not yet proven since this was written; the next proof is due in a minute, and if it fails an administrator applies deploy/admission/.',
);

/** Reasons of an ApiKeyApplication's Ready: is what it asks for decided and in force? */
export const APPLICATION_READY = {
  InForce: works('What the form asks for is granted and in force.'),
  ChangePending: works(
    'What was granted is in force; a change, reissue or revocation waits for a reviewer.',
  ),
  Pending: PENDING,
  AwaitingProof: AWAITING_PROOF,
  Draft: awaits('The form is saved and nobody reviews it; set spec.submission to Submitted.'),
  PendingReview: awaits('The form waits for a reviewer; there is nothing to do.'),
  Withdrawn: awaits('The form was taken back; set spec.submission to Submitted to ask again.'),
  NotYetEffective: awaits('The form is approved; its day is still to come.'),
  Revoked: awaits('The grant ended as the form asked; file another application for a new key.'),
  StoreNotAvailable: awaits(
    'The store does not exist or may not be used from here; name another one.',
  ),
  ClientNotAvailable: awaits(
    'The ApiClient does not exist, or waits to be registered, or is switched off; the message says which.',
  ),
  ProductNotAvailable: awaits(
    'A product does not exist or may not be had from here (code 1127); the message names it.',
  ),
  Incomplete: failed('Fields are missing or wrong; the message names all of them at once.'),
  Returned: failed('A reviewer wants more information; edit the form and it is reviewed again.'),
  Denied: failed('A reviewer refused the form; the message says why and what to correct.'),
  Lapsed: failed('Nobody decided in time; set another spec.submissionId to ask again.'),
  RequestExpired: failed('The last day that was asked for has passed; ask for a later one.'),
  Expired: failed('The grant is over; ask for a later end.'),
  GrantWithdrawn: failed('A reviewer withdrew the grant for good; file another application.'),
  GrantEnded: failed('The grant ended with its client or key; file another application.'),
  ApiKeyConflict: failed(
    'An ApiKey of that name does not name this form in spec.applicationRef; rename one of them.',
  ),
  NoReviewers: failed(
    'The store has no layer of reviewers (code 1565); its administrator must name one.',
  ),
  NamespaceNotAllowed: failed('The store does not serve this namespace; choose another store.'),
  UnsupportedByStore: failed(
    'The store cannot do what the form asks for; the message names the field.',
  ),
  IdentityUnverified: failed(
    'Nobody could prove who wrote this; once the admission policies are in force, edit the form again.',
  ),
} as const satisfies Record<string, ReadyFact>;

/** A reason of an ApiKeyApplication's Ready. */
export type ApplicationReadyReason = keyof typeof APPLICATION_READY;

/** Reasons of an ApiKeyApplication's other conditions, by condition type. */
export const APPLICATION_CONDITIONS = {
  Submitted: {
    Submitted: isTrue('The newest edit is in review or decided.'),
    Draft: isFalse('The newest edit is saved only.'),
    Withdrawn: isFalse('The form was taken back before the decision.'),
    Incomplete: isFalse('The newest edit cannot be reviewed; the message names every problem.'),
    Deferred: isFalse('A part of the edit waits until the round that is open has been decided.'),
  },
  Approved: {
    ApprovedByReviewer: isTrue('As many reviewers agreed as the store asks for.'),
    ApprovedAutomatically: isTrue('The store approves whatever is complete.'),
    NotRequired: isTrue('The store has this step not reviewed.'),
    PendingReview: isUnknown('A reviewer is awaited.'),
    NeedsMoreApprovals: isUnknown('Somebody agreed, and more reviewers are awaited.'),
    Denied: isFalse('A reviewer refused; the message says why.'),
    Returned: isFalse('A reviewer wants a correction; the message says which.'),
    Lapsed: isFalse('Nobody decided before the deadline.'),
    Withdrawn: isFalse('The round was taken back.'),
    GrantWithdrawn: isFalse('A reviewer withdrew what had been granted.'),
  },
  Effective: {
    InForce: isTrue('What was granted holds now.'),
    NotYetEffective: isFalse('Approved, and its day is still to come.'),
    Expired: isFalse('The last day has passed.'),
    Ended: isFalse('The grant is over for good.'),
  },
  ExpiringSoon: {
    WithinNoticeWindow: isTrue('The end is nearer than the notice days; ask for a later one.'),
  },
  Expired: {
    Expired: isTrue('The end of the validity has passed.'),
  },
  Reconciling: {
    Progressing: isTrue('The operator is at work on this object.'),
  },
  /** Carries the reason of Ready. */
  Stalled: stalledReasons(APPLICATION_READY),
} as const;

/** Reasons of an ApiKeyReview's Ready: did it count? */
export const REVIEW_READY = {
  Accepted: works('The review counted; nothing undoes it.'),
  Pending: PENDING,
  AwaitingProof: AWAITING_PROOF,
  Refused: failed('The review does not count; Accepted says why. Create another one.'),
} as const satisfies Record<string, ReadyFact>;

/** A reason of an ApiKeyReview's Ready. */
type ReviewReadyReason = keyof typeof REVIEW_READY;

/** Reasons of an ApiKeyReview's other conditions, by condition type. */
export const REVIEW_CONDITIONS = {
  Accepted: {
    Decisive: isTrue('The review decided.'),
    Counted: isTrue('The review counted, and more are needed for the decision.'),
    ApplicationNotFound: isFalse('There is no such form; a review never waits for one.'),
    ApplicationReplaced: isFalse('The form of that name is another one than was reviewed.'),
    TargetNotFound: isFalse('There is no such key or client.'),
    TargetReplaced: isFalse('The key or client of that name is another one than was meant.'),
    HashMismatch: isFalse('The form was edited after it was read; read it again and decide.'),
    AlreadyDecided: isFalse('The round, or the grant that was meant, is no longer open.'),
    WrongLayer: isFalse('Another layer of reviewers is awaited; the message names it.'),
    SelfReviewNotAllowed: isFalse('Whoever filed or edited the form does not decide about it.'),
    ReviewerNotAuthorized: isFalse(
      'The reviewer lacks verb approve on the store; its administrator can bind it.',
    ),
    IdentityUnverified: isFalse(
      'Nobody could prove who wrote this while it was written; see that the policies are in force.',
    ),
    GrantExceedsRequest: isFalse('The review would allow more than was asked for.'),
    DuplicateReviewer: isFalse('The same person has already decided in this round.'),
    GrantNotFound: isFalse('There is no grant of that round; read status.grant.round of the form.'),
    RequestExpired: isFalse('The last day that was asked for has passed; return the form instead.'),
    UnsupportedByStore: isFalse('The store cannot honour what was narrowed; see the message.'),
    StoreNotAvailable: isFalse('The store of the form is gone, so nobody can decide for it.'),
    ClientNotAvailable: isFalse(
      'The client that the form is for is gone; the form has to be submitted again.',
    ),
    NothingToDecide: isFalse('The target already is as the review wants it, or has ended.'),
  },
  /** Carries the reason of Ready. */
  Stalled: stalledReasons(REVIEW_READY),
} as const;

/** Reasons of an ApiClient's Ready: may keys be asked for on its behalf, and do they work? */
export const CLIENT_READY = {
  Active: works('The client is registered and its keys work.'),
  Pending: PENDING,
  PendingReview: awaits('The registration waits for a reviewer; there is nothing to do.'),
  Suspended: awaits('All keys of the client are switched off until it is resumed.'),
  Revoked: failed('A reviewer ended the client for good; register another one.'),
} as const satisfies Record<string, ReadyFact>;

/** A reason of an ApiClient's Ready. */
export type ClientReadyReason = keyof typeof CLIENT_READY;

/** Reasons of an ApiClient's other conditions, by condition type. */
export const CLIENT_CONDITIONS = {
  Registered: {
    Registered: isTrue('A reviewer accepted the registration.'),
    NotRequired: isTrue('No store asks for a review of registrations.'),
    PendingReview: isUnknown('A reviewer is awaited.'),
    Revoked: isFalse('A reviewer ended the registration for good.'),
  },
  /** Carries the reason of Ready. */
  Stalled: stalledReasons(CLIENT_READY),
} as const;

/** Reasons of an ApiProduct's Ready: can it be asked for? */
export const PRODUCT_READY = {
  Published: works('The product can be asked for.'),
  Deprecated: works('Whoever has the product keeps it; nobody gets it anew.'),
  Pending: PENDING,
  Retired: awaits('The product is retired; calls to it are refused.'),
  InvalidSpec: failed(
    'Another product has calls that spec.match claims, or a path cannot be read for sure; see the message. Calls stay where they are.',
  ),
} as const satisfies Record<string, ReadyFact>;

/** A reason of an ApiProduct's Ready. */
type ProductReadyReason = keyof typeof PRODUCT_READY;

/** Reasons of an ApiProduct's other conditions, by condition type. */
export const PRODUCT_CONDITIONS = {
  /** Carries the reason of Ready. */
  Stalled: stalledReasons(PRODUCT_READY),
} as const;

type Reasons<Table, T extends keyof Table> = keyof Table[T] & string;

/** The condition types of an ApiKeyApplication beside Ready. */
type ApplicationConditionType = keyof typeof APPLICATION_CONDITIONS;

/** The condition types of an ApiKeyReview beside Ready. */
type ReviewConditionType = keyof typeof REVIEW_CONDITIONS;

/** The reasons of an ApiKeyReview's Accepted. */
export type AcceptedReason = keyof typeof REVIEW_CONDITIONS.Accepted;

/** The condition types of an ApiClient beside Ready. */
type ClientConditionType = keyof typeof CLIENT_CONDITIONS;

/**
 * Ready of a form, and Stalled where the reason brings it along.
 *
 * @param message one sentence for the applicant; never key material
 */
export function applicationReady(
  reason: ApplicationReadyReason,
  message: string,
): readonly WantedCondition[] {
  return readyWith(reason, APPLICATION_READY[reason], message);
}

/** One further condition of a form; its status follows from the reason. */
export function applicationCondition<T extends ApplicationConditionType>(
  type: T,
  reason: Reasons<typeof APPLICATION_CONDITIONS, T>,
  message: string,
): WantedCondition {
  return { type, ...statusOf(APPLICATION_CONDITIONS[type], reason), message };
}

/** Ready of a review, and Stalled where the reason brings it along. */
export function reviewReady(
  reason: ReviewReadyReason,
  message: string,
): readonly WantedCondition[] {
  return readyWith(reason, REVIEW_READY[reason], message);
}

/** One further condition of a review; its status follows from the reason. */
export function reviewCondition<T extends ReviewConditionType>(
  type: T,
  reason: Reasons<typeof REVIEW_CONDITIONS, T>,
  message: string,
): WantedCondition {
  return { type, ...statusOf(REVIEW_CONDITIONS[type], reason), message };
}

/** Ready of a client, and Stalled where the reason brings it along. */
export function clientReady(
  reason: ClientReadyReason,
  message: string,
): readonly WantedCondition[] {
  return readyWith(reason, CLIENT_READY[reason], message);
}

/** One further condition of a client; its status follows from the reason. */
export function clientCondition<T extends ClientConditionType>(
  type: T,
  reason: Reasons<typeof CLIENT_CONDITIONS, T>,
  message: string,
): WantedCondition {
  return { type, ...statusOf(CLIENT_CONDITIONS[type], reason), message };
}

/** Ready of a product, and Stalled where the reason brings it along. */
export function productReady(
  reason: ProductReadyReason,
  message: string,
): readonly WantedCondition[] {
  return readyWith(reason, PRODUCT_READY[reason], message);
}
