/**
 * Carries out one action of the plan and returns the world as it is afterwards.
 *
 * Decides nothing. Each action may be cut off at any point and repeated: commits compare the
 * record's revision, API writes carry resourceVersion or UID.
 */
import { FINALIZER, NAMESPACES, API_KEYS, SECRETS } from '../../api/names.ts';
import { refText, type KubeObject } from '../../api/meta.ts';
import { KeywardError } from '../../kernel/errors.ts';
import type { KeyRecord, SecretRecord } from '../../ledger/record.ts';
import {
  close,
  confirm,
  dropCredentials,
  end,
  forgetSecret,
  retain,
  retireDue,
  setSecret,
  setState,
  setTerms,
} from '../../ledger/transitions.ts';
import { cacheBehind, objectGone } from '../../runtime/behind.ts';
import { DEFAULT_STORE } from '../../stores/view.ts';
import { audit, change, commit, mine, present, usable } from './commits.ts';
import type { Deps } from './deps.ts';
import type { Action, ActionOf } from './actions.ts';
import { applyRemote } from './remote/apply.ts';
import { withRollout } from './rollout.ts';
import { noteTargets, rollOut } from './rollouts.ts';
import { deleteSecret } from './secretend.ts';
import { inspectSecret, writeSecret } from './secretio.ts';
import { imposed } from './standing.ts';
import { overlapOf } from './unused.ts';
import { issue, regenerate, rotate } from './values.ts';
import type { World } from './world.ts';

/** See the file comment. @throws KeywardError whose class says whether to try again */
export function apply(
  deps: Deps,
  world: World,
  action: Action,
  signal: AbortSignal,
): Promise<World> {
  switch (action.type) {
    case 'StampFinalizer':
      return setFinalizers(deps, world, (others) => [...others, FINALIZER], signal);
    case 'ReleaseFinalizer':
      return releaseFinalizer(deps, world, signal);
    case 'WriteSecret':
      return writeSecret(deps, world, action.layout, signal);
    case 'InspectSecret':
      return inspectSecret(deps, world, action.layout, signal);
    case 'DeleteSecret':
      return deleteSecretOf(deps, world, action.record, signal);
    case 'ProveLoss':
      return proveLoss(deps, world, signal);
    case 'ProveGone':
      return proveGone(deps, world, action.record, signal);
    case 'NoteSecret':
    case 'NoteMissing':
    case 'ForgetSecret':
      return noteSecret(deps, world, action);
    case 'RollOut':
      return rollOut(deps, world, action, signal);
    case 'Remote':
      return applyRemote(deps, world, action.step, signal);
    default:
      return applyToLedger(deps, world, action, signal);
  }
}

type LedgerAction = Exclude<
  Action,
  {
    type:
      | 'StampFinalizer'
      | 'ReleaseFinalizer'
      | 'WriteSecret'
      | 'InspectSecret'
      | 'DeleteSecret'
      | 'ProveLoss'
      | 'ProveGone'
      | 'NoteSecret'
      | 'NoteMissing'
      | 'ForgetSecret'
      | 'RollOut'
      | 'Remote';
  }
>;

/** The actions that are one commit about the key itself. */
function applyToLedger(
  deps: Deps,
  world: World,
  action: LedgerAction,
  signal: AbortSignal,
): Promise<World> {
  switch (action.type) {
    case 'Issue':
      return issue(deps, world, action, signal);
    case 'Rotate':
      return rotate(deps, world, action, signal);
    case 'Regenerate':
      return regenerate(deps, world, action);
    case 'Confirm':
      return confirmSecret(deps, world, action);
    case 'SetState':
      return changeState(deps, world, action);
    case 'SetTerms':
      return changeTerms(deps, world, action);
    case 'RetireDue':
    case 'DropExpired':
      return endOld(deps, world, action);
    case 'NoteTargets':
      return noteTargets(deps, world, action);
    case 'Retain':
      return change(deps, world, retain(mine(world), deps.clock.nowMs()), {
        action: 'KeyRetained',
      });
    case 'End':
      return endRecord(deps, world, action);
    case 'Close':
      return closeRecord(deps, world, action.record);
  }
}

async function confirmSecret(
  deps: Deps,
  world: World,
  action: ActionOf<'Confirm'>,
): Promise<World> {
  const { written, inspection: _, ...evidence } = world.evidence;
  if (written === undefined) return world;
  const ref = { namespace: world.ref.namespace, name: written.name };
  try {
    const { key, store } = usable(deps, world);
    const before = mine(world);
    const nowMs = deps.clock.nowMs();
    const confirmed = confirm(before, {
      secret: { ...written, health: 'Intact' },
      nowMs,
      ...overlapOf(action),
      recoverable: store.capabilities.recoverable,
    });
    const record = withRollout(before, confirmed, { key, nowMs });
    const facts = { secret: written.name, fingerprint: written.fingerprint };
    const next = await change(deps, world, record, { action: 'SecretWritten', facts });
    const { uid, resourceVersion } = written;
    const shown = deps.secrets === undefined ? { uid, resourceVersion } : deps.secrets.get(ref);
    return { ...next, secret: deps.ownSecrets.sight(ref, shown), evidence };
  } finally {
    // Without a pause after the look above: what the watch shows from here on wakes the key again. Also
    // after a failure, because a commit whose answer was lost is not made again.
    deps.ownSecrets.settled(ref, world.ref.name);
  }
}

