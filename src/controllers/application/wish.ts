/**
 * What the newest edit of a form asks for, compared with what is open, granted and decided. Pure.
 *
 * One edit, one round: the end of the grant goes before new values, those before other terms; what
 * comes later waits until that is decided. What was decided and is not asked anew holds up nothing.
 */
import { DAY_MS, HOUR_MS } from '../../kernel/time.ts';
import type { FormRecord, Grant, Round, RoundType } from '../../ledger/form.ts';
import { askedEndMs, isReissueSpent } from '../../ledger/grants.ts';
import type { RequestContent } from '../../terms/request.ts';
import { contentLike, contentNow, isAsGranted, isSameContent, reissueOf } from './content.ts';
import { problemsIn, type Trouble } from './problems.ts';
import type { FormView, World } from './world.ts';

/** A round that should be opened. */
export type WantedRound = {
  readonly type: RoundType;
  readonly content: RequestContent;
};

/** What follows from the newest edit. */
export type Wish =
  /** The form asks for nothing that was not decided already. */
  | { readonly type: 'Nothing' }
  /** The open round is what is asked for. */
  | { readonly type: 'Open'; readonly round: Round }
  /** Nobody asks any more for what is in the open round. */
  | { readonly type: 'TakeBack'; readonly round: Round; readonly rest: Wish }
  /** Something is asked for, and cannot be reviewed like this. */
  | {
      readonly type: 'Incomplete';
      readonly round: RoundType;
      readonly troubles: readonly Trouble[];
    }
  | { readonly type: 'Round'; readonly wanted: WantedRound };

/** A day on which the clocks are put forward. */
const SHORTEST_DAY_MS = DAY_MS - HOUR_MS;

const NOTHING: Wish = { type: 'Nothing' };

/** The wish of a form whose author is known; see the file comment. */
export function wishOf(world: World): Wish {
  const { form, record } = world;
  if (form === undefined || record === undefined || record.ended !== undefined) return NOTHING;
  const open = record.round?.state === 'Pending' ? record.round : undefined;
  const [type] = turnsOf(world);
  if (type === undefined) return takeBack(open, NOTHING);
  if (returnedBehind(world) !== undefined) return takeBack(open, NOTHING);
  const { round } = record;
  if (round !== undefined && isSettled(world, form, round, type)) {
    return open === undefined ? NOTHING : { type: 'Open', round: open };
  }
  return newRound(world, form, { type, open });
}

/**
 * New values that were asked for, and returned for correction, are not asked for any more: the form
 * asks for none, or names a request that never acts again.
 */
export function isReissueDropped({ form, record }: World): boolean {
  if (form === undefined || record?.reissue?.state !== 'Waiting') return false;
  if (record.round?.state === 'Pending') return false;
  return form.spec.submission !== 'Submitted' || !isReissueAsked(form, record);
}

/** Returned new values whose turn it is again after a round about the end, and that nobody has corrected. */
export function returnedBehind(world: World): Round | undefined {
  const { form, record } = world;
  const { returnedReissue: round, reissue } = record ?? {};
  if (form === undefined || round === undefined || turnsOf(world)[0] !== 'Reissue')
    return undefined;
  const isWaiting = reissue?.state === 'Waiting' && reissue.requestId === reissueId(round);
  return isWaiting && isSettled(world, form, round, 'Reissue') ? round : undefined;
}

function reissueId({ content }: Round): string | undefined {
  return content.reissue?.requestId;
}

/** What is to be decided, in the order of its turn; all but the first wait. */
export function turnsOf(world: World): readonly RoundType[] {
  const { form, record } = world;
  if (form === undefined || record === undefined) return [];
  return askedOf(world).filter((type) => !isDecided(world, form, record, type));
}

/** Rounds before the newest that were refused, and whose wish still stands in the form as it was. */
export function refusedStill(world: World): readonly Round[] {
  const { refused, refusedRevoke } = world.record ?? {};
  const [asked, turns] = [askedOf(world), turnsOf(world)];
  const decided = [refused, refusedRevoke]
    .filter((round) => round !== undefined)
    .filter(({ type }) => asked.includes(type) && !turns.includes(type));
  const returned = returnedBehind(world);
  return returned === undefined ? decided : [...decided, returned];
}

/** Everything that a form still asks for, in the order of its turn, whatever was decided about it. */
export function askedOf(world: World): readonly RoundType[] {
  const { form, record } = world;
  if (form === undefined || record === undefined || record.ended !== undefined) return [];
  return form.spec.submission === 'Submitted' ? askedTypes(world, form, record) : [];
}

function askedTypes(world: World, form: FormView, record: FormRecord): readonly RoundType[] {
  const { grant, nextGrant } = record;
  if (grant === undefined) return ['Issue'];
  return [
    ...(isEndAsked(form, grant, record.revocation) ? (['Revoke'] as const) : []),
    ...(isReissueAsked(form, record) ? (['Reissue'] as const) : []),
    ...(isAsGranted(world, nextGrant ?? grant) ? [] : (['Change'] as const)),
  ];
}

/** An end that was approved stays; only an earlier one is asked for beside it. */
function isEndAsked(
  { spec: { revocation } }: FormView,
  { content }: Grant,
  approved: FormRecord['revocation'],
): boolean {
  if (revocation === undefined || approved === undefined) return revocation !== undefined;
  const { effectiveDate = '' } = revocation;
  const askedMs = askedEndMs(revocation, content);
  if (askedMs === undefined) return true;
  // In another zone the same day begins at another instant, and still is the one that was approved.
  return approved.effectiveDate === undefined
    ? askedMs <= approved.atMs - SHORTEST_DAY_MS
    : askedMs < approved.atMs && effectiveDate < approved.effectiveDate;
}

