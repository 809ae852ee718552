/** How many live and retained keys each store has, counted once and then kept up to date. */
import type { DatabaseSync } from 'node:sqlite';
import { integer, text } from './rows.ts';
import { prepare, type Statement } from './statements.ts';

/** How many keys are allowed; undefined: any number. */
export type Limits = {
  readonly maxKeys: number | undefined;
  readonly maxKeysPerNamespace: number | undefined;
};

/** Counting rows at each issue would make ten thousand issues cost ten thousand times more. */
export class StoreUsage {
  readonly #count: Statement;
  /** By store; undefined: not counted yet, or not to be trusted after a rollback. */
  #stores: Map<string, Map<string, number>> | undefined;

  constructor(db: DatabaseSync) {
    this.#count = prepare(
      db,
      `SELECT store_uid, namespace, count(*) FROM keys WHERE phase IN ('Live', 'Retained')
       GROUP BY store_uid, namespace`,
    );
  }

  forget(): void {
    this.#stores = undefined;
  }

  /** Which limit one more key would break; undefined: none. */
  exceeded(
    storeUid: string,
    namespace: string,
    { maxKeys, maxKeysPerNamespace }: Limits,
  ): keyof Limits | undefined {
    if (maxKeys === undefined && maxKeysPerNamespace === undefined) return undefined;
    const namespaces = this.#counted().get(storeUid);
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

  #counted(): Map<string, Map<string, number>> {
    if (this.#stores !== undefined) return this.#stores;
    const stores = new Map<string, Map<string, number>>();
    for (const [storeUid, namespace, keys] of this.#count.all()) {
      add(stores, text(storeUid), text(namespace), integer(keys));
    }
    this.#stores = stores;
    return stores;
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
