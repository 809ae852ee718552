/** A map by ref, namespace by namespace: it makes and keeps no joined text for each entry. */
import type { Ref } from '../api/meta.ts';

/** What belongs to refs. Iterates by namespace, in each in the order of insertion. */
export class RefMap<V> {
  readonly #namespaces = new Map<string, Map<string, V>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(ref: Ref): V | undefined {
    return this.#namespaces.get(ref.namespace)?.get(ref.name);
  }

  set(ref: Ref, value: V): void {
    let names = this.#namespaces.get(ref.namespace);
    if (names === undefined) {
      names = new Map();
      this.#namespaces.set(ref.namespace, names);
    }
    const before = names.size;
    names.set(ref.name, value);
    this.#size += names.size - before;
  }

  /** Nothing happens where nothing is. */
  delete(ref: Ref): void {
    const names = this.#namespaces.get(ref.namespace);
    if (names?.delete(ref.name) !== true) return;
    this.#size -= 1;
    if (names.size === 0) this.#namespaces.delete(ref.namespace);
  }

  /** All values; deleting the one at hand meanwhile is allowed. */
  *values(): IterableIterator<V> {
    for (const names of this.#namespaces.values()) yield* names.values();
  }

  /** All entries; deleting the one at hand meanwhile is allowed. */
  *entries(): IterableIterator<readonly [Ref, V]> {
    for (const [namespace, names] of this.#namespaces) {
      for (const [name, value] of names) yield [{ namespace, name }, value];
    }
  }
}
