/**
 * The legal changes of a FormRecord outside of decisions (formdecisions.ts), one function per verb:
 * record in, record out. Pure; the application controller commits what these return.
 *
 * An illegal call is a bug of the caller and throws; nothing here decides whether to act.
 */
import { canonicalContent, type RequestContent, requestHash } from '../terms/request.ts';
import type { DocumentHead, Person } from './document.ts';
import type { FormRecord, GrantEnd, Reissue, Round, RoundState, SeenForm } from './form.ts';
import { demand } from './demand.ts';
import { currentGrant, firstIssuedMs, isReissueSpent } from './grants.ts';

/** What the object says about its authors. */
export type Authors = { readonly editors: readonly string[]; readonly seen: SeenForm };

/** What a round is opened with; its number and its hash follow from the form. */
export type RoundRequest = Pick<
  Round,
  'type' | 'content' | 'changes' | 'submissionId' | 'rules' | 'submittedMs' | 'deadlineMs'
>;

/** The record of a form that was never seen before. */
export function openForm(
  head: Omit<DocumentHead, 'revision' | 'phase'>,
  { applicant, editors, seen }: Authors & { readonly applicant: Person },
): FormRecord {
  return {
    ...head,
    revision: 0,
    phase: 'Live',
    applicant,
    editors: [...new Set(editors)],
    seen,
    spentReissueIds: [],
    reviews: [],
  };
}

/**
 * Remembers who changed the form. Editors are never forgotten, and what was found out about an edit
 * stays: it does not become proven by being read again. An older generation than was seen is a late
 * read, or a cluster that was restored; then both have to be proven.
 */
export function noteSeen(form: FormRecord, { editors, seen }: Authors): FormRecord {
  const before = form.seen;
  const isNewer = seen.generation > before.generation;
  const isOlder = seen.generation < before.generation;
  const isStillProven = before.isProven && (seen.isProven || !isOlder);
  return {
    ...form,
    editors: [...new Set([...form.editors, ...editors])],
    seen: isNewer
      ? seen
      : { generation: before.generation, atMs: seen.atMs, isProven: isStillProven },
  };
}

/** Opens the next round; its content is frozen in its normal form. */
export function openRound(form: FormRecord, request: RoundRequest): FormRecord {
  demand(form.round?.state !== 'Pending', form, 'one round at a time');
  demand(form.phase === 'Live' && form.ended === undefined, form, 'an ended form opens no round');
  demand(form.seen.isProven, form, 'an edit of nobody knows whom opens no round');
  const { type } = request;
  demand((type === 'Issue') === (form.grant === undefined), form, 'only a first round is Issue');
  const content = canonicalContent(request.content);
  const number = (form.round?.number ?? 0) + 1;
  const hash = requestHash({ formUid: form.uid, round: number, type, content });
  const round: Round = { ...request, content, number, hash, state: 'Pending' };
  const next = type === 'Reissue' ? openReissue(form, round) : dropOtherReissue(form, content);
  return { ...next, round };
}

/** The form was edited while its round was open: what was read of it is not what is asked for now. */
export function replaceRound(form: FormRecord, request: RoundRequest): FormRecord {
  return openRound(withoutRound(form, 'Replaced', request.submittedMs), request);
}

/** The applicant takes the open request back; what he has stays as it is, and so does what waits beside it. */
export function withdrawRound(form: FormRecord, atMs: number): FormRecord {
  const closed = withoutRound(form, 'Withdrawn', atMs);
  const isOver = closed.round?.type === 'Reissue' && closed.reissue?.state === 'Waiting';
  return isOver ? dropReissue(closed) : closed;
}

/** Nobody decided in time. A key that was switched off for the reissue stays off. */
export function lapseRound(form: FormRecord, atMs: number): FormRecord {
  const { deadlineMs } = form.round ?? {};
  demand(deadlineMs !== undefined && deadlineMs <= atMs, form, 'a round lapses at its deadline');
  const closed = withoutRound(form, 'Lapsed', atMs);
  if (closed.reissue === undefined || closed.round?.type !== 'Reissue') return closed;
  return { ...closed, reissue: { ...closed.reissue, state: 'Lapsed' } };
}

/**
 * The wish for new values is taken back while no round of it is open (it was returned). Where an
 * earlier one had lapsed, the key stays off as it was.
 */
export function dropReissue(form: FormRecord): FormRecord {
  const { reissue, ...rest } = form;
  demand(reissue?.state === 'Waiting', form, 'only a waiting reissue is taken back');
  return isOffSinceLapse(form) ? { ...form, reissue: { ...reissue, state: 'Lapsed' } } : rest;
}

