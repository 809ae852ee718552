/** What differs between two requests, for people. Pure. */

/** One field that differs; a side that is absent has no text. */
export type Change = {
  /** Path below `spec`, for example `terms.quota.requests`. */
  readonly field: string;
  readonly from?: string;
  readonly to?: string;
};
