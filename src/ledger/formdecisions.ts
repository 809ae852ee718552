/**
 * What decisions do to a FormRecord: record in, record out. Pure; the review controller commits what
 * `countReview` returns together with the review, the application controller what nobody has to
 * decide. Whether a review counts was judged before; what would give a grant without the approvals
 * that its round demands throws here all the same.
 */
import type { TermsSpec } from '../terms/terms.ts';
import type { CountedReview, FormRecord, Grant, Round } from './form.ts';
import { carryOutRevocation, endGrant } from './formchanges.ts';
import { demand } from './demand.ts';
import { approvalProblem, askedEndMs, openLayer, resolveGrant, termBounds } from './grants.ts';

/** Counted reviews that are kept beside those of the newest round; the audit chain names them all. */
const REVIEWS_KEPT = 50;

/** A review that was judged to count. */
export type Decision = Omit<CountedReview, 'round'> & {
  /** With Approved: the terms of the round after this and all earlier narrowing; absent: as they were. */
  readonly narrowed?: TermsSpec;
};

/**
 * Counts a review. The last approval of the last layer grants; one Denied or Returned ends the round;
 * Revoked ends grant and form for good, in every state.
 */
export function countReview(form: FormRecord, decision: Decision): FormRecord {
  demand(
    form.phase === 'Live' && form.ended === undefined,
    form,
    'an ended form is not decided on',
  );
  const counted = addReview(form, decision);
  switch (decision.decision) {
    case 'Approved':
      return countApproval(form, counted, decision);
    case 'Denied':
    case 'Returned':
      return refuse(counted, decision);
    case 'Revoked': {
      demand(form.grant !== undefined, form, 'there is a grant to withdraw');
      const { atMs, reviewer, message } = decision;
      const said = message === undefined ? {} : { message };
      const actor = reviewer.username;
      return withWords(
        endGrant(counted, { cause: 'Withdrawn', atMs, actor, ...said }),
        form,
        decision,
      );
    }
  }
}

/** Approves an open round for which nobody has to decide. */
export function approveAutomatically(form: FormRecord, atMs: number): FormRecord {
  const round = openRoundOf(form);
  demand(round.rules.layers.length === 0, form, 'who has to decide is asked');
  return approve(form, round, { atMs, actor: 'operator' });
}

function addReview(form: FormRecord, decision: Decision): FormRecord {
  const { narrowed: _, ...review } = decision;
  const round = form.round?.number ?? 0;
  // Those of the newest round decide about it, so none of them may be forgotten.
  const surplus = form.reviews.length + 1 - REVIEWS_KEPT;
  const kept = form.reviews.filter((each, index) => index >= surplus || each.round === round);
  return { ...form, reviews: [...kept, { ...review, round }] };
}

function countApproval(before: FormRecord, form: FormRecord, decision: Decision): FormRecord {
  const open = openRoundOf(before);
  const turn = openLayer(open, before.reviews);
  demand(turn?.layer.name === decision.layer, before, 'the layer is the one whose turn it is');
  const { username } = decision.reviewer;
  const hasDecided = before.reviews.some(
    ({ round, reviewer }) => round === open.number && reviewer.username === username,
  );
  demand(!hasDecided, before, 'nobody decides twice about a round');
  const { narrowed } = decision;
  const round = { ...open, ...(narrowed === undefined ? {} : { narrowed }) };
  const next = { ...form, round };
  const isLast = openLayer(round, form.reviews) === undefined;
  return isLast ? approve(next, round, { atMs: decision.atMs, actor: username }) : next;
}

function refuse(form: FormRecord, decision: Decision): FormRecord {
  const round = openRoundOf(form);
  const state = decision.decision === 'Denied' ? 'Denied' : 'Returned';
  const closed: FormRecord = {
    ...form,
    round: { ...round, state, decidedMs: decision.atMs, ...wordsOf(decision) },
  };
  // Returned: it is corrected under the same id, and waits until then.
  if (round.type !== 'Reissue' || closed.reissue === undefined || state === 'Returned')
    return closed;
  return { ...closed, reissue: { ...closed.reissue, state: 'Denied' } };
}

