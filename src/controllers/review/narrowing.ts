/** Whether there is anything to grant, as it was asked for and narrowed. Pure. */
import type { FormRecord, Round } from '../../ledger/form.ts';
import { approvalProblem, countedFrom, termBounds } from '../../ledger/grants.ts';
import { narrow, type Narrowing } from '../../terms/narrowing.ts';
import type { TermsContext } from '../../terms/resolve.ts';
import type { TermsSpec } from '../../terms/terms.ts';
import { refused, type Refusal } from './judgement.ts';
import type { World } from './world.ts';

/** Of many problems in one message. */
const PROBLEMS_SHOWN = 5;

/** What an approval of this world would grant must be possible, and no more than was asked for. */
export function grantableObjection(
  world: World,
  form: FormRecord,
  round: Round,
): Refusal | undefined {
  const problem = problemOf(form, round, world.nowMs);
  if (problem !== undefined) return problem;
  const narrowing = narrowingOf(world, form, round);
  if (narrowing === undefined) return undefined;
  if (round.type === 'Reissue' || round.type === 'Revoke') {
    return refused(
      'GrantExceedsRequest',
      `a round of type ${round.type} grants no terms; leave spec.narrowed out`,
    );
  }
  if (narrowing.type === 'Problems') return exceeding(narrowing);
  return problemOf(form, { ...round, narrowed: narrowing.terms }, world.nowMs);
}

/** The terms that this approval leaves; undefined: as they are without it. */
export function narrowedTerms(world: World, form: FormRecord): TermsSpec | undefined {
  const { round } = form;
  if (round === undefined) return undefined;
  const narrowing = narrowingOf(world, form, round);
  return narrowing?.type === 'Narrowed' ? narrowing.terms : undefined;
}

/** Narrows what earlier layers have left, so that the grants of all layers intersect. */
function narrowingOf(
  { review, nowMs }: World,
  form: FormRecord,
  round: Round,
): Narrowing | undefined {
  const { narrowed } = review.spec;
  if (narrowed === undefined) return undefined;
  return narrow(round.narrowed ?? round.content.terms, narrowed, contextOf(form, round, nowMs));
}

function contextOf(form: FormRecord, { rules }: Round, nowMs: number): TermsContext {
  return { nowMs, ...termBounds(rules), ...countedFrom(form) };
}

function problemOf(form: FormRecord, round: Round, nowMs: number): Refusal | undefined {
  switch (approvalProblem(form, round, nowMs)) {
    case undefined:
      return undefined;
    case 'AlreadyOver':
      return refused(
        'RequestExpired',
        'the validity that was asked for is over; return the form, so that a later end is asked for',
      );
    case 'Unresolvable':
      return refused(
        'UnsupportedByStore',
        'the terms that were asked for make no sense to the store any more; return the form',
      );
  }
}

function exceeding({ problems }: Extract<Narrowing, { type: 'Problems' }>): Refusal {
  const shown = problems
    .slice(0, PROBLEMS_SHOWN)
    .map(({ field, message }) => `${field} ${message}`);
  const left = problems.length - shown.length;
  const more = left > 0 ? `, and ${left} more` : '';
  return refused(
    'GrantExceedsRequest',
    `what was narrowed allows more than was asked for: ${shown.join('; ')}${more}`,
  );
}
