/** Tells the database what became of leases. What cannot be told counts as spent one day. */
import type { Clock } from '../../kernel/clock.ts';
import { classify } from '../../kernel/errors.ts';
import type { LeaseReport, UseLedger } from '../../ledger/gate.ts';
import { within } from '../within.ts';
import type { Ending } from './count.ts';

const SEND_TIMEOUT_MS = 3_000;
const SEND_MAX = 500;
/** As many are kept for a database that does not answer. */
const WAITING_MAX = 10_000;

/** What endings need; see QuotaDeps. */
type EndingDeps = {
  readonly ledger: () => Pick<UseLedger, 'reportLeases' | 'returnLeases'> | undefined;
  readonly clock: Clock;
  readonly onFailure: (reason: string) => void;
};

/** See the file comment. */
export class Endings {
  readonly #deps: EndingDeps;
  #waiting: Ending[] = [];
  #sending: Promise<void> | undefined;

  constructor(deps: EndingDeps) {
    this.#deps = deps;
  }

  /** A lease that is over, or whose answer was lost; undefined: there was none. */
  add(ending: Ending | undefined): void {
    if (ending !== undefined) this.#waiting.push(ending);
  }

  /** Returns what waits, however much it is. A failure leaves it for the next time, within bounds. */
  send(): Promise<void> {
    // What is added while some is sent goes with it, so who comes then waits for all of it.
    if (this.#waiting.length > 0) this.#sending ??= this.#sendAll();
    return this.#sending ?? Promise.resolve();
  }

  async #sendAll(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const waiting = this.#waiting;
        const batch = waiting.slice(0, SEND_MAX);
        const isDone = await this.#tell((ledger, nowMs) => ledger.returnLeases(batch, nowMs));
        if (!isDone) return this.#giveUp();
        // Others may have been added behind, or everything forgotten meanwhile.
        if (this.#waiting === waiting) waiting.splice(0, batch.length);
      }
    } finally {
      this.#sending = undefined;
    }
  }

  /** Says how far leases are spent. */
  async report(reports: readonly LeaseReport[]): Promise<void> {
    for (let at = 0; at < reports.length; at += SEND_MAX) {
      const batch = reports.slice(at, at + SEND_MAX);
      const isDone = await this.#tell((ledger, nowMs) => ledger.reportLeases(batch, nowMs));
      if (!isDone) return;
    }
  }

  /** Forgets what waits: it belongs to another database. */
  clear(): void {
    this.#waiting = [];
  }

  /** A long outage must not fill the memory: what is spent anyway goes first, then the oldest. */
  #giveUp(): void {
    const excess = this.#waiting.length - WAITING_MAX;
    if (excess <= 0) return;
    const spent = this.#waiting.filter(({ isSpent }) => isSpent);
    const unspent = this.#waiting.filter(({ isSpent }) => !isSpent);
    this.#waiting = [...spent, ...unspent].slice(excess);
  }

  async #tell(
    tell: (
      ledger: Pick<UseLedger, 'reportLeases' | 'returnLeases'>,
      nowMs: number,
    ) => Promise<void>,
  ): Promise<boolean> {
    const { clock, ledger, onFailure } = this.#deps;
    const told = ledger();
    if (told === undefined) return false;
    try {
      await within(clock, SEND_TIMEOUT_MS, tell(told, clock.nowMs()));
      return true;
    } catch (thrown) {
      onFailure(classify(thrown).reason);
      return false;
    }
  }
}
