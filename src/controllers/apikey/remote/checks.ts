/**
 * When the vendor's copy of a credential was last compared with ours: in memory, a restart spreads them anew. By
 * the monotonic clock, so that a wall clock that is set right delays nothing. And which credentials the vendor
 * failed for, so that they let others go first.
 */
import type { Clock } from '../../../kernel/clock.ts';

/** See the file comment. Bounded by the number of keys at vendors. */
export class RemoteChecks {
  readonly #clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  readonly #random: () => number;
  readonly #everyMs: number;
  readonly #dueMs = new Map<string, number>();
  /** The number of the last failure of each. */
  readonly #failed = new Map<string, number>();
  #failures = 0;

  /**
   * @param random from 0 to 1; spreads the checks of keys that are seen for the first time
   * @param everyMs between two looks at the same key
   */
  constructor(clock: Pick<Clock, 'nowMs' | 'monotonicMs'>, random: () => number, everyMs: number) {
    this.#clock = clock;
    this.#random = random;
    this.#everyMs = everyMs;
  }

  /** True when the credential of this token should be compared. */
  isDue(token: string): boolean {
    const dueMs = this.#dueMs.get(token);
    return dueMs !== undefined && dueMs <= this.#clock.monotonicMs();
  }

  /**
   * When to look at it next, by the wall clock and always ahead: the first time at a random instant of the interval, and an
   * interval later where a look was due and could not be taken now.
   */
  dueMs(token: string): number {
    const known = this.#dueMs.get(token);
    const atMs = this.#clock.monotonicMs();
    const dueMs = known ?? atMs + 1 + Math.floor(this.#everyMs * this.#random());
    this.#dueMs.set(token, dueMs);
    return this.#clock.nowMs() + (dueMs > atMs ? dueMs - atMs : this.#everyMs);
  }

  /** The credential was compared just now. */
  done(token: string): void {
    this.#dueMs.set(token, this.#clock.monotonicMs() + this.#everyMs);
  }

  /** A step about the credential failed just now. */
  failed(token: string): void {
    this.#failures += 1;
    this.#failed.set(token, this.#failures);
  }

  /** Those of `tokens` that a step failed for since this process began, the longest ago first. */
  failures(tokens: readonly string[]): readonly string[] {
    const numbered = tokens.flatMap((token) => {
      const number = this.#failed.get(token);
      return number === undefined ? [] : [{ token, number }];
    });
    return numbered.toSorted((a, b) => a.number - b.number).map(({ token }) => token);
  }

  /** The credential has ended. */
  forget(token: string): void {
    this.#dueMs.delete(token);
    this.#failed.delete(token);
  }
}
