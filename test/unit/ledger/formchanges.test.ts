import { describe, expect, it } from 'vitest';
import { DAY_MS } from '../../../src/kernel/time.ts';
import type { FormRecord, Round, RoundRules } from '../../../src/ledger/form.ts';
import {
  activateNext,
  bindKey,
  carryOutRevocation,
  closeForm,
  dropReissue,
  endGrant,
  finishReissue,
  lapseRound,
  noteSeen,
  openRound,
  replaceRound,
  withdrawRound,
} from '../../../src/ledger/formchanges.ts';
import { approveAutomatically, countReview } from '../../../src/ledger/formdecisions.ts';
import {
  approvalProblem,
  currentGrant,
  grantState,
  isReissueSpent,
  isSuspendedForReissue,
  openLayer,
} from '../../../src/ledger/grants.ts';
import { requestHash } from '../../../src/terms/request.ts';
import {
  aDecision,
  aForm,
  aRequest,
  aRoundRequest,
  aSubmittedForm,
  FORM_AT_MS as AT_MS,
  ONE_LAYER,
} from '../../support/forms.ts';

const TWO_LAYERS: RoundRules = {
  ...ONE_LAYER,
  layers: [
    { name: 'team', approvals: 2 },
    { name: 'security', approvals: 1 },
  ],
};
const NOBODY: RoundRules = { ...ONE_LAYER, layers: [] };
const ILLEGAL = expect.objectContaining({ class: 'Bug', reason: 'IllegalTransition' });
const LATER_MS = AT_MS + 40 * DAY_MS;

const dated = (effectiveDate: string) =>
  aRequest({ terms: { validity: { effectiveDate, timeZone: 'Asia/Seoul' } } });

const granted = (content = aRequest()): FormRecord =>
  countReview(aSubmittedForm({ content }), aDecision());

const reissue = (requestId: string, whileWaiting: 'KeepActive' | 'Suspend' = 'Suspend') =>
  aRoundRequest({
    type: 'Reissue',
    content: aRequest({ reissue: { requestId, reason: 'Exposed', whileWaiting } }),
  });

const revocation = (effectiveDate?: string) =>
  aRoundRequest({
    type: 'Revoke',
    content: aRequest({
      revocation: { justification: 'over', ...(effectiveDate && { effectiveDate }) },
    }),
  });

function roundOf({ round }: FormRecord): Round {
  if (round === undefined) throw new Error('no round was opened');
  return round;
}

describe('A form', () => {
  it('never forgets an editor, and an edit of nobody knows whom stays so until a newer one', () => {
    const seen = { generation: 2, atMs: 5, isProven: false };
    const edited = noteSeen(aForm(), { editors: ['bob'], seen });
    expect(edited.editors).toEqual(['bob']);
    const again = noteSeen(edited, { editors: ['cat'], seen: { ...seen, isProven: true } });
    expect(again).toMatchObject({ editors: ['bob', 'cat'], seen: { isProven: false } });
    expect(() => openRound(again, aRoundRequest())).toThrow(ILLEGAL);
    const newer = { generation: 3, atMs: 6, isProven: true };
    expect(noteSeen(again, { editors: [], seen: newer }).seen).toEqual(newer);
    const late = { ...newer, generation: 2 };
    expect(noteSeen(again, { editors: [], seen: late }).seen.isProven).toBe(false);
    const restored = { ...late, generation: 1, isProven: false };
    expect(noteSeen(aForm(), { editors: [], seen: { ...restored, generation: 0 } }).seen).toEqual({
      generation: 1,
      atMs: 6,
      isProven: false,
    });
  });

  it('opens one round at a time, each with the next number and the hash of what is asked', () => {
    const first = aSubmittedForm({ content: aRequest({ purpose: '', displayName: 'x' }) });
    expect(first.round).toMatchObject({ number: 1, state: 'Pending' });
    expect(first.round?.content).not.toHaveProperty('purpose');
    expect(first.round?.hash).toBe(
      requestHash({
        formUid: 'form-1',
        round: 1,
        type: 'Issue',
        content: aRequest({ displayName: 'x' }),
      }),
    );
    expect(() => openRound(first, aRoundRequest())).toThrow(ILLEGAL);
    expect(() => openRound(aForm(), aRoundRequest({ type: 'Change' }))).toThrow(ILLEGAL);
    expect(() => openRound(granted(), aRoundRequest())).toThrow(ILLEGAL);
    const second = replaceRound(first, aRoundRequest());
    expect(second.round).toMatchObject({ number: 2, state: 'Pending' });
    expect(() => replaceRound(aForm(), aRoundRequest())).toThrow(ILLEGAL);
    const third = openRound(withdrawRound(second, AT_MS), aRoundRequest());
    expect(third.round).toMatchObject({ number: 3, state: 'Pending' });
  });

  it('lapses at its deadline and not before, and can be submitted again', () => {
    const form = aSubmittedForm({ deadlineMs: LATER_MS });
    expect(() => lapseRound(form, LATER_MS - 1)).toThrow(ILLEGAL);
    expect(() => lapseRound(aSubmittedForm(), LATER_MS)).toThrow(ILLEGAL);
    const lapsed = lapseRound(form, LATER_MS);
    expect(lapsed.round).toMatchObject({ state: 'Lapsed', decidedMs: LATER_MS });
    expect(openRound(lapsed, aRoundRequest()).round?.number).toBe(2);
  });
});

