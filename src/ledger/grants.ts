/**
 * What a form's record means at an instant: which grant holds, whose turn it is, what is spent. Pure;
 * the controllers of forms, reviews and keys ask here, so that they cannot disagree.
 */
import type { RequestContent } from '../terms/request.ts';
import { resolveTerms, type Resolution, type TermsContext } from '../terms/resolve.ts';
import { findZone, parseDay, startOfDay, UTC } from '../terms/zone.ts';
import type { CountedReview, FormRecord, Grant, Layer, Round, TermBounds } from './form.ts';

/** Where the grant of a form is; Scheduled: approved, and its date has not come. */
export type GrantState = 'None' | 'Scheduled' | 'InForce' | 'Expired' | 'Ended';

/**
 * The grant whose date has come: an approved change from its own date on, before that what it
 * changes. Absent: nothing was granted, not yet, or it is over for good. One that has expired is still
 * the current one, because a change can give it a later end.
 */
export function currentGrant(form: FormRecord, nowMs: number): Grant | undefined {
  if (isEnded(form, nowMs)) return undefined;
  return [form.nextGrant, form.grant].find(
    (grant) => grant !== undefined && grant.effectiveMs <= nowMs,
  );
}

/** The state of the grant; a due revocation counts before it is carried out. */
export function grantState(form: FormRecord, nowMs: number): GrantState {
  if (isEnded(form, nowMs)) return 'Ended';
  if (form.grant === undefined) return 'None';
  const grant = currentGrant(form, nowMs);
  if (grant === undefined) return 'Scheduled';
  const resolution = resolveGrant(form, grant, nowMs);
  return resolution.type === 'Resolved' && !resolution.alreadyOver ? 'InForce' : 'Expired';
}

/** What tells when a grant was first issued, or can be. */
type Issued = Pick<FormRecord, 'issuedTo' | 'carried' | 'grant'>;

/**
 * The instant from which durations count: the very first issue, also that of a cluster which the grant
 * was carried over from. Absent: nothing was issued yet.
 */
export function firstIssuedMs({ issuedTo, carried }: Issued): number | undefined {
  return issuedTo?.atMs ?? carried?.firstIssuedMs;
}

/** From when durations count, as terms are resolved: the first issue, or the earliest that it may be. */
export function countedFrom(form: Issued): Pick<TermsContext, 'firstIssuedMs' | 'issuableMs'> {
  const issuedMs = firstIssuedMs(form);
  if (issuedMs !== undefined) return { firstIssuedMs: issuedMs };
  return form.grant === undefined ? {} : { issuableMs: form.grant.effectiveMs };
}

/** Just the bounds of rules or stores that may say more. */
export function termBounds(from: TermBounds): TermBounds {
  const { storeDurationDays, maxDurationDays, maxQuotaRequests } = from;
  return {
    ...(storeDurationDays === undefined ? {} : { storeDurationDays }),
    ...(maxDurationDays === undefined ? {} : { maxDurationDays }),
    ...(maxQuotaRequests === undefined ? {} : { maxQuotaRequests }),
  };
}

/** The terms of a grant as they hold; durations count from its first issue. */
export function resolveGrant(
  form: Issued,
  { content, rules }: Pick<Grant, 'content' | 'rules'>,
  nowMs: number,
): Resolution {
  return resolveTerms(content.terms, { ...termBounds(rules), ...countedFrom(form), nowMs });
}

/**
 * The layer whose turn it is and how many different people approved in it; undefined: none is left.
 * Reviews of other rounds do not count.
 */
export function openLayer(
  round: Pick<Round, 'number' | 'rules'>,
  reviews: readonly CountedReview[],
): { readonly layer: Layer; readonly given: number } | undefined {
  const approvals = reviews.filter(
    (review) => review.round === round.number && review.decision === 'Approved',
  );
  for (const layer of round.rules.layers) {
    const inLayer = approvals.filter((review) => review.layer === layer.name);
    const given = new Set(inLayer.map(({ reviewer }) => reviewer.username)).size;
    if (given < layer.approvals) return { layer, given };
  }
  return undefined;
}

/**
 * Whether a reissue of this id was asked for and is settled, so that it never acts again. One that
 * still waits is not: the form may be corrected, or its round replaced, without another id.
 */
export function isReissueSpent(form: FormRecord, requestId: string): boolean {
  const { reissue, spentReissueIds } = form;
  const isWaiting = reissue?.state === 'Waiting' && reissue.requestId === requestId;
  return spentReissueIds.includes(requestId) && !isWaiting;
}

/** True while the key is switched off because of a reissue that was asked for and not refused. */
export function isSuspendedForReissue({ reissue }: Pick<FormRecord, 'reissue'>): boolean {
  return reissue?.whileWaiting === 'Suspend' && reissue.state !== 'Denied';
}

/**
 * The instant from which an end is asked for: where its day begins in the zone of the terms. Undefined:
 * at once, as no day was said, or what was said is none.
 */
export function askedEndMs(
  { effectiveDate }: NonNullable<RequestContent['revocation']>,
  { terms }: Pick<RequestContent, 'terms'>,
): number | undefined {
  const day = effectiveDate === undefined ? undefined : parseDay(effectiveDate);
  if (day === undefined) return undefined;
  return startOfDay(findZone(terms.validity?.timeZone ?? UTC.name) ?? UTC, day);
}

/**
 * Why a round cannot be approved at this instant: its terms would be over, or they cannot be (a zone
 * that is not known any more). Absent: it can. `narrowed` as in `Round`.
 */
export function approvalProblem(
  form: Issued,
  { type, content, narrowed, rules }: Pick<Round, 'type' | 'content' | 'narrowed' | 'rules'>,
  nowMs: number,
): 'AlreadyOver' | 'Unresolvable' | undefined {
  if (type === 'Reissue' || type === 'Revoke') return undefined;
  const granted = { ...content, terms: narrowed ?? content.terms };
  const resolution = resolveGrant(form, { content: granted, rules }, nowMs);
  if (resolution.type === 'Problems') return 'Unresolvable';
  return resolution.alreadyOver ? 'AlreadyOver' : undefined;
}

function isEnded({ ended, revocation }: FormRecord, nowMs: number): boolean {
  return ended !== undefined || (revocation !== undefined && revocation.atMs <= nowMs);
}
