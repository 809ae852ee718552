/** From an ApiKeyApplication as the API server sends it to what the cache keeps, and back. Pure. */
import { createHash } from 'node:crypto';
import type {
  ApiKeyApplicationSpec,
  ApiKeyApplicationStatus,
} from '../../api/generated/apikeyapplication.ts';
import type { Condition, KubeObject, ObjectMeta } from '../../api/meta.ts';
import { ANNOTATION_APPLICANT, ANNOTATION_EDITORS, FINALIZER } from '../../api/names.ts';
import { canonicalJson } from '../../kernel/canonicaljson.ts';
import { shared } from '../../kernel/sharedtext.ts';
import { parseTime } from '../../kernel/time.ts';
import { DEFAULT_STORE } from '../../stores/view.ts';
import type { FormView, SeenStatus } from './world.ts';

/**
 * What the cache keeps of a form: the spec as JSON text, of the status no more than tells whether
 * another one has to be written, and beside them what triggers compare.
 */
export type CachedForm = Omit<FormView, 'spec' | 'editors'> & {
  /** One name per line; empty: nobody. */
  readonly editorsText: string;
  readonly specText: string;
  /** status.observedGeneration. */
  readonly observedGeneration: number | undefined;
  /** status.state, for counting. */
  readonly state?: string;
  /** Only while a reviewer is awaited: since when, and when that ends. */
  readonly waiting?: { readonly sinceMs: number; readonly deadlineMs: number | undefined };
  /** `kind/name` of the store that the spec names. */
  readonly storeName: string;
  /** Empty: none is named. */
  readonly clientName: string;
  /** Name of the ApiKey that it serves. */
  readonly keyName: string;
  /** Names of products, one per line, with a line break at both ends. */
  readonly productLines: string;
};

/** Finalizer lists of most forms are the same. */
const ONLY_OURS: readonly string[] = [FINALIZER];

/** The record of a form. The schema was checked by the API server, so spec and status are trusted. */
export function cacheForm(object: KubeObject): CachedForm {
  const { metadata, spec, status } = object as KubeObject<{
    readonly spec: ApiKeyApplicationSpec;
    readonly status?: ApiKeyApplicationStatus;
  }>;
  return {
    ...identityOf(metadata),
    ...stampsOf(metadata.annotations ?? {}),
    ...namesIn(spec, metadata.name),
    specText: JSON.stringify(spec),
    status: status === undefined ? undefined : seenStatus(status),
    observedGeneration: status?.observedGeneration,
    ...(status?.state === undefined ? {} : { state: status.state }),
    ...waitingOf(status),
  };
}

function waitingOf(status: ApiKeyApplicationStatus | undefined): Pick<CachedForm, 'waiting'> {
  const sinceMs = parseTime(status?.round?.submittedTime ?? '');
  if (status?.state !== 'Pending' || sinceMs === undefined) return {};
  return { waiting: { sinceMs, deadlineMs: parseTime(status.round?.deadlineTime ?? '') } };
}

function identityOf(metadata: ObjectMeta) {
  const { finalizers = [] } = metadata;
  return {
    ref: { namespace: shared(metadata.namespace ?? ''), name: metadata.name },
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    generation: metadata.generation ?? 0,
    createdMs: parseTime(metadata.creationTimestamp ?? '') ?? 0,
    isDeleting: metadata.deletionTimestamp !== undefined,
    finalizers: finalizers.length === 1 && finalizers[0] === FINALIZER ? ONLY_OURS : finalizers,
  };
}

function stampsOf(annotations: Readonly<Record<string, string>>) {
  const applicant = annotations[ANNOTATION_APPLICANT] ?? '';
  return {
    ...(applicant === '' ? {} : { applicant: shared(applicant) }),
    editorsText: annotations[ANNOTATION_EDITORS] ?? '',
  };
}

function namesIn(spec: ApiKeyApplicationSpec, formName: string) {
  const store = spec.storeRef ?? DEFAULT_STORE;
  const products = (spec.terms?.productRefs ?? []).map(({ name }) => name);
  return {
    storeName: shared(`${store.kind}/${store.name}`),
    clientName: shared(spec.clientRef?.name ?? ''),
    keyName: servedName(spec, formName),
    productLines: shared(['', ...products, ''].join('\n')),
  };
}

/** The form as a decision looks at it. */
export function viewForm(cached: CachedForm): FormView {
  const {
    specText,
    editorsText,
    observedGeneration: _,
    state: ______,
    waiting: _______,
    storeName: __,
    clientName: ___,
    keyName: ____,
    productLines: _____,
    ...rest
  } = cached;
  return {
    ...rest,
    editors: editorsText.split('\n').filter((name) => name !== ''),
    // Our own text of what the API server sent.
    spec: JSON.parse(specText) as ApiKeyApplicationSpec,
  };
}

/** What is kept of a status. */
export function seenStatus(status: ApiKeyApplicationStatus): SeenStatus {
  const digest = createHash('sha256').update(canonicalJson(status)).digest('base64');
  const lines = (status.conditions ?? []).map(
    ({ type, status: value, lastTransitionTime }) => `${type} ${value} ${lastTransitionTime}`,
  );
  const { limit, remaining } = status.quota ?? {};
  return {
    digest,
    transitions: shared(lines.join('\n')),
    ...(limit === undefined || remaining === undefined ? {} : { quota: { limit, remaining } }),
  };
}

/** The conditions of a status, as far as they are kept: reasons and messages are empty. */
export function seenConditions(status: SeenStatus | undefined): readonly Condition[] {
  const lines = (status?.transitions ?? '').split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const [type = '', value, lastTransitionTime = ''] = line.split(' ');
    const isKnown = value === 'True' || value === 'False';
    return {
      type,
      status: isKnown ? value : 'Unknown',
      reason: '',
      message: '',
      lastTransitionTime,
    };
  });
}

/** Name of the one ApiKey that a form serves. */
export function servedName(
  spec: Pick<ApiKeyApplicationSpec, 'apiKeyRef'>,
  formName: string,
): string {
  return spec.apiKeyRef?.name ?? formName;
}
