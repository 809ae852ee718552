/**
 * How soon one workload is restarted again, whichever key wants it, and how many are restarted in all.
 * In the memory of the leader: after a restart it starts afresh, which costs one restart more at most
 * for each key that waited; what one key may do is counted in its record.
 */
import type { Clock } from '../../kernel/clock.ts';
import { HOUR_MS, MINUTE_MS } from '../../kernel/time.ts';

/** So long a workload is left to itself after a restart. */
export const TARGET_GAP_MS = MINUTE_MS;
/** Restarts of one workload in an hour, by all keys together. */
export const TARGET_PER_HOUR = 6;
/** Restarts of all workloads in a minute. */
export const TOTAL_PER_MINUTE = 30;

/** Annotations by name. */
type Annotations = Readonly<Record<string, string>>;

type Target = { atMs: number[]; wanted: Record<string, string> };

/** Go on with these annotations, or not before an instant of the wall clock. */
type Turn =
  | { readonly type: 'Go'; readonly annotations: Annotations }
  | { readonly type: 'Wait'; readonly untilMs: number };

/** See the file comment. */
export class RestartPacer {
  readonly #clock: Clock;
  readonly #targets = new Map<string, Target>();
  #total: number[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Asks for a turn. Who has to wait leaves his annotation here, and whoever comes first takes it along:
   * keys that rotate together restart a workload once, not one after the other.
   *
   * @param uid of the workload
   */
  ask(uid: string, annotations: Annotations): Turn {
    const nowMs = this.#clock.monotonicMs();
    this.#forget(nowMs);
    const target = this.#targets.get(uid) ?? { atMs: [], wanted: {} };
    const wanted = { ...target.wanted, ...annotations };
    const waitMs = this.#waitMs(target, nowMs);
    if (waitMs > 0) {
      this.#targets.set(uid, { ...target, wanted });
      return { type: 'Wait', untilMs: this.#clock.nowMs() + waitMs };
    }
    return { type: 'Go', annotations: wanted };
  }

  /** It was restarted with these. */
  restarted(uid: string, annotations: Annotations): void {
    const nowMs = this.#clock.monotonicMs();
    const target = this.#targets.get(uid) ?? { atMs: [], wanted: {} };
    const left = Object.entries(target.wanted).filter(
      ([name, value]) => annotations[name] !== value,
    );
    this.#targets.set(uid, { atMs: [...target.atMs, nowMs], wanted: Object.fromEntries(left) });
    this.#total.push(nowMs);
  }

  #waitMs({ atMs }: Target, nowMs: number): number {
    return Math.max(
      (atMs.at(-1) ?? Number.NEGATIVE_INFINITY) + TARGET_GAP_MS - nowMs,
      freeAtMs(atMs, TARGET_PER_HOUR, HOUR_MS) - nowMs,
      freeAtMs(this.#total, TOTAL_PER_MINUTE, MINUTE_MS) - nowMs,
    );
  }

  #forget(nowMs: number): void {
    this.#total = this.#total.filter((atMs) => atMs > nowMs - MINUTE_MS);
    for (const [uid, target] of this.#targets) {
      target.atMs = target.atMs.filter((atMs) => atMs > nowMs - HOUR_MS);
      // Who waits comes back long before the hour is over.
      if (target.atMs.length === 0) this.#targets.delete(uid);
    }
  }
}

function freeAtMs(atMs: readonly number[], most: number, spanMs: number): number {
  const oldest = atMs.at(-most);
  return oldest === undefined ? Number.NEGATIVE_INFINITY : oldest + spanMs;
}
