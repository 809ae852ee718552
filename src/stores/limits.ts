/**
 * How fast one account at a vendor is asked. Each account has a line of its own, so a slow vendor
 * holds up nobody else; and the line is short, because whoever stands in it keeps a worker busy:
 * those who find it full are sent away and come back.
 */
import { TokenBucket } from '../kernel/bucket.ts';
import type { Clock } from '../kernel/clock.ts';
import { SECOND_MS } from '../kernel/time.ts';
import { StoreFailure, type VendorHttp } from './contract.ts';

/** Limits of one account at one endpoint. */
type AccountLimits = {
  readonly inFlightMax: number;
  readonly perSecond: number;
  /** Requests of each turn that may wait; further ones are refused at once, as Throttled. */
  readonly waitingMax: number;
};

/**
 * When a request has its turn. First: before all others of its account, for what locks somebody out.
 * InOrder: in the order in which they came.
 */
export type Turn = 'First' | 'InOrder';

/** What vendors bear without complaint; far below the documented limits of those we know. */
const DEFAULT_LIMITS: AccountLimits = { inFlightMax: 4, perSecond: 10, waitingMax: 8 };

/** Lines that nobody stands in are forgotten when there are more than this. */
const LINES_MAX = 256;

/**
 * How many requests a key makes in one visit, about: whoever was sent away is told to come back when
 * so many others per key ahead were let through. Rather too few than too many, or the line runs empty.
 */
const REQUESTS_PER_VISIT = 3;

/** The line was full; this says nothing about the vendor, so it is no failure that lengthens pauses. */
export class LineFull extends StoreFailure {
  constructor(perSecond: number, retryAfterMs: number) {
    const message = `waits for its turn: this account is asked at most ${perSecond} times a second; nothing needs to be done`;
    super('Throttled', { message, executed: 'No', retryAfterMs, class: 'Waiting' });
  }
}

/** All lines, by account. */
export class AccountLines {
  readonly #clock: Clock;
  readonly #limits: AccountLimits;
  readonly #lines = new Map<string, AccountLine>();
  readonly #creates = new Map<string, AccountLine>();

  constructor(clock: Clock, limits: AccountLimits = DEFAULT_LIMITS) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** `http` with the limits of `account`, which is asked for at each request: a login may tell it. */
  limit(http: VendorHttp, account: () => string, turn: Turn = 'InOrder'): VendorHttp {
    return {
      send: (request, signal) =>
        this.#line(this.#lines, account(), this.#limits).pass(
          () => http.send(request, signal),
          signal,
          turn,
        ),
    };
  }

  /**
   * Runs `act` while nobody else does for the same vendor; for create calls of stores where two
   * at a time could not be told apart afterwards.
   * @throws StoreFailure Throttled, executed No, when several wait already or the signal is aborted
   */
  exclusively<T>(vendor: string, act: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const limits = { ...this.#limits, inFlightMax: 1 };
    return this.#line(this.#creates, vendor, limits).pass(act, signal, 'InOrder');
  }

  /** Requests in flight and waiting for `account`. */
  busy(account: string): number {
    return this.#lines.get(account)?.size ?? 0;
  }

  #line(lines: Map<string, AccountLine>, account: string, limits: AccountLimits): AccountLine {
    const known = lines.get(account);
    if (known !== undefined) return known;
    if (lines.size >= LINES_MAX) {
      for (const [name, line] of lines) if (line.size === 0) lines.delete(name);
    }
    const line = new AccountLine(this.#clock, limits);
    lines.set(account, line);
    return line;
  }
}

type Waiter = { readonly enter: () => void };

/** Those of one turn. */
class Waiting {
  readonly waiters = new Set<Waiter>();
  /** When the last one that was sent away may come back, by the monotonic clock. */
  promisedMs = Number.NEGATIVE_INFINITY;
}

/** One line: in each turn first come, first served; nobody InOrder goes while somebody First waits. */
class AccountLine {
  readonly #clock: Clock;
  readonly #limits: AccountLimits;
  readonly #bucket: TokenBucket;
  readonly #waiting = { First: new Waiting(), InOrder: new Waiting() };
  #inFlight = 0;
  #isTimerSet = false;

  constructor(clock: Clock, limits: AccountLimits) {
    this.#clock = clock;
    this.#limits = limits;
    const { perSecond, inFlightMax } = limits;
    this.#bucket = new TokenBucket({ burst: inFlightMax, perSecond }, clock.monotonicMs());
  }

  get size(): number {
    const { First, InOrder } = this.#waiting;
    return this.#inFlight + First.waiters.size + InOrder.waiters.size;
  }

  async pass<T>(act: () => Promise<T>, signal: AbortSignal, turn: Turn): Promise<T> {
    await this.#enter(signal, turn);
    try {
      return await act();
    } finally {
      this.#inFlight -= 1;
      this.#admit();
    }
  }

  async #enter(signal: AbortSignal, turn: Turn): Promise<void> {
    if (signal.aborted) throw givenUp();
    const { waiters } = this.#waiting[turn];
    if (waiters.size >= this.#limits.waitingMax) throw this.#full(turn);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { enter: resolve };
    const onAbort = (): void => {
      // Whoever was let in already goes on; the request itself looks at the signal.
      if (waiters.delete(waiter)) reject(givenUp());
    };
    signal.addEventListener('abort', onAbort, { once: true });
    waiters.add(waiter);
    this.#admit();
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Lets in who may; comes back by itself when only time is missing. */
  #admit(): void {
    for (const { waiters } of [this.#waiting.First, this.#waiting.InOrder]) {
      for (const waiter of waiters) {
        if (!this.#mayGo()) return;
        waiters.delete(waiter);
        this.#inFlight += 1;
        waiter.enter();
      }
    }
  }

  #mayGo(): boolean {
    if (this.#inFlight >= this.#limits.inFlightMax) return false;
    const nowMs = this.#clock.monotonicMs();
    if (this.#bucket.take(nowMs)) return true;
    this.#comeBackIn(this.#bucket.waitMs(nowMs));
    return false;
  }

  #comeBackIn(delayMs: number): void {
    if (this.#isTimerSet) return;
    this.#isTimerSet = true;
    this.#clock.after(delayMs, () => {
      this.#isTimerSet = false;
      this.#admit();
    });
  }

  /**
   * Everybody is given another time, one visit after the other: told the same time they would all
   * come at once, a few would be served, and the rest be sent away again while nobody is served.
   */
  #full(turn: Turn): LineFull {
    const { perSecond } = this.#limits;
    const line = this.#waiting[turn];
    const nowMs = this.#clock.monotonicMs();
    const ahead = turn === 'First' ? this.#inFlight + line.waiters.size : this.size;
    const aheadMs = Math.max(SECOND_MS, Math.ceil((ahead / perSecond) * SECOND_MS));
    const visitMs = Math.ceil((REQUESTS_PER_VISIT / perSecond) * SECOND_MS);
    line.promisedMs = Math.max(nowMs + aheadMs, line.promisedMs + visitMs);
    return new LineFull(perSecond, line.promisedMs - nowMs);
  }
}

function givenUp(): StoreFailure {
  return new StoreFailure('Unavailable', {
    message: 'the request was given up while it waited for its turn',
    executed: 'No',
  });
}
