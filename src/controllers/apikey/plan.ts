/**
 * The next single step of an ApiKey towards what is wanted, as an ordered list of rules.
 * Pure; the operator carries the step out and asks again, and the explorer of test/explorer walks
 * the same function through every interleaving of crashes.
 *
 *     issue:    Issue -> WriteSecret -> Confirm
 *     rotate:   Rotate | Regenerate -> WriteSecret -> Confirm ... RetireDue -> WriteSecret -> Confirm
 *     loss:     NoteMissing ... ProveLoss -> Rotate -> ...
 *     delete:   End -> DeleteSecret -> ReleaseFinalizer -> Close
 *     vanished: ProveGone -> End -> DeleteSecret -> Close
 */
import { FINALIZER } from '../../api/names.ts';
import type { SlotName } from '../../keys/mint.ts';
import type { KeyRecord, KeyState } from '../../ledger/record.ts';
import { currentCredential, isOpen, isRetireDue } from '../../ledger/transitions.ts';
import type { KeyFormat } from '../../keys/format.ts';
import type { KeyTerms } from '../../terms/terms.ts';
import { firstFinding } from './checks.ts';
import { secretLayout, shapeOf, type SecretLayout } from './secret.ts';
import {
  isOver,
  onLoss,
  overlapMs,
  REVIVAL_MS,
  rotationDueMs,
  wantedFormat,
  wantedState,
  wantedTerms,
} from './wanted.ts';
import type { ApiKeyView, UsableStore, World } from './world.ts';

/** Why new values are made; in the audit chain. */
export type RotationTrigger = 'Request' | 'Age' | 'SecretLost' | 'SecretTampered' | 'Revival';

/** One step. Each is safe to repeat after a crash. */
export type Action =
  | { readonly type: 'StampFinalizer' }
  | { readonly type: 'Issue'; readonly format: KeyFormat; readonly terms: KeyTerms }
  | {
      readonly type: 'Rotate';
      readonly trigger: RotationTrigger;
      readonly oldValuesEnd: 'AtConfirm' | 'AtOnce';
      /** Values: the Secret is there, but not with our values. Secret: it is gone. */
      readonly lost: 'Nothing' | 'Values' | 'Secret';
      readonly requestId?: string;
    }
  | {
      readonly type: 'Regenerate';
      readonly slot: SlotName;
      readonly trigger: RotationTrigger | 'Retire';
      readonly becomesActive: boolean;
      readonly requestId?: string;
    }
  | { readonly type: 'SetState'; readonly state: KeyState }
  | { readonly type: 'SetTerms'; readonly terms: KeyTerms }
  | { readonly type: 'RetireDue' }
  | { readonly type: 'DropExpired' }
  | { readonly type: 'WriteSecret'; readonly layout: SecretLayout }
  | { readonly type: 'Confirm'; readonly overlapMs: number }
  | { readonly type: 'InspectSecret'; readonly layout: SecretLayout }
  | { readonly type: 'NoteSecret'; readonly health: 'Intact' | 'Tampered' }
  | { readonly type: 'NoteMissing' }
  | { readonly type: 'ProveLoss' }
  | { readonly type: 'ForgetSecret' }
  | { readonly type: 'ProveGone'; readonly record: KeyRecord }
  | { readonly type: 'End'; readonly record: KeyRecord; readonly because: 'Deleted' | 'Vanished' }
  | { readonly type: 'Retain' }
  | { readonly type: 'DeleteSecret'; readonly record: KeyRecord }
  | { readonly type: 'ReleaseFinalizer' }
  | { readonly type: 'Close'; readonly record: KeyRecord };

/** Ends the search: none of the rules below applies. */
type Nothing = { readonly type: 'Nothing' };
const NOTHING: Nothing = { type: 'Nothing' };

type Answer = Action | Nothing | undefined;
type Rule = (world: World) => Answer;

/** The next step, or undefined when nothing is to be done now. May be repeated. */
export function nextAction(world: World): Action | undefined {
  for (const rule of RULES) {
    const answer = rule(world);
    if (answer !== undefined) return answer.type === 'Nothing' ? undefined : answer;
  }
  return undefined;
}

