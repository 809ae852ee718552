/**
 * How often each key was let in, and when last: counted here, written to the database every few
 * seconds, and where many keys are in use, in turn within half a minute. Numbers for people, not for
 * decisions: what a killed gate had not written is lost.
 */
import type { Clock } from '../kernel/clock.ts';
import { classify } from '../kernel/errors.ts';
import type { UsageReport, UseLedger } from '../ledger/gate.ts';
import { within } from './within.ts';

const WRITE_TIMEOUT_MS = 3_000;
const WRITE_MAX = 1_000;
/** Keys that may wait to be written; more are a flood or an outage. */
const WAITING_MAX = 200_000;
/** Above this they do not wait for their turn, so that there is room. */
const WAITING_CALM = 150_000;
/** Of `writeDue`, until everybody had his turn. */
const TURNS = 6;

/** What usage needs. */
export type UsageDeps = {
  /** The database; undefined: there is none now, or it does not answer. */
  readonly ledger: () => Pick<UseLedger, 'reportUsage'> | undefined;
  readonly clock: Clock;
  readonly onFailure: (reason: string) => void;
};

/** How something was used since the last report. No uses: it does not wait to be written. */
export class Use {
  uses = 0;
  lastUsedMs = 0;
  readonly uid: string;

  /** @param uid as in `UsageReport` */
  constructor(uid: string) {
    this.uid = uid;
  }
}

/** See the file comment. */
export class UsageCounter {
  readonly #deps: UsageDeps;
  /** Whoever was used first comes first. */
  readonly #used = new Map<string, Use>();
  #isWriting = false;
  #turn = 0;
  /** Keys whose turn it is each time. */
  #share = 0;
  /** Uses that will never be written: nobody knows whether they were, or there was no room. */
  lost = 0;

  constructor(deps: UsageDeps) {
    this.#deps = deps;
  }

  /** Keys that wait to be written. */
  get size(): number {
    return this.#used.size;
  }

  /** A call was let in. */
  count(use: Use, nowMs: number): void {
    if (use.uses === 0 && !this.#await(use)) {
      this.lost += 1;
      return;
    }
    use.uses += 1;
    use.lastUsedMs = nowMs;
  }

  /** Whether it waits to be written now. That of a record read anew goes on with the count of the one before. */
  #await(use: Use): boolean {
    const before = this.#used.get(use.uid);
    if (before === undefined && this.#used.size >= WAITING_MAX) return false;
    if (before !== undefined) {
      use.uses = before.uses;
      before.uses = 0;
    }
    this.#used.set(use.uid, use);
    return true;
  }

  /**
   * To be called every few seconds. Writes all that waits where that is one report; of more, those whose
   * turn it is: a key that is in use all the time is written every sixth time, and none waits for twelve.
   */
  writeDue(): Promise<void> {
    if (this.#turn % TURNS === 0) this.#share = Math.ceil(this.size / TURNS);
    this.#turn += 1;
    return this.#write(Math.max(WRITE_MAX, this.#share, this.size - WAITING_CALM));
  }

  /** Writes what waits, unless there is no database: then it waits on. */
  write(): Promise<void> {
    return this.#write(Infinity);
  }

  /** @param count keys, in whole reports */
  async #write(count: number): Promise<void> {
    if (this.#isWriting) return;
    this.#isWriting = true;
    try {
      for (let written = 0; written < count && this.size > 0; written += WRITE_MAX) {
        if (!(await this.#writeSome())) return;
      }
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
    for (const [uid, used] of this.#used) {
      if (reports.length === WRITE_MAX) break;
      const { uses, lastUsedMs } = used;
      reports.push({ uid, uses, lastUsedMs });
      used.uses = 0;
      this.#used.delete(uid);
    }
    return reports;
  }
}
