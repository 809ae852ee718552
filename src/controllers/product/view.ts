/** From an ApiProduct as the API server sends it to what the cache keeps. Pure. */
import type { ApiProductSpec, ApiProductStatus } from '../../api/generated/apiproduct.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { ProductView } from './world.ts';

/** The record of a product. The schema was checked by the API server, so spec and status are trusted. */
export function cacheProduct(object: KubeObject): ProductView {
  const { metadata, spec, status } = object as KubeObject<{
    readonly spec: ApiProductSpec;
    readonly status?: ApiProductStatus;
  }>;
  return {
    ref: { namespace: '', name: metadata.name },
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    generation: metadata.generation ?? 0,
    createdTime: metadata.creationTimestamp ?? '',
    isDeleting: metadata.deletionTimestamp !== undefined,
    spec,
    status,
  };
}
