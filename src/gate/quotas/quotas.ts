/**
 * Uses of keys with a quota: reserved in the database by the handful, spent here. What all gates
 * together reserve never exceeds the quota, whoever is killed when; what a killed gate had reserved
 * and not spent counts as spent.
 */
import type { Clock } from '../../kernel/clock.ts';
import type { Entropy } from '../../kernel/entropy.ts';
import { classify } from '../../kernel/errors.ts';
import { SECOND_MS } from '../../kernel/time.ts';
import type { Lease, LeaseWish, UseLedger } from '../../ledger/gate.ts';
import { REFUSALS, type Refusal } from '../../terms/refusals.ts';
import type { Quota } from '../../terms/terms.ts';
import { within } from '../within.ts';
import { Count, tellOnce, type Taken, type Use } from './count.ts';
import { Endings } from './endings.ts';
import { leaseSize } from './sizing.ts';
import { Windows } from './windows.ts';

/** What reserves. */
export type LeaseLedger = Pick<UseLedger, 'lease' | 'reportLeases' | 'returnLeases'>;

/** What quotas need. */
type QuotaDeps = {
  /** The database; undefined: there is none now. */
  readonly ledger: () => LeaseLedger | undefined;
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** Gates that share the database, as somebody has said. */
  readonly replicas: number;
  /** A question to the database failed, by the reason of its error. */
  readonly onFailure: (reason: string) => void;
};

/** A call does not wait longer than this for a use. */
const WAIT_MS = 1_000;
const ASK_TIMEOUT_MS = 2_000;
/** Uses that nobody asked for this long go back. */
const IDLE_MS = 10 * SECOND_MS;
const WISHES_MAX = 200;

/** See the file comment. */
export class Quotas {
  readonly #deps: QuotaDeps;
  readonly #windows = new Windows();
  readonly #counts = new Map<string, Count>();
  readonly #endings: Endings;
  #line: Count[] = [];
  #sending: Promise<void> | undefined;
  /** Leases that were granted so far. */
  granted = 0;

  constructor(deps: QuotaDeps) {
    this.#deps = deps;
    this.#endings = new Endings(deps);
  }

  /** Counts that are in use. */
  get size(): number {
    return this.#counts.size;
  }

