/** An API server in memory with versions, conflicts and faults on demand; for what is built on KubeClient. */
import type { KubeObject, Ref, Resource } from '../../../src/api/meta.ts';
import { KeywardError } from '../../../src/kernel/errors.ts';
import type { Draft, KubeClient, Written } from '../../../src/kube/port.ts';

export class FakeKube implements KubeClient {
  readonly clockSkewMs = 0;
  readonly isClockTrusted = true;
  readonly objects = new Map<string, KubeObject>();
  /** Verb and path of each call. */
  readonly calls: string[] = [];
  /** Thrown instead of answering, while it is set. */
  fault: KeywardError | undefined;
  /** Never answers, until the signal is aborted, while it is true. */
  isHanging = false;
  #version = 0;

  async get(
    resource: Resource,
    ref: Ref,
    how?: { signal?: AbortSignal },
  ): Promise<KubeObject | undefined> {
    const path = await this.#arrive('get', pathOf(resource, ref), how?.signal);
    return structuredClone(this.objects.get(path));
  }

  async create(resource: Resource, draft: Draft, how?: { signal?: AbortSignal }): Promise<Written> {
    const path = await this.#arrive('create', pathOf(resource, refOf(draft)), how?.signal);
    if (this.objects.has(path)) throw conflict('AlreadyExists');
    return this.#store(path, draft, `uid-${this.#version + 1}`);
  }

  async replace(
    resource: Resource,
    draft: Draft,
    how?: { signal?: AbortSignal },
  ): Promise<Written | undefined> {
    const path = await this.#arrive('replace', pathOf(resource, refOf(draft)), how?.signal);
    const held = this.objects.get(path);
    if (held === undefined) return undefined;
    if (held.metadata.resourceVersion !== draft.metadata.resourceVersion)
      throw conflict('Conflict');
    return this.#store(path, draft, held.metadata.uid);
  }

  replaceStatus(): Promise<Written | undefined> {
    throw new Error('not part of this fake');
  }

  patchMetadata(): Promise<Written | undefined> {
    throw new Error('not part of this fake');
  }

  patchForeign(): Promise<Written | undefined> {
    throw new Error('not part of this fake');
  }

  delete(): Promise<boolean> {
    throw new Error('not part of this fake');
  }

  ask(): Promise<unknown> {
    throw new Error('not part of this fake');
  }

  async #arrive(verb: string, path: string, signal?: AbortSignal): Promise<string> {
    this.calls.push(`${verb} ${path}`);
    if (this.isHanging) {
      const { promise, reject } = Promise.withResolvers<never>();
      signal?.addEventListener('abort', () => reject(transient('Aborted')));
      await promise;
    }
    if (this.fault !== undefined) throw this.fault;
    return path;
  }

  #store(path: string, draft: Draft, uid: string): Written {
    this.#version += 1;
    const resourceVersion = String(this.#version);
    const { name } = draft.metadata;
    const metadata = { ...draft.metadata, uid, resourceVersion };
    this.objects.set(path, structuredClone({ ...draft, metadata }));
    return { name, uid, resourceVersion };
  }
}

export function transient(reason: string): KeywardError {
  return new KeywardError('Transient', { reason, message: 'fault' });
}

function conflict(reason: string): KeywardError {
  return new KeywardError('Conflict', { reason, message: 'conflict' });
}

function refOf(draft: Draft): Ref {
  return { namespace: draft.metadata.namespace ?? '', name: draft.metadata.name };
}

function pathOf(resource: Resource, ref: Ref): string {
  return `${resource.plural}/${ref.namespace}/${ref.name}`;
}
