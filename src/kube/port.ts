/**
 * The few verbs of the API server that Keyward uses, as one interface. `client.ts` speaks HTTP;
 * the explorer and unit tests have their own.
 *
 * Guarantees that every implementation gives:
 * - Each call has a deadline of its own and also ends when `signal` is aborted.
 * - Failures are KeywardErrors: 409 Conflict and 409 AlreadyExists are class Conflict (told apart by
 *   `reason`), 429 and 5xx Transient with `retryAfterMs` where the server said so, 401 Transient
 *   (credentials are read again), 403 Terminal with reason Forbidden, 422 and 400 Terminal, a
 *   lost connection after the request was sent Transient with reason OutcomeUnknown.
 * - A write is never repeated by the client itself, unless nothing of it had reached the server.
 * - Messages of the server never reach a condition unless the status code is 403, 404, 409 or 422,
 *   and never when the object is a Secret.
 */
import type { KubeObject, ObjectMeta, Ref, Resource } from '../api/meta.ts';

/** Options of every call. */
export type CallOptions = { readonly signal?: AbortSignal };

/** Options of a creation. */
export type CreateOptions = CallOptions & {
  /** The API server goes through everything, admission too, and stores nothing. */
  readonly dryRun?: true;
};

/** What a write answers: metadata only, so that no Secret value travels back. */
export type Written = Pick<ObjectMeta, 'name' | 'uid' | 'resourceVersion'> & {
  readonly generation?: number;
};

/** An object as it is sent: like KubeObject, but the server fills in uid and version. */
export type Draft = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Partial<ObjectMeta> & { readonly name: string };
  readonly [field: string]: unknown;
};

/** A few fields of somebody else's object, and as whom we own them. */
export type ForeignPatch = {
  /** Up to 128 characters, fit for a query as they are. */
  readonly fieldManager: string;
  readonly body: {
    readonly metadata: Pick<ObjectMeta, 'uid' | 'resourceVersion'>;
    readonly [field: string]: unknown;
  };
};

/** The verbs; see the guarantees above. */
export interface KubeClient {
  /** The object, or undefined when it does not exist. A quorum read. */
  get(resource: Resource, ref: Ref, options?: CallOptions): Promise<KubeObject | undefined>;
  /** POST. AlreadyExists is a ConflictError with that reason. A dry run has resourceVersion ''. */
  create(resource: Resource, draft: Draft, options?: CreateOptions): Promise<Written>;
  /** PUT; `draft.metadata.resourceVersion` is required. Gone is undefined. */
  replace(resource: Resource, draft: Draft, options?: CallOptions): Promise<Written | undefined>;
  /** PUT of the status subresource; resourceVersion is required. Gone is undefined. */
  replaceStatus(
    resource: Resource,
    draft: Draft,
    options?: CallOptions,
  ): Promise<Written | undefined>;
  /**
   * JSON merge patch of metadata. `metadata.uid` and `metadata.resourceVersion` are required, which
   * makes it as strict as a PUT (409 on any other version) without sending fields we do not know.
   * Gone is undefined.
   */
  patchMetadata(
    resource: Resource,
    ref: Ref,
    metadata: Partial<ObjectMeta> & Pick<ObjectMeta, 'uid' | 'resourceVersion'>,
    options?: CallOptions,
  ): Promise<Written | undefined>;
  /**
   * JSON merge patch of an object that is not ours, under a field manager of its own. Such a patch must name
   * `metadata.uid` and `metadata.resourceVersion`, as for `patchMetadata`. Gone is undefined.
   */
  patchForeign(
    resource: Resource,
    ref: Ref,
    patch: ForeignPatch,
    options?: CallOptions,
  ): Promise<Written | undefined>;
  /** DELETE with a UID precondition; false when it was gone already. */
  delete(resource: Resource, ref: Ref & { uid: string }, options?: CallOptions): Promise<boolean>;
  /**
   * POST of a question that is answered and not kept, such as a SubjectAccessReview, which belongs to no
   * namespace. Answers the object as the server sent it back, not read any further.
   */
  ask(resource: Resource, question: object, options?: CallOptions): Promise<unknown>;
  /** How far the API server's clock is ahead of ours (clusterclock.ts); 0 before its first answer. */
  readonly clockSkewMs: number;
  /** False while the machine and the API server disagree about the time: nothing ends because of a date. */
  readonly isClockTrusted: boolean;
}

/** What a reflector watches. */
export type WatchScope = {
  readonly resource: Resource;
  /** Absent: all namespaces, or a cluster-scoped resource. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  /** Ask for PartialObjectMetadata, so that Secret values never reach this process. */
  readonly metadataOnly?: boolean;
};

/** One change in a cache. `previous` and `current` are records, not full objects. */
export type Change<R> = {
  readonly ref: Ref;
  readonly previous: R | undefined;
  readonly current: R | undefined;
};

/** A read-only cache of records, filled by a reflector. */
export interface Cache<R> {
  get(ref: Ref): R | undefined;
  /** All records; do not keep the iterator across an await. */
  values(): IterableIterator<R>;
  readonly size: number;
  /** True once the first complete list has arrived (in every watched namespace that can be read). */
  readonly synced: boolean;
  /** Called for each change, after the cache has it. */
  onChange(listener: (change: Change<R>) => void): void;
  /** Resolves when `synced`; rejects when the signal is aborted. */
  whenSynced(signal?: AbortSignal): Promise<void>;
  /** Number of complete relists so far; two of them prove an absence. */
  readonly completeLists: number;
}
