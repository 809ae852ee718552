/**
 * One cache over several namespaces, each with a reflector of its own, for installations that may
 * not read the whole cluster. A namespace that cannot be read does not hold up the others.
 */
import type { Ref } from '../api/meta.ts';
import { type RecordCache, untilTrue } from './cache.ts';
import type { Cache, Change } from './port.ts';

/** The part of a RecordCache that joining needs. */
export type MemberCache<R> = Cache<R> & Pick<RecordCache<R>, 'refused' | 'onSettling'>;

/**
 * A cache that nothing waits for where its collection may not be read: an installation for some namespaces
 * can do without what belongs to the whole cluster.
 */
export function unlessRefused(
  cache: MemberCache<unknown>,
): Pick<Cache<unknown>, 'synced' | 'whenSynced'> {
  const isSettled = (): boolean => cache.synced || cache.refused;
  return {
    get synced() {
      return isSettled();
    },
    whenSynced: (signal) => untilTrue(isSettled, cache, signal),
  };
}

/** Several caches read as one; changes of all of them reach each listener. */
export class NamespacedCache<R> implements Cache<R> {
  readonly #members: ReadonlyMap<string, MemberCache<R>>;

  /** @param members at least one cache, by its namespace */
  constructor(members: ReadonlyMap<string, MemberCache<R>>) {
    this.#members = members;
  }

  get size(): number {
    return this.#all().reduce((sum, member) => sum + member.size, 0);
  }

  /** False when no namespace at all can be read: nothing seen is not the same as nothing there. */
  get synced(): boolean {
    const readable = this.#all().filter((member) => !member.refused);
    return readable.length > 0 && readable.every((member) => member.synced);
  }

  /** The lowest of the readable namespaces, so that two mean two for each of them. */
  get completeLists(): number {
    const readable = this.#all().filter((member) => !member.refused);
    return readable.length === 0 ? 0 : Math.min(...readable.map((member) => member.completeLists));
  }

  /** Namespaces that were refused so far. */
  get refusedNamespaces(): readonly string[] {
    return [...this.#members].flatMap(([name, member]) => (member.refused ? [name] : []));
  }

  /** True when not one of the namespaces can be read. */
  get refused(): boolean {
    return this.#all().every((member) => member.refused);
  }

  get(ref: Ref): R | undefined {
    return this.#members.get(ref.namespace)?.get(ref);
  }

  *values(): IterableIterator<R> {
    for (const member of this.#members.values()) yield* member.values();
  }

  onChange(listener: (change: Change<R>) => void): void {
    for (const member of this.#members.values()) member.onChange(listener);
  }

  onSettling(listener: () => void): void {
    for (const member of this.#members.values()) member.onSettling(listener);
  }

  whenSynced(signal?: AbortSignal): Promise<void> {
    return untilTrue(() => this.synced, this, signal);
  }

  #all(): MemberCache<R>[] {
    return [...this.#members.values()];
  }
}
