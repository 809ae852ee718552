/** Pure, given the cache reads; stores as the caches keep them, and how one is found by name. */
import type { ClusterKeyStoreSpec } from '../api/generated/clusterkeystore.ts';
import type { KeyStoreSpec } from '../api/generated/keystore.ts';
import type { Ref } from '../api/meta.ts';
import type { Driver } from './contract.ts';

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
  /** Why a store that is not found may be there all the same, as the end of a sentence; undefined: it is not. */
  readonly hiddenBecause?: (named: StoreName) => string | undefined;
  /** Labels of a namespace; undefined while it is not known. */
  readonly namespaceLabels: (name: string) => Readonly<Record<string, string>> | undefined;
  readonly drivers: ReadonlyMap<string, Driver>;
};

/** How a store is named. */
export type StoreName = {
  readonly kind: 'KeyStore' | 'ClusterKeyStore';
  readonly name: string;
};

/** The store that is meant where none is named. */
export const DEFAULT_STORE = { kind: 'ClusterKeyStore', name: 'default' } as const;

/** The store of this name as seen from a namespace; undefined: there is none. */
export function findStore(
  sources: Pick<StoreSources, 'keyStore' | 'clusterKeyStore'>,
  namespace: string,
  named: StoreName,
): StoreView | undefined {
  return named.kind === 'KeyStore'
    ? sources.keyStore({ namespace, name: named.name })
    : sources.clusterKeyStore(named.name);
}

/** Which namespaces a store or a product serves. */
type AllowedNamespaces = NonNullable<ClusterKeyStoreSpec['allowedNamespaces']>;

/**
 * Whether a namespace is served; absent rules serve all. Unknown: it takes the labels of a namespace
 * that is not known yet.
 */
export function servesNamespace(
  allowed: AllowedNamespaces | undefined,
  labels: Readonly<Record<string, string>> | undefined,
): 'Yes' | 'No' | 'Unknown' {
  if (allowed?.from !== 'Selector') return 'Yes';
  if (labels === undefined) return 'Unknown';
  return selects(allowed.namespaceSelector, labels) ? 'Yes' : 'No';
}

/** True when labels satisfy the selector; an absent selector selects nothing. */
function selects(
  selector: AllowedNamespaces['namespaceSelector'],
  labels: Readonly<Record<string, string>>,
): boolean {
  if (selector === undefined) return false;
  const equal = Object.entries(selector.matchLabels ?? {});
  // Labels may be called as members that every object has.
  const held = new Map(Object.entries(labels));
  if (equal.some(([name, text]) => held.get(name) !== text)) return false;
  return (selector.matchExpressions ?? []).every(({ key: name, operator, values = [] }) => {
    const text = held.get(name);
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
