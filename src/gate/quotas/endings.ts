/** Tells the database what became of leases. What cannot be told counts as spent one day. */
import type { Clock } from '../../kernel/clock.ts';
import { classify } from '../../kernel/errors.ts';
import type { LeaseReport, UseLedger } from '../../ledger/gate.ts';
import { within } from '../within.ts';

const SEND_TIMEOUT_MS = 3_000;
const SEND_MAX = 500;
/** As many wait for a database that does not answer; the oldest are given up. */
const WAITING_MAX = 10_000;

/** What endings need; see QuotaDeps. */
export type EndingDeps = {
  readonly ledger: () => Pick<UseLedger, 'reportLeases' | 'returnLeases'> | undefined;
  readonly clock: Clock;
  readonly onFailure: (reason: string) => void;
};

/** See the file comment. */
export class Endings {
  readonly #deps: EndingDeps;
  #waiting: LeaseReport[] = [];
  #isSending = false;

  constructor(deps: EndingDeps) {
    this.#deps = deps;
  }

  /** A lease that is over, or whose answer was lost; undefined: there was none. */
  add(report: LeaseReport | undefined): void {
    if (report === undefined) return;
    if (this.#waiting.length >= WAITING_MAX) this.#waiting.shift();
    this.#waiting.push(report);
  }

  /** Returns what waits. A failure leaves it for the next time. */
  async send(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      while (this.#waiting.length > 0) {
        const batch = this.#waiting.slice(0, SEND_MAX);
        const isDone = await this.#tell((ledger, nowMs) => ledger.returnLeases(batch, nowMs));
        if (!isDone) return;
        // Others may have been added behind, or everything forgotten meanwhile.
        const sent = new Set(batch);
        this.#waiting = this.#waiting.filter((report) => !sent.has(report));
      }
    } finally {
      this.#isSending = false;
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
