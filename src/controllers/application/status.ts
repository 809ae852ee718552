/**
 * What we publish about a form: a copy of what the ledger knows, for people. Pure; nothing is ever
 * read back from it.
 */
import type { ApiKeyApplicationStatus } from '../../api/generated/apikeyapplication.ts';
import { mergeConditions } from '../../api/reasons.ts';
import type { KeywardError } from '../../kernel/errors.ts';
import { formatTime } from '../../kernel/time.ts';
import type { CountedReview, FormRecord, Grant, Round } from '../../ledger/form.ts';
import { openLayer } from '../../ledger/grants.ts';
import { tellQuota } from '../../terms/quotasteps.ts';
import { conditionsOf } from './conditions.ts';
import { incomplete, pictureOf, type Picture } from './picture.ts';
import { draftEndsAtMs, grantStanding } from './standing.ts';
import { seenConditions } from './view.ts';
import type { World } from './world.ts';

/** Reviews that are shown; the ledger keeps more. */
const REVIEWS_SHOWN = 10;
/** Editors that are shown; admission allows no more. */
const EDITORS_SHOWN = 32;

/** The status this world should show; undefined where there is no object, or one that goes. */
export function wantedStatus(
  world: World,
  failure?: KeywardError,
): ApiKeyApplicationStatus | undefined {
  const picture = pictureOf(world);
  if (picture === undefined || picture.form.isDeleting) return undefined;
  const { form } = picture;
  const state = stateOf(picture);
  return {
    observedGeneration: form.generation,
    conditions: mergeConditions(seenConditions(form.status), conditionsOf(picture, failure), {
      nowMs: world.nowMs,
      generation: form.generation,
    }),
    ...(state === undefined ? {} : { state }),
    ...(world.record === undefined ? {} : facts(world, world.record)),
  };
}

function stateOf(picture: Picture): ApiKeyApplicationStatus['state'] {
  const { world, form, identity } = picture;
  const { record, nowMs } = world;
  const round = record?.round;
  if (form.spec.submission === 'Draft') {
    const endsMs = draftEndsAtMs(world);
    return endsMs !== undefined && endsMs <= nowMs ? 'Lapsed' : 'Draft';
  }
  if (form.spec.submission === 'Withdrawn') return 'Withdrawn';
  if (incomplete(picture) !== undefined) return 'Incomplete';
  if (round !== undefined) return round.state === 'Replaced' ? 'Withdrawn' : round.state;
  return identity.type === 'Unverified' || identity.type === 'Refused' ? 'Incomplete' : undefined;
}

function facts(world: World, record: FormRecord): Omit<ApiKeyApplicationStatus, 'conditions'> {
  const { applicant, editors, round, grant, nextGrant } = record;
  const requests = grant?.content.terms.quota?.requests;
  const handledId = handledReissue(record);
  return {
    applicant: { username: applicant.username, source: applicant.source },
    ...(editors.length === 0 ? {} : { editors: editors.slice(0, EDITORS_SHOWN) }),
    ...(round === undefined ? {} : { round: roundStatus(round), ...approvals(record, round) }),
    ...(record.reviews.length === 0 ? {} : { reviews: reviewsStatus(record.reviews) }),
    grant: grant === undefined ? { state: 'None' } : grantStatus(world, record, grant),
    ...(nextGrant === undefined ? {} : { nextGrant: grantStatus(world, record, nextGrant) }),
    ...(requests === undefined
      ? {}
      : { quota: tellQuota(requests, world.quotaUses, world.form?.status?.quota) }),
    ...(grant === undefined ? {} : { apiKeyRef: { name: grant.content.apiKeyName } }),
    ...(handledId === undefined ? {} : { lastHandledReissueRequestId: handledId }),
  };
}

function roundStatus(round: Round): NonNullable<ApiKeyApplicationStatus['round']> {
  const { number, type, hash, submittedMs, deadlineMs, changes } = round;
  return {
    number,
    type,
    requestHash: hash,
    submittedTime: formatTime(submittedMs),
    ...(deadlineMs === undefined ? {} : { deadlineTime: formatTime(deadlineMs) }),
    ...(changes.length === 0 ? {} : { changes }),
  };
}

function approvals(
  { reviews }: FormRecord,
  round: Round,
): Pick<ApiKeyApplicationStatus, 'approvals'> {
  const open = round.state === 'Pending' ? openLayer(round, reviews) : undefined;
  if (open === undefined) return {};
  const { layer, given } = open;
  const named = layer.name === '' ? {} : { layer: layer.name };
  return { approvals: { ...named, required: layer.approvals, given } };
}

function reviewsStatus(
  reviews: readonly CountedReview[],
): NonNullable<ApiKeyApplicationStatus['reviews']> {
  return reviews
    .slice(-REVIEWS_SHOWN)
    .toReversed()
    .map(({ name, decision, reviewer, layer, reason, message, atMs }) => ({
      name,
      decision,
      reviewer: reviewer.username,
      source: reviewer.source,
      ...(layer === '' ? {} : { layer }),
      ...(reason === undefined ? {} : { reason }),
      ...(message === undefined ? {} : { message }),
      time: formatTime(atMs),
    }));
}

function grantStatus(
  { nowMs }: World,
  record: FormRecord,
  grant: Grant,
): NonNullable<ApiKeyApplicationStatus['grant']> {
  const { state, endMs } = grantStanding(record, grant, nowMs);
  return {
    state,
    round: grant.round,
    hash: grant.hash,
    terms: grant.content.terms,
    approvedTime: formatTime(grant.approvedMs),
    effectiveTime: formatTime(grant.effectiveMs),
    ...(endMs === undefined ? {} : { expirationTime: formatTime(endMs) }),
  };
}

/** The newest request for new values that was carried out, refused or has lapsed. */
function handledReissue({ spentReissueIds, reissue }: FormRecord): string | undefined {
  const isOpen = reissue?.state === 'Waiting' || reissue?.state === 'Approved';
  return spentReissueIds.findLast((requestId) => !isOpen || requestId !== reissue.requestId);
}
