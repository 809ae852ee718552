/** A product that stands at a vendor, as it looks from a key. Pure. */
import type { ApiProductSpec } from '../../../api/generated/apiproduct.ts';
import { servesNamespace, type StoreName } from '../../../stores/view.ts';

/** A product that the terms of a key name. */
export type VendorProduct = {
  readonly name: string;
  /** Its id at the vendor; undefined: this key cannot have it in this store. */
  readonly productId: string | undefined;
};

/** From where a product is looked at. */
export type ProductSeeker = {
  readonly store: StoreName;
  /** Of the key's namespace; undefined: not known yet. */
  readonly labels: Readonly<Record<string, string>> | undefined;
  /** Whether a form was approved that names it: only then it may be one that is had by grant. */
  readonly isGranted: boolean;
};

/** The product as the key can have it; `product` undefined: there is none of that name. */
export function vendorProduct(
  name: string,
  product: { readonly isDeleting: boolean; readonly spec: ApiProductSpec } | undefined,
  { store, labels, isGranted }: ProductSeeker,
): VendorProduct {
  if (product === undefined || product.isDeleting) return { name, productId: undefined };
  const { allowedStores = [], allowedNamespaces, external = [], access } = product.spec;
  const isStore = (other: StoreName): boolean =>
    other.kind === store.kind && other.name === store.name;
  const isAllowed = allowedStores.length === 0 || allowedStores.some(isStore);
  const isServed = servesNamespace(allowedNamespaces, labels) === 'Yes';
  const isOpen = isGranted || access === 'Open';
  const productId = external.find(({ storeRef }) => isStore(storeRef))?.productId;
  return { name, productId: isAllowed && isServed && isOpen ? productId : undefined };
}
