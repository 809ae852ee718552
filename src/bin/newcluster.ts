/** What `keyward restore --rebind` reads of the cluster that was made in place of a lost one. */
import { type KubeObject, type Ref, refText, type Resource } from '../api/meta.ts';
import {
  API_CLIENTS,
  API_KEY_APPLICATIONS,
  API_KEYS,
  CLUSTER_KEY_STORES,
  KEY_STORES,
  NAMESPACES,
} from '../api/names.ts';
import { cacheForm, viewForm } from '../controllers/application/view.ts';
import type { FormView } from '../controllers/application/world.ts';
import { KeywardError } from '../kernel/errors.ts';
import type { PersonClient } from '../kube/person.ts';

/** What is looked at of the new cluster; objects by their refs as text. */
export type NewCluster = {
  readonly clusterId: string;
  readonly forms: ReadonlyMap<string, FormView>;
  /** By `storeKey`. */
  readonly stores: ReadonlyMap<string, { readonly uid: string; readonly type: string }>;
  readonly clients: ReadonlyMap<string, ClientSight>;
  /** UIDs of ApiKeys. */
  readonly keyUids: ReadonlyMap<string, string>;
};

type ClientSight = { readonly uid: string; readonly state: 'Active' | 'Suspended' };

/** Under what a store is found. */
export function storeKey(kind: 'KeyStore' | 'ClusterKeyStore', ref: Ref): string {
  return `${kind}/${refText(ref)}`;
}

/** Reads it whole. @throws KeywardError of the API server */
export async function readCluster(client: PersonClient): Promise<NewCluster> {
  const system = await client.get(NAMESPACES, { namespace: '', name: 'kube-system' });
  if (system === undefined) {
    throw new KeywardError('Terminal', {
      reason: 'ClusterUnidentified',
      message: 'namespace kube-system does not exist, so the cluster cannot be told from others',
    });
  }
  const [forms, keyStores, clusterKeyStores, clients, keys] = await Promise.all([
    listAll(client, API_KEY_APPLICATIONS),
    listAll(client, KEY_STORES),
    listAll(client, CLUSTER_KEY_STORES),
    listAll(client, API_CLIENTS),
    listAll(client, API_KEYS),
  ]);
  return {
    clusterId: system.metadata.uid,
    forms: byRef(forms, (object) => viewForm(cacheForm(object))),
    stores: new Map([
      ...storesOf('KeyStore', keyStores),
      ...storesOf('ClusterKeyStore', clusterKeyStores),
    ]),
    clients: byRef(clients, viewClient),
    keyUids: byRef(keys, ({ metadata }) => metadata.uid),
  };
}

async function listAll(client: PersonClient, resource: Resource): Promise<readonly KubeObject[]> {
  const all: KubeObject[] = [];
  for await (const page of client.list(resource, {})) all.push(...page);
  return all;
}

function byRef<T>(
  objects: readonly KubeObject[],
  view: (object: KubeObject) => T,
): ReadonlyMap<string, T> {
  return new Map(objects.map((object) => [refText(refOf(object)), view(object)]));
}

function storesOf(kind: 'KeyStore' | 'ClusterKeyStore', objects: readonly KubeObject[]) {
  return objects.map((object) => {
    // The schema demands it.
    const { metadata, spec } = object as KubeObject<{ readonly spec: { readonly type: string } }>;
    return [storeKey(kind, refOf(object)), { uid: metadata.uid, type: spec.type }] as const;
  });
}

function refOf({ metadata: { namespace = '', name } }: KubeObject): Ref {
  return { namespace, name };
}

function viewClient(object: KubeObject): ClientSight {
  // The schema demands it.
  const { metadata, spec } = object as KubeObject<{ readonly spec: Pick<ClientSight, 'state'> }>;
  return { uid: metadata.uid, state: spec.state };
}
