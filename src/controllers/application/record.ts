/** The actions that change what the ledger knows about a form, each one commit with its audit entry. */
import { refText } from '../../api/meta.ts';
import type { KeywardError } from '../../kernel/errors.ts';
import { formatTime, SECOND_MS } from '../../kernel/time.ts';
import type { FormRecord, Round } from '../../ledger/form.ts';
import {
  activateNext,
  carryOutRevocation,
  closeForm,
  dropReissue,
  endGrant,
  lapseRound,
  noteSeen,
  openForm,
  openRound,
  replaceRound,
  withdrawRound,
} from '../../ledger/formchanges.ts';
import { approveAutomatically } from '../../ledger/formdecisions.ts';
import type { AuditEntry } from '../../ledger/port.ts';
import { cacheBehind } from '../../runtime/behind.ts';
import type { ActionOf } from './actions.ts';
import { author, change, commit, mine, present } from './commits.ts';
import { isNewest } from './cluster.ts';
import type { Deps } from './deps.ts';
import { requestOf } from './rounds.ts';
import { refusedBeside } from './wish.ts';
import type { World } from './world.ts';

/** Dates bring about what people decided before. */
const SCHEDULE = 'schedule';

/** The form is seen for the first time, and it is known who created it. */
export async function open(deps: Deps, world: World, action: ActionOf<'Open'>): Promise<World> {
  const { uid, ref, generation } = present(world);
  const { applicant, editors } = action;
  const record = openForm(
    { clusterId: deps.clusterId, uid, ...ref },
    { applicant, editors, seen: { generation, atMs: world.nowMs, isProven: true } },
  );
  const { attestedBy } = applicant;
  const facts = { applicant: applicant.username, source: applicant.source };
  const next = await change(deps, world, record, {
    action: 'FormSeen',
    actor: attestedBy ?? applicant.username,
    facts,
  });
  return { ...next, edit: { type: 'None' } };
}

/** The spec was edited. */
export async function noteEdit(
  deps: Deps,
  world: World,
  action: ActionOf<'NoteEdit'>,
  signal: AbortSignal,
): Promise<World> {
  const form = present(world);
  const { generation } = form;
  const { editors, isProven } = action;
  // Only an edit after this one can heal it; so there must not be one that the watch hides.
  if (!isProven && !(await isNewest(deps, form, signal))) throw editedAgain(world);
  const record = noteSeen(mine(world), {
    editors,
    seen: { generation, atMs: world.nowMs, isProven },
  });
  const next = await change(deps, world, record, {
    action: 'FormEdited',
    // Nobody is named for what nobody could prove.
    ...(isProven ? { actor: author(record) } : {}),
    facts: { generation, isProven },
  });
  return { ...next, edit: { type: 'None' } };
}

/** Opens a round, in place of the open one; where nobody has to decide it is approved with it. */
export async function openNext(
  deps: Deps,
  world: World,
  { wanted, decision }: ActionOf<'OpenRound'>,
): Promise<World> {
  const before = mine(world);
  const request = requestOf(world, wanted, decision);
  const isOpen = before.round?.state === 'Pending';
  const opened = isOpen ? replaceRound(before, request) : openRound(before, request);
  const isFree = decision === 'Free';
  const decided = isFree ? approveAutomatically(opened, world.nowMs) : opened;
  const record = withSpent(withRefused(decided, refusedBeside(world, wanted.type)), world);
  const next = await change(deps, world, record, {
    action: isFree ? 'RoundApproved' : isOpen ? 'RoundReplaced' : 'RoundOpened',
    actor: isFree ? 'operator' : author(before),
    facts: { hash: record.round?.hash ?? '', applicant: before.applicant.username },
  });
  deps.metrics.rounds.inc({ type: wanted.type, decision });
  if (isFree) {
    deps.reporter(next, 'ApplicationApproved', `${what(record.round)} needs no review`);
  } else {
    deps.reporter(next, 'ApplicationSubmitted', `${what(record.round)} waits for a reviewer`);
  }
  return next;
}

/** The applicant asks for it no more. */
export async function takeBack(
  deps: Deps,
  world: World,
  { because }: ActionOf<'TakeBack'>,
): Promise<World> {
  const before = mine(world);
  const record = withdrawRound(before, world.nowMs);
  const next = await change(deps, world, record, {
    action: 'RoundWithdrawn',
    actor: author(before),
    facts: { because },
  });
  deps.metrics.closings.inc({ outcome: 'Withdrawn' });
  return next;
}