/** An earlier object of this name, or the object of a record, is gone without having been ended. */
const endVanished: Rule = (world) => {
  const record = world.predecessor ?? (world.key === undefined ? world.record : undefined);
  if (record === undefined || record.phase === 'Retained' || record.phase === 'Ended') {
    return world.key === undefined ? NOTHING : undefined;
  }
  if (record.phase === 'Ending') {
    return world.evidence.secretDeleted === true || record.secret === undefined
      ? { type: 'Close', record }
      : { type: 'DeleteSecret', record };
  }
  if (!world.mayEndVanished) return NOTHING;
  return world.evidence.goneUids?.includes(record.uid) === true
    ? { type: 'End', record, because: 'Vanished' }
    : { type: 'ProveGone', record };
};

/** The object is being deleted: dead first, then the Secret, then the finalizer. */
const endDeleted: Rule = (world) => {
  const { key, record, evidence } = world;
  if (key === undefined || !key.isDeleting) return undefined;
  if (record?.phase === 'Live') {
    return mayRetain(world) ? { type: 'Retain' } : { type: 'End', record, because: 'Deleted' };
  }
  if (record?.phase === 'Ending' && evidence.secretDeleted !== true) {
    return { type: 'DeleteSecret', record };
  }
  if (key.finalizers.includes(FINALIZER) && evidence.finalizerReleased !== true) {
    return { type: 'ReleaseFinalizer' };
  }
  return record?.phase === 'Ending' ? { type: 'Close', record } : NOTHING;
};

/** Clusters without mutation policies leave the finalizer to us; it stands before anything exists. */
const stampFinalizer: Rule = ({ key }) =>
  key !== undefined && !key.finalizers.includes(FINALIZER) ? { type: 'StampFinalizer' } : undefined;

/** A record that is not Live while its object lives: only a restored backup brings this about. */
const leaveEnded: Rule = ({ record }) =>
  record !== undefined && record.phase !== 'Live' ? NOTHING : undefined;

/** Suspending, resuming and revoking come before everything that makes or moves values. */
const followState: Rule = (world) => {
  const { key, record } = world;
  if (key === undefined || record === undefined) return undefined;
  const state = wantedState(world, key);
  return record.state === state ? undefined : { type: 'SetState', state };
};

/** Nothing more happens to a revoked key, but that its useless Secret goes. */
const cleanRevoked: Rule = ({ record, evidence }) => {
  if (record?.state !== 'Revoked') return undefined;
  return record.secret === undefined || evidence.secretDeleted === true
    ? NOTHING
    : { type: 'DeleteSecret', record };
};

/** An expired key keeps its value for a while, then it is ended and its Secret goes. */
const cleanExpired: Rule = (world) => {
  const { record, nowMs } = world;
  const endMs = record?.terms.endMs;
  if (record === undefined || endMs === undefined || endMs + REVIVAL_MS > nowMs) return undefined;
  if (isRevivedBySpec(world) || !world.isClockTrusted) return undefined;
  if (record.credentials.length > 0) return { type: 'DropExpired' };
  if (record.secret === undefined || world.evidence.secretDeleted === true) return NOTHING;
  return { type: 'DeleteSecret', record };
};

