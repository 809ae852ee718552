/** From a key's storeRef to the store it means, read from the caches. Pure, given the cache reads. */
import type { ClusterKeyStoreSpec } from '../../api/generated/clusterkeystore.ts';
import type { KeyStoreSpec } from '../../api/generated/keystore.ts';
import type { Ref } from '../../api/meta.ts';
import type { Driver, StoreHandle } from '../../stores/contract.ts';
import { openHandle } from '../../stores/opening.ts';
import type { KeyRecord, StoreBinding } from '../../ledger/record.ts';
import { DEFAULT_STORE, type ApiKeyView, type StoreFact } from './world.ts';

/** The store a key names, and the driver's handle when it can be used. */
export type ResolvedStore = { readonly fact: StoreFact; readonly handle: StoreHandle | undefined };

/** What the caches keep of a KeyStore or ClusterKeyStore. */
export type StoreView = {
  readonly ref: Ref;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly isDeleting: boolean;
  /** When its deletion was asked for; absent while nobody did. */
  readonly deletedAtMs?: number;
  readonly finalizers: readonly string[];
  readonly spec: KeyStoreSpec | ClusterKeyStoreSpec;
  readonly status: unknown;
};

/** Where stores, namespaces and drivers are found; the functions read caches. */
export type StoreSources = {
  readonly keyStore: (ref: Ref) => StoreView | undefined;
  readonly clusterKeyStore: (name: string) => StoreView | undefined;
  /** Labels of a namespace; undefined while it is not known. */
  readonly namespaceLabels: (name: string) => Readonly<Record<string, string>> | undefined;
  readonly drivers: ReadonlyMap<string, Driver>;
};

type StoreName = { readonly kind: 'KeyStore' | 'ClusterKeyStore'; readonly name: string };

/** Finds stores, from the caches. */
export type StoreResolver = {
  /** The store a key is bound to, else the one its spec names, as seen from the key's namespace. */
  of(key: ApiKeyView, bound?: StoreBinding): ResolvedStore;
  /** The store a record is bound to, whether or not it still serves the namespace. */
  bound(record: Pick<KeyRecord, 'namespace' | 'store'>): ResolvedStore;
};

/** Resolves stores and remembers the opened handle of each store generation. */
export function createStoreResolver(sources: StoreSources): StoreResolver {
  const opened = new Map<string, { readonly version: string; readonly store: ResolvedStore }>();
  const open = (named: StoreName, view: StoreView): ResolvedStore => {
    const version = `${view.uid}/${view.generation}`;
    const cacheKey = `${named.kind}/${view.ref.namespace}/${named.name}`;
    const cached = opened.get(cacheKey);
    if (cached?.version === version) return cached.store;
    const store = openStore(sources, named, view);
    opened.set(cacheKey, { version, store });
    return store;
  };
  const missing = (named: StoreName): ResolvedStore => ({
    fact: { type: 'Missing', name: `${named.kind} '${named.name}'` },
    handle: undefined,
  });
  return {
    of(key, bound) {
      // Never from status: whoever may write that must not be able to move a key.
      const named: StoreName = bound ?? key.spec.storeRef ?? DEFAULT_STORE;
      const view = find(sources, key.ref.namespace, named);
      if (view === undefined) return missing(named);
      const store = open(named, view);
      if (isAnother(store, view, bound)) return missing(named);
      return withNamespace(sources, key, view, store);
    },
    bound({ namespace, store: binding }) {
      const view = find(sources, namespace, binding);
      if (view === undefined) return missing(binding);
      const store = open(binding, view);
      return isAnother(store, view, binding) ? missing(binding) : store;
    },
  };
}

/** A store of the same name that was made later may mean another account at the vendor. */
function isAnother({ handle }: ResolvedStore, view: StoreView, bound?: StoreBinding): boolean {
  return handle?.type === 'Remote' && bound !== undefined && bound.uid !== view.uid;
}

/** True when labels satisfy the selector; an absent selector selects nothing. */
export function selects(
  selector: NonNullable<ClusterKeyStoreSpec['allowedNamespaces']>['namespaceSelector'],
  labels: Readonly<Record<string, string>>,
): boolean {
  if (selector === undefined) return false;
  const equal = Object.entries(selector.matchLabels ?? {});
  if (equal.some(([name, text]) => labels[name] !== text)) return false;
  return (selector.matchExpressions ?? []).every(({ key: name, operator, values = [] }) => {
    const text = labels[name];
    switch (operator) {
      case 'In':
        return text !== undefined && values.includes(text);
      case 'NotIn':
        return text === undefined || !values.includes(text);
      case 'Exists':
        return text !== undefined;
      case 'DoesNotExist':
        return text === undefined;
    }
  });
}

function find(sources: StoreSources, namespace: string, named: StoreName): StoreView | undefined {
  return named.kind === 'KeyStore'
    ? sources.keyStore({ namespace, name: named.name })
    : sources.clusterKeyStore(named.name);
}

function openStore(sources: StoreSources, named: StoreName, view: StoreView): ResolvedStore {
  const name = `${named.kind} '${named.name}'`;
  const handle = openHandle(sources.drivers, view.spec);
  if ('problem' in handle) {
    return { fact: { type: 'Unusable', name, problem: handle.problem }, handle: undefined };
  }
  const { limits = {}, defaults, applications, retention, expiryNoticeDays } = view.spec;
  const { durationDays, overlapSeconds, timeZone } = defaults;
  const fact: StoreFact = {
    type: 'Usable',
    kind: named.kind,
    name: named.name,
    uid: view.uid,
    capabilities: handle.capabilities,
    ...(handle.type === 'Remote' ? { remote: handle } : {}),
    defaultFormat: handle.defaultFormat,
    provider: handle.provider,
    allowsNamespace: true,
    requiresApplication: applications.requirement === 'Always',
    retention,
    overlapSeconds,
    ...(durationDays === undefined ? {} : { durationDays }),
    ...(timeZone === undefined ? {} : { timeZone }),
    ...limits,
    expiryNoticeDays,
  };
  return { fact, handle };
}

function withNamespace(
  sources: StoreSources,
  key: ApiKeyView,
  view: StoreView,
  store: ResolvedStore,
): ResolvedStore {
  const allowed = 'allowedNamespaces' in view.spec ? view.spec.allowedNamespaces : undefined;
  if (store.fact.type !== 'Usable' || allowed?.from !== 'Selector') return store;
  const labels = sources.namespaceLabels(key.ref.namespace);
  if (labels === undefined) {
    const problem = `namespace '${key.ref.namespace}' is not known yet`;
    return { fact: { type: 'Unusable', name: store.fact.name, problem }, handle: undefined };
  }
  const allowsNamespace = selects(allowed.namespaceSelector, labels);
  return { ...store, fact: { ...store.fact, allowsNamespace } };
}
