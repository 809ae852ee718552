/** The controller of KeyStore and ClusterKeyStore: whether keys can be issued there, and how many live. */
import { EVENT_REASONS } from '../../api/conditions.ts';
import { refText, type Ref, type Resource } from '../../api/meta.ts';
import { API_VERSION, FINALIZER } from '../../api/names.ts';
import { isSameJson } from '../../kernel/samejson.ts';
import type { Clock } from '../../kernel/clock.ts';
import { KeywardError } from '../../kernel/errors.ts';
import { MINUTE_MS, SECOND_MS } from '../../kernel/time.ts';
import type { EventRecorder } from '../../kube/events.ts';
import type { Cache, KubeClient } from '../../kube/port.ts';
import type { Ledger } from '../../ledger/port.ts';
import type { Steps } from '../../runtime/pipeline.ts';
import { anyOf, wakeItself, whenChanged } from '../../runtime/trigger.ts';
import { StoreFailure, type RemoteHandle, type StoreHandle } from '../../stores/contract.ts';
import { memberOf } from '../../stores/opening.ts';
import type { StoreSession } from '../../stores/session.ts';
import type { SessionStore } from '../../stores/sessions.ts';
import { turnOf, wantedStatus } from './status.ts';
import { DEBTS_HOLD_MS, mayGo, type RemoteSight, type StoreObject, type World } from './world.ts';

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
export type KeyStoreDeps<View extends StoreObject> = {
  readonly resource: Resource;
  readonly stores: Cache<View>;
  readonly client: KubeClient;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly open: (view: View) => StoreHandle | { readonly problem: string };
  readonly sessions: Sessions;
  readonly events: EventRecorder;
  /** How often a store is looked at; absent: once a minute. */
  readonly refreshMs?: number;
  /** Absent: ten minutes. */
  readonly debtsHoldMs?: number;
};

type Action = { readonly type: 'StampFinalizer' | 'ReleaseFinalizer' };

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
): Steps<World, Action> {
  return {
    name: deps.resource.kind.toLowerCase(),
    observe: (ref, signal) => observe(deps, ref, signal),
    next,
    apply: (world, action, signal) => apply(deps, world, action, signal),
    report: (world, failure, signal) => report(deps, world, failure, signal),
    lookAgainAtMs: (world) =>
      isGone(world) ? undefined : world.nowMs + refreshMs(world, deps.refreshMs ?? REFRESH_MS),
    lookAgainLane: () => 'bulk',
  };
}

async function observe<View extends StoreObject>(
  deps: KeyStoreDeps<View>,
  ref: Ref,
  signal: AbortSignal,
): Promise<World | undefined> {
  const store = deps.stores.get(ref);
  if (store === undefined) return undefined;
  const handle = deps.open(store);
  const [counts, identity, remote] = await Promise.all([
    deps.ledger.countByStore(),
    deps.ledger.identity(),
    lookAtVendor(deps, store, handle, signal),
  ]);
  return {
    store,
    handle,
    count: counts.find((count) => count.storeUid === store.uid) ?? { keys: 0, debts: 0 },
    remote,
    databaseId: identity.databaseId,
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
function next(world: World): Action | undefined {
  const { store } = world;
  const isStamped = store.finalizers.includes(FINALIZER);
  if (!store.isDeleting) return isStamped ? undefined : { type: 'StampFinalizer' };
  return isStamped && mayGo(world) ? { type: 'ReleaseFinalizer' } : undefined;
}

async function apply<View extends StoreObject>(
  deps: KeyStoreDeps<View>,
  world: World,
  action: Action,
  signal: AbortSignal,
): Promise<World> {
  const { store } = world;
  const others = store.finalizers.filter((finalizer) => finalizer !== FINALIZER);
  const finalizers = action.type === 'StampFinalizer' ? [...others, FINALIZER] : others;
  const { uid, resourceVersion, ref } = store;
  const written = await deps.client.patchMetadata(
    deps.resource,
    ref,
    { uid, resourceVersion, finalizers },
    { signal },
  );
  if (written === undefined) {
    throw new KeywardError('Conflict', {
      reason: 'ObjectGone',
      message: `${deps.resource.kind} ${refText(ref)} was deleted meanwhile`,
    });
  }
  if (action.type === 'ReleaseFinalizer') deps.sessions.forget(uid);
  return { ...world, store: { ...store, finalizers, resourceVersion: written.resourceVersion } };
}

async function report<View extends StoreObject>(
  deps: KeyStoreDeps<View>,
  world: World,
  failure: KeywardError | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { store } = world;
  if (isGone(world)) return;
  const status = wantedStatus(world, failure);
  if (isSameJson(status, store.status)) return;
  const { uid, resourceVersion, ref } = store;
  const namespace = deps.resource.namespaced ? { namespace: ref.namespace } : {};
  const turn = turnOf(world, status);
  const written = await deps.client.replaceStatus(
    deps.resource,
    {
      apiVersion: API_VERSION,
      kind: deps.resource.kind,
      metadata: { name: ref.name, ...namespace, uid, resourceVersion },
      status,
    },
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
