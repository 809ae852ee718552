/** Pure; how many uses a gate reserves at a time: enough for some seconds, and little of what is left. */
import { SECOND_MS } from '../../kernel/time.ts';

/** Uses are looked at over this long. */
const PERIOD_MS = 10 * SECOND_MS;
const RESERVE = 1.5;

/** What a lease is sized by. */
type Demand = {
  /** Calls that wait for it; they spend their uses at once. From 1. */
  readonly waiting: number;
  /** Uses in the last ten seconds. */
  readonly recentUses: number;
  /** Uses that nobody had reserved when the database was last asked; absent: it was not asked yet. */
  readonly unreserved: number | undefined;
  /** The whole quota. */
  readonly limit: number;
  /** Gates that share the quota. */
  readonly replicas: number;
};

/**
 * Uses to ask for, from 1. Never more than half of this gate's share of what is left, beyond the calls
 * that wait: so what is left never lies idle at one gate, and near the end uses go one at a time.
 */
export function leaseSize({ waiting, recentUses, unreserved, limit, replicas }: Demand): number {
  const share = Math.floor((unreserved ?? limit) / (2 * replicas));
  const wanted = Math.min(Math.ceil(recentUses * RESERVE), share);
  return Math.max(1, waiting, wanted);
}

/** Uses of the last ten seconds, nearly: two counters instead of a list. */
export class RecentUses {
  #periodFromMs = -Infinity;
  #current = 0;
  #previous = 0;

  /** @param nowMs monotonic */
  add(nowMs: number): void {
    this.#turn(nowMs);
    this.#current += 1;
  }

  /** As if uses of the previous period were spread evenly. */
  at(nowMs: number): number {
    this.#turn(nowMs);
    const passed = (nowMs - this.#periodFromMs) / PERIOD_MS;
    return this.#current + this.#previous * Math.max(0, 1 - passed);
  }

  #turn(nowMs: number): void {
    const passedMs = nowMs - this.#periodFromMs;
    if (passedMs < PERIOD_MS) return;
    this.#previous = passedMs < 2 * PERIOD_MS ? this.#current : 0;
    this.#current = 0;
    this.#periodFromMs = nowMs;
  }
}
