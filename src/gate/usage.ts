/**
 * How often each key was let in, and when last: counted here, written to the database every few
 * seconds. Numbers for people, not for decisions: what a killed gate had not written is lost.
 */
import type { Clock } from '../kernel/clock.ts';
import { classify } from '../kernel/errors.ts';
import type { UsageReport, UseLedger } from '../ledger/gate.ts';
import { within } from './within.ts';

const WRITE_TIMEOUT_MS = 3_000;
const WRITE_MAX = 1_000;
/** Keys that may wait to be written; more in a few seconds are a flood or an outage. */
const WAITING_MAX = 200_000;

/** What usage needs. */
export type UsageDeps = {
  /** The database; undefined: there is none now, or it does not answer. */
  readonly ledger: () => Pick<UseLedger, 'reportUsage'> | undefined;
  readonly clock: Clock;
  readonly onFailure: (reason: string) => void;
};

type Used = { uses: number; lastUsedMs: number };

/** See the file comment. */
export class UsageCounter {
  readonly #deps: UsageDeps;
  readonly #used = new Map<string, Used>();
  #isWriting = false;
  /** Uses that will never be written: nobody knows whether they were, or there was no room. */
  lost = 0;

  constructor(deps: UsageDeps) {
    this.#deps = deps;
  }

  /** Keys that wait to be written. */
  get size(): number {
    return this.#used.size;
  }

  /** A call with the key of this UID was let in. */
  count(uid: string, nowMs: number): void {
    const used = this.#used.get(uid);
    if (used !== undefined) {
      used.uses += 1;
      used.lastUsedMs = nowMs;
    } else if (this.#used.size < WAITING_MAX) {
      this.#used.set(uid, { uses: 1, lastUsedMs: nowMs });
    } else {
      this.lost += 1;
    }
  }

  /** Writes what waits, unless there is no database: then it waits on. */
  async write(): Promise<void> {
    if (this.#isWriting) return;
    this.#isWriting = true;
    try {
      while (this.#used.size > 0 && (await this.#writeSome()));
    } finally {
      this.#isWriting = false;
    }
  }

  async #writeSome(): Promise<boolean> {
    const { clock, ledger, onFailure } = this.#deps;
    const written = ledger();
    if (written === undefined) return false;
    const reports = this.#takeSome();
    try {
      await within(clock, WRITE_TIMEOUT_MS, written.reportUsage(reports));
      return true;
    } catch (thrown) {
      // Not again: they may have been written, and a number that is too high is worse.
      this.lost += reports.reduce((sum, { uses }) => sum + uses, 0);
      onFailure(classify(thrown).reason);
      return false;
    }
  }

  #takeSome(): readonly UsageReport[] {
    const reports: UsageReport[] = [];
    for (const [uid, { uses, lastUsedMs }] of this.#used) {
      if (reports.length === WRITE_MAX) break;
      reports.push({ uid, uses, lastUsedMs });
      this.#used.delete(uid);
    }
    return reports;
  }
}
