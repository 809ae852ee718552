/** The ApiKeyReview that a decision becomes. Pure. */
import type { ApiKeyReviewSpec, ReviewNarrowed } from '../api/generated/apikeyreview.ts';
import type { ObjectMeta } from '../api/meta.ts';
import { API_KEY_REVIEWS, API_VERSION } from '../api/names.ts';
import { KeywardError } from '../kernel/errors.ts';
import type { Form } from './objects.ts';
import { isBehind } from './reviewtext.ts';

/** What is decided. */
export type Decision = ApiKeyReviewSpec['decision'];

/** The part of a decision that its maker says. */
export type Said = {
  readonly decision: Decision;
  readonly layer: string | undefined;
  readonly reason: string | undefined;
  readonly message: string | undefined;
  readonly narrowed: ReviewNarrowed | undefined;
  /** The hash that was read, or its first half at least; undefined: whatever is there now. */
  readonly hash: string | undefined;
};

/** A review as it is sent or written to a file. */
export type ReviewDraft = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: ApiKeyReviewSpec;
};

/** What a decision about another kind of object is about. */
export type Target = {
  readonly field: 'apiKeyRef' | 'clientRef';
  readonly metadata: Pick<ObjectMeta, 'name' | 'namespace' | 'uid'>;
};

const REASONS = ['InsufficientInformation', 'PurposeMismatch', 'Security', 'Other'] as const;
/**
 * Of 64 hex digits. The applicant writes both what is read and what is put in its place, so he may look
 * for two requests that begin alike: for 12 digits that takes a second, for 32 of them 2^64 tries.
 */
const HASH_MIN = 32;

/**
 * Approved, Denied or Returned of the round that is open, bound to its hash.
 * @param suffix makes the name unique: another decision is another object
 * @throws KeywardError Terminal NothingToDecide, Changed (other than what was read), Usage
 */
export function roundDecision(form: Form, said: Said, suffix: string): ReviewDraft {
  const { status, metadata } = form;
  const where = whereIs(form);
  const requestHash = openHash(form);
  if (said.decision === 'Approved' && isBehind(form)) {
    throw refuse(
      'Changed',
      `application ${where} was edited a moment ago; read it again with keyward review and decide then`,
    );
  }
  checkHash(requestHash, said.hash, where);
  const layer = said.layer ?? status?.approvals?.layer;
  return draft(metadata, suffix, {
    applicationRef: { name: metadata.name, uid: metadata.uid },
    decision: said.decision,
    requestHash,
    ...(layer === undefined ? {} : { layer }),
    ...wordsOf(said),
    ...(said.narrowed === undefined ? {} : { narrowed: said.narrowed }),
  });
}

/**
 * Revoked of the grant that is there now: it ends for good.
 * @throws KeywardError Terminal NothingToDecide, Usage
 */
export function grantWithdrawal(form: Form, said: Said, suffix: string): ReviewDraft {
  const { metadata, status } = form;
  const grantRound = status?.grant?.round;
  if (grantRound === undefined || status?.grant?.state === 'Ended') {
    throw refuse('NothingToDecide', `application ${whereIs(form)} has no grant to withdraw`);
  }
  return draft(metadata, suffix, {
    applicationRef: { name: metadata.name, uid: metadata.uid },
    decision: 'Revoked',
    grantRound,
    ...(said.layer === undefined ? {} : { layer: said.layer }),
    ...wordsOf(said),
  });
}

/** A decision about a key or a client. @throws KeywardError Terminal Usage */
export function targetDecision(target: Target, said: Said, suffix: string): ReviewDraft {
  const { name, uid } = target.metadata;
  return draft(target.metadata, suffix, {
    [target.field]: { name, uid },
    decision: said.decision,
    ...(said.layer === undefined ? {} : { layer: said.layer }),
    ...wordsOf(said),
  });
}

/** The same draft with its reviewer filled in, as admission wants it. */
export function reviewedBy(
  review: ReviewDraft,
  reviewer: NonNullable<ApiKeyReviewSpec['reviewer']>,
): ReviewDraft {
  return { ...review, spec: { ...review.spec, reviewer } };
}

function draft(
  { name, namespace }: Pick<ObjectMeta, 'name' | 'namespace'>,
  suffix: string,
  spec: ApiKeyReviewSpec,
): ReviewDraft {
  const ending = `-${spec.decision.toLowerCase()}-${suffix}`;
  return {
    apiVersion: API_VERSION,
    kind: API_KEY_REVIEWS.kind,
    metadata: {
      name: `${name.slice(0, 253 - ending.length).replace(/[.-]+$/, '')}${ending}`,
      namespace: namespace ?? '',
    },
    spec,
  };
}

function wordsOf({
  decision,
  reason,
  message,
}: Said): Pick<ApiKeyReviewSpec, 'reason' | 'message'> {
  const known = REASONS.find((each) => each === reason);
  if (reason !== undefined && known === undefined) {
    throw refuse('Usage', `--reason takes ${REASONS.join(', ')}, not '${reason}'`);
  }
  const isFree = decision === 'Approved' || decision === 'Resumed';
  if (!isFree && (message === undefined || message.trim() === '')) {
    throw refuse('Usage', 'say why with --message; the applicant reads it');
  }
  return {
    ...(known !== undefined ? { reason: known } : isFree ? {} : { reason: 'Other' }),
    ...(message === undefined ? {} : { message }),
  };
}

function openHash(form: Form): string {
  const { state = 'not looked at yet', round } = form.status ?? {};
  if (state === 'Pending' && round?.requestHash !== undefined) return round.requestHash;
  throw refuse(
    'NothingToDecide',
    `application ${whereIs(form)} is ${state}, so no decision is awaited`,
  );
}

function whereIs({ metadata }: Form): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

/** What was read is what is decided: another hash means that the form was edited in between. */
function checkHash(current: string, read: string | undefined, where: string): void {
  if (read === undefined) return;
  const bare = (hash: string): string => hash.replace(/^sha256:/, '');
  if (bare(read).length < HASH_MIN) {
    throw refuse('Usage', `--hash takes at least ${HASH_MIN} characters of the hash`);
  }
  if (bare(current).startsWith(bare(read).replace(/…$/, ''))) return;
  throw refuse(
    'Changed',
    `application ${where} is not what was read any more; read it again with keyward review`,
  );
}

function refuse(reason: string, message: string): KeywardError {
  return new KeywardError('Terminal', { reason, message });
}
