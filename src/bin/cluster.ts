/** The API server side of the operator: access, clients and watches. */
import type { KubeObject, Resource } from '../api/meta.ts';
import {
  API_CLIENTS,
  API_KEY_APPLICATIONS,
  API_KEY_REVIEWS,
  API_KEYS,
  API_PRODUCTS,
  CLUSTER_KEY_STORES,
  KEY_STORES,
  LABEL_API_KEY,
  NAMESPACES,
  SECRETS,
} from '../api/names.ts';
import type { ClusterConfig } from '../config/cluster.ts';
import type { OperatorConfig } from '../config/operator.ts';
import type { StoreName, StoreView } from '../stores/view.ts';
import type { NamespaceView } from '../controllers/apikey/triggers.ts';
import {
  cacheApiKey,
  viewSecret,
  type CachedApiKey,
  type SecretView,
} from '../controllers/apikey/view.ts';
import { cacheForm, type CachedForm } from '../controllers/application/view.ts';
import { cacheClient } from '../controllers/client/view.ts';
import type { ClientView } from '../controllers/client/world.ts';
import { cacheProduct } from '../controllers/product/view.ts';
import type { ProductView } from '../controllers/product/world.ts';
import { cacheReview, type CachedReview } from '../controllers/review/view.ts';
import { sleep, systemClock } from '../kernel/clock.ts';
import { KeywardError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import type { Registry } from '../kernel/metrics.ts';
import { parseTime } from '../kernel/time.ts';
import { openAccess } from '../kube/auth.ts';
import { createCallMetrics, type CallMetrics } from '../kube/callmetrics.ts';
import { createClients, type Clients } from '../kube/client.ts';
import { NamespacedCache, type MemberCache } from '../kube/namespacedcache.ts';
import type { Cache, WatchScope } from '../kube/port.ts';
import { Reflector } from '../kube/reflector.ts';
import { Transport } from '../kube/transport.ts';
import { createWatchMetrics, type WatchMetrics } from '../kube/watchmetrics.ts';
import type { ManagerParts } from '../runtime/manager.ts';
import type { Recovery } from '../runtime/recovery.ts';
import { watchClient } from './outages.ts';
import { VERSION } from './version.ts';

type Watch = ManagerParts['watches'][number];

/** Transport, clients and what watches need. */
export type Cluster = Clients & {
  readonly transport: Transport;
  readonly host: string;
  readonly log: Logger;
  readonly callMetrics: CallMetrics;
  readonly watchMetrics: WatchMetrics;
};

/** Opens the way to the API server; nothing is sent yet. */
export async function openCluster(
  config: ClusterConfig,
  registry: Registry,
  log: Logger,
  recovery: Recovery,
): Promise<Cluster> {
  const access = await openAccess({ clock: systemClock, log, source: sourceOf(config) });
  const transport = new Transport({ access, clock: systemClock, version: VERSION });
  const host = `${access.server.host}:${access.server.port}`;
  const callMetrics = createCallMetrics(registry, host);
  const clients = createClients({ transport, clock: systemClock, metrics: callMetrics });
  const watchMetrics = createWatchMetrics(registry);
  const ordinary = watchClient(clients.ordinary, recovery);
  const urgent = watchClient(clients.urgent, recovery);
  const { clock } = clients;
  return { ordinary, urgent, clock, transport, host, log, callMetrics, watchMetrics };
}

function sourceOf(config: ClusterConfig): Parameters<typeof openAccess>[0]['source'] {
  const { kubeconfig, context, inClusterHost, inClusterPort } = config;
  if (kubeconfig !== undefined) {
    return { kind: 'Kubeconfig', file: kubeconfig, ...(context === undefined ? {} : { context }) };
  }
  if (inClusterHost !== undefined) {
    return { kind: 'InCluster', host: inClusterHost, port: inClusterPort };
  }
  throw new KeywardError('Terminal', {
    reason: 'InvalidConfiguration',
    message: 'not in a pod, so --kubeconfig FILE is required',
  });
}

/** All caches of the operator and the watches that fill them. */
export type Caches = {
  readonly keys: MemberCache<CachedApiKey>;
  readonly secrets: MemberCache<SecretView> | undefined;
  readonly keyStores: MemberCache<StoreView>;
  readonly clusterKeyStores: MemberCache<StoreView>;
  readonly namespaces: MemberCache<NamespaceView>;
  readonly forms: MemberCache<CachedForm>;
  readonly reviews: MemberCache<CachedReview>;
  readonly clients: MemberCache<ClientView>;
  readonly products: MemberCache<ProductView>;
  readonly watches: readonly Watch[];
  /** Reads all ApiKeys anew; resolves when that is complete. */
  readonly relistKeys: (signal: AbortSignal) => Promise<void>;
  /** False: the namespace is not watched, or cannot be read. */
  readonly isWatched: (namespace: string) => boolean;
};

/** Makes the caches; their watches are started by the manager. */
export function createCaches(
  cluster: Cluster,
  config: Pick<OperatorConfig, 'watchNamespaces' | 'secretWatch'>,
): Caches {
  const watches: Watch[] = [];
  const open = <R>(resource: Resource, transform: (object: KubeObject) => R, how: How = {}) =>
    openCache(cluster, { resource, transform, how, watches, config });
  const keys = open(API_KEYS, cacheApiKey);
  const keyWatches = watches.map((watch) => watch as Reflector<CachedApiKey>);
  return {
    keys,
    relistKeys: (signal) => relist(keys, keyWatches, signal),
    isWatched: (namespace) =>
      keys instanceof NamespacedCache
        ? config.watchNamespaces.includes(namespace) && !keys.refusedNamespaces.includes(namespace)
        : true,
    secrets:
      config.secretWatch === 'none'
        ? undefined
        : open(SECRETS, viewSecret, { labelSelector: LABEL_API_KEY, metadataOnly: true }),
    keyStores: open(KEY_STORES, viewStore),
    clusterKeyStores: open(CLUSTER_KEY_STORES, viewStore),
    namespaces: open(NAMESPACES, viewNamespace, { metadataOnly: true }),
    forms: open(API_KEY_APPLICATIONS, cacheForm),
    reviews: open(API_KEY_REVIEWS, cacheReview),
    clients: open(API_CLIENTS, cacheClient),
    products: open(API_PRODUCTS, cacheProduct),
    watches,
  };
}

/** Why a store that the caches do not have may be there all the same; see StoreSources. */
export function hiddenBecause(
  { clusterKeyStores, keyStores }: Pick<Caches, 'clusterKeyStores' | 'keyStores'>,
  { kind }: StoreName,
): string | undefined {
  const isRefused = kind === 'KeyStore' ? keyStores.refused : clusterKeyStores.refused;
  return isRefused
    ? `the operator may not read ${kind}s here; the roles in deploy/rbac let it`
    : undefined;
}

/** How often a running relist is looked at. */
const RELIST_POLL_MS = 200;

async function relist(
  keys: Cache<CachedApiKey>,
  watches: readonly Reflector<CachedApiKey>[],
  signal: AbortSignal,
): Promise<void> {
  const before = keys.completeLists;
  for (const watch of watches) watch.relist();
  while (keys.completeLists <= before) {
    // Waiting is what this loop is for; the signal bounds it.
    // oxlint-disable-next-line no-await-in-loop
    await sleep(systemClock, RELIST_POLL_MS, signal);
  }
}

type How = Pick<WatchScope, 'labelSelector' | 'metadataOnly'>;

type CacheRequest<R> = {
  readonly resource: Resource;
  readonly transform: (object: KubeObject) => R;
  readonly how: How;
  readonly watches: Watch[];
  readonly config: Pick<OperatorConfig, 'watchNamespaces'>;
};

function openCache<R>(cluster: Cluster, request: CacheRequest<R>): MemberCache<R> {
  const { resource, transform, how, watches, config } = request;
  const reflect = (scope: WatchScope): Reflector<R> => {
    const reflector = new Reflector({
      ...cluster,
      scope,
      transform,
      clock: systemClock,
      random: Math.random,
    });
    watches.push(reflector);
    return reflector;
  };
  if (!resource.namespaced || config.watchNamespaces.length === 0) {
    return reflect({ resource, ...how }).cache;
  }
  const members = config.watchNamespaces.map(
    (namespace) => [namespace, reflect({ resource, namespace, ...how }).cache] as const,
  );
  return new NamespacedCache(new Map(members));
}

function viewStore(object: KubeObject): StoreView {
  const { metadata, spec, status } = object as KubeObject<{
    readonly spec: StoreView['spec'];
    readonly status?: unknown;
  }>;
  const deletedAtMs = parseTime(metadata.deletionTimestamp ?? '');
  return {
    ref: { namespace: metadata.namespace ?? '', name: metadata.name },
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    generation: metadata.generation ?? 0,
    isDeleting: metadata.deletionTimestamp !== undefined,
    ...(deletedAtMs === undefined ? {} : { deletedAtMs }),
    finalizers: metadata.finalizers ?? [],
    spec,
    status,
  };
}

function viewNamespace(object: KubeObject): NamespaceView {
  return { labels: object.metadata.labels ?? {} };
}
