/** Everything the decisions about one ApiProduct may look at, as one plain value. Pure. */
import type { ApiProductSpec, ApiProductStatus } from '../../api/generated/apiproduct.ts';
import type { Ref } from '../../api/meta.ts';
import type { ProductRecord } from '../../ledger/documents.ts';

/** What the cache keeps of an ApiProduct. */
export type ProductView = {
  readonly ref: Ref;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  /** As the API server writes it, so that text order is order in time. */
  readonly createdTime: string;
  readonly isDeleting: boolean;
  readonly spec: ApiProductSpec;
  readonly status: ApiProductStatus | undefined;
};

/** One moment of one product, among all others. */
export type World = {
  readonly ref: Ref;
  readonly nowMs: number;
  /** Undefined: the cache has no such object. */
  readonly product: ProductView | undefined;
  /** What gates know of all products, by UID; all of them Live. */
  readonly known: ReadonlyMap<string, ProductRecord>;
  /** All products that the cache has. */
  readonly views: readonly ProductView[];
  /** A live read showed that the object of the record is gone. */
  readonly isProvenGone: boolean;
};
