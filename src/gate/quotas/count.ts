/** One count of uses as one gate sees it: what it has reserved, and who waits for more. */
import type { Lease, LeaseReport } from '../../ledger/gate.ts';
import type { QuotaWindow } from '../../terms/quota.ts';
import { REFUSALS, type Refusal } from '../../terms/refusals.ts';
import { RecentUses } from './sizing.ts';

/** Uses that are left after this one, as far as this gate knows; or why there is none. */
export type Taken = number | Refusal;

/** A use that was waited for; `giveBack` where it came to nothing, once. */
export type Use = { readonly left: number; readonly giveBack: () => void };

/** What is counted. */
type CountOf = {
  readonly subject: string;
  readonly limit: number;
  readonly window: QuotaWindow;
};

/** A lease that is given up. Spent: nothing of it goes back. */
export type Ending = LeaseReport & { readonly isSpent: boolean };

type Held = { readonly id: string; left: number; spent: number; reported: number };
/** A call that waits; over: it was told something else already. */
type Waiter = { readonly tell: (taken: Taken) => void; isOver: boolean };

/** A count that ran dry is not asked for again before this long. */
const USED_UP_MS = 1_000;

/** See the file comment; all instants here are monotonic. */
export class Count {
  readonly of: CountOf;
  readonly recent = new RecentUses();
  /** Of the question that is open, or whose answer was lost: asked again with the same id. */
  wishId: string | undefined;
  isAsking = false;
  unreserved: number | undefined;
  lastUseMs: number;
  #held: Held | undefined;
  #usedUpUntilMs = -Infinity;
  #waiters: Waiter[] = [];

  constructor(of: CountOf, nowMs: number) {
    this.of = of;
    this.lastUseMs = nowMs;
  }

  /** Takes one use from what is reserved here; undefined: the database has to be asked. */
  take(nowMs: number): Taken | undefined {
    this.lastUseMs = nowMs;
    const held = this.#held;
    if (held !== undefined && held.left > 0) {
      this.recent.add(nowMs);
      held.left -= 1;
      held.spent += 1;
      return held.left + (this.unreserved ?? 0);
    }
    return nowMs < this.#usedUpUntilMs ? REFUSALS.QuotaUsedUp : undefined;
  }

  /**
   * A use that came to nothing goes to another call. What was told of already stays told, as does what belonged
   * to a lease that is given up.
   */
  giveBack(): void {
    const held = this.#held;
    if (held === undefined || held.spent === held.reported) return;
    held.left += 1;
    held.spent -= 1;
  }

  /** Tells `tell` once; the answer is what takes it out of the line. */
  wait(tell: (taken: Taken) => void): Waiter {
    const waiter = { tell, isOver: false };
    this.#waiters.push(waiter);
    return waiter;
  }

  /** Calls that wait. */
  get waiting(): number {
    return this.#waiters.reduce((sum, { isOver }) => sum + (isOver ? 0 : 1), 0);
  }

  /** Uses that are reserved here and not spent. */
  get left(): number {
    return this.#held?.left ?? 0;
  }

  /** Takes in what was reserved and serves who waits. True: there are more who wait, ask again. */
  receive(lease: Lease, nowMs: number): 'AskAgain' | 'Done' {
    this.#held = { id: lease.id, left: lease.uses, spent: 0, reported: 0 };
    this.unreserved = lease.unreserved;
    this.wishId = undefined;
    const line = this.#waiters.filter(({ isOver }) => !isOver);
    this.#waiters = [];
    // Uses may be reserved by others who give them back; but nothing at all is the end for now.
    if (lease.uses === 0) this.#usedUpUntilMs = nowMs + USED_UP_MS;
    for (const waiter of line) {
      const taken = this.take(nowMs);
      if (taken === undefined) this.#waiters.push(waiter);
      else tellOnce(waiter, taken);
    }
    return this.#waiters.length > 0 ? 'AskAgain' : 'Done';
  }

  /** Nobody knows: everybody who waits is told so. */
  fail(refusal: Refusal): void {
    const line = this.#waiters;
    this.#waiters = [];
    for (const waiter of line) tellOnce(waiter, refusal);
  }

  /** What is reserved here is given up; undefined: nothing was. */
  release(): Ending | undefined {
    const held = this.#held;
    this.#held = undefined;
    return held && { id: held.id, spent: held.spent, isSpent: held.left === 0 };
  }

  /** What was spent since this was asked last; undefined: nothing. */
  report(): LeaseReport | undefined {
    const held = this.#held;
    if (held === undefined || held.spent === held.reported) return undefined;
    held.reported = held.spent;
    return { id: held.id, spent: held.spent };
  }
}

/** Gives a waiting call its answer, if it has none yet. */
export function tellOnce(waiter: Waiter, taken: Taken): void {
  if (waiter.isOver) return;
  waiter.isOver = true;
  waiter.tell(taken);
}
