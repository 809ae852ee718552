/**
 * Whether a review of a form counts: named checks in one order, the first objection decides. Pure.
 *
 * What costs nothing comes first, what asks the API server last, so that its answer is as young as
 * possible when the decision is committed.
 */
import type { ReviewReviewer } from '../../api/generated/apikeyreview.ts';
import type { FormRecord, Round } from '../../ledger/form.ts';
import { openLayer } from '../../ledger/grants.ts';
import {
  applicantObjection,
  authorsOf,
  identityObjection,
  isSameName,
  proofObjection,
  selfObjection,
} from './identity.ts';
import { quoted, refused, type Objection } from './judgement.ts';
import { grantableObjection } from './narrowing.ts';
import { anyLayerObjection, rightsObjection } from './officechecks.ts';
import { grantFor, isWrittenAfter, isWrittenBefore, layerNames, reviewsOf } from './rounds.ts';
import type { TargetSight, World } from './world.ts';

/** A review and the form that it is about. */
export type FormCase = {
  readonly world: World;
  readonly sight: TargetSight;
  readonly form: FormRecord;
  /** The newest round. */
  readonly round: Round;
  readonly reviewer: ReviewReviewer;
};

/** One thing that must hold for a review to count. */
type FormCheck = {
  readonly name: string;
  readonly objection: (subject: FormCase) => Objection | undefined;
};

/** In the order in which they are asked. */
export const FORM_CHECKS: readonly FormCheck[] = [
  { name: 'decision fits a form', objection: decisionObjection },
  { name: 'reviewer is named', objection: reviewerObjection },
  { name: 'policies were in force', objection: ({ world }) => proofObjection(world.proof) },
  { name: 'reviewer is not the author', objection: authorObjection },
  { name: 'decision is not one of a lost ledger', objection: forgottenObjection },
  { name: 'newest edit was seen', objection: editObjection },
  { name: 'request is the one that was read', objection: requestObjection },
  { name: 'store is still there', objection: storeObjection },
  { name: 'client is still there', objection: clientObjection },
  { name: 'grant is the one that is meant', objection: grantObjection },
  { name: 'layer is the open one', objection: layerObjection },
  { name: 'reviewer decides once', objection: duplicateObjection },
  { name: 'grant stays within the request', objection: exceedsObjection },
  { name: 'form was read live', objection: liveObjection },
  { name: 'reviewer has the right', objection: ({ world }) => rightsObjection(world) },
];

function decisionObjection({ world }: FormCase): Objection | undefined {
  const { decision } = world.review.spec;
  const isFitting = decision !== 'Suspended' && decision !== 'Resumed';
  return isFitting
    ? undefined
    : refused('NothingToDecide', `${decision} is no decision about a form, but about a key`);
}

function reviewerObjection({ reviewer, round, form, sight }: FormCase): Objection | undefined {
  const { attestors } = round.rules;
  const annotated = sight.authors;
  return (
    identityObjection(reviewer, attestors) ??
    applicantObjection(reviewer, form, { attestors, annotated })
  );
}

function authorObjection({ reviewer, round, form, sight }: FormCase): Objection | undefined {
  return round.rules.selfReview === 'Allowed'
    ? undefined
    : selfObjection(reviewer, authorsOf(form, sight.authors));
}

/**
 * A status of ours without the ledger's record means that the ledger was restored to a state before
 * the decision. What it allowed is not allowed again; what it forbade is judged anew.
 */
function forgottenObjection({ world: { review } }: FormCase): Objection | undefined {
  return review.spec.decision === 'Approved' && isJudgedInStatus(review.status)
    ? refused(
        'AlreadyDecided',
        'the review was judged before the database was restored, and approves nothing a second time; read the form as it is now and write another review',
      )
    : undefined;
}

/** The object says that it was judged for good, whatever the ledger knows. */
export function isJudgedInStatus(status: World['review']['status']): boolean {
  return (
    status?.conditions?.some(
      ({ type, reason }) => type === 'Ready' && (reason === 'Accepted' || reason === 'Refused'),
    ) === true
  );
}

function editObjection({ world, form, sight, round }: FormCase): Objection | undefined {
  // A grant can be withdrawn whatever is being edited, and what was ended follows no edit.
  if (world.review.spec.decision === 'Revoked' || form.ended !== undefined) return undefined;
  if (form.seen.generation < sight.generation) {
    return { type: 'Wait', message: 'the newest edit of the form is looked at first' };
  }
  return form.seen.isProven || round.state !== 'Pending'
    ? undefined
    : refused(
        'IdentityUnverified',
        'the form was edited while the admission policies were not proven to be in force, so nobody knows by whom; edit it again, then decide',
      );
}

