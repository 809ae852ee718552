/** Growing pauses, by name: 5 seconds after the first failure, 10 minutes at last. */
import type { Clock } from '../../kernel/clock.ts';
import { MINUTE_MS, SECOND_MS } from '../../kernel/time.ts';

const PAUSE_MIN_MS = 5 * SECOND_MS;
const PAUSE_MAX_MS = 10 * MINUTE_MS;

/** See the file comment. Bounded by what `keep` is told. */
export class Pauses {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #pauses = new Map<string, { readonly lengthMs: number; readonly untilMs: number }>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** It is left alone for now. */
  isPausing(name: string): boolean {
    const pause = this.#pauses.get(name);
    return pause !== undefined && pause.untilMs > this.#clock.monotonicMs();
  }

  /** When its last pause ends or ended, by the monotonic clock; undefined: it has not failed. */
  endMs(name: string): number | undefined {
    return this.#pauses.get(name)?.untilMs;
  }

  /** It failed: a longer pause than the last one, and as long as it asked for itself. */
  grow(name: string, wantedMs = 0): void {
    const lastMs = this.#pauses.get(name)?.lengthMs ?? 0;
    const lengthMs = Math.min(PAUSE_MAX_MS, Math.max(PAUSE_MIN_MS, lastMs * 2, wantedMs));
    this.#pauses.set(name, { lengthMs, untilMs: this.#clock.monotonicMs() + lengthMs });
  }

  /** It went well. */
  end(name: string): void {
    this.#pauses.delete(name);
  }

  /** Forgets all others. */
  keep(names: ReadonlySet<string>): void {
    for (const name of this.#pauses.keys()) if (!names.has(name)) this.#pauses.delete(name);
  }
}
