/** Which caches must be complete before an operator decides anything. */
import { unlessRefused, type MemberCache } from '../kube/namespacedcache.ts';
import type { OperatorConfig } from '../config/operator.ts';
import type { ManagerParts } from '../runtime/manager.ts';
import type { Caches } from './cluster.ts';

/** All of them, but for what an installation for named namespaces may do without. */
export function waitedCaches(
  caches: Caches,
  config: Pick<OperatorConfig, 'watchNamespaces'>,
): ManagerParts['caches'] {
  const { keys, secrets, keyStores, clusterKeyStores, namespaces } = caches;
  const { forms, reviews, clients, products } = caches;
  // With named namespaces the cluster-wide ones may be out of reach; who needs them says so.
  const isScoped = config.watchNamespaces.length > 0;
  const shared = (cache: MemberCache<unknown>) => (isScoped ? unlessRefused(cache) : cache);
  return [
    { name: 'apikeys', cache: keys },
    { name: 'keystores', cache: keyStores },
    ...(secrets === undefined ? [] : [{ name: 'secrets', cache: secrets }]),
    { name: 'clusterkeystores', cache: shared(clusterKeyStores) },
    { name: 'apikeyapplications', cache: forms },
    { name: 'apikeyreviews', cache: reviews },
    { name: 'apiclients', cache: clients },
    { name: 'apiproducts', cache: shared(products) },
    { name: 'namespaces', cache: shared(namespaces) },
  ];
}
