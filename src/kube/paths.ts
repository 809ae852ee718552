/** URLs of the API server's resources. */
import type { Ref, Resource } from '../api/meta.ts';

/** Collection of a resource; an absent or empty namespace means all namespaces. */
export function collectionPath(resource: Resource, namespace?: string): string {
  const { group, version, plural } = resource;
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  if (namespace === undefined || namespace === '') return `${root}/${plural}`;
  return `${root}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
}

/** One object. */
export function objectPath(resource: Resource, ref: Ref): string {
  return `${collectionPath(resource, ref.namespace)}/${encodeURIComponent(ref.name)}`;
}
