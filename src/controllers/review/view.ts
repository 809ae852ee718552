/** From an ApiKeyReview as the API server sends it to what the cache keeps. Pure. */
import type { ApiKeyReviewSpec, ApiKeyReviewStatus } from '../../api/generated/apikeyreview.ts';
import type { KubeObject } from '../../api/meta.ts';
import { parseTime } from '../../kernel/time.ts';
import type { ReviewView } from './world.ts';

/** The record of a review. The schema was checked by the API server, so spec and status are trusted. */
export function cacheReview(object: KubeObject): ReviewView {
  const { metadata, spec, status } = object as KubeObject<{
    readonly spec: ApiKeyReviewSpec;
    readonly status?: ApiKeyReviewStatus;
  }>;
  return {
    ref: { namespace: metadata.namespace ?? '', name: metadata.name },
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    generation: metadata.generation ?? 0,
    isDeleting: metadata.deletionTimestamp !== undefined,
    createdMs: parseTime(metadata.creationTimestamp ?? '') ?? 0,
    spec,
    status,
  };
}
