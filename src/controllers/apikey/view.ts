/** From objects as the API server sends them to what the caches keep. Pure. */
import type { ApiKeyRotation, ApiKeySpec, ApiKeyStatus } from '../../api/generated/apikey.ts';
import { controllerOf, type KubeObject, type ObjectMeta } from '../../api/meta.ts';
import {
  API_KEY_APPLICATIONS,
  ANNOTATION_IMPORT,
  ANNOTATION_ROTATE,
  FINALIZER,
  LABEL_API_KEY,
} from '../../api/names.ts';
import { shared } from '../../kernel/sharedtext.ts';
import { DEFAULT_STORE } from '../../stores/view.ts';
import { isReserved } from './granted.ts';
import type { ApiKeyView } from './world.ts';

/** Longest rotation request id, as in the schema of spec.rotation.requestId. */
const REQUEST_ID_MAX = 64;

/**
 * What the cache keeps of an ApiKey: spec and status as JSON text, a third of the memory of the
 * parsed objects, and beside them what triggers compare.
 */
export type CachedApiKey = Omit<ApiKeyView, 'spec' | 'status' | 'reservedRequestId'> & {
  readonly specText: string;
  readonly statusText: string | undefined;
  /** status.observedGeneration. */
  readonly observedGeneration: number | undefined;
  /** `kind/name` of the store that the spec names. */
  readonly storeName: string;
  /** Name of the form that the spec names. */
  readonly applicationName?: string;
  /** Name of the client that the spec names. */
  readonly clientName?: string;
  /** UID of the form that made it. */
  readonly ownerFormUid?: string;
  /** What brings the object into the first lane when it changes. */
  readonly urgentText: string;
};

/** Finalizer lists and specs are the same for most keys; one copy serves all that are. */
const ONLY_OURS: readonly string[] = [FINALIZER];

/** The record of an ApiKey. The schema was checked by the API server, so spec and status are trusted. */
export function cacheApiKey(object: KubeObject): CachedApiKey {
  const { metadata, spec, status } = object as KubeObject<{
    readonly spec: ApiKeySpec;
    readonly status?: ApiKeyStatus;
  }>;
  const { finalizers = [] } = metadata;
  const store = spec.storeRef ?? DEFAULT_STORE;
  return {
    ref: { namespace: shared(metadata.namespace ?? ''), name: metadata.name },
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    generation: metadata.generation ?? 0,
    isDeleting: metadata.deletionTimestamp !== undefined,
    finalizers: finalizers.length === 1 && finalizers[0] === FINALIZER ? ONLY_OURS : finalizers,
    ...rotateRequest(metadata),
    ...(metadata.annotations?.[ANNOTATION_IMPORT] === 'pending' ? { isImport: true as const } : {}),
    specText: shared(JSON.stringify(spec)),
    statusText: status === undefined ? undefined : JSON.stringify(status),
    observedGeneration: status?.observedGeneration,
    storeName: shared(`${store.kind}/${store.name}`),
    ...named('applicationName', spec.applicationRef),
    ...named('clientName', spec.clientRef),
    ...madeBy(metadata),
    urgentText: shared(`${spec.state} ${spec.rotation?.requestId ?? ''}`),
  };
}

/** Absent rather than undefined: most keys have neither, and each field is memory. */
function named<Field extends 'applicationName' | 'clientName'>(
  field: Field,
  to: { readonly name: string } | undefined,
): { readonly [F in Field]?: string } {
  // TypeScript widens a computed name to any string; there is just this one.
  return to === undefined
    ? {}
    : ({ [field]: shared(to.name) } as { readonly [F in Field]: string });
}

function madeBy({ ownerReferences }: ObjectMeta): { readonly ownerFormUid?: string } {
  const form = controllerOf(ownerReferences, API_KEY_APPLICATIONS);
  return form === undefined ? {} : { ownerFormUid: form.uid };
}

function rotateRequest(metadata: ObjectMeta): Pick<ApiKeyView, 'rotateRequestId'> {
  const requested = metadata.annotations?.[ANNOTATION_ROTATE] ?? '';
  const isUsable = requested !== '' && requested.length <= REQUEST_ID_MAX;
  return isUsable ? { rotateRequestId: requested } : {};
}

/** The object as a decision looks at it. */
export function viewApiKey(cached: CachedApiKey): ApiKeyView {
  const {
    specText,
    statusText,
    observedGeneration: _,
    storeName: __,
    urgentText: ___,
    applicationName: ____,
    clientName: _____,
    ownerFormUid: ______,
    ...rest
  } = cached;
  return withoutReserved({
    ...rest,
    // Our own text of what the API server sent.
    spec: JSON.parse(specText) as ApiKeySpec,
    status: statusText === undefined ? undefined : (JSON.parse(statusText) as ApiKeyStatus),
  });
}

/** Nothing that follows can take a request of the object for one that a reviewer approved. */
function withoutReserved(key: ApiKeyView): ApiKeyView {
  const { rotateRequestId: annotated, ...rest } = key;
  const { rotation } = key.spec;
  const reservedRequestId = [rotation?.requestId, annotated].find(
    (id) => id !== undefined && isReserved(id),
  );
  if (reservedRequestId === undefined) return key;
  return {
    ...rest,
    ...(annotated === undefined || isReserved(annotated) ? {} : { rotateRequestId: annotated }),
    reservedRequestId,
    spec: { ...key.spec, ...(rotation === undefined ? {} : { rotation: freed(rotation) }) },
  };
}

function freed({ requestId, ...how }: ApiKeyRotation): ApiKeyRotation {
  return requestId === undefined || isReserved(requestId) ? how : { ...how, requestId };
}

/** What a metadata cache keeps of a Secret of ours. */
export type SecretView = {
  readonly uid: string;
  readonly resourceVersion: string;
  /** Value of the label that names the ApiKey. */
  readonly label: string;
  /** Name of the controlling ApiKey, from the owner reference. */
  readonly ownerName: string | undefined;
};

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
