/** The products of the fake NAVER and who subscribed to them. */
import type { FakeAnswer } from '../vendor.ts';

/** Where a subscription stands, in the vendor's words. */
export type RelationStatus = 'REQUEST' | 'ACCEPTED' | 'REJECTED' | 'DENY' | 'BLOCKED_REQUEST';

/** A key and a product. */
export type Relation = {
  readonly productId: string;
  readonly keyId: string;
  readonly status: RelationStatus;
};

/** A product; nobody subscribes to public ones. */
export type Product = {
  readonly id: string;
  readonly subscription: 'PUBLIC' | 'PROTECTED';
  /** Who decides. */
  readonly tenantId: string;
};

/** Which of the given relations the filter of a search keeps; absent and empty keep all. */
export function withStatus(
  relations: readonly Relation[],
  statusSet: unknown,
): readonly Relation[] {
  if (!Array.isArray(statusSet) || statusSet.length === 0) return relations;
  return relations.filter(({ status }) => statusSet.includes(status));
}

/** The relations after a key asked to be subscribed; undefined: it may not ask. */
export function subscribed(
  relations: readonly Relation[],
  product: Product,
  keyId: string,
): readonly Relation[] | undefined {
  const before = relationOf(relations, product.id, keyId)?.status;
  const mayAsk = before === undefined || before === 'REJECTED' || before === 'DENY';
  if (product.subscription === 'PUBLIC' || !mayAsk) return undefined;
  return decided(relations, { productId: product.id, keyId, status: 'REQUEST' });
}

/** The relations without one; undefined: there is none. */
export function unsubscribed(
  relations: readonly Relation[],
  productId: string,
  keyId: string,
): readonly Relation[] | undefined {
  const found = relationOf(relations, productId, keyId);
  return found === undefined ? undefined : relations.filter((relation) => relation !== found);
}

/** The relations with this one in place of an earlier one of the same key and product. */
export function decided(relations: readonly Relation[], next: Relation): readonly Relation[] {
  const found = relationOf(relations, next.productId, next.keyId);
  return [...relations.filter((relation) => relation !== found), next];
}

/** The relation of a key and a product. */
export function relationOf(
  relations: readonly Relation[],
  productId: string,
  keyId: string,
): Relation | undefined {
  return relations.find((relation) => relation.productId === productId && relation.keyId === keyId);
}

/** Success without anything to tell. */
export const DONE: FakeAnswer = { status: 200, body: {} };
