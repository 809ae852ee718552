/** The stores, clients and products that a form names, as they look from its namespace. Pure. */
import type { ApiProductSpec } from '../../api/generated/apiproduct.ts';
import type { ClientRecord } from '../../ledger/documents.ts';
import type { StoreHandle } from '../../stores/contract.ts';
import {
  DEFAULT_STORE,
  servesNamespace,
  type StoreName,
  type StoreView,
} from '../../stores/view.ts';
import type { ClientFact, FormView, ProductFact, StoreFact } from './world.ts';

/** Labels of the form's namespace; undefined while they are not known. */
type Labels = Readonly<Record<string, string>> | undefined;

/** A product in the cache. */
type ProductSight = { readonly isDeleting: boolean; readonly spec: ApiProductSpec };

/** A client in the cache. */
type ClientSight = {
  readonly uid: string;
  readonly isDeleting: boolean;
  readonly spec: { readonly state: 'Active' | 'Suspended' };
};

const UNKNOWN_NAMESPACE = 'the namespace is not known yet, or the operator may not list namespaces';

/** The store that a form names. */
export function storeNameOf({ spec }: Pick<FormView, 'spec'>): StoreName {
  return spec.storeRef ?? DEFAULT_STORE;
}

/** The store as a form can use it; `view` undefined: there is none of that name. */
export function storeFact(
  named: StoreName,
  view: StoreView | undefined,
  seen: {
    readonly handle: StoreHandle | { readonly problem: string } | undefined;
    readonly labels: Labels;
  },
): StoreFact {
  const { kind, name } = named;
  const text = `${kind} '${name}'`;
  const { handle, labels } = seen;
  if (view === undefined || handle === undefined) return { type: 'Missing', name: text };
  if ('problem' in handle) return { type: 'Unusable', name: text, problem: handle.problem };
  const { applications: rules, defaults, limits = {}, expiryNoticeDays } = view.spec;
  const allowed = 'allowedNamespaces' in view.spec ? view.spec.allowedNamespaces : undefined;
  const serves = servesNamespace(allowed, labels);
  if (serves === 'Unknown') {
    return { type: 'Unusable', name: text, problem: UNKNOWN_NAMESPACE };
  }
  const { durationDays, timeZone } = defaults;
  return {
    type: 'Usable',
    kind,
    name,
    uid: view.uid,
    capabilities: handle.capabilities,
    isAtVendor: handle.type === 'Remote',
    defaultFormat: handle.defaultFormat,
    allowsNamespace: serves === 'Yes',
    rules,
    ...(durationDays === undefined ? {} : { durationDays }),
    ...(timeZone === undefined ? {} : { timeZone }),
    ...limits,
    expiryNoticeDays,
  };
}

/** The client; one that is being deleted is not there any more. */
export function clientFact(
  name: string | undefined,
  client: ClientSight | undefined,
  record: ClientRecord | undefined,
): ClientFact {
  if (name === undefined) return { type: 'Unnamed' };
  if (client === undefined || client.isDeleting) return { type: 'Missing', name };
  return {
    type: 'Present',
    name,
    uid: client.uid,
    // Before the ledger knows it, nobody can have decided about it.
    state: record?.state ?? client.spec.state,
    isRegistered: record?.registeredBy !== undefined,
  };
}

/** A product. One that may not be had from here looks like one that there is not, so that none can be probed. */
export function productFact(
  name: string,
  product: ProductSight | undefined,
  from: { readonly store: StoreName; readonly isAtVendor: boolean; readonly labels: Labels },
): ProductFact {
  if (product === undefined || product.isDeleting) return { name, state: 'Unavailable' };
  const { state, allowedStores = [], allowedNamespaces, external = [] } = product.spec;
  const isStore = (other: StoreName): boolean =>
    other.kind === from.store.kind && other.name === from.store.name;
  const isAllowed = allowedStores.length === 0 || allowedStores.some(isStore);
  const isThere = !from.isAtVendor || external.some(({ storeRef }) => isStore(storeRef));
  const isServed = servesNamespace(allowedNamespaces, from.labels) === 'Yes';
  return { name, state: isAllowed && isThere && isServed ? state : 'Unavailable' };
}
