/**
 * What the gate knows beside keys, all of it in memory: clients, what reviewers imposed on keys,
 * products, and the habits of stores. Filled and kept fresh by the Follower.
 */
import type {
  ClientRecord,
  Documents,
  HeldState,
  ProductRecord,
  StoreProfile,
} from '../../ledger/documents.ts';

/** The kinds of documents that a gate looks at. */
export const GATE_KINDS = ['Client', 'Hold', 'Product', 'Store'] as const;
/** One of them. */
export type GateKind = (typeof GATE_KINDS)[number];

/** What is known of a client. */
type KnownClient = Pick<ClientRecord, 'state' | 'name'>;

/** See the file comment. */
export class Surroundings {
  readonly #clients = new Map<string, KnownClient>();
  readonly #held = new Map<string, HeldState['state']>();
  readonly #stores = new Map<string, StoreProfile>();
  readonly #products = new Map<string, ProductRecord>();
  /** Grows with each change, so that conclusions know whether they still hold. */
  version = 1;
  /** As `version`, of products alone. */
  productVersion = 1;

  /** The client of this UID; undefined: nobody knows one, or it is gone. */
  client(uid: string): KnownClient | undefined {
    return this.#clients.get(uid);
  }

  /** What a reviewer imposed on the key of this UID; undefined: nothing. */
  heldState(uid: string): HeldState['state'] | undefined {
    return this.#held.get(uid);
  }

  /** Habits of the store of this UID. */
  profileOf(storeUid: string): StoreProfile {
    return this.#stores.get(storeUid) ?? 'Keyward';
  }

  /** All products that exist. */
  get products(): readonly ProductRecord[] {
    return [...this.#products.values()];
  }

  /** Whether the product of this UID is known. */
  hasProduct(uid: string): boolean {
    return this.#products.has(uid);
  }

  /** How many documents are known; for metrics. */
  get size(): number {
    return this.#clients.size + this.#held.size + this.#stores.size + this.#products.size;
  }

  /** Takes in a document as it is now; one that is not Live is forgotten. Repeatable. */
  put<K extends GateKind>(kind: K, document: Documents[K]): void {
    const known: { readonly [G in GateKind]: (it: Documents[G]) => void } = {
      Client: ({ uid, state, name }) => this.#clients.set(uid, { state, name }),
      Hold: ({ uid, held }) => {
        if (held === undefined) this.#held.delete(uid);
        else this.#held.set(uid, held.state);
      },
      Product: (product) => this.#products.set(product.uid, product),
      Store: ({ uid, profile }) => this.#stores.set(uid, profile),
    };
    if (document.phase !== 'Live') {
      this.drop(kind, document.uid);
      return;
    }
    known[kind](document);
    this.#changed(kind);
  }

  /** These are all Live products, so any other is forgotten, all in one step. Repeatable. */
  putProducts(products: readonly ProductRecord[]): void {
    const isKnown = ({ uid, revision }: ProductRecord): boolean =>
      this.#products.get(uid)?.revision === revision;
    // Where all calls lie is found out anew after a change, so there is none for nothing.
    if (products.length === this.#products.size && products.every(isKnown)) return;
    this.#products.clear();
    for (const product of products) this.#products.set(product.uid, product);
    this.#changed('Product');
  }

  /** There is no such document. Repeatable. */
  drop(kind: GateKind, uid: string): void {
    if (this.#mapOf(kind).delete(uid)) this.#changed(kind);
  }

  /** Forgets everything; for a database that has to be read anew. */
  clear(): void {
    for (const kind of GATE_KINDS) {
      this.#mapOf(kind).clear();
      this.#changed(kind);
    }
  }

  #mapOf(kind: GateKind): Map<string, unknown> {
    switch (kind) {
      case 'Client':
        return this.#clients;
      case 'Hold':
        return this.#held;
      case 'Product':
        return this.#products;
      case 'Store':
        return this.#stores;
    }
  }

  #changed(kind: GateKind): void {
    this.version += 1;
    if (kind === 'Product') this.productVersion += 1;
  }
}
