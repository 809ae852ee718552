/** Everything the status of one ApiProduct depends on. Pure. */
import type { ApiProductSpec, ApiProductStatus } from '../../api/generated/apiproduct.ts';
import type { Ref } from '../../api/meta.ts';

/** What the cache keeps of an ApiProduct. */
export type ProductView = {
  readonly ref: Ref;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly isDeleting: boolean;
  readonly spec: ApiProductSpec;
  readonly status: ApiProductStatus | undefined;
};

/** One moment of one product, among all others. */
export type World = {
  readonly nowMs: number;
  readonly product: ProductView;
  readonly others: readonly ProductView[];
};
