/**
 * The next single step of an ApiKey towards what is wanted, as an ordered list of rules.
 * Pure; the operator carries the step out and asks again, and the explorer of test/explorer walks
 * the same function through every interleaving of crashes.
 *
 *     issue:    Issue -> WriteSecret -> Confirm
 *     rotate:   Rotate | Regenerate -> WriteSecret -> Confirm ... RetireDue -> WriteSecret -> Confirm
 *     loss:     NoteMissing ... ProveLoss -> Rotate -> ...
 *     restart:  ... Confirm -> RollOut
 *     delete:   End -> DeleteSecret -> ReleaseFinalizer -> Close
 *     vanished: ProveGone -> End -> DeleteSecret -> Close
 *     at a vendor: Issue | Rotate -> CreateRemote -> WriteSecret -> Confirm -> UpdateRemote
 *                  Regenerate -> RegenerateRemote -> WriteSecret -> ... End -> EndRemote -> ...
 */
import { FINALIZER } from '../../api/names.ts';
import { isOpen, isRetireDue } from '../../ledger/transitions.ts';
import { NOTHING, withLayout, withTerms, type Action, type Rule } from './actions.ts';
import { firstFinding } from './checks.ts';
import { cleanExpired, cleanRevoked, endDeleted, endVanished } from './ending.ts';
import { followState, followTerms } from './following.ts';
import { handleLoss } from './loss.ts';
import { syncSubscriptions } from './remote/products.ts';
import {
  awaitPerson,
  checkRemote,
  createRemote,
  dropExpiredRemote,
  endRemote,
  finishRegenerate,
  finishWhileOff,
  replaceMissing,
  switchOff,
  syncEnabled,
  syncNames,
} from './remote/rules.ts';
import { followTargets, rollOut } from './rollout.ts';
import { retireStandby, rotate, rotateAtOnce } from './rotating.ts';
import { shapeOf } from './secret.ts';
import { unusedKeyIds } from './unused.ts';
import { overlapMs, wantedFormat, wantedState } from './wanted.ts';
import type { World } from './world.ts';

/** The next step, or undefined when nothing is to be done now. May be repeated. */
export function nextAction(world: World): Action | undefined {
  for (const rule of RULES) {
    const answer = rule(world);
    if (answer !== undefined) return answer.type === 'Nothing' ? undefined : answer;
  }
  return undefined;
}

/** Begins something new, of which an object that is being deleted would not see the end. */
const unlessGoing =
  (rule: Rule): Rule =>
  (world) =>
    world.key?.isDeleting === true ? undefined : rule(world);

/** Clusters without mutation policies leave the finalizer to us; it stands before anything exists. */
const stampFinalizer: Rule = ({ key }) =>
  key !== undefined && !key.isDeleting && !key.finalizers.includes(FINALIZER)
    ? { type: 'StampFinalizer' }
    : undefined;

/** A record that is not Live while its object lives: only a restored backup brings this about. */
const leaveEnded: Rule = ({ record }) =>
  record !== undefined && record.phase !== 'Live' ? NOTHING : undefined;

/** Old values end when their overlap is over. */
const retirePrevious: Rule = (world) => {
  const { record, nowMs, isClockTrusted } = world;
  if (record === undefined || !isClockTrusted) return undefined;
  const unused = unusedKeyIds(world);
  return unused.length > 0 || record.credentials.some((each) => isRetireDue(each, nowMs))
    ? { type: 'RetireDue', unused }
    : undefined;
};

/** From here on values are made and terms changed, which needs a store and a spec without fault. */
const stopWhileBlocked: Rule = (world) =>
  firstFinding(world) === undefined && world.store.type === 'Usable' ? undefined : NOTHING;

/** The first credential, not before the effective instant and not after the end. */
const issue: Rule = (world) =>
  world.record === undefined
    ? withTerms(world, ({ key, store, terms }) => {
        const isEarly = terms.notBeforeMs !== undefined && terms.notBeforeMs > world.nowMs;
        const isLate = terms.endMs !== undefined && terms.endMs <= world.nowMs;
        if (isEarly || isLate || wantedState(world, key) === 'Revoked') return NOTHING;
        return { type: 'Issue', format: wantedFormat(key, store), terms };
      })
    : undefined;

/** The Secret was written in this pass: tell the ledger. */
const confirmWritten: Rule = (world) =>
  world.evidence.written === undefined
    ? undefined
    : withTerms(world, ({ key, store }) => ({
        type: 'Confirm',
        overlapMs: overlapMs(key, store),
        previous: key.spec.rotation?.retirePrevious ?? 'AfterOverlap',
      }));

/** The Secret holds what the ledger says, in the layout the spec says. */
const writeSecret: Rule = (world) =>
  withLayout(world, (layout) =>
    shapeOf(layout) === world.record?.secret?.shape && world.evidence.inspection?.type !== 'Altered'
      ? undefined
      : { type: 'WriteSecret', layout },
  );

/** An open credential is finished before the next one is begun. */
const finishOpen: Rule = (world) =>
  world.record?.credentials.some(isOpen) === true
    ? withLayout(world, (layout) => ({ type: 'WriteSecret', layout }))
    : undefined;

const RULES: readonly Rule[] = [
  endVanished,
  endDeleted,
  stampFinalizer,
  leaveEnded,
  followState,
  cleanRevoked,
  cleanExpired,
  dropExpiredRemote,
  retirePrevious,
  confirmWritten,
  rollOut,
  switchOff,
  endRemote,
  finishWhileOff,
  syncEnabled,
  createRemote,
  finishRegenerate,
  stopWhileBlocked,
  issue,
  followTerms,
  followTargets,
  rotateAtOnce,
  awaitPerson,
  unlessGoing(replaceMissing),
  handleLoss,
  finishOpen,
  unlessGoing(rotate),
  unlessGoing(retireStandby),
  unlessGoing(writeSecret),
  unlessGoing(syncNames),
  syncSubscriptions,
  checkRemote,
];
