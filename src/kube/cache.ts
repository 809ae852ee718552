/**
 * The cache that one reflector fills. It keeps records, not objects, and drops what is older than
 * what it holds: duplicated, reordered and replayed frames change nothing.
 */
import { type KubeObject, type ObjectMeta, type Ref } from '../api/meta.ts';
import { KeywardError } from '../kernel/errors.ts';
import { causeFields, type LogFields, type Logger } from '../kernel/log.ts';
import type { Cache, Change } from './port.ts';
import { RefMap } from './refmap.ts';
import { isLater } from './versions.ts';

/**
 * What is kept of an object; undefined when nothing is. Must be quick and pure, and must copy: a
 * record that points into the object keeps all of it in memory.
 */
export type Transform<R> = (object: KubeObject) => R | undefined;

/** Whether a pass believes versions. Everything: the database was restored, versions went back. */
type Trust = 'LaterOnly' | 'Everything';

type Held<R> = {
  readonly uid: string;
  readonly version: string;
  readonly record: R;
  /** The last complete reading in which it was seen. */
  pass: number;
};

/** Deletions remembered, so that a late frame of a deleted object does not bring it back. */
const TOMBSTONES_MAX = 1_000;

/** The records of one collection. Read by controllers through `Cache`, written by one reflector. */
export class RecordCache<R> implements Cache<R> {
  readonly #transform: Transform<R>;
  readonly #log: Logger;
  readonly #held = new RefMap<Held<R>>();
  /** UID to the version of its deletion, oldest first. */
  readonly #tombstones = new Map<string, string>();
  readonly #listeners: ((change: Change<R>) => void)[] = [];
  #settling: (() => void)[] = [];
  #pass = 0;
  #trust: Trust = 'LaterOnly';
  #completeLists = 0;
  #refused = false;

  constructor(transform: Transform<R>, log: Logger) {
    this.#transform = transform;
    this.#log = log;
  }

  get size(): number {
    return this.#held.size;
  }

  get synced(): boolean {
    return this.#completeLists > 0;
  }

  get completeLists(): number {
    return this.#completeLists;
  }

  /** True while the first list was only ever answered with 403. */
  get refused(): boolean {
    return this.#refused && !this.synced;
  }

  get(ref: Ref): R | undefined {
    return this.#held.get(ref)?.record;
  }

  *values(): IterableIterator<R> {
    for (const held of this.#held.values()) yield held.record;
  }

  onChange(listener: (change: Change<R>) => void): void {
    this.#listeners.push(listener);
  }

  whenSynced(signal?: AbortSignal): Promise<void> {
    return untilTrue(() => this.synced, this, signal);
  }

  /** Calls back each time `synced` or `refused` may have changed. */
  onSettling(listener: () => void): void {
    this.#settling.push(listener);
  }

  /** A complete reading begins: what it does not mention is gone when it ends. */
  beginPass(trust: Trust): void {
    this.#pass += 1;
    this.#trust = trust;
  }

  /** The complete reading, which stands for `version`, has ended. */
  endPass(version: string): void {
    for (const [ref, held] of this.#held.entries()) {
      // An object later than the list was not missing from it, the list is older.
      const isUnknownToList = this.#trust === 'LaterOnly' && isLater(held.version, version);
      if (held.pass !== this.#pass && !isUnknownToList) this.#drop(ref, held, version);
    }
    this.#trust = 'LaterOnly';
    this.#completeLists += 1;
    this.#settle();
  }

  /** The account may not read this; see `refused`. */
  markRefused(): void {
    if (this.#refused) return;
    this.#refused = true;
    this.#settle();
  }

  /** Takes an object that was added or changed. Throws when it is no Kubernetes object. */
  put(object: unknown): void {
    const meta = metaOf(object);
    const ref = refOf(meta);
    const held = this.#held.get(ref);
    const { uid, resourceVersion: version } = meta;
    if (held?.uid === uid && held.version === version) {
      held.pass = this.#pass;
      return;
    }
    if (this.#isOld(held, uid, version)) {
      if (held !== undefined) held.pass = this.#pass;
      return;
    }
    const record = this.#record(object as KubeObject);
    if (record === 'Failed') {
      if (held !== undefined) held.pass = this.#pass;
      return;
    }
    if (record === undefined) {
      if (held !== undefined) this.#drop(ref, held, version);
      return;
    }
    this.#held.set(ref, { uid, version, record, pass: this.#pass });
    this.#tell({ ref, previous: held?.record, current: record });
  }

  /** Takes an object that was deleted; its version is that of the deletion. */
  remove(object: unknown): void {
    const meta = metaOf(object);
    const ref = refOf(meta);
    const held = this.#held.get(ref);
    this.#bury(meta.uid, meta.resourceVersion);
    if (held === undefined || isLater(held.version, meta.resourceVersion)) return;
    if (held.uid === meta.uid) this.#drop(ref, held, meta.resourceVersion);
  }

  /** Versions of one resource are comparable, so this also holds for another UID of that name. */
  #isOld(held: Held<R> | undefined, uid: string, version: string): boolean {
    if (this.#trust === 'Everything') return false;
    if (held !== undefined) return isLater(held.version, version);
    const buried = this.#tombstones.get(uid);
    return buried !== undefined && !isLater(version, buried);
  }

  #record(object: KubeObject): R | undefined | 'Failed' {
    try {
      return this.#transform(object);
    } catch (error) {
      // One object that cannot be understood must not stop the reading of all others.
      this.#log.error('object could not be read into the cache', {
        ...fieldsOf(refOf(object.metadata)),
        ...causeFields(error),
      });
      return 'Failed';
    }
  }

  #drop(ref: Ref, held: Held<R>, version: string): void {
    this.#held.delete(ref);
    this.#bury(held.uid, version);
    this.#tell({ ref, previous: held.record, current: undefined });
  }

  #bury(uid: string, version: string): void {
    this.#tombstones.set(uid, version);
    if (this.#tombstones.size <= TOMBSTONES_MAX) return;
    const oldest = this.#tombstones.keys().next();
    if (oldest.done !== true) this.#tombstones.delete(oldest.value);
  }

  #tell(change: Change<R>): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        const fields = { ...fieldsOf(change.ref), ...causeFields(error) };
        this.#log.error('listener of a cache failed', fields);
      }
    }
  }

  #settle(): void {
    for (const listener of this.#settling) listener();
  }
}

/** Resolves when `isTrue`, looked at whenever the cache settles; rejects when aborted. */
export function untilTrue(
  isTrue: () => boolean,
  cache: { onSettling(listener: () => void): void },
  signal?: AbortSignal,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const look = (): void => {
    if (isTrue()) resolve();
  };
  const onAbort = (): void =>
    reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
  cache.onSettling(look);
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  look();
  return promise.finally(() => signal?.removeEventListener('abort', onAbort));
}

function metaOf(object: unknown): ObjectMeta {
  // Parser: the three fields that the cache relies on are checked.
  const meta = (object as { metadata?: Partial<ObjectMeta> } | null)?.metadata;
  const isComplete =
    typeof meta?.name === 'string' &&
    typeof meta.uid === 'string' &&
    typeof meta.resourceVersion === 'string';
  if (isComplete) return meta as ObjectMeta;
  throw new KeywardError('Transient', {
    reason: 'UnexpectedAnswer',
    message: 'the API server sent something that is no object',
  });
}

function refOf(meta: ObjectMeta): Ref {
  return { namespace: meta.namespace ?? '', name: meta.name };
}

function fieldsOf({ namespace, name }: Ref): LogFields {
  return namespace === '' ? { name } : { namespace, name };
}
