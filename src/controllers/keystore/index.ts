/**
 * The controller of KeyStore and ClusterKeyStore: whether keys can be issued there, how many live, and what
 * gates have to know of the store.
 */
import { EVENT_REASONS } from '../../api/conditions.ts';
import { refText, type Ref, type Resource } from '../../api/meta.ts';
import { API_VERSION, FINALIZER } from '../../api/names.ts';
import { isSameJson } from '../../kernel/samejson.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { KeywardError } from '../../kernel/errors.ts';
import { MINUTE_MS, SECOND_MS } from '../../kernel/time.ts';
import type { EventRecorder } from '../../kube/events.ts';
import type { Cache, KubeClient } from '../../kube/port.ts';
import { statusDraft } from '../../kube/statusdraft.ts';
import type { StoreProfile, StoreRecord } from '../../ledger/documents.ts';
import type { Ledger } from '../../ledger/port.ts';
import { cacheBehind, objectGone } from '../../runtime/behind.ts';
import type { Steps } from '../../runtime/pipeline.ts';
import { anyOf, wakeItself, whenChanged } from '../../runtime/trigger.ts';
import { StoreFailure, type RemoteHandle, type StoreHandle } from '../../stores/contract.ts';
import { memberOf } from '../../stores/opening.ts';
import type { StoreSession } from '../../stores/session.ts';
import type { SessionStore } from '../../stores/sessions.ts';
import { endProfile, tellProfile, untoldProfile, type ProfileDeps } from './profile.ts';
import { turnOf, wantedStatus } from './status.ts';
import {
  DEBTS_HOLD_MS,
  mayGo,
  type GoneWorld,
  type RemoteSight,
  type StoreObject,
  type World,
} from './world.ts';

/** Counts are refreshed this often; status holds nothing that changes faster. */
const REFRESH_MS = MINUTE_MS;
/** A store that is going waits for its keys, and a namespace that is going waits for the store. */
const GOING_REFRESH_MS = 2 * SECOND_MS;
/** Somebody may be about to make the Secret that is missing. */
const MISSING_REFRESH_MS = 30 * SECOND_MS;

/** The part of StoreSessions that is used. */
export type Sessions = {
  of(store: SessionStore, handle: RemoteHandle): Pick<StoreSession, 'prove' | 'health' | 'account'>;
  forget(storeUid: string): void;
};

/** What the controller of one of the two kinds works with. */
export type KeyStoreDeps<View extends StoreObject> = Pick<ProfileDeps, 'clusterId' | 'epoch'> & {
  readonly resource: Resource;
  readonly stores: Cache<View>;
  readonly client: KubeClient;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly open: (view: View) => StoreHandle | { readonly problem: string };
  readonly sessions: Sessions;
  readonly events: EventRecorder;
  /** The database is lost with the pod. */
  readonly isEphemeral: boolean;
  /** How often a store is looked at; absent: once a minute. */
  readonly refreshMs?: number;
  /** Absent: ten minutes. */
  readonly debtsHoldMs?: number;
};

type Action =
  | { readonly type: 'StampFinalizer' | 'ReleaseFinalizer' }
  | { readonly type: 'TellProfile'; readonly profile: StoreProfile }
  | { readonly type: 'EndProfile'; readonly record: StoreRecord }
  /** One live read: a store of which gates know something is gone. */
  | { readonly type: 'ProveGone' };

/**
 * What makes a store worth a look at once. Not its status: with a second operator on the cluster,
 * each would wake the other for ever.
 */
export const onStoreEdited = wakeItself(
  anyOf<StoreObject>(
    whenChanged((store) => store.uid),
    whenChanged((store) => store.generation),
    whenChanged((store) => store.isDeleting),
    whenChanged((store) => store.finalizers.join()),
  ),
  () => 'normal',
);

/** The steps for the pipeline. A store is only looked at; nothing in it is changed here. */
export function keyStoreSteps<View extends StoreObject>(
  deps: KeyStoreDeps<View>,
): Steps<World | GoneWorld, Action> {
  return {
    name: deps.resource.kind.toLowerCase(),
    observe: (ref, signal) => observe(deps, ref, signal),
    next,
    apply: (world, action, signal) => apply(deps, world, action, signal),
    report: (world, failure, signal) => report(deps, world, failure, signal),
    lookAgainAtMs: (world) =>
      world.store === undefined || isGone(world)
        ? undefined
        : world.nowMs + refreshMs(world, deps.refreshMs ?? REFRESH_MS),
    lookAgainLane: () => 'bulk',
  };
}

async function observe<View extends StoreObject>(
  deps: KeyStoreDeps<View>,
  ref: Ref,
  signal: AbortSignal,
): Promise<World | GoneWorld | undefined> {
  const store = deps.stores.get(ref);
  const document = await deps.ledger.findDocument('Store', ref);
  const nowMs = deps.clock.nowMs();
  if (store === undefined) {
    return document && { ref, store, document, isProvenGone: false, nowMs };
  }
  const handle = deps.open(store);
  const [counts, identity, remote] = await Promise.all([
    deps.ledger.countByStore(),
    deps.ledger.identity(),
    lookAtVendor(deps, store, handle, signal),
  ]);
  return {
    store,
    handle,
    document,
    count: counts.find((count) => count.storeUid === store.uid) ?? { keys: 0, debts: 0 },
    remote,
    databaseId: identity.databaseId,
    isEphemeral: deps.isEphemeral,
    debtsHoldMs: deps.debtsHoldMs ?? DEBTS_HOLD_MS,
    nowMs: deps.clock.nowMs(),
  };
}

