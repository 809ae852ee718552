/** A token bucket: so many at once, so many per second afterwards. Pure: time is an argument. */

/** How many tokens, and how fast they come back. */
export type BucketLimits = {
  /** Tokens that may be taken at once after a quiet time; at least 1. */
  readonly burst: number;
  /** Tokens that come back each second; above 0. */
  readonly perSecond: number;
};

/** Counts tokens on a clock that only grows. */
export class TokenBucket {
  readonly #limits: BucketLimits;
  #tokens: number;
  #atMs: number;

  /** @param nowMs monotonic milliseconds; the bucket starts full */
  constructor(limits: BucketLimits, nowMs: number) {
    this.#limits = limits;
    this.#tokens = limits.burst;
    this.#atMs = nowMs;
  }

  /** Takes a token if there is one at `nowMs`; false otherwise. */
  take(nowMs: number): boolean {
    this.#refill(nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Milliseconds from `nowMs` until a token is there, whole and never early; 0 when there is one. */
  waitMs(nowMs: number): number {
    this.#refill(nowMs);
    return Math.max(0, Math.ceil(((1 - this.#tokens) * 1_000) / this.#limits.perSecond));
  }

  #refill(nowMs: number): void {
    const gained = ((nowMs - this.#atMs) * this.#limits.perSecond) / 1_000;
    this.#tokens = Math.min(this.#limits.burst, this.#tokens + Math.max(gained, 0));
    this.#atMs = nowMs;
  }
}
