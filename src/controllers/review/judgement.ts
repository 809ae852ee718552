/** What a judgement of a review can be. Pure data. */

import type { AcceptedReason } from '../../api/applicationconditions.ts';

/** Reasons for which a review does not count, as condition Accepted says them. */
export type RefusalReason = Exclude<AcceptedReason, Counted['reason']>;

/** For ever: this review does not count. */
export type Refusal = {
  readonly type: 'Refused';
  readonly reason: RefusalReason;
  /** For the reviewer: what is the case, and what to do. */
  readonly message: string;
};

/** What stands in the way of counting a review; for ever, or until something else has happened. */
export type Objection =
  | Refusal
  /** The policies have to be proven first. */
  | { readonly type: 'Prove' }
  /** The policies cannot be proven now; perhaps they can later. */
  | { readonly type: 'Unproven'; readonly message: string }
  /** Somebody else's work has to be seen first. */
  | { readonly type: 'Wait'; readonly message: string }
  /** The object has to be read from the API server first. */
  | { readonly type: 'Look' }
  /** The API server has to be asked what the reviewer may do first. */
  | { readonly type: 'Ask' };

/** The review counts. */
export type Counted = {
  readonly type: 'Counted';
  /** Decisive: with it the matter is decided. */
  readonly reason: 'Counted' | 'Decisive';
  readonly message: string;
};

/** What becomes of a review. */
export type Judgement = Objection | Counted;

/** A refusal. */
export function refused(reason: RefusalReason, message: string): Refusal {
  return { type: 'Refused', reason, message };
}

/** Users' text in a message: in quotes, with escapes for what could end the line. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}