  /** Uses that are reserved here and not spent. */
  get unspent(): number {
    let sum = 0;
    for (const count of this.#counts.values()) sum += count.left;
    return sum;
  }

  /**
   * Takes one use of a quota that is counted: of at least 1 request.
   *
   * @returns uses left, or a refusal: QuotaUsedUp, or QuotaUnknown where the database cannot say
   */
  take(subject: string, quota: Quota, nowMs: number): Taken | Promise<Use | Refusal> {
    const window = this.#windows.at(quota, nowMs);
    if (window === undefined) return REFUSALS.QuotaUnknown;
    const monotonicMs = this.#deps.clock.monotonicMs();
    let count = this.#counts.get(subject);
    const limit = quota.requests;
    if (count?.of.limit !== limit || count.of.window.startMs !== window.startMs) {
      if (count !== undefined) this.#end(count);
      count = new Count({ subject, limit, window }, monotonicMs);
      this.#counts.set(subject, count);
    }
    return count.take(monotonicMs) ?? this.#wait(count);
  }

  /** Whole seconds until the quota begins anew, from 1; undefined: it never does. */
  renewsInSeconds(quota: Quota, nowMs: number): number | undefined {
    const endMs = this.#windows.at(quota, nowMs)?.endMs;
    return endMs === undefined ? undefined : Math.ceil((endMs - nowMs) / SECOND_MS);
  }

  /** To be called about each second: returns what lies idle and what belongs to windows that ended. */
  async tidy(): Promise<void> {
    const { clock } = this.#deps;
    const idleSinceMs = clock.monotonicMs() - IDLE_MS;
    const nowMs = clock.nowMs();
    for (const [subject, count] of this.#counts) {
      const { endMs } = count.of.window;
      const isOver = endMs !== undefined && nowMs >= endMs;
      if (count.isAsking || (count.lastUseMs > idleSinceMs && !isOver)) continue;
      this.#counts.delete(subject);
      this.#end(count);
    }
    await this.#endings.send();
  }

  /** Tells the database how far each lease is spent, for status. Failures are left to the next time. */
  async report(): Promise<void> {
    const reports = [...this.#counts.values()].flatMap((count) => count.report() ?? []);
    await this.#endings.report(reports);
  }

  /** Everything that was reserved is void: it was reserved in another database. */
  clear(): void {
    for (const count of this.#counts.values()) count.fail(REFUSALS.QuotaUnknown);
    this.#counts.clear();
    this.#line = [];
    this.#endings.clear();
  }

  /** Returns everything. Calls that come later reserve anew, so stop them first. */
  async close(): Promise<void> {
    await this.#sending;
    for (const count of this.#counts.values()) this.#end(count);
    this.#counts.clear();
    await this.#endings.send();
  }

  #wait(count: Count): Promise<Use | Refusal> {
    const { promise, resolve } = Promise.withResolvers<Use | Refusal>();
    const waiter = count.wait((taken) => {
      cancel();
      resolve(
        typeof taken === 'number' ? { left: taken, giveBack: () => count.giveBack() } : taken,
      );
    });
    const cancel = this.#deps.clock.after(WAIT_MS, () => tellOnce(waiter, REFUSALS.QuotaUnknown));
    this.#ask(count);
    return promise;
  }

  #ask(count: Count): void {
    if (count.isAsking) return;
    count.isAsking = true;
    this.#line.push(count);
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
  }

  /** One question at a time; whoever asks meanwhile is in the next. */
  async #sendAll(): Promise<void> {
    while (this.#line.length > 0) {
      const counts = this.#line.splice(0, WISHES_MAX);
      const leases = await this.#reserve(counts.map((count) => this.#wishOf(count)));
      for (const [index, count] of counts.entries()) {
        count.isAsking = false;
        this.#settle(count, leases?.[index]);
      }
    }
  }

  async #reserve(wishes: readonly LeaseWish[]): Promise<readonly Lease[] | undefined> {
    const { clock, ledger, onFailure } = this.#deps;
    const asked = ledger();
    if (asked === undefined) return undefined;
    try {
      return await within(clock, ASK_TIMEOUT_MS, asked.lease(wishes));
    } catch (thrown) {
      onFailure(classify(thrown).reason);
      return undefined;
    }
  }

  #settle(count: Count, lease: Lease | undefined): void {
    const isCurrent = this.#counts.get(count.of.subject) === count;
    if (lease === undefined || lease.id !== count.wishId) {
      // Whether it was reserved nobody knows: the same id is asked again, or returned.
      count.fail(REFUSALS.QuotaUnknown);
      if (!isCurrent) this.#end(count);
      return;
    }
    this.granted += 1;
    this.#endings.add(count.release());
    const next = count.receive(lease, this.#deps.clock.monotonicMs());
    if (next === 'AskAgain') this.#ask(count);
    else if (!isCurrent) this.#end(count);
  }

  #wishOf(count: Count): LeaseWish {
    const { clock, entropy, replicas } = this.#deps;
    const { limit, subject, window } = count.of;
    count.wishId ??= entropy(16).toString('hex');
    return {
      id: count.wishId,
      subject,
      windowStartMs: window.startMs,
      windowEndMs: window.endMs,
      limit,
      uses: leaseSize({
        waiting: count.waiting,
        recentUses: count.recent.at(clock.monotonicMs()),
        unreserved: count.unreserved,
        limit,
        replicas,
      }),
      nowMs: clock.nowMs(),
    };
  }

  /** While a question is open its answer ends it; see `#settle`. */
  #end(count: Count): void {
    this.#endings.add(count.release());
    if (count.isAsking || count.wishId === undefined) return;
    this.#endings.add({ id: count.wishId, spent: 0, isSpent: false });
    count.wishId = undefined;
  }
}
