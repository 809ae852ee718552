/**
 * The next single step of a form, as an ordered list of rules.
 * Pure; the operator carries the step out and asks again.
 *
 *     apply:    StampFinalizer -> Open -> OpenRound ... (review) ... CreateKey
 *     edit:     NoteEdit -> OpenRound | TakeBack
 *     time:     Lapse, ActivateNext, EndGrant
 *     delete:   End -> ReleaseFinalizer
 *     vanished: ProveGone -> End
 */
import { FINALIZER } from '../../api/names.ts';
import { NOTHING, type Action, type ActionOf, type Answer, type Rule } from './actions.ts';
import { identify } from './identity.ts';
import { isReviewed } from './rounds.ts';
import { secretText } from './serving.ts';
import { noticeDay, standingOf } from './standing.ts';
import { servedName } from './view.ts';
import { isReissueDropped, wishOf } from './wish.ts';
import type { FormView, World } from './world.ts';

/** The next step, or undefined when nothing is to be done now. May be repeated. */
export function nextAction(world: World): Action | undefined {
  for (const rule of RULES) {
    const answer = rule(world);
    if (answer !== undefined) return answer.type === 'Nothing' ? undefined : answer;
  }
  return undefined;
}

/** An earlier object of this name, or the object of a record, is gone without having been ended. */
const endVanished: Rule = ({ form, record, predecessor, evidence, mayEndVanished }) => {
  const gone = predecessor ?? (form === undefined ? record : undefined);
  if (gone === undefined || gone.phase === 'Ended') return form === undefined ? NOTHING : undefined;
  if (!mayEndVanished) return NOTHING;
  return evidence.goneUids?.includes(gone.uid) === true
    ? { type: 'End', record: gone, because: 'Vanished' }
    : { type: 'ProveGone', record: gone };
};

/** What was granted ends first, and only then the object may go. */
const endDeleted: Rule = ({ form, record, evidence }) => {
  if (form === undefined || !form.isDeleting) return undefined;
  if (record?.phase === 'Live') return { type: 'End', record, because: 'Deleted' };
  const isHeld = form.finalizers.includes(FINALIZER) && evidence.finalizerReleased !== true;
  return isHeld ? { type: 'ReleaseFinalizer' } : NOTHING;
};

/** Clusters without mutation policies leave the finalizer to us; it stands before anything counts. */
const stampFinalizer: Rule = ({ form }) =>
  form !== undefined && !form.finalizers.includes(FINALIZER)
    ? { type: 'StampFinalizer' }
    : undefined;

/** A record that is not Live while its object lives: only a restored backup brings this about. */
const leaveEnded: Rule = ({ record }) => (record?.phase === 'Ended' ? NOTHING : undefined);

/** For nobody is nothing granted. */
const endForClient: Rule = ({ record, isGrantClientGone }) =>
  isGrantClientGone && record?.ended === undefined
    ? { type: 'EndGrant', cause: 'ClientDeleted' }
    : undefined;

/** The date of an approved revocation has come. */
const endAtDate: Rule = ({ record, nowMs, isClockTrusted }) =>
  isClockTrusted && record?.ended === undefined && isDue(record?.revocation?.atMs, nowMs)
    ? { type: 'EndGrant', cause: 'Revoked' }
    : undefined;

/** Nobody decided in time; who did, and was not heard yet, is heard first. */
const lapse: Rule = ({ record, nowMs, isClockTrusted, awaitsReview }) => {
  if (!isClockTrusted || awaitsReview || record?.round?.state !== 'Pending') return undefined;
  return isDue(record.round.deadlineMs, nowMs) ? { type: 'Lapse' } : undefined;
};

/** The date of an approved change has come. */
const activateNext: Rule = ({ record, nowMs, isClockTrusted }) =>
  isClockTrusted && record?.ended === undefined && isDue(record?.nextGrant?.effectiveMs, nowMs)
    ? { type: 'ActivateNext' }
    : undefined;

