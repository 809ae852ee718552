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
/** As many as two hexadecimal digits tell apart. */
const BINS = 256;
/** Of `writeDue`, until everybody had his turn. */
const TURNS = 6;
const BINS_PER_TURN = Math.ceil(BINS / TURNS);

/** What usage needs. */
type UsageDeps = {
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

/**
 * See the file comment. What waits is kept in bins by the beginning of its UID, and written bin by bin: rows
 * that lie together in the database are written together, which takes a third of the processor time that
 * it takes for as many anywhere in it.
 */
export class UsageCounter {
  readonly #deps: UsageDeps;
  readonly #bins: readonly Map<string, Use>[];
  #size = 0;
  /** Bins that were written so far; it goes round and round. */
  #turned = 0;
  #writing: Promise<void> | undefined;
  /** Uses that will never be written: nobody knows whether they were, or there was no room. */
  lost = 0;

  constructor(deps: UsageDeps) {
    this.#deps = deps;
    this.#bins = Array.from({ length: BINS }, () => new Map<string, Use>());
  }

  /** Keys that wait to be written. */
  get size(): number {
    return this.#size;
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
    const bin = this.#binAt(binOf(use.uid));
    const before = bin.get(use.uid);
    if (before === undefined && this.#size >= WAITING_MAX) return false;
    if (before === undefined) this.#size += 1;
    else {
      use.uses = before.uses;
      before.uses = 0;
    }
    bin.set(use.uid, use);
    return true;
  }

  /**
   * To be called every few seconds. Writes all that waits where that is one report; of more, those whose
   * turn it is: a key that is in use all the time is written every sixth time.
   */
  writeDue(): Promise<void> {
    // Each bin once: what is counted while this is written waits for the next time.
    const bins = this.size <= WRITE_MAX ? BINS : BINS_PER_TURN;
    return this.#writing ?? this.#write(this.#turned + bins);
  }

  /** Writes all that waits, unless there is no database: then it waits on. For when no calls come any more. */
  async write(): Promise<void> {
    await this.#writing;
    await this.#write(Infinity);
  }

  /** @param until as `#turned` */
  #write(until: number): Promise<void> {
    this.#writing = this.#writeBins(until).finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #writeBins(until: number): Promise<void> {
    while (this.#isDue(until)) {
      if (!(await this.#writeSome(until))) return;
    }
  }

  #isDue(until: number): boolean {
    return this.#size > 0 && (this.#turned < until || this.#size > WAITING_CALM);
  }

  async #writeSome(until: number): Promise<boolean> {
    const { clock, ledger, onFailure } = this.#deps;
    const written = ledger();
    if (written === undefined) return false;
    const reports = this.#takeSome(until);
    if (reports.length === 0) return true;
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

  /** One report, of bin after bin. */
  #takeSome(until: number): readonly UsageReport[] {
    const reports: UsageReport[] = [];
    while (reports.length < WRITE_MAX && this.#isDue(until)) {
      const bin = this.#binAt(this.#turned % BINS);
      this.#take(bin, reports);
      if (bin.size === 0) this.#turned += 1;
    }
    return reports;
  }

  #take(bin: Map<string, Use>, reports: UsageReport[]): void {
    for (const [uid, used] of bin) {
      if (reports.length === WRITE_MAX) return;
      const { uses, lastUsedMs } = used;
      reports.push({ uid, uses, lastUsedMs });
      used.uses = 0;
      bin.delete(uid);
      this.#size -= 1;
    }
  }

  #binAt(number: number): Map<string, Use> {
    const bin = this.#bins[number];
    if (bin === undefined) throw new RangeError(`there is no bin ${number}`);
    return bin;
  }
}

/** UIDs of Kubernetes are random and hexadecimal; others lie together as they may. */
function binOf(uid: string): number {
  // What is no number becomes 0.
  return Number.parseInt(uid.slice(0, 2), 16) & (BINS - 1);
}
