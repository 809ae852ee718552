/** What makes an ApiKey be looked at, and how soon. */
import type { ApiKeyStatus } from '../../api/generated/apikey.ts';
import type { ApiProductSpec } from '../../api/generated/apiproduct.ts';
import type { Condition } from '../../api/meta.ts';
import type { Cache, Change } from '../../kube/port.ts';
import type { Lane } from '../../runtime/lanes.ts';
import { anyOf, connect, whenChanged, type Wake } from '../../runtime/trigger.ts';
import type { OwnSecrets } from './ownsecrets.ts';
import type { OwnStatus } from '../../runtime/ownstatus.ts';
import type { StoreView } from '../../stores/view.ts';
import type { CachedApiKey, SecretView } from './view.ts';

/** What a namespace cache keeps. */
export type NamespaceView = { readonly labels: Readonly<Record<string, string>> };

/** What is looked at of a product. */
type ProductSight = {
  readonly uid: string;
  readonly generation: number;
  readonly spec: Pick<ApiProductSpec, 'external'>;
};

/** The caches that are listened to, and what is known of our own writes. */
type TriggerSources = {
  readonly keys: Cache<CachedApiKey>;
  readonly secrets: Cache<SecretView> | undefined;
  readonly keyStores: Cache<StoreView>;
  readonly clusterKeyStores: Cache<StoreView>;
  readonly namespaces: Cache<NamespaceView>;
  readonly products: Cache<ProductSight>;
  readonly ownSecrets: OwnSecrets;
  readonly ownStatus: OwnStatus<ApiKeyStatus>;
};

type Queue = Parameters<typeof connect>[2];

/** Connects all caches to the queue. Once. */
export function connectApiKeyTriggers(sources: TriggerSources, queue: Queue): void {
  const { keys, secrets, ownSecrets } = sources;
  connect(keys, (change) => onApiKey(sources.ownStatus, change), queue);
  if (secrets !== undefined) {
    connect(secrets, (change) => onSecret(ownSecrets, change), queue);
  }
  // A store that comes, goes or changes may unblock or block every key in it.
  connect(sources.keyStores, (change) => onStore(keys, 'KeyStore', change), queue);
  connect(sources.clusterKeyStores, (change) => onStore(keys, 'ClusterKeyStore', change), queue);
  // A vendor may have to be told of other products.
  connect(sources.products, (change) => onProduct(keys, change), queue);
  // Labels decide which stores serve a namespace.
  connect(sources.namespaces, (change) => onNamespace(keys, change), queue);
}

/** What a person can change about an ApiKey; status is ours alone and wakes nothing. */
const isEdited = anyOf<CachedApiKey>(
  whenChanged((key) => key.uid),
  whenChanged((key) => key.generation),
  whenChanged((key) => key.isDeleting),
  whenChanged((key) => key.finalizers.join()),
  whenChanged((key) => key.rotateRequestId),
);

/** The object itself changed, by somebody else's hand. */
function onApiKey(
  ownStatus: OwnStatus<ApiKeyStatus>,
  change: Change<CachedApiKey>,
): readonly Wake[] {
  const uid = change.current?.uid ?? change.previous?.uid;
  if (uid !== undefined) ownStatus.saw(uid, change.current?.resourceVersion);
  return isEdited(change) ? [{ ref: change.ref, lane: laneOf(change) }] : [];
}

/** First issue, end and switch go first; what was seen before the restart goes last. */
function laneOf({ previous, current }: Change<CachedApiKey>): Lane {
  if (current === undefined || current.isDeleting) return 'urgent';
  if (previous === undefined) {
    return current.observedGeneration === current.generation ? 'bulk' : 'urgent';
  }
  return previous.urgentText === current.urgentText ? 'normal' : 'urgent';
}

/** A Secret of ours was edited or deleted; our own writes wake nothing. */
export function onSecret(
  ownSecrets: OwnSecrets,
  { ref, previous, current }: Change<SecretView>,
): readonly Wake[] {
  const isOwn = ownSecrets.isOwn(ref, current);
  ownSecrets.saw(ref, current);
  if (isOwn) return [];
  // An edit may name another key, and the one that it was of has to put it right.
  const named = [previous, current].map((view) => view?.ownerName ?? view?.label ?? '');
  // A key that writes it looks at it itself; one that writes in vain must not keep it from its owner.
  const isWoken = (name: string): boolean => name !== '' && !ownSecrets.isWriting(ref, name);
  const names = new Set(named.filter(isWoken));
  return Array.from(names, (name) => ({
    ref: { namespace: ref.namespace, name },
    lane: 'normal',
  }));
}

function onStore(
  keys: Cache<CachedApiKey>,
  kind: 'KeyStore' | 'ClusterKeyStore',
  change: Change<StoreView>,
): readonly Wake[] {
  const { ref, previous, current } = change;
  const isSame = previous?.uid === current?.uid && previous?.generation === current?.generation;
  if (isSame && !isBack(change)) return [];
  const isOfStore = (key: CachedApiKey): boolean => {
    const isNamed = key.storeName === `${kind}/${ref.name}`;
    return isNamed && (kind === 'ClusterKeyStore' || key.ref.namespace === ref.namespace);
  };
  return wakeAll(keys, isOfStore);
}

/** The store works again: keys that were put off for minutes need not wait that long. */
function isBack({ previous, current }: Change<StoreView>): boolean {
  return readyStatus(previous) === 'False' && readyStatus(current) === 'True';
}

function readyStatus(store: StoreView | undefined): string | undefined {
  // Parser: only we write status, in the shape of the schema.
  const status = store?.status as { readonly conditions?: readonly Condition[] } | undefined;
  return status?.conditions?.find(({ type }) => type === 'Ready')?.status;
}

/** The bulk lane: many keys look again, none of them was asked for by a person. */
function wakeAll(
  keys: Cache<CachedApiKey>,
  isMeant: (key: CachedApiKey) => boolean,
): readonly Wake[] {
  return Array.from(keys.values())
    .filter(isMeant)
    .map((key) => ({ ref: key.ref, lane: 'bulk' }));
}

/** Products of vendors are few, and which keys name one stands in forms as well. */
function onProduct(
  keys: Cache<CachedApiKey>,
  { previous, current }: Change<ProductSight>,
): readonly Wake[] {
  if (previous?.uid === current?.uid && previous?.generation === current?.generation) return [];
  const external = [...(previous?.spec.external ?? []), ...(current?.spec.external ?? [])];
  const stores = new Set(external.map(({ storeRef: { kind, name } }) => `${kind}/${name}`));
  return stores.size === 0 ? [] : wakeAll(keys, ({ storeName }) => stores.has(storeName));
}

function onNamespace(
  keys: Cache<CachedApiKey>,
  { ref, previous, current }: Change<NamespaceView>,
): readonly Wake[] {
  if (JSON.stringify(previous?.labels) === JSON.stringify(current?.labels)) return [];
  return wakeAll(keys, (key) => key.ref.namespace === ref.name);
}
