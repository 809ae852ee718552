/** How many live and retained keys each store has, counted once and then kept up to date. Pure. */
import { integer, type Row, text, type Value } from './rows.ts';

/** How many keys are allowed; undefined: any number. */
export type Limits = {
  readonly maxKeys: number | undefined;
  readonly maxKeysPerNamespace: number | undefined;
};

/** Counting rows at each issue would make ten thousand issues cost ten thousand times more. */
export class KeyCounts {
  /** By store; undefined: not counted yet, or not to be trusted after a rollback. */
  #stores: Map<string, Map<string, number>> | undefined;

  /** True when there is nothing to compare with: `fill` first. */
  get isForgotten(): boolean {
    return this.#stores === undefined;
  }

  /** Rows of store, namespace and number of keys. */
  fill(counts: readonly Row[]): void {
    const stores = new Map<string, Map<string, number>>();
    for (const [storeUid, namespace, keys] of counts) {
      add(stores, text(storeUid), text(namespace), integer(keys));
    }
    this.#stores = stores;
  }

  forget(): void {
    this.#stores = undefined;
  }

  /** Which limit one more key would break; undefined: none, or nothing was counted. */
  exceeded(
    storeUid: string,
    namespace: string,
    { maxKeys, maxKeysPerNamespace }: Limits,
  ): keyof Limits | undefined {
    if (maxKeys === undefined && maxKeysPerNamespace === undefined) return undefined;
    const namespaces = this.#stores?.get(storeUid);
    const inStore = namespaces?.get('') ?? 0;
    const inNamespace = namespaces?.get(namespace) ?? 0;
    if (maxKeys !== undefined && inStore >= maxKeys) return 'maxKeys';
    if (maxKeysPerNamespace !== undefined && inNamespace >= maxKeysPerNamespace) {
      return 'maxKeysPerNamespace';
    }
    return undefined;
  }

  /** A key moved from one store's count to another's; undefined: it was or is not counted. */
  move(namespace: string, before: string | undefined, after: string | undefined): void {
    if (this.#stores === undefined || before === after) return;
    if (before !== undefined) add(this.#stores, before, namespace, -1);
    if (after !== undefined) add(this.#stores, after, namespace, 1);
  }
}

/** The entry without a namespace is the sum. */
function add(
  stores: Map<string, Map<string, number>>,
  storeUid: string,
  namespace: string,
  keys: number,
): void {
  let namespaces = stores.get(storeUid);
  if (namespaces === undefined) stores.set(storeUid, (namespaces = new Map()));
  for (const each of ['', namespace]) namespaces.set(each, (namespaces.get(each) ?? 0) + keys);
}

/** The store whose limits a key counts against: those of live and retained keys. */
export function countedStore(
  storeUid: Value | undefined,
  phase: Value | undefined,
): string | undefined {
  return phase === 'Live' || phase === 'Retained' ? text(storeUid) : undefined;
}