/** Old values end when their overlap is over. */
const retirePrevious: Rule = ({ record, nowMs, isClockTrusted }) => {
  if (record === undefined || !isClockTrusted) return undefined;
  return record.credentials.some((credential) => isRetireDue(credential, nowMs))
    ? { type: 'RetireDue' }
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

/** Changed terms take effect at the gate at once, for the same values. */
const followTerms: Rule = (world) =>
  withTerms(world, ({ terms }) =>
    JSON.stringify(terms) === JSON.stringify(world.record?.terms)
      ? undefined
      : { type: 'SetTerms', terms },
  );

/** The Secret was written in this pass: tell the ledger. */
const confirmWritten: Rule = (world) =>
  world.evidence.written === undefined
    ? undefined
    : withTerms(world, ({ key, store }) => ({ type: 'Confirm', overlapMs: overlapMs(key, store) }));

/** The Secret is not as we left it: look, then repair, replace or report. */
const handleLoss: Rule = (world) => {
  const { record, evidence, secret, nowMs } = world;
  const known = record?.secret;
  if (record === undefined || known === undefined) return undefined;
  if (isMissing(world)) {
    if (known.missingSinceMs === undefined) return { type: 'NoteMissing' };
    if (known.missingSinceMs + world.lossGraceMs > nowMs) return NOTHING;
    return evidence.lossProven === true
      ? withTerms(world, (facts) => replaceLost(facts, 'SecretLost'))
      : { type: 'ProveLoss' };
  }
  const isUnchanged =
    secret.type !== 'Present' ||
    (secret.resourceVersion === known.resourceVersion && known.missingSinceMs === undefined);
  if (evidence.inspection === undefined && !isUnchanged) {
    return withLayout(world, (layout) => ({ type: 'InspectSecret', layout }));
  }
  switch (evidence.inspection?.type ?? known.health) {
    case 'Foreign':
      return NOTHING;
    case 'Tampered':
      return withTerms(world, (facts) => replaceLost(facts, 'SecretTampered'));
    case 'Intact':
      return evidence.inspection === undefined
        ? undefined
        : { type: 'NoteSecret', health: 'Intact' };
    default:
      return undefined;
  }
};

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

/** In an emergency the old values die first, whatever else is under way. */
const rotateAtOnce: Rule = (world) =>
  world.rotationRequest !== undefined && world.key?.spec.rotation?.urgency === 'Emergency'
    ? withTerms(world, nextRotation)
    : undefined;

/** New values on request, by age, or for a key that outlived its old ones. */
const rotate: Rule = (world) => withTerms(world, nextRotation);

/** The standby value of a Dual credential is replaced when its overlap is over. */
const retireStandby: Rule = ({ record, nowMs, isClockTrusted }) => {
  if (record === undefined || !isClockTrusted) return undefined;
  const due = currentCredential(record, nowMs)?.slots.find(
    (slot) => slot.retireAtMs !== undefined && slot.retireAtMs <= nowMs,
  );
  if (due === undefined) return undefined;
  return { type: 'Regenerate', slot: due.name, trigger: 'Retire', becomesActive: false };
};

const RULES: readonly Rule[] = [
  endVanished,
  endDeleted,
  stampFinalizer,
  leaveEnded,
  followState,
  cleanRevoked,
  cleanExpired,
  retirePrevious,
  confirmWritten,
  stopWhileBlocked,
  issue,
  followTerms,
  rotateAtOnce,
  handleLoss,
  finishOpen,
  rotate,
  retireStandby,
  writeSecret,
];

/** The facts that every rule below the checks needs. */
type Facts = {
  readonly world: World;
  readonly key: ApiKeyView;
  readonly store: UsableStore;
  readonly terms: KeyTerms;
};

function withTerms(world: World, act: (facts: Facts) => Answer): Answer {
  const { key, store } = world;
  if (key === undefined || store.type !== 'Usable') return undefined;
  const resolution = wantedTerms(world, key, store);
  if (resolution.type !== 'Resolved') return undefined;
  return act({ world, key, store, terms: resolution.terms });
}

function withLayout(world: World, act: (layout: SecretLayout) => Answer): Answer {
  const layout = wantedLayout(world);
  return layout === undefined ? undefined : act(layout);
}

/** The layout the Secret should have now; undefined where there should be none. */
export function wantedLayout(world: World): SecretLayout | undefined {
  const { key, store, record, nowMs } = world;
  if (key === undefined || record === undefined || store.type !== 'Usable') return undefined;
  return secretLayout({
    key,
    record,
    provider: store.provider,
    overlapMs: overlapMs(key, store),
    nowMs,
  });
}

/** True when the Secret the ledger knows is not there. */
function isMissing({ record, secret, evidence }: World): boolean {
  if (record?.secret === undefined || evidence.written !== undefined) return false;
  if (evidence.inspection !== undefined) return evidence.inspection.type === 'Absent';
  return secret.type === 'Absent';
}

function replaceLost(
  { world, key, store }: Facts,
  trigger: 'SecretLost' | 'SecretTampered',
): Answer {
  const { record } = world;
  switch (onLoss(key, store)) {
    case 'Restore':
      return trigger === 'SecretLost' ? { type: 'ForgetSecret' } : rewrite(world);
    case 'Wait':
      return trigger === 'SecretTampered' && record?.secret?.health === 'Intact'
        ? { type: 'NoteSecret', health: 'Tampered' }
        : NOTHING;
    case 'Rotate': {
      if (trigger === 'SecretTampered') return newValues(trigger, 'Values');
      return hasEveryValue(record) ? { type: 'ForgetSecret' } : newValues(trigger, 'Secret');
    }
  }
}

function newValues(
  trigger: RotationTrigger,
  lost: 'Nothing' | 'Values' | 'Secret',
): Extract<Action, { type: 'Rotate' }> {
  return { type: 'Rotate', trigger, oldValuesEnd: 'AtConfirm', lost };
}

/** The ledger itself holds every value of the open credential, so the Secret can be made anew. */
function hasEveryValue(record: KeyRecord | undefined): boolean {
  const open = record?.credentials.find(isOpen);
  return open !== undefined && open.slots.every((slot) => slot.sealed !== undefined);
}

function rewrite(world: World): Answer {
  const layout = wantedLayout(world);
  return layout === undefined ? NOTHING : { type: 'WriteSecret', layout };
}

function nextRotation({ world, key, store }: Facts): Answer {
  const { record, nowMs, rotationRequest: requestId } = world;
  if (record === undefined) return undefined;
  const current = currentCredential(record, nowMs);
  if (isOver(record, nowMs)) return undefined;
  if (current === undefined) {
    return { ...newValues('Revival', 'Values'), oldValuesEnd: 'AtOnce' };
  }
  if (requestId !== undefined) return requested({ world, key, store }, requestId);
  const dueMs = rotationDueMs(key, record);
  if (dueMs === undefined || dueMs > nowMs || !world.isClockTrusted) return undefined;
  return planned(record, 'Age');
}

function requested(
  { world, key, store }: Pick<Facts, 'world' | 'key' | 'store'>,
  requestId: string,
): Action | undefined {
  const { record } = world;
  const { rotation } = key.spec;
  if (record === undefined) return undefined;
  if (rotation?.slot !== undefined && record.format === 'Dual') {
    const slot = rotation.slot === 'Primary' ? 'primaryKey' : 'secondaryKey';
    return { type: 'Regenerate', slot, trigger: 'Request', becomesActive: false, requestId };
  }
  if (rotation?.urgency === 'Emergency') {
    return { ...newValues('Request', 'Nothing'), oldValuesEnd: 'AtOnce', requestId };
  }
  const method = rotation?.method ?? store.capabilities.rotation;
  if (method === 'InPlace' && record.format !== 'Dual') {
    const slot = record.format === 'KeyPair' ? 'apiSecret' : 'apiKey';
    return { type: 'Regenerate', slot, trigger: 'Request', becomesActive: false, requestId };
  }
  return { ...planned(record, 'Request'), requestId };
}

/** Dual keys take turns; others get a new credential beside the old one. */
function planned(
  record: KeyRecord,
  trigger: 'Request' | 'Age',
): Extract<Action, { type: 'Rotate' | 'Regenerate' }> {
  const standby = record.credentials.at(-1)?.slots.find((slot) => slot.role === 'Standby');
  if (record.format === 'Dual' && standby !== undefined) {
    return { type: 'Regenerate', slot: standby.name, trigger, becomesActive: true };
  }
  return newValues(trigger, 'Nothing');
}

function mayRetain({ key, store }: World): boolean {
  return (
    key?.spec.deletionPolicy === 'Retain' &&
    key.spec.applicationRef === undefined &&
    store.type === 'Usable' &&
    store.retention === 'Allowed'
  );
}

/** The spec now names a later end than the one that passed. */
function isRevivedBySpec(world: World): boolean {
  const { key, store, nowMs } = world;
  if (key === undefined || store.type !== 'Usable') return false;
  const resolution = wantedTerms(world, key, store);
  if (resolution.type !== 'Resolved') return false;
  return resolution.terms.endMs === undefined || resolution.terms.endMs > nowMs;
}
