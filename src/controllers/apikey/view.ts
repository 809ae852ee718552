/** From objects as the API server sends them to what the caches keep. Pure. */
import type { ApiKeySpec, ApiKeyStatus } from '../../api/generated/apikey.ts';
import type { KubeObject } from '../../api/meta.ts';
import { ANNOTATION_ROTATE, LABEL_API_KEY } from '../../api/names.ts';
import type { SecretView } from './deps.ts';
import type { ApiKeyView } from './world.ts';

/** Longest rotation request id, as in the schema of spec.rotation.requestId. */
const REQUEST_ID_MAX = 64;

/** The record of an ApiKey. The schema was checked by the API server, so spec and status are trusted. */
export function viewApiKey(object: KubeObject): ApiKeyView {
  const { metadata, spec, status } = object as KubeObject<{
    readonly spec: ApiKeySpec;
    readonly status?: ApiKeyStatus;
  }>;
  const requested = metadata.annotations?.[ANNOTATION_ROTATE];
  const isUsable =
    requested !== undefined && requested !== '' && requested.length <= REQUEST_ID_MAX;
  return {
    ref: { namespace: metadata.namespace ?? '', name: metadata.name },
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    generation: metadata.generation ?? 0,
    isDeleting: metadata.deletionTimestamp !== undefined,
    finalizers: metadata.finalizers ?? [],
    ...(isUsable ? { rotateRequestId: requested } : {}),
    spec,
    status,
  };
}

/** The record of a Secret of ours, from its metadata. */
export function viewSecret(object: KubeObject): SecretView {
  const { uid, resourceVersion, labels, ownerReferences } = object.metadata;
  return {
    uid,
    resourceVersion,
    label: labels?.[LABEL_API_KEY] ?? '',
    ownerName: ownerReferences?.find((owner) => owner.kind === 'ApiKey')?.name,
  };
}