async function changeState(deps: Deps, world: World, action: ActionOf<'SetState'>): Promise<World> {
  const before = mine(world);
  const record = setState(before, action.state, deps.clock.nowMs());
  const next = await change(deps, world, record, {
    action: 'StateChanged',
    facts: { from: before.state, to: action.state, ...becauseOf(world) },
  });
  if (action.state === 'Revoked') deps.metrics.endings.inc({ cause: 'Revoked' });
  deps.reporter.stateChanged(world, before.state, action.state);
  return next;
}

/** Whom the owner of the key has to ask; without it his own spec was enough. */
function becauseOf(world: World): { readonly reason?: string } {
  const by = imposed(world);
  return by === undefined ? {} : { reason: by.reason };
}

function changeTerms(deps: Deps, world: World, action: ActionOf<'SetTerms'>): Promise<World> {
  const { terms, grant } = action;
  const facts = grant === undefined ? {} : { formUid: grant.formUid, round: grant.round };
  return change(deps, world, setTerms(mine(world), terms, action), {
    action: 'TermsChanged',
    facts,
  });
}

async function endOld(
  deps: Deps,
  world: World,
  action: ActionOf<'RetireDue' | 'DropExpired'>,
): Promise<World> {
  if (action.type === 'DropExpired') {
    return change(deps, world, dropCredentials(mine(world), deps.clock.nowMs()), {
      action: 'ExpiredKeyEnded',
    });
  }
  const record = retireDue(mine(world), world.nowMs, action.unused);
  const next = await change(deps, world, record, { action: 'PreviousRetired' });
  deps.reporter.retired(world);
  return next;
}

function noteSecret(
  deps: Deps,
  world: World,
  action: ActionOf<'NoteSecret' | 'NoteMissing' | 'ForgetSecret'>,
): Promise<World> {
  const record = mine(world);
  const { secret } = record;
  if (secret === undefined) return Promise.resolve(world);
  switch (action.type) {
    case 'ForgetSecret':
      return change(deps, world, forgetSecret(record), { action: 'SecretForgotten' });
    case 'NoteMissing':
      deps.reporter.secretTrouble(world, 'SecretLost');
      return change(
        deps,
        world,
        setSecret(record, { ...secret, missingSinceMs: deps.clock.nowMs() }),
        { action: 'SecretMissed', facts: { secret: secret.name } },
      );
    case 'NoteSecret':
      return noteHealth(deps, world, secret, action.health);
  }
}

async function noteHealth(
  deps: Deps,
  world: World,
  secret: SecretRecord,
  health: SecretRecord['health'],
): Promise<World> {
  const { inspection, ...evidence } = world.evidence;
  const { missingSinceMs: _, ...rest } = secret;
  const seen =
    inspection !== undefined && 'uid' in inspection
      ? { uid: inspection.uid, resourceVersion: inspection.resourceVersion }
      : undefined;
  if (health === 'Tampered') deps.reporter.secretTrouble(world, 'SecretTampered');
  const next = await change(deps, world, setSecret(mine(world), { ...rest, ...seen, health }), {
    action: 'SecretInspected',
    facts: { secret: secret.name, health },
  });
  if (health === 'Tampered') return next;
  // What was read live is newer than the watch; else the two would differ for ever in this pass.
  return seen === undefined
    ? { ...next, evidence }
    : { ...next, evidence, secret: { type: 'Present', ...seen } };
}

async function endRecord(deps: Deps, world: World, action: ActionOf<'End'>): Promise<World> {
  const isVanished = action.because === 'Vanished';
  if (isVanished && !deps.guard.admits(action.record)) return { ...world, mayEndVanished: false };
  deps.metrics.endings.inc({ cause: action.because });
  const record = await commit(deps, {
    record: end(action.record, deps.clock.nowMs()),
    expectedRevision: action.record.revision,
    audit: audit(deps, { action: 'KeyEnded', facts: { because: action.because } }),
  });
  return withRecord(world, record);
}

async function closeRecord(deps: Deps, world: World, before: KeyRecord): Promise<World> {
  const record = await commit(deps, {
    record: close(before),
    expectedRevision: before.revision,
    audit: audit(deps, { action: 'KeyClosed' }),
  });
  const { secretDeleted: _, ...evidence } = world.evidence;
  return world.predecessor?.uid === record.uid
    ? withoutPredecessor(deps, { ...world, evidence })
    : { ...world, record, evidence };
}

