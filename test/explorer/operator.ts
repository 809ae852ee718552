/**
 * One atomic step of an operator: the real plan decides, and the step does to the model what
 * `src/controllers/apikey/apply.ts` and `secretio.ts` do to the servers. A step makes at most one
 * change outside the process, so that a crash or a lost answer fits between any two.
 */
import { FINALIZER } from '../../src/api/names.ts';
import type { Action } from '../../src/controllers/apikey/actions.ts';
import { nextAction } from '../../src/controllers/apikey/plan.ts';
import type { World } from '../../src/controllers/apikey/world.ts';
import { end, close } from '../../src/ledger/transitions.ts';
import { applyToRecord } from './commits.ts';
import { commit, type Committed } from './ledger.ts';
import { endOperator, setPass, stamp, storeKey, type Model, type Place } from './model.ts';
import { deleteSecret, inspectSecret, writeSecret } from './secrets.ts';
import { NOW_MS } from '../support/world.ts';

/** What a step led to. Outside: etcd or the ledger changed, so its answer may be lost. */
export type Step = { readonly model: Model; readonly label: string; readonly isOutside: boolean };

/** The next atomic step of a reconcile that is under way. */
export function step(model: Model, at: Place): Step {
  const pass = model.operators[at.operator]?.passes[at.name];
  const action = pass && decide(pass.world);
  if (pass === undefined || action === undefined) {
    return inside(setPass(model, at, undefined), 'rests');
  }
  const next = perform(model, at, pass.world, action);
  // A reconcile that has nothing left to do is over: nothing could happen to it any more.
  const left = next.model.operators[at.operator]?.passes[at.name];
  const isOver = left !== undefined && decide(left.world) === undefined;
  return isOver ? { ...next, model: setPass(next.model, at, undefined) } : next;
}

const decisions = new WeakMap<World, { readonly action: Action | undefined }>();

/** The real plan, asked once per world. */
export function decide(world: World): Action | undefined {
  const known = decisions.get(world);
  if (known !== undefined) return known.action;
  const action = nextAction(world);
  decisions.set(world, { action });
  return action;
}

function perform(model: Model, at: Place, world: World, action: Action): Step {
  switch (action.type) {
    case 'WriteSecret':
      return writeSecret(model, at, action.layout);
    case 'InspectSecret':
      return inspectSecret(model, at, action.layout);
    case 'DeleteSecret':
      return deleteSecret(model, at, action.record);
    case 'StampFinalizer':
      return patchFinalizers(model, at, world, 'stamp');
    case 'ReleaseFinalizer':
      return patchFinalizers(model, at, world, 'release');
    case 'ProveLoss':
      return proveLoss(model, at, world);
    case 'ProveGone':
      return proveGone(model, at, world, action.record.uid);
    case 'End':
    case 'Close':
      return endOrClose(model, at, world, action);
    case 'RollOut':
    case 'NoteTargets':
      throw new Error('no explored key restarts workloads');
    case 'Remote':
      throw new Error('the explored store is the built-in one');
    default:
      return proceed(
        at,
        commit(model, at, applyToRecord(world, action)),
        ({ record }) => afterCommit(world, action, record),
        action.type,
      );
  }
}

/** The world after a commit, as the steps of apply.ts leave it. */
function afterCommit(world: World, action: Action, record: World['record']): World {
  const next = { ...world, record };
  switch (action.type) {
    case 'Confirm':
      return confirmed(next);
    case 'Rotate': {
      const { inspection: _, lossProven: __, ...evidence } = world.evidence;
      return { ...withoutRequest(next, action), evidence };
    }
    case 'Regenerate':
      return withoutRequest(next, action);
    case 'NoteSecret':
      return action.health === 'Intact' ? inspectedIntact(next) : next;
    default:
      return next;
  }
}

function confirmed(world: World): World {
  const { written, inspection: _, ...evidence } = world.evidence;
  if (written === undefined) return world;
  const { uid, resourceVersion } = written;
  return { ...world, secret: { type: 'Present', uid, resourceVersion }, evidence };
}

function withoutRequest(world: World, { requestId }: { readonly requestId?: string }): World {
  return requestId === undefined ? world : { ...world, rotationRequest: undefined };
}