/** Logs in where nobody did lately. What is wrong is in the health afterwards, and no failure here. */
async function lookAtVendor<View extends StoreObject>(
  deps: KeyStoreDeps<View>,
  store: View,
  handle: StoreHandle | { readonly problem: string },
  signal: AbortSignal,
): Promise<RemoteSight | undefined> {
  if ('problem' in handle || handle.type === 'Local') return undefined;
  const { ref, uid, spec } = store;
  const kind = deps.resource.namespaced ? 'KeyStore' : 'ClusterKeyStore';
  const settings = memberOf(spec);
  const session = deps.sessions.of({ kind, ref, uid, type: spec.type, settings }, handle);
  try {
    // A store that is going is only asked to end keys, and its Secret may be gone already.
    if (!store.isDeleting) await session.prove(signal);
  } catch (error) {
    if (!(error instanceof StoreFailure)) throw error;
  }
  return { health: session.health, account: session.account?.id };
}

/** A store stays until its last key is ended, and a while for its debts. Pure. */
function next(world: World | GoneWorld): Action | undefined {
  const { store, document } = world;
  if (store === undefined) {
    return world.isProvenGone ? endOf(world.document) : { type: 'ProveGone' };
  }
  if (document !== undefined && document.uid !== store.uid) return endOf(document);
  const isStamped = store.finalizers.includes(FINALIZER);
  if (store.isDeleting) {
    if (!isStamped || !mayGo(world)) return undefined;
    return document?.phase === 'Live' ? endOf(document) : { type: 'ReleaseFinalizer' };
  }
  if (!isStamped) return { type: 'StampFinalizer' };
  const profile = untoldProfile(world);
  return profile === undefined ? undefined : { type: 'TellProfile', profile };
}

function endOf(record: StoreRecord): Action | undefined {
  return record.phase === 'Ended' ? undefined : { type: 'EndProfile', record };
}

async function apply<View extends StoreObject>(
  deps: KeyStoreDeps<View>,
  world: World | GoneWorld,
  action: Action,
  signal: AbortSignal,
): Promise<World | GoneWorld> {
  if (action.type === 'EndProfile') {
    await endProfile(deps, action.record);
    return world.store === undefined
      ? { ...world, document: { ...world.document, phase: 'Ended' } }
      : { ...world, document: undefined };
  }
  if (world.store === undefined) return await proveGone(deps, world, signal);
  switch (action.type) {
    case 'TellProfile':
      return { ...world, document: await tellProfile(deps, world, action.profile) };
    case 'StampFinalizer':
    case 'ReleaseFinalizer':
      return await putFinalizer(deps, world, action.type, signal);
    case 'ProveGone':
      throw new TypeError('only a store that is not there is proven gone');
  }
}

/** One live read: a watch that lost its place says nothing about the store. */
async function proveGone<View extends StoreObject>(
  { client, resource }: KeyStoreDeps<View>,
  world: GoneWorld,
  signal: AbortSignal,
): Promise<GoneWorld> {
  const object = await client.get(resource, world.ref, { signal });
  if (object?.metadata.uid !== world.document.uid) return { ...world, isProvenGone: true };
  throw cacheBehind(`${resource.kind} ${refText(world.ref)}`);
}

async function putFinalizer<View extends StoreObject>(
  deps: KeyStoreDeps<View>,
  world: World,
  type: 'StampFinalizer' | 'ReleaseFinalizer',
  signal: AbortSignal,
): Promise<World> {
  const { store } = world;
  const others = store.finalizers.filter((finalizer) => finalizer !== FINALIZER);
  const finalizers = type === 'StampFinalizer' ? [...others, FINALIZER] : others;
  const { uid, resourceVersion, ref } = store;
  const written = await deps.client.patchMetadata(
    deps.resource,
    ref,
    { uid, resourceVersion, finalizers },
    { signal },
  );
  if (written === undefined) {
    throw objectGone(`${deps.resource.kind} ${refText(ref)}`);
  }
  if (type === 'ReleaseFinalizer') deps.sessions.forget(uid);
  return { ...world, store: { ...store, finalizers, resourceVersion: written.resourceVersion } };
}

async function report<View extends StoreObject>(
  deps: KeyStoreDeps<View>,
  world: World | GoneWorld,
  failure: KeywardError | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { store } = world;
  if (store === undefined || isGone(world)) return;
  const status = wantedStatus(world, failure);
  if (isSameJson(status, store.status)) return;
  const turn = turnOf(world, status);
  const written = await deps.client.replaceStatus(
    deps.resource,
    statusDraft(deps.resource, store, status),
    { signal },
  );
  if (turn !== undefined && written !== undefined) tell(deps, world, turn);
}

/** Said once: after the status that says it was written, and never again for the same state. */
function tell<View extends StoreObject>(
  deps: KeyStoreDeps<View>,
  { store }: World,
  turn: NonNullable<ReturnType<typeof turnOf>>,
): void {
  const { uid, ref } = store;
  deps.events.record({
    regarding: { apiVersion: API_VERSION, kind: deps.resource.kind, ref, uid },
    type: EVENT_REASONS[turn.reason].type,
    reason: turn.reason,
    action: 'Connect',
    note: turn.note,
  });
}

function refreshMs({ store, remote }: World, usualMs: number): number {
  if (store.isDeleting) return GOING_REFRESH_MS;
  const isMissing = remote?.health.state === 'CredentialsNotFound';
  return isMissing ? Math.min(MISSING_REFRESH_MS, usualMs) : usualMs;
}

function isGone({ store }: World): boolean {
  return store.isDeleting && !store.finalizers.includes(FINALIZER);
}