/** Who wrote what is there is noted before anything follows from it. */
const noteIdentity: Rule = (world) => {
  const identity = identify(world);
  switch (identity.type) {
    case 'First':
      return { type: 'Open', applicant: identity.applicant, editors: identity.editors };
    case 'Edited':
      return { type: 'NoteEdit', editors: identity.editors, isProven: identity.isProven };
    default:
      return undefined;
  }
};

/** What the newest edit asks for, once it is known who asks. */
const followWish: Rule = (world) => {
  const wish = isAuthorKnown(world) ? wishOf(world) : undefined;
  switch (wish?.type) {
    case 'TakeBack':
      return { type: 'TakeBack', because: whyTakenBack(world) };
    case 'Round': {
      const { wanted } = wish;
      const decision = isReviewed(world, wanted.type) ? 'Reviewed' : 'Free';
      return { type: 'OpenRound', wanted, decision };
    }
    default:
      return undefined;
  }
};

/** A request that was returned and then taken out of the form. */
const dropReissue: Rule = (world) =>
  isAuthorKnown(world) && world.record?.ended === undefined && isReissueDropped(world)
    ? { type: 'DropReissue' }
    : undefined;

/** The ApiKey of a grant, made once; a later one is a matter of whoever deleted it, or of a reissue. */
const createKey: Rule = (world) =>
  withGrant(world, (form) => {
    const { issuedTo, reissue } = world.record ?? {};
    const isWanted = issuedTo === undefined || reissue?.state === 'Approved';
    if (world.apiKey.type !== 'Absent' || !isWanted) return undefined;
    return { type: 'CreateKey', name: servedName(form.spec, form.ref.name) };
  });

/** How the Secret looks is no matter of review; only ApiKeys that we made follow the form in it. */
const passSecret: Rule = (world) =>
  withGrant(world, ({ spec: { secret } }): ActionOf<'PassSecret'> | undefined => {
    const { apiKey } = world;
    if (apiKey.type !== 'Present' || !apiKey.isOurs || !apiKey.namesForm || apiKey.isDeleting) {
      return undefined;
    }
    return apiKey.secretText === secretText(secret)
      ? undefined
      : { type: 'PassSecret', uid: apiKey.uid, secret };
  });

/** Whoever waits for it hears of each notice day once. */
const noteExpiring: Rule = (world) => {
  const { record, isClockTrusted } = world;
  const standing = standingOf(world);
  const endMs = standing?.endMs;
  if (standing?.state !== 'InForce' || endMs === undefined || !isClockTrusted) return undefined;
  const days = noticeDay(world, endMs);
  const { noticed } = record ?? {};
  const isTold = noticed !== undefined && noticed.endMs === endMs && noticed.days <= (days ?? 0);
  return days === undefined || isTold ? undefined : { type: 'NoteExpiring', days, endMs };
};

const RULES: readonly Rule[] = [
  endVanished,
  endDeleted,
  stampFinalizer,
  leaveEnded,
  endForClient,
  endAtDate,
  lapse,
  activateNext,
  noteIdentity,
  dropReissue,
  followWish,
  createKey,
  passSecret,
  noteExpiring,
];

function isAuthorKnown(world: World): boolean {
  return identify(world).type === 'Noted';
}

function whyTakenBack({ form }: World): ActionOf<'TakeBack'>['because'] {
  const submission = form?.spec.submission ?? 'Submitted';
  return submission === 'Submitted' ? 'Edited' : submission;
}

/** Asks `act` while something granted holds or will hold, for a form whose author is known. */
function withGrant(world: World, act: (form: FormView) => Answer): Answer {
  const state = standingOf(world)?.state;
  if (world.form === undefined || (state !== 'InForce' && state !== 'Scheduled')) return undefined;
  return isAuthorKnown(world) ? act(world.form) : undefined;
}

function isDue(atMs: number | undefined, nowMs: number): boolean {
  return atMs !== undefined && atMs <= nowMs;
}
