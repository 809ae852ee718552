/** The controller of KeyStore and ClusterKeyStore: whether keys can be issued there, and how many live. */
import { keyStoreReady, mergeConditions, type WantedCondition } from '../../api/conditions.ts';
import type { KeyStoreStatus } from '../../api/generated/keystore.ts';
import { refText, type Ref, type Resource } from '../../api/meta.ts';
import { API_VERSION, FINALIZER } from '../../api/names.ts';
import { isSameJson } from '../../kernel/samejson.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { KeywardError } from '../../kernel/errors.ts';
import { KeywardError as Failure } from '../../kernel/errors.ts';
import { MINUTE_MS, SECOND_MS } from '../../kernel/time.ts';
import type { Cache, KubeClient } from '../../kube/port.ts';
import type { Ledger, StoreCount } from '../../ledger/port.ts';
import type { Steps } from '../../runtime/pipeline.ts';
import { anyOf, wakeItself, whenChanged } from '../../runtime/trigger.ts';
import type { StoreHandle } from '../../stores/contract.ts';

/** Counts are refreshed this often; status holds nothing that changes faster. */
const REFRESH_MS = MINUTE_MS;
/** A store that is going waits for its keys, and a namespace that is going waits for the store. */
const GOING_REFRESH_MS = 2 * SECOND_MS;

/** What the cache keeps of a store. */
export type StoreObject = {
  readonly ref: Ref;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly isDeleting: boolean;
  readonly finalizers: readonly string[];
  readonly status: unknown;
};

/** What the controller of one of the two kinds works with. */
export type KeyStoreDeps<View extends StoreObject> = {
  readonly resource: Resource;
  readonly stores: Cache<View>;
  readonly client: KubeClient;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly open: (view: View) => StoreHandle | { readonly problem: string };
};

type World = {
  readonly store: StoreObject;
  readonly handle: StoreHandle | { readonly problem: string };
  readonly count: Pick<StoreCount, 'keys' | 'debts'>;
  readonly databaseId: string;
  readonly nowMs: number;
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
    observe: (ref) => observe(deps, ref),
    next,
    apply: (world, action, signal) => apply(deps, world, action, signal),
    report: (world, failure, signal) => report(deps, world, failure, signal),
    lookAgainAtMs: (world) => (isGone(world) ? undefined : world.nowMs + refreshMs(world)),
    lookAgainLane: () => 'bulk',
  };
}

async function observe<View extends StoreObject>(
  deps: KeyStoreDeps<View>,
  ref: Ref,
): Promise<World | undefined> {
  const store = deps.stores.get(ref);
  if (store === undefined) return undefined;
  const [counts, identity] = await Promise.all([
    deps.ledger.countByStore(),
    deps.ledger.identity(),
  ]);
  return {
    store,
    handle: deps.open(store),
    count: counts.find((count) => count.storeUid === store.uid) ?? { keys: 0, debts: 0 },
    databaseId: identity.databaseId,
    nowMs: deps.clock.nowMs(),
  };
}

/** A store stays until its last key is ended and its last debt is paid. Pure. */
function next({ store, count }: World): Action | undefined {
  const isStamped = store.finalizers.includes(FINALIZER);
  if (!store.isDeleting) return isStamped ? undefined : { type: 'StampFinalizer' };
  const isEmpty = count.keys === 0 && count.debts === 0;
  return isStamped && isEmpty ? { type: 'ReleaseFinalizer' } : undefined;
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
    throw new Failure('Conflict', {
      reason: 'ObjectGone',
      message: `${deps.resource.kind} ${refText(ref)} was deleted meanwhile`,
    });
  }
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
  await deps.client.replaceStatus(
    deps.resource,
    {
      apiVersion: API_VERSION,
      kind: deps.resource.kind,
      metadata: { name: ref.name, ...namespace, uid, resourceVersion },
      status,
    },
    { signal },
  );
}

function wantedStatus(world: World, failure: KeywardError | undefined): KeyStoreStatus {
  const { store, handle, count } = world;
  const previous = (store.status as KeyStoreStatus | undefined)?.conditions ?? [];
  const conditions = mergeConditions(previous, readiness(world, failure), {
    nowMs: world.nowMs,
    generation: store.generation,
  });
  return {
    observedGeneration: store.generation,
    conditions,
    storeId: world.databaseId,
    keys: { total: count.keys },
    ...(count.debts === 0 ? {} : { debts: count.debts }),
    ...('problem' in handle ? {} : { capabilities: capabilities(handle) }),
  };
}

function capabilities(handle: StoreHandle): NonNullable<KeyStoreStatus['capabilities']> {
  const { formats, recoverable, regeneratePerSlot, suspend } = handle.capabilities;
  const features = [
    ...(suspend ? ['Suspend'] : []),
    ...(regeneratePerSlot ? ['RegeneratePerSlot'] : []),
    ...(recoverable ? ['Recover'] : []),
  ];
  return { formats, features };
}

function readiness(world: World, failure: KeywardError | undefined): readonly WantedCondition[] {
  const { store, handle, count } = world;
  if (failure !== undefined) return keyStoreReady('ConnectionFailed', failure.message);
  if ('problem' in handle) return keyStoreReady('InvalidConfiguration', handle.problem);
  if (store.isDeleting) {
    return keyStoreReady('KeysRemain', `${count.keys} keys remain in the store; delete them first`);
  }
  return keyStoreReady('Connected', '');
}

function refreshMs({ store }: World): number {
  return store.isDeleting ? GOING_REFRESH_MS : REFRESH_MS;
}

function isGone({ store }: World): boolean {
  return store.isDeleting && !store.finalizers.includes(FINALIZER);
}
