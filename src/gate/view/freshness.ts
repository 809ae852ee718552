/** How old the gate's view of the database is, and whether that is young enough. */

/** Both clocks at one moment; see Clock. */
export type Moment = { readonly monotonicMs: number; readonly nowMs: number };

/**
 * Age by the clock that never steps and by the wall clock, whichever says more: the first stands still
 * while a machine sleeps, and a wall clock that was put forward ages everything until the next look.
 */
export class Freshness {
  readonly #maxStalenessMs: number;
  #lookedAt: Moment | undefined;

  constructor(maxStalenessMs: number) {
    this.#maxStalenessMs = maxStalenessMs;
  }

  /** Everything that was committed before this moment is in the view. */
  confirm(since: Moment): void {
    this.#lookedAt = since;
  }

  /** Nothing is known, for instance while everything is read anew. */
  lose(): void {
    this.#lookedAt = undefined;
  }

  /** Infinity: nothing is known. */
  ageMs(at: Moment): number {
    const since = this.#lookedAt;
    if (since === undefined) return Infinity;
    return Math.max(0, at.monotonicMs - since.monotonicMs, at.nowMs - since.nowMs);
  }

  /** Whether calls may be decided on what is known. */
  isFresh(at: Moment): boolean {
    return this.ageMs(at) <= this.#maxStalenessMs;
  }
}
