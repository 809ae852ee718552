/**
 * What becomes of a review. Pure: the same world is always judged alike; what has to be asked or
 * waited for first is an answer too.
 */
import { FORM_CHECKS, type FormCase } from './formchecks.ts';
import { HOLD_CHECKS, type HoldCase } from './holdchecks.ts';
import {
  refused,
  type Counted,
  type Judgement,
  type Objection,
  type Refusal,
  type RefusalReason,
} from './judgement.ts';
import { isLastApproval } from './rounds.ts';
import type { FormTarget, Target, World } from './world.ts';

/** The first objection of the checks for its target, or that it counts. */
export function judge(world: World): Judgement {
  return targetObjection(world) ?? judgeTarget(world);
}

/** A refusal is for ever, so a cache that is behind must not be the reason of one. */
function unlessUnseen({ isLive }: Target, refusal: Refusal): Objection {
  return isLive ? refusal : { type: 'Look' };
}

function judgeTarget(world: World): Judgement {
  const { target, review } = world;
  const { sight } = target;
  const { reviewer } = review.spec;
  if (sight === undefined) return absent(target);
  if (reviewer === undefined) {
    return refused(
      'IdentityUnverified',
      'the review does not say who decided; install the admission policies and write it again',
    );
  }
  if (target.kind !== 'ApiKeyApplication') {
    const subject: HoldCase = { world, target, sight, reviewer };
    return firstObjection(HOLD_CHECKS, subject) ?? counted(world, true);
  }
  const { form } = target;
  const round = form?.round;
  if (form === undefined || round === undefined) return nothingSubmitted();
  const subject: FormCase = { world, sight, form, round, reviewer };
  return firstObjection(FORM_CHECKS, subject) ?? counted(world, isDecisive(world, target));
}

function firstObjection<Case>(
  checks: readonly { readonly objection: (subject: Case) => Objection | undefined }[],
  subject: Case,
): Objection | undefined {
  for (const { objection } of checks) {
    const found = objection(subject);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The object is there, under the UID that was read, and is not going. */
function targetObjection({ target, review }: World): Objection | undefined {
  const { applicationRef, apiKeyRef, clientRef } = review.spec;
  const named = applicationRef ?? apiKeyRef ?? clientRef;
  const { sight } = target;
  if (named === undefined || sight === undefined) return unlessUnseen(target, absent(target));
  if (sight.uid !== named.uid) {
    const reason = target.kind === 'ApiKeyApplication' ? 'ApplicationReplaced' : 'TargetReplaced';
    const message = `${target.kind} '${named.name}' was deleted and made anew since it was read; read the new one and write another review`;
    return unlessUnseen(target, refused(reason, message));
  }
  if (sight.isDeleting) {
    return refused(notFound(target), `${target.kind} '${named.name}' is being deleted`);
  }
  return undefined;
}

function notFound({ kind }: Target): RefusalReason {
  return kind === 'ApiKeyApplication' ? 'ApplicationNotFound' : 'TargetNotFound';
}

function absent(target: Target): Refusal {
  return refused(
    notFound(target),
    `there is no ${target.kind} of that name in this namespace; a review is written after what it is about`,
  );
}

function nothingSubmitted(): Objection {
  return refused(
    'HashMismatch',
    'nothing was submitted with this form yet; a review is written after it was read',
  );
}

function isDecisive({ review }: World, { form }: FormTarget): boolean {
  if (review.spec.decision !== 'Approved') return true;
  return form?.round !== undefined && isLastApproval(form, form.round);
}

function counted({ rights }: World, isLast: boolean): Counted {
  const said = isLast
    ? 'The review decides the matter'
    : 'The review counts; others have to follow';
  // Who holds every verb holds this one by accident, and that should not stay unseen.
  const warning =
    rights?.wildcard === undefined
      ? ''
      : `. The right comes from a rule for all verbs, which may be more than was meant: ${rights.wildcard}`;
  return {
    type: 'Counted',
    reason: isLast ? 'Decisive' : 'Counted',
    message: `${said}${warning}`,
  };
}
