/** The proof that names on forms and reviews can be believed: what it offers, and what it is kept in. */
import type { Chain } from './chain.ts';

/** Whether names on new objects can be believed, and if not why, as a sentence without its full stop. */
export type ProofState =
  | { readonly state: 'Proven' }
  | { readonly state: 'NotProven'; readonly reason: string };

/**
 * An answer about one creation or edit. Covered: its names can be believed. Gap: they never will be.
 * NotProven: nobody can say now; to be asked again.
 */
export type Vouched =
  | { readonly type: 'Covered' }
  | { readonly type: 'Gap' }
  | { readonly type: 'NotProven'; readonly reason: string };

/** Where the chain is kept. A failure to keep it is tried again. @throws KeywardError */
export interface ProofStore {
  load(): Promise<Chain | undefined>;
  /** Undefined: there is none any more; `reason` says why. */
  save(chain: Chain | undefined, reason: string): Promise<void>;
}

/** What others see of the prover. */
export interface IdentityProof {
  readonly state: ProofState;
  /**
   * Looks, beginning after this call, and resolves with what that look shows: Proven only if it proved.
   * Callers at the same time share a look. Never rejects.
   */
  prove(): Promise<ProofState>;
  /**
   * `prove` and `covers` in one, about what is seen at this call and cannot have happened before `fromMs`.
   * The usual question of a controller. Never rejects.
   */
  vouch(fromMs: number): Promise<Vouched>;
  /**
   * Whether the policies were in force from `fromMs` to `toMs` without a gap. Both by our clock: `toMs` is
   * when the object was seen, `fromMs` when it was last known not to be as it is: its creation
   * (`atOurClock(creationTimestamp)`), or when its previous generation was seen. No whenever in doubt;
   * what is still no after `prove()` has resolved with Proven stays no.
   */
  covers(fromMs: number, toMs: number): boolean;
  /** An instant of the API server's clock, such as a creationTimestamp, by ours. */
  atOurClock(serverMs: number): number;
  /**
   * Called after each look that turned Proven into NotProven or back, and after one that proved when an
   * earlier question was answered with NotProven: whoever waits for an answer asks again then.
   */
  onChange(listener: (state: ProofState) => void): void;
}
