/** The conditions of a form: Picture and failure in, wanted conditions out. Pure. */
import { applicationCondition, applicationReady } from '../../api/applicationconditions.ts';
import type { WantedCondition } from '../../api/reasons.ts';
import { formatTime } from '../../kernel/time.ts';
import type { KeywardError } from '../../kernel/errors.ts';
import type { FormRecord, Round } from '../../ledger/form.ts';
import { incomplete, type Picture } from './picture.ts';
import { readiness } from './readiness.ts';
import { noticeDay } from './standing.ts';
import { refusedStill, returnedBehind, turnsOf } from './wish.ts';
import {
  awaitedText,
  endText,
  expiredText,
  outcomeText,
  roundText,
  troubleText,
  untilText,
} from './wording.ts';
import type { World } from './world.ts';

/** All conditions, Ready first. */
export function conditionsOf(
  picture: Picture,
  failure: KeywardError | undefined,
): readonly WantedCondition[] {
  const { reason, message } = readiness(picture);
  return [
    ...applicationReady(reason, message),
    ...submitted(picture),
    ...approved(picture.world),
    ...effective(picture),
    ...(failure === undefined
      ? []
      : [applicationCondition('Reconciling', 'Progressing', failure.message)]),
  ];
}

function submitted(picture: Picture): readonly WantedCondition[] {
  const { world, form, identity } = picture;
  switch (form.spec.submission) {
    case 'Draft':
      return [applicationCondition('Submitted', 'Draft', 'The newest edit is saved only')];
    case 'Withdrawn':
      return [applicationCondition('Submitted', 'Withdrawn', 'The form was taken back')];
    case 'Submitted':
      break;
  }
  const { troubles } = incomplete(picture) ?? {};
  if (troubles !== undefined) {
    return [applicationCondition('Submitted', 'Incomplete', troubleText(troubles))];
  }
  const round = world.record?.round;
  if (round === undefined) return [];
  const deferred = identity.type === 'Noted' ? turnsOf(world).slice(1) : [];
  const refused = refusedStill(world).map((each) => `; ${outcomeText(each)}`);
  if (deferred.length === 0) {
    const message = `${roundText(round)} was submitted${refused.join('')}`;
    return [applicationCondition('Submitted', 'Submitted', message)];
  }
  const message = `${deferred.join(', ')} waits until ${roundText(returnedBehind(world) ?? round)} is settled${refused.join('')}`;
  return [applicationCondition('Submitted', 'Deferred', message)];
}

function approved(world: World): readonly WantedCondition[] {
  const { record } = world;
  if (record?.ended?.cause === 'Withdrawn') {
    return [applicationCondition('Approved', 'GrantWithdrawn', endText(record.ended))];
  }
  return record?.round === undefined ? [] : decided(world, record, record.round);
}

function decided(world: World, record: FormRecord, round: Round): readonly WantedCondition[] {
  switch (round.state) {
    case 'Pending': {
      const hasSome = record.reviews.some((review) => review.round === round.number);
      const reason = hasSome ? 'NeedsMoreApprovals' : 'PendingReview';
      return [applicationCondition('Approved', reason, awaitedText(round, record.reviews))];
    }
    case 'Approved': {
      const message = `${roundText(round)} is approved`;
      return [applicationCondition('Approved', approvalReason(world, round), message)];
    }
    case 'Replaced':
      return [];
    default:
      return [applicationCondition('Approved', round.state, outcomeText(round))];
  }
}

function approvalReason(
  { store }: World,
  round: Round,
): 'ApprovedByReviewer' | 'ApprovedAutomatically' | 'NotRequired' {
  if (round.rules.layers.length > 0) return 'ApprovedByReviewer';
  const isReviewed = store.type !== 'Usable' || store.rules.requiredFor.includes(round.type);
  return isReviewed ? 'ApprovedAutomatically' : 'NotRequired';
}

function effective({ world, standing }: Picture): readonly WantedCondition[] {
  const { record, nowMs } = world;
  switch (standing?.state) {
    case 'InForce':
      return [
        applicationCondition('Effective', 'InForce', `What was granted holds${untilText(world)}`),
        ...soon(world, standing.endMs),
      ];
    case 'Scheduled': {
      const message = `Effective from ${formatTime(record?.grant?.effectiveMs ?? nowMs)}`;
      return [applicationCondition('Effective', 'NotYetEffective', message)];
    }
    case 'Expired': {
      const message = expiredText(standing, nowMs);
      const over = applicationCondition('Effective', 'Expired', message);
      return [over, applicationCondition('Expired', 'Expired', message)];
    }
    case 'Ended':
    case undefined:
      return ended(record);
  }
}

function soon(world: World, endMs: number | undefined): readonly WantedCondition[] {
  if (endMs === undefined || noticeDay(world, endMs) === undefined) return [];
  const message = `The grant ends at ${formatTime(endMs)}`;
  return [applicationCondition('ExpiringSoon', 'WithinNoticeWindow', message)];
}

function ended(record: FormRecord | undefined): readonly WantedCondition[] {
  return record?.ended === undefined || record.grant === undefined
    ? []
    : [applicationCondition('Effective', 'Ended', endText(record.ended))];
}