describe('A decision', () => {
  it('grants with the last approval of the last layer, in their order, each person once', () => {
    let form = aSubmittedForm({ rules: TWO_LAYERS });
    const turn = () => openLayer(roundOf(form), form.reviews);
    expect(() => countReview(form, aDecision('a', { layer: 'security' }))).toThrow(ILLEGAL);
    expect(() => countReview(form, aDecision('a'))).toThrow(ILLEGAL);
    form = countReview(form, aDecision('a', { layer: 'team' }));
    expect(turn()).toEqual({ layer: { name: 'team', approvals: 2 }, given: 1 });
    expect(() => countReview(form, aDecision('a', { layer: 'team' }))).toThrow(ILLEGAL);
    form = countReview(form, aDecision('b', { layer: 'team' }));
    expect(turn()).toEqual({ layer: { name: 'security', approvals: 1 }, given: 0 });
    expect(() => countReview(form, aDecision('a', { layer: 'security' }))).toThrow(ILLEGAL);
    expect(form.grant).toBeUndefined();
    form = countReview(form, aDecision('c', { layer: 'security' }));
    expect(turn()).toBeUndefined();
    expect(form.grant).toMatchObject({ round: 1, hash: form.round?.hash });
    expect(form.round?.state).toBe('Approved');
    expect(() => countReview(form, aDecision('d', { layer: 'security' }))).toThrow(ILLEGAL);
  });

  it.each(['Denied', 'Returned'] as const)('%s ends the round with its words', (decision) => {
    const said = { reason: 'Security', message: 'no' };
    const form = countReview(aSubmittedForm(), aDecision('rob', { decision, ...said }));
    expect(form.round).toMatchObject({ state: decision, ...said, decidedMs: AT_MS + 1_000 });
    expect(form.grant).toBeUndefined();
    expect(form.reviews).toHaveLength(1);
    expect(() => countReview(form, aDecision('sue'))).toThrow(ILLEGAL);
  });

  it('of earlier rounds counts for none that came later', () => {
    const rules = { ...ONE_LAYER, layers: [{ name: '', approvals: 2 }] };
    const once = countReview(aSubmittedForm({ rules }), aDecision('a'));
    const edited = replaceRound(once, aRoundRequest({ rules }));
    expect(countReview(edited, aDecision('b')).grant).toBeUndefined();
    expect(countReview(countReview(edited, aDecision('b')), aDecision('a')).grant).toBeDefined();
  });

  it('is made by nobody only where nobody has to decide', () => {
    expect(() => approveAutomatically(aSubmittedForm(), AT_MS)).toThrow(ILLEGAL);
    const form = approveAutomatically(aSubmittedForm({ rules: NOBODY }), AT_MS);
    expect(form).toMatchObject({ grant: { round: 1 }, reviews: [] });
    expect(() => approveAutomatically(form, AT_MS)).toThrow(ILLEGAL);
  });

  it('grants the terms as they were narrowed, under the hash of what was read', () => {
    const narrowed = { validity: { timeZone: 'UTC' }, quota: { requests: 5 } };
    const form = countReview(aSubmittedForm(), aDecision('rob', { narrowed }));
    expect(form.grant?.content.terms).toEqual(narrowed);
    expect(form.grant?.hash).toBe(aSubmittedForm().round?.hash);
  });

  it('takes effect at the local midnight that was asked for, and when it is late, at once (R103, R108)', () => {
    const ahead = granted(dated('2027-02-01'));
    const midnightMs = Date.parse('2027-02-01T00:00:00+09:00');
    expect(ahead.grant?.effectiveMs).toBe(midnightMs);
    expect(grantState(ahead, midnightMs - 1)).toBe('Scheduled');
    expect(currentGrant(ahead, midnightMs - 1)).toBeUndefined();
    expect(() => bindKey(ahead, { keyUid: 'k', atMs: midnightMs - 1 })).toThrow(ILLEGAL);
    expect(grantState(ahead, midnightMs)).toBe('InForce');
    expect(currentGrant(ahead, midnightMs)).toEqual(ahead.grant);
    expect(granted(dated('2027-01-02')).grant?.effectiveMs).toBe(AT_MS + 1_000);
  });

  it('never grants what is over already', () => {
    const terms = { validity: { expirationDate: '2027-01-15', timeZone: 'UTC' } };
    const form = aSubmittedForm({ content: aRequest({ terms }) });
    const endMs = Date.parse('2027-01-16T00:00:00Z');
    const problem = (atMs: number) => approvalProblem(form, roundOf(form), atMs);
    expect(problem(endMs - 1)).toBeUndefined();
    expect(problem(endMs)).toBe('AlreadyOver');
    expect(() => countReview(form, aDecision('rob', { atMs: endMs }))).toThrow(ILLEGAL);
    const inTime = countReview(form, aDecision('rob', { atMs: endMs - 1 }));
    expect([endMs - 1, endMs].map((atMs) => grantState(inTime, atMs))).toEqual([
      'InForce',
      'Expired',
    ]);
  });

  it('keeps every review of the open round, and the newest of those before', () => {
    let form = aForm();
    for (let index = 0; index < 60; index += 1) {
      form = openRound(form, aRoundRequest());
      form = countReview(form, aDecision(`r${index}`, { decision: 'Returned' }));
    }
    expect(form.reviews).toHaveLength(50);
    const rules = { ...ONE_LAYER, layers: [{ name: '', approvals: 60 }] };
    form = openRound(form, aRoundRequest({ rules }));
    for (let index = 0; index < 60; index += 1) form = countReview(form, aDecision(`a${index}`));
    expect(form.grant).toBeDefined();
    expect(form.reviews).toHaveLength(60);
  });
});

