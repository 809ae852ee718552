/**
 * A cap on calls in flight, first come first served within two lanes. Urgent calls (lease, revocation)
 * go first and have places of their own, so that a storm of ordinary writes cannot hold them up.
 */

/** Which lane a call takes. */
export type Urgency = 'Ordinary' | 'Urgent';

/** How many calls may be in flight. */
export type LaneLimits = {
  /** Calls in flight at most, ordinary and urgent together. */
  readonly inFlightMax: number;
  /** Further places that only urgent calls may take. */
  readonly urgentReserve: number;
};

type Waiter = { readonly enter: () => void; gone: boolean };

/** The places of one process; each `enter` that resolved needs exactly one `leave`. */
export class Lanes {
  readonly #limits: LaneLimits;
  readonly #waiting: Readonly<Record<Urgency, Waiter[]>> = { Ordinary: [], Urgent: [] };
  #inFlight = 0;

  constructor(limits: LaneLimits) {
    this.#limits = limits;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Resolves when a place was taken; rejects with the signal's reason when it is aborted first. */
  async enter(urgency: Urgency, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#inFlight < this.#limit(urgency)) {
      this.#inFlight += 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { enter: resolve, gone: false };
    const onAbort = (): void => {
      waiter.gone = true;
      reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#waiting[urgency].push(waiter);
    await promise;
    signal?.removeEventListener('abort', onAbort);
  }

  /** Gives a place back; the longest waiting urgent call gets it, else the longest waiting one. */
  leave(): void {
    this.#inFlight -= 1;
    for (const urgency of ['Urgent', 'Ordinary'] as const) {
      if (this.#inFlight >= this.#limit(urgency)) continue;
      const next = this.#next(urgency);
      if (next === undefined) continue;
      this.#inFlight += 1;
      next.enter();
      return;
    }
  }

  #limit(urgency: Urgency): number {
    const { inFlightMax, urgentReserve } = this.#limits;
    return urgency === 'Urgent' ? inFlightMax + urgentReserve : inFlightMax;
  }

  #next(urgency: Urgency): Waiter | undefined {
    const queue = this.#waiting[urgency];
    let next = queue.shift();
    while (next?.gone === true) next = queue.shift();
    return next;
  }
}