/** Where a withdrawal closed the open round, what was said about it. */
function withWords(form: FormRecord, before: FormRecord, decision: Decision): FormRecord {
  const { round } = form;
  if (round === undefined || before.round?.state !== 'Pending') return form;
  return { ...form, round: { ...round, ...wordsOf(decision) } };
}

function wordsOf({ reason, message }: Decision): Pick<Round, 'reason' | 'message'> {
  return {
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
  };
}

function openRoundOf(form: FormRecord): Round {
  const { round } = form;
  demand(round?.state === 'Pending', form, 'only an open round is decided on');
  return round;
}

function approve(
  form: FormRecord,
  round: Round,
  { atMs, actor }: { readonly atMs: number; readonly actor: string },
): FormRecord {
  const approved: FormRecord = { ...form, round: { ...round, state: 'Approved', decidedMs: atMs } };
  // The date of an earlier revocation has passed: whatever is approved now comes too late.
  if (form.revocation !== undefined && form.revocation.atMs <= atMs) {
    return carryOutRevocation(approved, atMs);
  }
  switch (round.type) {
    case 'Issue':
      demand(form.grant === undefined, form, 'the first grant is the only one of its kind');
      return { ...approved, grant: grantOf(form, round, atMs) };
    case 'Change':
      return change(approved, grantOf(form, round, atMs));
    case 'Reissue': {
      const { reissue } = form;
      const isMeant = reissue?.round === round.number && reissue.state === 'Waiting';
      demand(isMeant, form, 'the reissue is the one that waits');
      return { ...approved, reissue: { ...reissue, state: 'Approved' } };
    }
    case 'Revoke':
      return revoke(approved, round, { atMs, actor });
  }
}

function grantOf(form: FormRecord, round: Round, atMs: number): Grant {
  const problem = approvalProblem(form, round, atMs);
  demand(problem === undefined, form, 'terms that are over, or cannot be, are not granted');
  const { number, hash, content, narrowed, rules } = round;
  const granted = {
    content: { ...content, terms: narrowed ?? content.terms },
    rules: termBounds(rules),
  };
  const resolution = resolveGrant(form, granted, atMs);
  const ownMs = resolution.type === 'Resolved' ? resolution.terms.notBeforeMs : undefined;
  // Late approval means effective now.
  const effectiveMs = Math.max(atMs, ownMs ?? atMs);
  return { round: number, hash, ...granted, approvedMs: atMs, effectiveMs };
}

/** What is in force, or comes first, stays until the date of the change. */
function change(form: FormRecord, next: Grant): FormRecord {
  const { nextGrant, ...rest } = form;
  // An earlier change whose date has come is what is in force, whether that was noted yet or not.
  const isDue = nextGrant !== undefined && nextGrant.effectiveMs <= next.approvedMs;
  const grant = isDue ? nextGrant : form.grant;
  demand(grant !== undefined, form, 'only a grant is changed');
  const isLater = next.effectiveMs > next.approvedMs && next.effectiveMs > grant.effectiveMs;
  return isLater ? { ...rest, grant, nextGrant: next } : { ...rest, grant: next };
}

function revoke(
  form: FormRecord,
  round: Round,
  { atMs, actor }: { readonly atMs: number; readonly actor: string },
): FormRecord {
  const { revocation } = round.content;
  demand(revocation !== undefined && form.grant !== undefined, form, 'only a grant is revoked');
  const { justification: message, effectiveDate } = revocation;
  const dueMs = askedEndMs(revocation, round.content);
  if (dueMs === undefined || dueMs <= atMs) {
    return endGrant(form, { cause: 'Revoked', atMs, actor, message });
  }
  const day = effectiveDate === undefined ? {} : { effectiveDate };
  return { ...form, revocation: { atMs: dueMs, round: round.number, message, ...day } };
}
