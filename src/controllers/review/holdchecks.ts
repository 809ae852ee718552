/**
 * Whether a review of a key or a client counts: named checks in one order, as for forms. Pure.
 *
 * What a review switches off only a review switches on again; one that switches off is nobody's
 * privilege but that of who may approve, and needs no second person.
 */
import type { ReviewReviewer } from '../../api/generated/apikeyreview.ts';
import type { HeldState } from '../../ledger/documents.ts';
import { isJudgedInStatus } from './formchecks.ts';
import {
  applicantObjection,
  authorsOf,
  identityObjection,
  proofObjection,
  selfObjection,
} from './identity.ts';
import { quoted, refused, type Objection } from './judgement.ts';
import { anyLayerObjection, rightsObjection } from './officechecks.ts';
import { isWrittenBefore } from './rounds.ts';
import type { ClientTarget, KeyTarget, TargetSight, World } from './world.ts';

/** A review and the key or client that it is about. */
export type HoldCase = {
  readonly world: World;
  readonly target: KeyTarget | ClientTarget;
  readonly sight: TargetSight;
  readonly reviewer: ReviewReviewer;
};

/** One thing that must hold for a review to count. */
type HoldCheck = {
  readonly name: string;
  readonly objection: (subject: HoldCase) => Objection | undefined;
};

/** In the order in which they are asked. */
export const HOLD_CHECKS: readonly HoldCheck[] = [
  { name: 'decision fits the target', objection: decisionObjection },
  { name: 'reviewer is named', objection: reviewerObjection },
  { name: 'policies were in force', objection: ({ world }) => proofObjection(world.proof) },
  { name: 'reviewer is not the author', objection: authorObjection },
  { name: 'decision is not one of a lost ledger', objection: forgottenObjection },
  { name: 'client is known', objection: knownObjection },
  { name: 'decision changes something', objection: changeObjection },
  { name: 'layer exists', objection: layerObjection },
  { name: 'reviewer has the right', objection: ({ world }) => rightsObjection(world) },
];

/** What reviewers decided last about the target. */
function heldOf(target: KeyTarget | ClientTarget): HeldState | undefined {
  return target.kind === 'ApiKey' ? target.held : target.client?.held;
}

function decisionObjection({ world, target }: HoldCase): Objection | undefined {
  const { decision } = world.review.spec;
  const isSwitch = decision === 'Suspended' || decision === 'Resumed' || decision === 'Revoked';
  if (isSwitch) return undefined;
  if (target.kind === 'ApiClient' && decision === 'Approved') return undefined;
  const what = target.kind === 'ApiKey' ? 'a key' : 'a client';
  return refused('NothingToDecide', `${decision} is no decision about ${what}`);
}

function reviewerObjection({ reviewer, target }: HoldCase): Objection | undefined {
  return identityObjection(reviewer, attestorsOf(target));
}

/** For a client: whom every store believes that has something to say about clients there. */
function attestorsOf(target: KeyTarget | ClientTarget): readonly string[] {
  if (target.kind === 'ApiKey') return target.store?.attestors ?? [];
  const [first, ...others] = target.stores;
  if (first === undefined) return [];
  return first.attestors.filter((name) =>
    others.every(({ attestors }) => attestors.includes(name)),
  );
}

/** Switching off is no privilege; who filed the form of a key may not switch it on again. */
function authorObjection({ world, target, reviewer }: HoldCase): Objection | undefined {
  if (target.kind !== 'ApiKey' || world.review.spec.decision !== 'Resumed') return undefined;
  const { form, store } = target;
  if (form === undefined || store?.selfReview === 'Allowed') return undefined;
  const known = { attestors: store?.attestors ?? [], annotated: [] };
  return selfObjection(reviewer, authorsOf(form, [])) ?? applicantObjection(reviewer, form, known);
}

/** As for forms: what a restored ledger forgot is not allowed again. */
function forgottenObjection({ world: { review } }: HoldCase): Objection | undefined {
  const { decision } = review.spec;
  const isOpening = decision === 'Approved' || decision === 'Resumed';
  return isOpening && isJudgedInStatus(review.status)
    ? refused(
        'AlreadyDecided',
        'the review was judged before the database was restored, and allows nothing a second time; write another review',
      )
    : undefined;
}

function knownObjection({ target }: HoldCase): Objection | undefined {
  return target.kind === 'ApiClient' && target.client === undefined
    ? { type: 'Wait', message: 'the client is looked at first' }
    : undefined;
}

function changeObjection(subject: HoldCase): Objection | undefined {
  const { world, target } = subject;
  const held = heldOf(target);
  if (held?.state === 'Revoked') {
    return refused('NothingToDecide', `${quoted(held.reviewer)} revoked it for good`);
  }
  switch (world.review.spec.decision) {
    case 'Suspended':
      return held === undefined ? undefined : alreadyHeld(held);
    case 'Resumed':
      return resumeObjection(world, held);
    case 'Approved':
      return target.kind === 'ApiClient' && target.client?.registeredBy !== undefined
        ? refused('NothingToDecide', 'the client is registered already')
        : undefined;
    default:
      return undefined;
  }
}

function alreadyHeld({ reviewer }: HeldState): Objection {
  return refused('NothingToDecide', `${quoted(reviewer)} suspended it already`);
}

function resumeObjection(world: World, held: HeldState | undefined): Objection | undefined {
  if (held === undefined) {
    return refused(
      'NothingToDecide',
      'no review suspends it; spec.state may, and so may its client',
    );
  }
  // Written in advance, it would lift a suspension that nobody had thought of then.
  return isWrittenBefore(world.review, held.sinceMs, world.skewMs)
    ? refused('AlreadyDecided', 'the review is older than the suspension; write another one')
    : undefined;
}

function layerObjection({ world, target }: HoldCase): Objection | undefined {
  const names = target.kind === 'ApiKey' ? (target.store?.layers ?? []) : [];
  return anyLayerObjection(world.review.spec.layer, names);
}