describe('A change', () => {
  const changeTo = (form: FormRecord, content = dated('2027-02-01')): FormRecord =>
    openRound(form, aRoundRequest({ type: 'Change', content }));

  it('leaves what is in force as it was until it is approved, and until its own date (R121, R122)', () => {
    const before = granted();
    const open = changeTo(before);
    expect(currentGrant(open, LATER_MS)).toEqual(before.grant);
    const denied = countReview(open, aDecision('rob', { decision: 'Denied' }));
    expect(currentGrant(denied, LATER_MS)).toEqual(before.grant);
    const approved = countReview(open, aDecision());
    const midnightMs = approved.nextGrant?.effectiveMs ?? 0;
    expect(currentGrant(approved, midnightMs - 1)).toEqual(before.grant);
    expect(currentGrant(approved, midnightMs)?.round).toBe(2);
    expect(() => activateNext(approved, midnightMs - 1)).toThrow(ILLEGAL);
    const after = activateNext(approved, midnightMs);
    expect(after.grant).toEqual(approved.nextGrant);
    expect(after.nextGrant).toBeUndefined();
  });

  it('without a date of its own is in force with the decision, in another round: the quota begins anew (R124)', () => {
    const changed = countReview(changeTo(granted(), aRequest({ displayName: 'n' })), aDecision());
    expect(changed.grant).toMatchObject({ round: 2, effectiveMs: AT_MS + 1_000 });
    expect(changed.nextGrant).toBeUndefined();
  });

  it('takes the place of an earlier one that still waits, and never of one whose date has come', () => {
    const waits = countReview(changeTo(granted()), aDecision());
    const dueMs = waits.nextGrant?.effectiveMs ?? 0;
    const next = changeTo(waits, dated('2027-03-01'));
    const replaced = countReview(next, aDecision());
    expect([replaced.grant?.round, replaced.nextGrant?.round]).toEqual([1, 3]);
    const late = countReview(next, aDecision('rob', { atMs: dueMs }));
    expect([late.grant?.round, late.nextGrant?.round]).toEqual([2, 3]);
    const now = countReview(changeTo(waits, aRequest({ purpose: 'p' })), aDecision());
    expect([now.grant?.round, now.nextGrant]).toEqual([3, undefined]);
  });

  it('of a grant whose date has not come takes its place, unless it comes later', () => {
    const scheduled = granted(dated('2027-02-01'));
    const earlier = countReview(changeTo(scheduled, dated('2027-01-20')), aDecision());
    expect([earlier.grant?.round, earlier.nextGrant]).toEqual([2, undefined]);
    const later = countReview(changeTo(scheduled, dated('2027-03-01')), aDecision());
    expect([later.grant?.round, later.nextGrant?.round]).toEqual([1, 2]);
  });
});

