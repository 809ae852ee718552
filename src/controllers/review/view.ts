/** From an ApiKeyReview as the API server sends it to what the cache keeps. Pure. */
import type { ApiKeyReviewSpec, ApiKeyReviewStatus } from '../../api/generated/apikeyreview.ts';
import type { KubeObject } from '../../api/meta.ts';
import { ANNOTATION_APPLICANT, ANNOTATION_EDITORS } from '../../api/names.ts';
import { parseTime } from '../../kernel/time.ts';
import type { ReviewView, TargetSight } from './world.ts';

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

/** What a judgement looks at of the object of a form. */
export function sightForm({ metadata }: KubeObject): TargetSight {
  const { uid, generation = 0, deletionTimestamp, annotations = {} } = metadata;
  const applicant = annotations[ANNOTATION_APPLICANT] ?? '';
  const editors = annotations[ANNOTATION_EDITORS] ?? '';
  const isDeleting = deletionTimestamp !== undefined;
  return { uid, generation, isDeleting, authors: authorsIn(applicant, editors) };
}

/** Everybody whom the annotations of a form name; `editors` has one on each line. */
export function authorsIn(applicant: string, editors: string): readonly string[] {
  return [applicant, ...editors.split('\n')].filter((name) => name !== '');
}
