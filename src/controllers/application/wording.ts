/** What conditions of a form say to the applicant. Pure. */
import { formatTime } from '../../kernel/time.ts';
import type { FormRecord, GrantEnd, Round } from '../../ledger/form.ts';
import { openLayer } from '../../ledger/grants.ts';
import { grantedUntilMs, type Standing } from './standing.ts';
import type { World } from './world.ts';

/** A round by number and type. */
export function roundText({ number, type }: Round): string {
  return `Round ${number} (${type})`;
}

/** Who is awaited, and until when. */
export function awaitedText(round: Round, reviews: FormRecord['reviews']): string {
  const open = openLayer(round, reviews);
  const layer = open?.layer.name ? ` of layer '${open.layer.name}'` : '';
  const many = open?.layer.approvals ?? 1;
  const count = many === 1 ? '' : `, ${open?.given ?? 0} of ${many} agreed`;
  const until = round.deadlineMs === undefined ? '' : ` until ${formatTime(round.deadlineMs)}`;
  return `${roundText(round)} waits for a reviewer${layer}${until}${count}`;
}

/** What became of a round, in the reviewer's words. */
export function outcomeText(round: Round): string {
  const said = [round.reason, round.message].filter((text) => text !== undefined && text !== '');
  const words = said.length === 0 ? '' : `: ${said.join(': ')}`;
  switch (round.state) {
    case 'Denied':
      return `${roundText(round)} was refused${words}`;
    case 'Returned':
      return `${roundText(round)} was returned for correction${words}`;
    case 'Lapsed':
      return `Nobody decided about ${roundText(round)} in time; set another ${againField(round)} to ask again`;
    default:
      return `${roundText(round)} is ${round.state}`;
  }
}

/** A request for new values is spent, whatever became of it. */
function againField({ type }: Round): string {
  return type === 'Reissue' ? 'spec.reissue.requestId' : 'spec.submissionId';
}

/** Until when a grant holds that was revoked for a later day, to be put behind other words; else empty. */
export function untilText({ record, nowMs }: World): string {
  if (record?.revocation === undefined) return '';
  const { atMs } = record.revocation;
  const endMs = grantedUntilMs(record, nowMs);
  // What has an earlier end has nothing left that could be revoked.
  return endMs !== undefined && endMs <= atMs
    ? ` until ${formatTime(endMs)}`
    : ` until ${formatTime(atMs)}, when its revocation takes effect`;
}

/** Why a grant that has expired is in force no more. */
export function expiredText({ endMs, problem }: Standing, nowMs: number): string {
  return problem === undefined
    ? `The grant ended at ${formatTime(endMs ?? nowMs)}`
    : `The grant cannot be in force: ${problem}`;
}

/** All that is in the way of an edit. */
export function troubleText(troubles: readonly { readonly message: string }[]): string {
  return troubles.map(({ message }) => message).join('; ');
}

/** What there is to do with a draft. */
export function draftText(troubles: readonly { readonly message: string }[]): string {
  if (troubles.length === 0) return 'The form is saved; set spec.submission to Submitted';
  return `The form is saved; before it can be submitted: ${troubleText(troubles)}`;
}

/** Why a grant is over. */
export function endText({ cause, actor, message }: GrantEnd): string {
  const words = message === undefined || message === '' ? '' : `: ${message}`;
  switch (cause) {
    case 'Revoked':
      return `The grant was revoked as the form asked${words}`;
    case 'Withdrawn':
      return `'${actor}' withdrew the grant for good${words}`;
    case 'ClientDeleted':
      return 'The client was deleted, and the grant ended with it';
    case 'FormDeleted':
      return 'The form was deleted, and the grant ended with it';
  }
}