describe('A reissue', () => {
  const asked = openRound(granted(), reissue('r1'));

  it('approved acts once, and its id never again', () => {
    expect(isSuspendedForReissue(asked)).toBe(true);
    const approved = countReview(asked, aDecision());
    expect(approved.reissue).toMatchObject({
      requestId: 'r1',
      state: 'Approved',
      reason: 'Exposed',
    });
    expect(approved.grant).toEqual(asked.grant);
    expect(() => openRound(approved, reissue('r2'))).toThrow(ILLEGAL);
    expect(() => finishReissue(approved, 'r2')).toThrow(ILLEGAL);
    expect(() => finishReissue(asked, 'r1')).toThrow(ILLEGAL);
    const done = finishReissue(approved, 'r1');
    expect(done.reissue).toBeUndefined();
    expect(isReissueSpent(done, 'r1')).toBe(true);
    expect(() => openRound(done, reissue('r1'))).toThrow(ILLEGAL);
    expect(openRound(done, reissue('r2')).reissue?.requestId).toBe('r2');
  });

  it('denied switches the key on again; lapsed does not, and no other wish does', () => {
    const denied = countReview(asked, aDecision('rob', { decision: 'Denied' }));
    expect(isSuspendedForReissue(denied)).toBe(false);
    expect(isReissueSpent(denied, 'r1')).toBe(true);
    const open = openRound(granted(), { ...reissue('r1'), deadlineMs: LATER_MS });
    const lapsed = lapseRound(open, LATER_MS);
    expect(lapsed.reissue?.state).toBe('Lapsed');
    const again = openRound(lapsed, reissue('r2', 'KeepActive'));
    const twice = replaceRound(again, reissue('r3', 'KeepActive'));
    const change = replaceRound(twice, aRoundRequest({ type: 'Change' }));
    for (const form of [lapsed, again, twice, change, withdrawRound(twice, LATER_MS)]) {
      expect(isSuspendedForReissue(form)).toBe(true);
    }
    const settled = countReview(again, aDecision('rob', { decision: 'Denied' }));
    expect(isSuspendedForReissue(settled)).toBe(false);
  });

  it('that was taken back switches the key on again, and its id is spent', () => {
    const back = withdrawRound(asked, AT_MS);
    expect(back.reissue).toBeUndefined();
    expect(isReissueSpent(back, 'r1')).toBe(true);
    const kept = withdrawRound(openRound(granted(), reissue('r1', 'KeepActive')), AT_MS);
    expect(kept.reissue).toBeUndefined();
  });

  it('that was returned, or gave way to another round, still waits under its id', () => {
    const returned = countReview(asked, aDecision('rob', { decision: 'Returned' }));
    expect(returned.reissue?.state).toBe('Waiting');
    expect(isReissueSpent(returned, 'r1')).toBe(false);
    expect(openRound(returned, reissue('r1')).reissue?.round).toBe(3);
    expect(dropReissue(returned).reissue).toBeUndefined();
    const content = { ...reissue('r1').content, revocation: { justification: 'over' } };
    const revoking = replaceRound(asked, { ...revocation(), content });
    expect(revoking.reissue).toMatchObject({ requestId: 'r1', state: 'Waiting', round: 2 });
    expect(replaceRound(asked, revocation()).reissue).toBeUndefined();
  });
});

