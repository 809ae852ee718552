/** From an ApiClient as the API server sends it to what the cache keeps. Pure. */
import type { ApiClientSpec, ApiClientStatus } from '../../api/generated/apiclient.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { ClientView } from './world.ts';

/** The record of a client. The schema was checked by the API server, so spec and status are trusted. */
export function cacheClient(object: KubeObject): ClientView {
  const { metadata, spec, status } = object as KubeObject<{
    readonly spec: ApiClientSpec;
    readonly status?: ApiClientStatus;
  }>;
  return {
    ref: { namespace: metadata.namespace ?? '', name: metadata.name },
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    generation: metadata.generation ?? 0,
    isDeleting: metadata.deletionTimestamp !== undefined,
    spec,
    status,
  };
}