function inspectedIntact(world: World): World {
  const { inspection, ...evidence } = world.evidence;
  if (inspection === undefined || !('uid' in inspection)) return { ...world, evidence };
  const { uid, resourceVersion } = inspection;
  return { ...world, secret: { type: 'Present', uid, resourceVersion }, evidence };
}

function endOrClose(
  model: Model,
  at: Place,
  world: World,
  action: Extract<Action, { type: 'End' | 'Close' }>,
): Step {
  const before = action.record;
  const after = action.type === 'End' ? end(before, NOW_MS) : close(before);
  return proceed(
    at,
    commit(model, at, { record: after, expectedRevision: before.revision }),
    ({ record }) => withRecord(world, action.type, record),
    action.type,
  );
}

function withRecord(
  world: World,
  act: 'End' | 'Close',
  record: NonNullable<World['record']>,
): World {
  const isPredecessor = world.predecessor?.uid === record.uid;
  if (act === 'End') {
    return isPredecessor ? { ...world, predecessor: record } : { ...world, record };
  }
  const { secretDeleted: _, ...evidence } = world.evidence;
  return isPredecessor
    ? { ...world, predecessor: undefined, evidence }
    : { ...world, record, evidence };
}

function patchFinalizers(model: Model, at: Place, world: World, how: 'stamp' | 'release'): Step {
  const key = world.key;
  const stored = model.keys[at.name];
  const isCurrent =
    key !== undefined && stored?.uid === key.uid && stored.resourceVersion === key.resourceVersion;
  if (!isCurrent) return inside(setPass(model, at, undefined), `${how} finalizer: conflict`);
  const others = key.finalizers.filter((finalizer) => finalizer !== FINALIZER);
  const finalizers = how === 'stamp' ? [...others, FINALIZER] : others;
  const [resourceVersion, stamped] = stamp(model);
  const isGone = stored.isDeleting && finalizers.length === 0;
  const next = storeKey(
    stamped,
    at.name,
    isGone ? undefined : { ...stored, finalizers, resourceVersion },
  );
  const done: World = {
    ...world,
    key: { ...key, finalizers, resourceVersion },
    evidence: { ...world.evidence, ...(how === 'release' && { finalizerReleased: true }) },
  };
  return outside(setPass(next, at, { world: done }), `${how} finalizer`);
}

function proveLoss(model: Model, at: Place, world: World): Step {
  const name = world.record?.secret?.name ?? at.name;
  const secret = model.secrets[name];
  const key = model.keys[at.name];
  if (secret !== undefined) {
    const { inspection: _, ...evidence } = world.evidence;
    const { uid, resourceVersion } = secret;
    const seen: World = { ...world, secret: { type: 'Present', uid, resourceVersion }, evidence };
    return inside(setPass(model, at, { world: seen }), 'ProveLoss: it is there');
  }
  if (key === undefined || key.isDeleting || key.uid !== world.record?.uid) {
    return inside(setPass(model, at, undefined), 'ProveLoss: the object goes');
  }
  const proven: World = { ...world, evidence: { ...world.evidence, lossProven: true } };
  return inside(setPass(model, at, { world: proven }), 'ProveLoss');
}

function proveGone(model: Model, at: Place, world: World, uid: string): Step {
  if (model.keys[at.name]?.uid === uid) {
    return inside(setPass(model, at, undefined), 'ProveGone: it exists');
  }
  const goneUids = [...(world.evidence.goneUids ?? []), uid];
  const proven: World = { ...world, evidence: { ...world.evidence, goneUids } };
  return inside(setPass(model, at, { world: proven }), 'ProveGone');
}

/** Goes on after a commit, or ends as the operator does: at once when fenced, else to look again. */
function proceed(
  at: Place,
  result: Committed,
  then: (committed: Extract<Committed, { type: 'Committed' }>) => World,
  label: string,
): Step {
  switch (result.type) {
    case 'Committed':
      return outside(setPass(result.model, at, { world: then(result) }), label);
    case 'Stale':
      return inside(setPass(result.model, at, undefined), `${label}: stale`);
    case 'Fenced':
      return inside(endOperator(result.model, at.operator), `${label}: fenced, process ends`);
  }
}

function inside(model: Model, label: string): Step {
  return { model, label, isOutside: false };
}

function outside(model: Model, label: string): Step {
  return { model, label, isOutside: true };
}