/** Up to here the store was that of the earlier object, which may be another one, or gone. */
function withoutPredecessor({ stores }: Deps, world: World): World {
  const { resolution: _, predecessor: __, ...rest } = world;
  const store = world.key === undefined ? world.store : stores.of(world.key).fact;
  return { ...rest, predecessor: undefined, store };
}

async function deleteSecretOf(
  deps: Deps,
  world: World,
  record: KeyRecord,
  signal: AbortSignal,
): Promise<World> {
  const isOrphan = world.key?.uid === record.uid && world.key.spec.secret?.ownership === 'Orphan';
  if (!isOrphan) await deleteSecret(deps, record, signal);
  const done: World = { ...world, evidence: { ...world.evidence, secretDeleted: true } };
  if (record.phase !== 'Live') return done;
  return change(deps, done, setSecret(record, undefined), { action: 'SecretDeleted' });
}

async function releaseFinalizer(deps: Deps, world: World, signal: AbortSignal): Promise<World> {
  warnOfForgotten(deps, world);
  const next = await setFinalizers(
    deps,
    world,
    (others) => others.filter((finalizer) => finalizer !== FINALIZER),
    signal,
  );
  return { ...next, evidence: { ...next.evidence, finalizerReleased: true } };
}

/**
 * With the object goes the last that is known here of a credential which a restored or exchanged
 * database does not know. Nothing is ended by what status says alone; before the release, because a
 * warning that comes twice is better than none.
 */
function warnOfForgotten(deps: Deps, world: World): void {
  const { ref, record, key } = world;
  const remoteId = key?.status?.remote?.id;
  if (record !== undefined || key === undefined || remoteId === undefined) return;
  const { kind, name } = key.status?.storeRef ?? key.spec.storeRef ?? DEFAULT_STORE;
  const store = `${kind} '${name}'`;
  deps.log.error(
    'The database does not know a deleted ApiKey: its credential at the vendor was not ended; delete it there',
    { ...ref, store, remoteId },
  );
  deps.reporter.remoteNotEnded(world, { remoteId, store });
}

async function setFinalizers(
  deps: Deps,
  world: World,
  edit: (finalizers: readonly string[]) => readonly string[],
  signal: AbortSignal,
): Promise<World> {
  const key = present(world);
  const finalizers = edit(key.finalizers);
  const { uid, resourceVersion } = key;
  const written = await deps.client.patchMetadata(
    API_KEYS,
    key.ref,
    { uid, resourceVersion, finalizers },
    { signal },
  );
  if (written === undefined) {
    throw objectGone(`ApiKey ${refText(key.ref)}`);
  }
  return { ...world, key: { ...key, finalizers, resourceVersion: written.resourceVersion } };
}

/** Reads Secret, object and namespace live: only an absence that nothing explains is a loss. */
async function proveLoss(deps: Deps, world: World, signal: AbortSignal): Promise<World> {
  const record = mine(world);
  const { namespace } = record;
  const name = record.secret?.name ?? record.name;
  const [secret, object, space] = await Promise.all([
    deps.client.get(SECRETS, { namespace, name }, { signal }),
    deps.client.get(API_KEYS, { namespace, name: record.name }, { signal }),
    deps.client.get(NAMESPACES, { namespace: '', name: namespace }, { signal }),
  ]);
  const isGoing = (thing: KubeObject | undefined): boolean =>
    thing === undefined || thing.metadata.deletionTimestamp !== undefined;
  if (secret !== undefined) {
    // The Secret is back, or the cache was behind: looking at it decides what it is.
    const { uid, resourceVersion } = secret.metadata;
    const { inspection: _, ...evidence } = world.evidence;
    return { ...world, secret: { type: 'Present', uid, resourceVersion }, evidence };
  }
  if (isGoing(object) || isGoing(space) || object?.metadata.uid !== record.uid) {
    throw new KeywardError('Waiting', {
      reason: 'SecretLost',
      message: `Secret ${namespace}/${name} is gone, and so is its ApiKey or namespace, or soon will be`,
      retryAfterMs: 60_000,
    });
  }
  return { ...world, evidence: { ...world.evidence, lossProven: true } };
}

/** One live read: the name is free, or another object has it. */
async function proveGone(
  deps: Deps,
  world: World,
  record: KeyRecord,
  signal: AbortSignal,
): Promise<World> {
  const ref = { namespace: record.namespace, name: record.name };
  const object = await deps.client.get(API_KEYS, ref, { signal });
  if (object?.metadata.uid === record.uid) {
    throw cacheBehind(`ApiKey ${refText(ref)}`);
  }
  const goneUids = [...(world.evidence.goneUids ?? []), record.uid];
  return { ...world, evidence: { ...world.evidence, goneUids } };
}

function withRecord(world: World, record: KeyRecord): World {
  return world.predecessor?.uid === record.uid
    ? { ...world, predecessor: record }
    : { ...world, record };
}
