/** Which product a call belongs to, and what it takes to be let in there. */
import type { ProductRecord } from '../ledger/documents.ts';
import { compileProducts, productOf, type CompiledProducts } from '../terms/products.ts';
import { REFUSALS, type Refusal } from '../terms/refusals.ts';
import { readTarget } from '../terms/target.ts';
import type { Call } from './call.ts';
import type { Surroundings } from './view/surroundings.ts';

/** What happens to calls that belong to no product. */
export type Unlisted = 'allow' | 'deny';

/** Targets of which it is remembered where they lie: the common ones of an API, not every query. */
const PLACED_MAX = 4_096;
const PLACED_LENGTH_MAX = 256;

type Found = ProductRecord | 'Doubtful' | undefined;

/** The products as they are now; see `Surroundings`. */
export class Products {
  readonly #around: Surroundings;
  readonly #unlisted: Unlisted;
  #version = 0;
  #compiled: CompiledProducts<ProductRecord> = compileProducts([]);
  #byName: ReadonlyMap<string, ProductRecord> = new Map();
  /** By method, host and target as they were written; of the products as they are now. */
  readonly #placed = new Map<string, Found>();

  constructor(around: Surroundings, unlisted: Unlisted) {
    this.#around = around;
    this.#unlisted = unlisted;
  }

  /**
   * What a call needs: the product that must be granted, a refusal that no grant overcomes, or
   * undefined for nothing.
   *
   * @param granted products by grant of its key
   */
  needOf(call: Call, granted: ReadonlySet<string>): string | Refusal | undefined {
    if (this.#version !== this.#around.productVersion) this.#compile();
    const product = this.#find(call, granted);
    if (product === undefined) return undefined;
    if ('cause' in product) return product;
    if (product.state === 'Retired') return REFUSALS.ProductRetired;
    return product.access === 'Open' ? undefined : product.name;
  }

  #find(call: Call, granted: ReadonlySet<string>): ProductRecord | Refusal | undefined {
    const { product: named = '' } = call;
    if (named !== '') return this.#byName.get(named) ?? REFUSALS.Unlisted;
    const isFree = this.#byName.size === 0 && granted.size === 0 && this.#unlisted === 'allow';
    if (isFree) return undefined;
    const found = this.#place(call);
    if (found === 'Doubtful') return REFUSALS.TargetDoubtful;
    if (found !== undefined) return found;
    return this.#unlisted === 'deny' ? REFUSALS.Unlisted : undefined;
  }

  #place(call: Call): Found {
    const { method = '', host = '', target = '' } = call;
    const text = `${method} ${host} ${target}`;
    if (this.#placed.has(text)) return this.#placed.get(text);
    const place = readTarget(call);
    const found = place === 'Doubtful' ? place : productOf(this.#compiled, place);
    if (text.length > PLACED_LENGTH_MAX) return found;
    if (this.#placed.size >= PLACED_MAX) this.#placed.clear();
    this.#placed.set(text, found);
    return found;
  }

  #compile(): void {
    this.#placed.clear();
    const products = this.#around.products;
    this.#version = this.#around.productVersion;
    this.#compiled = compileProducts(products);
    this.#byName = new Map(products.map((product) => [product.name, product]));
  }
}
