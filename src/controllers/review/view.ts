/** From an ApiKeyReview as the API server sends it to what the cache keeps. Pure. */
import type { ApiClientSpec } from '../../api/generated/apiclient.ts';
import type { ApiKeySpec } from '../../api/generated/apikey.ts';
import type { ApiKeyReviewSpec, ApiKeyReviewStatus } from '../../api/generated/apikeyreview.ts';
import type { KubeObject } from '../../api/meta.ts';
import { ANNOTATION_APPLICANT, ANNOTATION_EDITORS } from '../../api/names.ts';
import { parseTime } from '../../kernel/time.ts';
import { isJudgedInStatus } from './formchecks.ts';
import type { ClientSight, KeySight, ReviewView, TargetSight } from './world.ts';

/**
 * What the cache keeps of a review: spec and status as JSON text, because nearly all reviews were judged
 * long ago, and beside them what triggers compare.
 */
export type CachedReview = Omit<ReviewView, 'spec' | 'status'> & {
  readonly specText: string;
  readonly statusText: string | undefined;
  readonly decision: ApiKeyReviewSpec['decision'];
  /** The status says that it was judged for good. */
  readonly isJudged: boolean;
};

/** The record of a review. The schema was checked by the API server, so spec and status are trusted. */
export function cacheReview(object: KubeObject): CachedReview {
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
    specText: JSON.stringify(spec),
    statusText: status === undefined ? undefined : JSON.stringify(status),
    decision: spec.decision,
    isJudged: isJudgedInStatus(status),
  };
}

/** The review as a judgement looks at it. */
export function viewReview(cached: CachedReview): ReviewView {
  const { specText, statusText, decision: _, isJudged: __, ...rest } = cached;
  return {
    ...rest,
    // Our own text of what the API server sent.
    spec: JSON.parse(specText) as ApiKeyReviewSpec,
    status: statusText === undefined ? undefined : (JSON.parse(statusText) as ApiKeyReviewStatus),
  };
}

/** What a judgement looks at of the object of a form. */
export function sightForm(object: KubeObject): TargetSight {
  const { annotations = {} } = object.metadata;
  const applicant = annotations[ANNOTATION_APPLICANT] ?? '';
  const editors = annotations[ANNOTATION_EDITORS] ?? '';
  return { ...sightAny(object), authors: authorsIn(applicant, editors) };
}

/** The same of a key. */
export function sightKey(object: KubeObject): KeySight {
  const { spec } = object as KubeObject<{ readonly spec: ApiKeySpec }>;
  return { ...sightAny(object), storeRef: spec.storeRef, formName: spec.applicationRef?.name };
}

/** The same of a client. */
export function sightClient(object: KubeObject): ClientSight {
  const { spec } = object as KubeObject<{ readonly spec: ApiClientSpec }>;
  return { ...sightAny(object), wanted: spec.state };
}

function sightAny({ metadata }: KubeObject): TargetSight {
  const { uid, generation = 0, deletionTimestamp } = metadata;
  return { uid, generation, isDeleting: deletionTimestamp !== undefined, authors: [] };
}

/** Everybody whom the annotations of a form name; `editors` has one on each line. */
export function authorsIn(applicant: string, editors: string): readonly string[] {
  return [applicant, ...editors.split('\n')].filter((name) => name !== '');
}
