/** How far the open round of a form has come. Pure. */
import type { ApiKeyReviewSpec } from '../../api/generated/apikeyreview.ts';
import { SECOND_MS } from '../../kernel/time.ts';
import { openLayer } from '../../ledger/grants.ts';
import type { CountedReview, FormRecord, Grant, Layer, Round } from '../../ledger/form.ts';
import type { ReviewView } from './world.ts';

/** creationTimestamp has whole seconds, so the object may be this much younger. */
const CREATION_RESOLUTION_MS = SECOND_MS - 1;
/** Smaller differences between our clock and the API server's cannot be measured. */
const SKEW_UNSEEN_MS = SECOND_MS;

/** Reviews that counted for the newest round. */
export function reviewsOf(form: FormRecord, round: Round): readonly CountedReview[] {
  return form.reviews.filter((review) => review.round === round.number);
}

/** One more approval of the open layer ends the round. */
export function isLastApproval(form: FormRecord, round: Round): boolean {
  const open = openLayer(round, form.reviews);
  if (open === undefined) return false;
  const isLastLayer = round.rules.layers.at(-1)?.name === open.layer.name;
  return isLastLayer && open.given + 1 >= open.layer.approvals;
}

/** Names of the layers that a review may say; empty: it must say none. */
export function layerNames(layers: readonly Pick<Layer, 'name'>[]): readonly string[] {
  return layers.map(({ name }) => name).filter((name) => name !== '');
}

/** The review was certainly written before that instant of our clock. */
export function isWrittenBefore(
  { createdMs }: Pick<ReviewView, 'createdMs'>,
  atMs: number,
  skewMs: number,
): boolean {
  return createdMs + CREATION_RESOLUTION_MS - skewMs + SKEW_UNSEEN_MS < atMs;
}

/** The review was certainly written after that instant of our clock. */
export function isWrittenAfter(
  { createdMs }: Pick<ReviewView, 'createdMs'>,
  atMs: number,
  skewMs: number,
): boolean {
  return createdMs - skewMs - SKEW_UNSEEN_MS > atMs;
}

/** The grant that a withdrawal means: the one in force, or an approved one that waits for its date. */
export function grantFor(form: FormRecord, grantRound: number | undefined): Grant | undefined {
  return [form.grant, form.nextGrant].find((grant) => grant?.round === grantRound);
}

/** What a review decides about: the newest round, or the grant that it withdraws; undefined: there is none. */
export function decidedAbout(
  form: FormRecord,
  { decision, grantRound }: Pick<ApiKeyReviewSpec, 'decision' | 'grantRound'>,
): Grant | Round | undefined {
  return decision === 'Revoked' ? grantFor(form, grantRound) : form.round;
}