/** Nobody decided in time. */
export async function lapse(deps: Deps, world: World): Promise<World> {
  const record = lapseRound(mine(world), world.nowMs);
  const next = await change(deps, world, record, { action: 'RoundLapsed', actor: SCHEDULE });
  deps.metrics.closings.inc({ outcome: 'Lapsed' });
  deps.reporter(next, 'ApplicationLapsed', `Nobody decided about ${what(record.round)} in time`);
  return next;
}

/** New values are asked for no more. */
export function dropWaiting(deps: Deps, world: World): Promise<World> {
  const before = mine(world);
  const facts = { requestId: before.reissue?.requestId ?? '' };
  const note = { action: 'ReissueDropped', actor: author(before), facts };
  return change(deps, world, dropReissue(before), note);
}

/** The date of an approved change has come. */
export function activate(deps: Deps, world: World): Promise<World> {
  const record = activateNext(mine(world), world.nowMs);
  const { round = 0, hash = '' } = record.grant ?? {};
  const note = { action: 'GrantInForce', actor: SCHEDULE, facts: { round, hash } };
  return change(deps, world, record, note);
}

/** A notice day has come; said once for each end. */
export function noteExpiring(
  deps: Deps,
  world: World,
  { days, endMs }: ActionOf<'NoteExpiring'>,
): Promise<World> {
  const record = { ...mine(world), noticed: { days, endMs } };
  const facts = { days, expirationTime: formatTime(endMs), ...grantFacts(record) };
  return change(deps, world, record, { action: 'GrantExpiring', actor: SCHEDULE, facts });
}

/** The grant is over for good while its form stays. */
export async function endForGood(
  deps: Deps,
  world: World,
  { cause }: ActionOf<'EndGrant'>,
): Promise<World> {
  const before = mine(world);
  const isDue = cause === 'Revoked';
  const record = isDue
    ? carryOutRevocation(before, world.nowMs)
    : endGrant(before, { cause, atMs: world.nowMs, actor: 'operator' });
  const next = await change(deps, world, record, {
    action: isDue ? 'GrantRevoked' : 'GrantEnded',
    actor: isDue ? SCHEDULE : 'operator',
    facts: { cause, ...grantFacts(before), ...closedFacts(before) },
  });
  deps.metrics.endings.inc({ cause });
  const note = isDue ? 'The day of the revocation has come' : 'The client was deleted';
  deps.reporter(next, 'GrantEnded', note);
  return next;
}

/** The object goes or is gone: nothing that was granted to it holds any longer. */
export async function end(deps: Deps, world: World, action: ActionOf<'End'>): Promise<World> {
  const before = action.record;
  const isVanished = action.because === 'Vanished';
  if (isVanished && !deps.guard.admits(before)) return { ...world, mayEndVanished: false };
  const record = await commit(deps, closeForm(before, world.nowMs), {
    action: before.grant === undefined ? 'FormEnded' : 'GrantEnded',
    facts: { because: action.because, ...grantFacts(before), ...closedFacts(before) },
  });
  deps.sightings.forget(record.uid);
  if (before.grant !== undefined) deps.metrics.endings.inc({ cause: action.because });
  return world.predecessor?.uid === record.uid
    ? { ...world, predecessor: undefined }
    : { ...world, record };
}

function withRefused(record: FormRecord, beside: ReturnType<typeof refusedBeside>): FormRecord {
  const { refused: _, refusedRevoke: __, returnedReissue: ___, ...rest } = record;
  return { ...rest, ...beside };
}

/** A form that comes from a repository with an old wish for new values does not get them again at once. */
function withSpent(record: FormRecord, world: World): FormRecord {
  const requestId = world.form?.spec.reissue?.requestId;
  const isFirst = record.round?.type === 'Issue' && requestId !== undefined;
  if (!isFirst || record.spentReissueIds.includes(requestId)) return record;
  return { ...record, spentReissueIds: [...record.spentReissueIds, requestId] };
}

function editedAgain({ ref }: World): KeywardError {
  return cacheBehind(`ApiKeyApplication ${refText(ref)}`, 'was edited again', SECOND_MS);
}

function grantFacts({ grant }: FormRecord): AuditEntry['facts'] {
  return grant === undefined ? {} : { round: grant.round, hash: grant.hash };
}

/** Number of the open round that ends with its form or grant; `round` is that of the grant there. */
function closedFacts({ round }: FormRecord): AuditEntry['facts'] {
  return round?.state === 'Pending' ? { closedRound: round.number } : {};
}

function what(round: Round | undefined): string {
  return `Round ${round?.number ?? 0} (${round?.type ?? 'Issue'})`;
}
