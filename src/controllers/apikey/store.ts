/** From a key's storeRef to the store it means, read from the caches. Pure, given the cache reads. */
import type { ClusterKeyStoreSpec } from '../../api/generated/clusterkeystore.ts';
import type { KeyStoreSpec } from '../../api/generated/keystore.ts';
import type { Ref } from '../../api/meta.ts';
import type { Driver } from '../../stores/contract.ts';
import { openHandle } from '../../stores/opening.ts';
import type { StoreBinding } from '../../ledger/record.ts';
import type { ResolvedStore } from './deps.ts';
import { DEFAULT_STORE, type ApiKeyView, type StoreFact } from './world.ts';

/** What the caches keep of a KeyStore or ClusterKeyStore. */
export type StoreView = {
  readonly ref: Ref;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly isDeleting: boolean;
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

/** Resolves stores and remembers the opened handle of each store generation. */
export function createStoreResolver(
  sources: StoreSources,
): (key: ApiKeyView, bound?: StoreBinding) => ResolvedStore {
  const opened = new Map<string, { readonly version: string; readonly store: ResolvedStore }>();
  return (key, bound) => {
    // Never from status: whoever may write that must not be able to move a key.
    const named: StoreName = bound ?? key.spec.storeRef ?? DEFAULT_STORE;
    const text = `${named.kind} '${named.name}'`;
    const view = find(sources, key, named);
    if (view === undefined) return { fact: { type: 'Missing', name: text }, handle: undefined };
    const version = `${view.uid}/${view.generation}`;
    const cacheKey = `${named.kind}/${view.ref.namespace}/${named.name}`;
    const cached = opened.get(cacheKey);
    const store = cached?.version === version ? cached.store : openStore(sources, named, view);
    if (cached?.version !== version) opened.set(cacheKey, { version, store });
    return withNamespace(sources, key, view, store);
  };
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

function find(sources: StoreSources, key: ApiKeyView, named: StoreName): StoreView | undefined {
  return named.kind === 'KeyStore'
    ? sources.keyStore({ namespace: key.ref.namespace, name: named.name })
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
