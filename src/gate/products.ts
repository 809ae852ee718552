/** Which product a call belongs to, and what it takes to be let in there. */
import { ownText } from '../kernel/owntext.ts';
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
/** Whoever makes up hosts for one target must not have them looked through for each call. */
const PLACED_PER_TARGET_MAX = 8;

type Found = ProductRecord | 'Doubtful' | undefined;
/** Where calls of one target lie that have this method and host, as they were written. */
type Placed = { readonly method: string; readonly host: string; readonly found: Found };

/** The products as they are now; see `Surroundings`. */
export class Products {
  readonly #around: Surroundings;
  readonly #unlisted: Unlisted;
  #version = 0;
  #compiled: CompiledProducts<ProductRecord> = compileProducts([]);
  #byName: ReadonlyMap<string, ProductRecord> = new Map();
  /** By target as it was written; of the products as they are now. */
  readonly #placed = new Map<string, readonly Placed[]>();
  #placedCount = 0;

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
    const placed = this.#placed.get(target);
    // Few: a target is asked for with one method, on one host.
    for (let i = 0; placed !== undefined && i < placed.length; i += 1) {
      const each = placed[i];
      if (each?.method === method && each.host === host) return each.found;
    }
    const place = readTarget(call);
    const found = place === 'Doubtful' ? place : productOf(this.#compiled, place);
    this.#keep(target, { method, host, found });
    return found;
  }

  #keep(target: string, placed: Placed): void {
    const { method, host } = placed;
    if (target.length + host.length + method.length > PLACED_LENGTH_MAX) return;
    // The rest lies nowhere, and could change by being copied.
    if (!isAscii(target) || !isAscii(host) || !isAscii(method)) return;
    if (this.#placedCount >= PLACED_MAX) this.#forget();
    const before = this.#placed.get(target) ?? [];
    const one = { ...placed, method: ownText(method), host: ownText(host) };
    this.#placed.set(
      ownText(target),
      before.length < PLACED_PER_TARGET_MAX ? [...before, one] : [one],
    );
    this.#placedCount += 1;
  }

  #forget(): void {
    this.#placed.clear();
    this.#placedCount = 0;
  }

  #compile(): void {
    this.#forget();
    const products = this.#around.products;
    this.#version = this.#around.productVersion;
    this.#compiled = compileProducts(products);
    this.#byName = new Map(products.map((product) => [product.name, product]));
  }
}

function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}