describe('The end of a grant', () => {
  it('by a reviewer kills everything, in every state, and nothing brings it back', () => {
    const waits = countReview(
      openRound(granted(), aRoundRequest({ type: 'Change', content: dated('2027-02-01') })),
      aDecision(),
    );
    const open = openRound(waits, reissue('r1'));
    const decision = aDecision('eve', {
      decision: 'Revoked',
      reason: 'Security',
      message: 'abuse',
    });
    const ended = countReview(open, decision);
    expect(ended).toMatchObject({
      ended: { cause: 'Withdrawn', actor: 'eve', message: 'abuse', atMs: decision.atMs },
      round: { state: 'Denied', reason: 'Security', message: 'abuse' },
    });
    expect([ended.nextGrant, ended.reissue, ended.revocation]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(grantState(ended, LATER_MS)).toBe('Ended');
    expect(currentGrant(ended, LATER_MS)).toBeUndefined();
    expect(() => openRound(ended, revocation())).toThrow(ILLEGAL);
    expect(() => countReview(ended, aDecision())).toThrow(ILLEGAL);
    expect(() => bindKey(ended, { keyUid: 'k', atMs: LATER_MS })).toThrow(ILLEGAL);
    expect(() => countReview(aSubmittedForm(), decision)).toThrow(ILLEGAL);
    const settled = countReview(granted(), decision);
    expect(settled.round).toMatchObject({ state: 'Approved' });
    expect(settled.round).not.toHaveProperty('message');
  });

  it('that the applicant asked for comes with the approval, or at its own date (R123)', () => {
    const now = countReview(openRound(granted(), revocation()), aDecision());
    expect(now.ended).toMatchObject({ cause: 'Revoked', actor: 'rob', message: 'over' });
    const past = countReview(openRound(granted(), revocation('2027-01-01')), aDecision());
    expect(past.ended).toBeDefined();
    const later = countReview(openRound(granted(), revocation('2027-02-01')), aDecision());
    const dueMs = Date.parse('2027-02-01T00:00:00Z');
    expect(later).toMatchObject({ revocation: { atMs: dueMs, round: 2, message: 'over' } });
    expect([dueMs - 1, dueMs].map((atMs) => grantState(later, atMs))).toEqual(['InForce', 'Ended']);
    expect(currentGrant(later, dueMs)).toBeUndefined();
    expect(() => carryOutRevocation(later, dueMs - 1)).toThrow(ILLEGAL);
    const done = carryOutRevocation(later, dueMs + 5);
    expect(done.ended).toEqual({
      cause: 'Revoked',
      atMs: dueMs,
      actor: 'operator',
      message: 'over',
    });
    expect(done.revocation).toBeUndefined();
  });

  it('that is due is not put off by what is approved afterwards', () => {
    const due = countReview(openRound(granted(), revocation('2027-01-16')), aDecision());
    const dueMs = due.revocation?.atMs ?? 0;
    const later = openRound(due, revocation('2027-02-01'));
    const inTime = countReview(later, aDecision('rob', { atMs: dueMs - 1 }));
    expect(inTime.revocation?.round).toBe(3);
    const tooLate = countReview(later, aDecision('rob', { atMs: dueMs }));
    expect(tooLate.ended).toMatchObject({ cause: 'Revoked', atMs: dueMs });
  });

  it('happens once, also when the form is deleted, with or without a grant', () => {
    const end = { cause: 'ClientDeleted', atMs: 1, actor: 'operator' } as const;
    const ended = endGrant(granted(), end);
    expect(closeForm(ended, AT_MS)).toMatchObject({ phase: 'Ended', ended: end });
    const gone = closeForm(aSubmittedForm(), AT_MS);
    expect(gone).toMatchObject({
      phase: 'Ended',
      ended: { cause: 'FormDeleted' },
      round: { state: 'Withdrawn' },
    });
    expect(closeForm(gone, LATER_MS)).toEqual(gone);
  });
});

describe('The key of a form', () => {
  it('is bound by a grant in force, and durations count from the first of them', () => {
    const days = aRequest({ terms: { validity: { durationDays: 10, timeZone: 'UTC' } } });
    const form = granted(days);
    expect(() => bindKey(aSubmittedForm(), { keyUid: 'k', atMs: AT_MS })).toThrow(ILLEGAL);
    const issuedMs = AT_MS + 3 * DAY_MS;
    const bound = bindKey(form, { keyUid: 'k1', atMs: issuedMs });
    const again = bindKey(bound, { keyUid: 'k2', atMs: issuedMs + DAY_MS });
    expect(again.issuedTo).toEqual({ keyUid: 'k2', atMs: issuedMs });
    const endMs = issuedMs + 10 * DAY_MS;
    expect([endMs - 1, endMs].map((atMs) => grantState(again, atMs))).toEqual([
      'InForce',
      'Expired',
    ]);
    expect(grantState(form, LATER_MS)).toBe('InForce');
  });
});
