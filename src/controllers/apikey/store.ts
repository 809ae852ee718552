/** From a key's storeRef to the store it means, read from the caches. Pure, given the cache reads. */
import type { StoreHandle } from '../../stores/contract.ts';
import { openHandle } from '../../stores/opening.ts';
import {
  DEFAULT_STORE,
  findStore,
  servesNamespace,
  type StoreName,
  type StoreSources,
  type StoreView,
} from '../../stores/view.ts';
import type { KeyRecord, StoreBinding } from '../../ledger/record.ts';
import type { ApiKeyView, StoreFact } from './world.ts';

/** The store a key names, and the driver's handle when it can be used. */
type ResolvedStore = { readonly fact: StoreFact; readonly handle: StoreHandle | undefined };

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
  const missing = (named: StoreName): ResolvedStore => {
    const name = `${named.kind} '${named.name}'`;
    const problem = sources.hiddenBecause?.(named);
    return problem === undefined
      ? { fact: { type: 'Missing', name }, handle: undefined }
      : { fact: { type: 'Unusable', name, problem }, handle: undefined };
  };
  return {
    of(key, bound) {
      // Never from status: whoever may write that must not be able to move a key.
      const named: StoreName = bound ?? key.spec.storeRef ?? DEFAULT_STORE;
      const view = findStore(sources, key.ref.namespace, named);
      if (view === undefined) return missing(named);
      const store = open(named, view);
      if (isAnother(store, view, bound)) return missing(named);
      return withNamespace(sources, key, view, store);
    },
    bound({ namespace, store: binding }) {
      const view = findStore(sources, namespace, binding);
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
    reviewed: applications.mode === 'Manual' ? applications.requiredFor : [],
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
  if (store.fact.type !== 'Usable') return store;
  const allowed = 'allowedNamespaces' in view.spec ? view.spec.allowedNamespaces : undefined;
  const serves = servesNamespace(allowed, sources.namespaceLabels(key.ref.namespace));
  if (serves === 'Unknown') {
    const problem = `namespace '${key.ref.namespace}' is not known yet, or the operator may not list namespaces`;
    return { fact: { type: 'Unusable', name: store.fact.name, problem }, handle: undefined };
  }
  return { ...store, fact: { ...store.fact, allowsNamespace: serves === 'Yes' } };
}
