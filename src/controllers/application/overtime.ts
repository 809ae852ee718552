/**
 * Since when forms wait beyond the deadline of their round, for a review that was written in time and is not
 * judged yet: the operator was away, or nobody can prove at this moment who wrote it. Not for ever,
 * because perhaps nobody ever can. Forgotten at a restart, which errs on the side of waiting.
 */
import { DAY_MS } from '../../kernel/time.ts';

/** Long enough for people to put the admission policies right; a round that waits grants nothing. */
const LONGEST_MS = DAY_MS;

/** See the file comment. */
export class Overtime {
  readonly #sinceMs = new Map<string, number>();

  /** Whether the round of this form still waits; asked in each pass in which there is such a review. */
  lasts(uid: string, nowMs: number): boolean {
    const sinceMs = this.#sinceMs.get(uid) ?? nowMs;
    this.#sinceMs.set(uid, sinceMs);
    return nowMs - sinceMs < LONGEST_MS;
  }

  /** There is no such review of this form. */
  forget(uid: string): void {
    this.#sinceMs.delete(uid);
  }
}