function requestObjection({ world, form, round }: FormCase): Objection | undefined {
  const { review, skewMs } = world;
  const { decision, requestHash } = review.spec;
  if (decision === 'Revoked') return undefined;
  if (form.ended !== undefined) {
    return refused('AlreadyDecided', 'the grant was ended for good, and nothing is open any more');
  }
  if (requestHash !== round.hash) {
    return refused(
      'HashMismatch',
      `the form asks for something else than was read: round ${round.number} has the hash ${round.hash}; read it again and write another review`,
    );
  }
  if (isWrittenBefore(review, round.submittedMs, skewMs)) {
    return refused(
      'HashMismatch',
      `the review is older than round ${round.number}; read the form as it was submitted and write another review`,
    );
  }
  if (round.state !== 'Pending') {
    return refused('AlreadyDecided', `round ${round.number} is ${round.state} already`);
  }
  // One that was written in time counts, however late it is looked at.
  const isLate = isWrittenAfter(review, round.deadlineMs ?? Infinity, skewMs);
  return isLate
    ? refused('AlreadyDecided', `the deadline of round ${round.number} passed undecided`)
    : undefined;
}

function grantObjection({ world, form }: FormCase): Objection | undefined {
  const { decision, grantRound } = world.review.spec;
  if (decision !== 'Revoked') return undefined;
  if (form.ended !== undefined) {
    return refused('AlreadyDecided', 'the grant was ended for good already');
  }
  if (grantFor(form, grantRound) !== undefined) return undefined;
  const current = form.grant ?? form.nextGrant;
  const now =
    current === undefined ? 'nothing was granted' : `the grant is that of round ${current.round}`;
  return refused(
    'GrantNotFound',
    `there is no grant of round ${grantRound ?? 'unknown'}: ${now}; read the form again and write another review`,
  );
}

/** A store of that name that was made later is another one, whose reviewers nobody asked. */
function storeObjection({ world, round }: FormCase): Objection | undefined {
  const { target, review } = world;
  if (review.spec.decision === 'Revoked') return undefined;
  const { kind, name, uid } = round.content.storeRef;
  return target.kind === 'ApiKeyApplication' && target.storeUid === uid
    ? undefined
    : refused(
        'StoreNotAvailable',
        `${kind} '${name}' of round ${round.number} is gone; the form has to be submitted again`,
      );
}

/**
 * A grant to a client that is gone would be over at once, and the form with it for good. Another one of its
 * name was never read by the reviewer. What is not approved needs no client.
 */
function clientObjection({ world: { target, review }, round }: FormCase): Objection | undefined {
  if (review.spec.decision !== 'Approved' || target.kind !== 'ApiKeyApplication') return undefined;
  const { name, uid } = round.content.client;
  if (target.clientUid === uid) return undefined;
  if (!target.isLive) return { type: 'Look' };
  return refused(
    'ClientNotAvailable',
    `ApiClient '${name}' of round ${round.number} is gone; the form has to be submitted again`,
  );
}

function layerObjection({ world, form, round }: FormCase): Objection | undefined {
  const { layer, decision } = world.review.spec;
  if (decision === 'Revoked') return withdrawalLayerObjection(world);
  const names = layerNames(round.rules.layers);
  if (names.length === 0) {
    return layer === undefined
      ? undefined
      : refused('WrongLayer', 'the store has no layers of reviewers; leave spec.layer out');
  }
  if (layer === undefined || !names.includes(layer)) {
    const said = layer === undefined ? 'the review names no layer' : `there is no layer '${layer}'`;
    return refused('WrongLayer', `${said}; the store has ${names.join(', ')}`);
  }
  const open = openLayer(round, form.reviews)?.layer.name;
  return layer === open
    ? undefined
    : refused('WrongLayer', `it is the turn of layer '${open ?? ''}', not of '${layer}'`);
}

/**
 * What the newest round froze says nothing about a grant of another one: it may have been free, which the
 * applicant can bring about. Of a store that is gone nobody knows layers; the right decides alone.
 */
function withdrawalLayerObjection({ target, review }: World): Objection | undefined {
  const names = target.kind === 'ApiKeyApplication' ? target.storeLayers : undefined;
  return names === undefined ? undefined : anyLayerObjection(review.spec.layer, names);
}

function duplicateObjection({ world, form, round, reviewer }: FormCase): Objection | undefined {
  if (world.review.spec.decision === 'Revoked') return undefined;
  const earlier = reviewsOf(form, round).find((counted) =>
    isSameName(counted.reviewer.username, reviewer.username),
  );
  if (earlier === undefined) return undefined;
  const where = earlier.layer === '' ? '' : ` in layer '${earlier.layer}'`;
  return refused(
    'DuplicateReviewer',
    `${quoted(reviewer.username)} decided about round ${round.number}${where} already, with review '${earlier.name}'; somebody else must`,
  );
}

function exceedsObjection({ world, form, round }: FormCase): Objection | undefined {
  return world.review.spec.decision === 'Approved'
    ? grantableObjection(world, form, round)
    : undefined;
}

/**
 * The cache may be behind: an edit, and with it an editor, that came before the review must not go
 * unseen. What is not approved needs no such care.
 */
function liveObjection({ world: { review, target } }: FormCase): Objection | undefined {
  const isSeen = target.kind === 'ApiKeyApplication' && target.isLive;
  return review.spec.decision === 'Approved' && !isSeen ? { type: 'Look' } : undefined;
}