/** An approved reissue is carried out before the next one is asked for. */
function isReissueAsked({ spec }: FormView, record: FormRecord): boolean {
  const requestId = spec.reissue?.requestId;
  if (requestId === undefined || record.reissue?.state === 'Approved') return false;
  return !isReissueSpent(record, requestId);
}

/** It was decided, and is not asked anew. Returned new values keep their turn, as their key may be off. */
function isDecided(world: World, form: FormView, record: FormRecord, type: RoundType): boolean {
  const rounds = [record.round, record.refused, record.refusedRevoke];
  return rounds.some(
    (round) =>
      round !== undefined &&
      ((round.state !== 'Pending' && type !== 'Reissue' && isSettled(world, form, round, type)) ||
        isFinallyDenied(round, type)),
  );
}

/** The round is open or was decided, and the form asks for just the same. */
function isSettled(world: World, form: FormView, round: Round, type: RoundType): boolean {
  if (round.type !== type || !isSameAsked(world, form, round)) return false;
  if (round.state === 'Pending') return true;
  // Taken back, and submitted anew: that is an edit of its own.
  if (round.state === 'Withdrawn' || round.state === 'Replaced') return false;
  return form.spec.submissionId === undefined || form.spec.submissionId === round.submissionId;
}

/** Whether new values wait beside the end matters only while the end is being decided about. */
function isSameAsked(world: World, form: FormView, { type, state, content }: Round): boolean {
  const now = contentFor(world, form, type, content);
  if (type !== 'Revoke' || state === 'Pending') return isSameContent(now, content);
  const { reissue: _, ...asked } = now;
  const { reissue: __, ...decided } = content;
  return isSameContent(asked, decided);
}

/** The store gives no second chance for terms; new values and the end can always be asked for. */
function isFinallyDenied(round: Round, type: RoundType): boolean {
  const isDenied = round.state === 'Denied' && round.rules.onDenied === 'Final';
  return isDenied && isAboutTerms(type) && isAboutTerms(round.type);
}

/** Which refused rounds the record remembers once a round of this type has opened. */
export function refusedBeside(
  { form, record }: World,
  type: RoundType,
): Pick<FormRecord, 'refused' | 'refusedRevoke' | 'returnedReissue'> {
  const { round, refused, refusedRevoke } = record ?? {};
  const over = isRefused(round) ? round : undefined;
  const terms = over !== undefined && isAboutTerms(over.type) ? over : refused;
  const end = over?.type === 'Revoke' ? over : refusedRevoke;
  // Taken out of the form, and later put there again: that is a wish of its own.
  const isEndAsked = type !== 'Revoke' && form?.spec.revocation !== undefined;
  return {
    ...(type === 'Revoke' ? returnedBeside(record) : {}),
    ...(terms === undefined || isAboutTerms(type) ? {} : { refused: terms }),
    ...(end === undefined || !isEndAsked ? {} : { refusedRevoke: end }),
  };
}

/** New values that were returned wait beside a round about the end; any other replaces them. */
function returnedBeside(record: FormRecord | undefined): Pick<FormRecord, 'returnedReissue'> {
  if (record?.reissue?.state !== 'Waiting') return {};
  const { round, returnedReissue } = record;
  const isNewest = round?.type === 'Reissue' && round.state === 'Returned';
  const returned = isNewest ? round : returnedReissue;
  return returned === undefined ? {} : { returnedReissue: returned };
}

function isRefused(round: Round | undefined): boolean {
  const { state } = round ?? {};
  return state === 'Denied' || state === 'Returned' || state === 'Lapsed';
}

function isAboutTerms(type: RoundType): boolean {
  return type === 'Issue' || type === 'Change';
}

function newRound(
  world: World,
  form: FormView,
  { type, open }: { readonly type: RoundType; readonly open: Round | undefined },
): Wish {
  const troubles = problemsIn(world, form, type);
  if (troubles.length > 0) return takeBack(open, { type: 'Incomplete', round: type, troubles });
  const now = contentNow(world);
  const base = type === 'Revoke' || type === 'Reissue' ? world.record?.grant?.content : now;
  if (base === undefined) return open === undefined ? NOTHING : { type: 'Open', round: open };
  return { type: 'Round', wanted: { type, content: contentFor(world, form, type, base) } };
}

/** What a round of this type asks for; only one about terms takes the form's own words for them. */
function contentFor(
  world: World,
  { spec }: FormView,
  type: RoundType,
  base: RequestContent,
): RequestContent {
  const { reissue: _, revocation: __, ...terms } = base;
  switch (type) {
    case 'Issue':
    case 'Change':
      return contentLike(world, base);
    case 'Reissue': {
      const reissue = reissueOf(spec);
      return reissue === undefined ? terms : { ...terms, reissue };
    }
    case 'Revoke': {
      const { revocation } = spec;
      const reissue = waitingReissue(world, spec);
      return {
        ...terms,
        ...(reissue === undefined ? {} : { reissue }),
        ...(revocation === undefined ? {} : { revocation }),
      };
    }
  }
}

/** New values that are asked for all along go on waiting while the end is decided about. */
function waitingReissue({ record }: World, spec: FormView['spec']): RequestContent['reissue'] {
  const { state, requestId } = record?.reissue ?? {};
  const reissue = reissueOf(spec);
  return state === 'Waiting' && reissue?.requestId === requestId ? reissue : undefined;
}

function takeBack(open: Round | undefined, rest: Wish): Wish {
  return open === undefined ? rest : { type: 'TakeBack', round: open, rest };
}