/** The approved new values are there. */
export function finishReissue(form: FormRecord, requestId: string): FormRecord {
  const { reissue, ...rest } = form;
  demand(
    reissue?.state === 'Approved' && reissue.requestId === requestId,
    form,
    'only an approved reissue is finished',
  );
  return rest;
}

/** The date of an approved change has come: from here on it is the grant. */
export function activateNext(form: FormRecord, nowMs: number): FormRecord {
  const { nextGrant, ...rest } = form;
  demand(
    nextGrant !== undefined && nextGrant.effectiveMs <= nowMs && form.ended === undefined,
    form,
    'a change takes effect at its date',
  );
  return { ...rest, grant: nextGrant };
}

/** The key exists with the values of this grant; call it in the commit of its first issue. */
export function bindKey(
  form: FormRecord,
  { keyUid, atMs }: { readonly keyUid: string; readonly atMs: number },
): FormRecord {
  demand(form.phase === 'Live', form, 'a form that is gone serves no key');
  demand(currentGrant(form, atMs) !== undefined, form, 'no key without a grant in force');
  // Durations count from the very first issue, whatever key it was.
  return { ...form, issuedTo: { keyUid, atMs: firstIssuedMs(form) ?? atMs } };
}

/** The date of the approved revocation has come. */
export function carryOutRevocation(form: FormRecord, nowMs: number): FormRecord {
  const { revocation } = form;
  demand(
    revocation !== undefined && revocation.atMs <= nowMs,
    form,
    'a revocation takes effect at its date',
  );
  const { atMs, message } = revocation;
  return endGrant(form, { cause: 'Revoked', atMs, actor: 'operator', message });
}

/**
 * The grant is over for good, and so is everything that was asked for or approved with it. The first
 * end stays; may be repeated, also where nothing was granted.
 */
export function endGrant(form: FormRecord, ended: GrantEnd): FormRecord {
  if (form.ended !== undefined) return form;
  const state = ended.cause === 'Withdrawn' ? 'Denied' : 'Withdrawn';
  const isOpen = form.round?.state === 'Pending';
  const closed = isOpen ? withoutRound(form, state, ended.atMs) : form;
  const { nextGrant: _, revocation: __, reissue: ___, ...rest } = closed;
  return { ...rest, ended };
}

/** The object is gone: the record stays as history, and is found by its UID only. May be repeated. */
export function closeForm(form: FormRecord, atMs: number): FormRecord {
  const ended = endGrant(form, { cause: 'FormDeleted', atMs, actor: 'operator' });
  return { ...ended, phase: 'Ended' };
}

/** The form with its open round closed in this state. */
function withoutRound(form: FormRecord, state: RoundState, atMs: number): FormRecord {
  const { round } = form;
  demand(round?.state === 'Pending', form, 'only an open round ends');
  return { ...form, round: { ...round, state, decidedMs: atMs } };
}

function openReissue(form: FormRecord, { number, content }: Round): FormRecord {
  const wanted = content.reissue;
  demand(wanted !== undefined, form, 'a reissue says which');
  const { requestId, reason } = wanted;
  demand(!isReissueSpent(form, requestId), form, 'a spent reissue never acts again');
  demand(form.reissue?.state !== 'Approved', form, 'an approved reissue is carried out first');
  const whileWaiting = isOffSinceLapse(form) ? 'Suspend' : wanted.whileWaiting;
  const reissue: Reissue = { requestId, reason, round: number, whileWaiting, state: 'Waiting' };
  return {
    ...form,
    reissue,
    spentReissueIds: [...new Set([...form.spentReissueIds, requestId])],
  };
}

/** After a lapse only a decision switches the key on again; another wish is none. */
function isOffSinceLapse({ reissue, round }: FormRecord): boolean {
  if (reissue?.whileWaiting !== 'Suspend') return false;
  const said = round?.content.reissue?.whileWaiting;
  return reissue.state === 'Lapsed' || (reissue.state === 'Waiting' && said === 'KeepActive');
}

/** A round of another type goes before a reissue that is still asked for; else that was taken back. */
function dropOtherReissue(form: FormRecord, content: RequestContent): FormRecord {
  const { reissue } = form;
  const isKept = reissue?.state !== 'Waiting' || reissue.requestId === content.reissue?.requestId;
  return isKept ? form : dropReissue(form);
}
