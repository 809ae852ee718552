/**
 * Pays debts: credentials at vendors whose keys are gone, because the vendor was down when they were
 * deleted. Every half minute all debts are paged through and each store that is owed something gets
 * one worker, which pays one credential after the other. A store that fails is left alone in growing
 * pauses and holds up no other, and so is a key. A debt leaves the ledger only when it is paid.
 */
import { sleep, type Clock } from '../../kernel/clock.ts';
import { classify } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import { MINUTE_MS, SECOND_MS } from '../../kernel/time.ts';
import type { Commit, Ledger } from '../../ledger/port.ts';
import type { KeyRecord } from '../../ledger/record.ts';
import type { OpenedStore } from '../../stores/opened.ts';
import { subjectOf, type Subject } from '../../stores/subject.ts';
import type { DebtMetrics, StoreDebts } from './metrics.ts';
import { Pauses } from './pauses.ts';
import { noteTrouble, owedBy, payDebt, type PayDeps } from './pay.ts';

/** While something is owed. */
const ROUND_MS = 30 * SECOND_MS;
/** While nothing is known to be owed: the command line may have ended a key meanwhile. */
const IDLE_ROUND_MS = 2 * MINUTE_MS;
/** Many deletions one after the other are one occasion. */
const ROUND_MIN_MS = SECOND_MS;
const PAGE = 200;
/** Keys that one store's worker takes on before debts are paged through again. */
const BATCH_MAX = 200;
/**
 * Keys in a row whose failures may be the vendor's as well as their own, before their store counts as
 * failed: one bad credential stops nothing, and a vendor that is down is not asked once per debt.
 */
const DOUBTS_MAX = 2;

/** What the worker is made of. */
type DebtOptions = {
  readonly ledger: Pick<Ledger, 'commit' | 'claimedIds' | 'debts' | 'load'>;
  readonly clock: Clock;
  readonly clusterId: string;
  readonly epoch: () => number;
  /** The account that the key's store leads to, or led to. @throws StoreFailure, KeywardError */
  readonly session: (
    debtor: Pick<KeyRecord, 'namespace' | 'store'>,
    signal: AbortSignal,
  ) => Promise<OpenedStore>;
  readonly metrics: DebtMetrics;
  readonly log: Logger;
};

type Pile = {
  debts: StoreDebts;
  /** Keys that have not failed yet. */
  readonly fresh: string[];
  /** Keys whose pause is over. */
  readonly failed: string[];
};

/** One walk through the debts of a store. */
type Visit = {
  readonly storeUid: string;
  readonly stop: AbortSignal;
  /** Failures in a row of which it is open whose they are. */
  doubts: number;
};

/** A key that was not paid, and what its failure may be about. */
type Failure = { readonly uid: string; readonly about: Subject };

/** See the file comment. */
export class DebtWorker {
  readonly #options: DebtOptions;
  readonly #deps: PayDeps;
  readonly #pauses: Pauses;
  /** Stores that are being worked at. */
  readonly #busy = new Set<string>();
  #wake = new AbortController();

  constructor(options: DebtOptions) {
    this.#options = options;
    this.#pauses = new Pauses(options.clock);
    this.#deps = { ...options, onPaid: () => options.metrics.paid() };
  }

  /** The same ledger; a commit that leaves a debt has it paid at once. */
  static watch(ledger: Ledger, onDebt: () => void): Ledger {
    return {
      ...ledger,
      commit: async (commit: Commit) => {
        const result = await ledger.commit(commit);
        const isNew = commit.audit.facts['because'] !== 'Debt';
        if (isNew && result.type === 'Committed' && isDebtor(result.record)) onDebt();
        return result;
      },
    };
  }

  /** Looks for debts now. */
  hurry(): void {
    this.#wake.abort();
  }

  /** Works until `stop`. Never rejects. */
  async run(stop: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!stop.aborted) {
      this.#wake = new AbortController();
      let pauseMs = ROUND_MS;
      try {
        // One round after the other is what this loop is for.
        // oxlint-disable-next-line no-await-in-loop
        const { owed } = await this.round(stop);
        if (owed === 0) pauseMs = IDLE_ROUND_MS;
      } catch (error) {
        if (!stop.aborted) log.warn('Debts could not be read', { reason: classify(error).reason });
      }
      const woken = AbortSignal.any([stop, this.#wake.signal]);
      // oxlint-disable-next-line no-await-in-loop
      await sleep(clock, pauseMs, woken).catch(() => undefined);
      // oxlint-disable-next-line no-await-in-loop
      await sleep(clock, ROUND_MIN_MS, stop).catch(() => undefined);
    }
  }

  /** Counts all debts, and starts to pay those of each store that is not paused or busy. */
  async round(
    stop: AbortSignal,
  ): Promise<{ readonly owed: number; readonly paying: readonly Promise<void>[] }> {
    const piles = await this.#collect();
    const debts = [...piles.values()].map((pile) => pile.debts);
    this.#options.metrics.owed(debts);
    const paying = [...piles]
      .filter(([storeUid]) => !this.#busy.has(storeUid) && !this.#pauses.isPausing(storeUid))
      .map(([storeUid, pile]) => this.#payStore(storeUid, this.#inTurn(pile), stop));
    return { owed: debts.reduce((sum, { credentials }) => sum + credentials, 0), paying };
  }

  async #collect(): Promise<ReadonlyMap<string, Pile>> {
    const piles = new Map<string, Pile>();
    const known = new Set<string>();
    let after: string | undefined;
    do {
      // oxlint-disable-next-line no-await-in-loop
      const page = await this.#options.ledger.debts(PAGE, after);
      for (const record of page.records) {
        known.add(record.uid).add(record.store.uid);
        this.#pile(piles, record);
      }
      after = page.next;
    } while (after !== undefined);
    this.#pauses.keep(known);
    return piles;
  }

  #pile(piles: Map<string, Pile>, record: KeyRecord): void {
    const { store, namespace, uid } = record;
    const credentials = owedBy(record).length;
    const pile = piles.get(store.uid) ?? {
      debts: { store, namespace, credentials: 0 },
      fresh: [],
      failed: [],
    };
    pile.debts = { ...pile.debts, credentials: pile.debts.credentials + credentials };
    if (this.#pauses.endMs(uid) !== undefined) {
      if (!this.#pauses.isPausing(uid)) pile.failed.push(uid);
    } else if (pile.fresh.length < BATCH_MAX) pile.fresh.push(uid);
    piles.set(store.uid, pile);
  }

  /** Whoever failed stands behind all others, or the same few would stop their store each time. */
  #inTurn({ fresh, failed }: Pile): readonly string[] {
    const endMs = (uid: string): number => this.#pauses.endMs(uid) ?? 0;
    const longestFirst = failed.toSorted((a, b) => endMs(a) - endMs(b));
    return [...fresh, ...longestFirst].slice(0, BATCH_MAX);
  }

  async #payStore(storeUid: string, uids: readonly string[], stop: AbortSignal): Promise<void> {
    this.#busy.add(storeUid);
    const visit: Visit = { storeUid, stop, doubts: 0 };
    try {
      for (const uid of uids) {
        if (stop.aborted) return;
        // In turn: a vendor that has just come back is not overrun.
        // oxlint-disable-next-line no-await-in-loop
        if ((await this.#payKey(uid, visit)) === 'StopStore') return;
      }
      this.#pauses.end(storeUid);
      if (uids.length === BATCH_MAX) this.hurry();
    } catch (error) {
      if (stop.aborted) return;
      const { reason, retryAfterMs } = classify(error);
      this.#pauses.grow(storeUid, retryAfterMs);
      this.#options.log.warn('Debts could not be paid', { reason, storeUid });
    } finally {
      this.#busy.delete(storeUid);
    }
  }

  async #payKey(uid: string, visit: Visit): Promise<'GoOn' | 'StopStore'> {
    const { ledger, session } = this.#options;
    const { stop } = visit;
    const { record } = await ledger.load(uid, { namespace: '', name: '' });
    if (record === undefined || !isDebtor(record)) return 'GoOn';
    let opened: OpenedStore | undefined;
    try {
      opened = await session(record, stop);
      const payment = await payDebt({ deps: this.#deps, session: opened, signal: stop }, record);
      visit.doubts = 0;
      if (payment.left === undefined) {
        this.#pauses.end(uid);
        this.#pauses.end(visit.storeUid);
        return 'GoOn';
      }
      this.#pauses.grow(uid, payment.left === 'Unsettled' ? 0 : IDLE_ROUND_MS);
      await this.#note(payment.record, payment.left);
      return 'GoOn';
    } catch (error) {
      if (stop.aborted) throw error;
      const about = opened === undefined ? 'Store' : subjectOf(error);
      return this.#failed({ uid, about }, error, visit);
    }
  }

  /** What a vendor cannot do with one credential is no reason to leave the others unpaid. */
  async #failed(
    { uid, about }: Failure,
    error: unknown,
    visit: Visit,
  ): Promise<'GoOn' | 'StopStore'> {
    const { reason, retryAfterMs, class: errorClass } = classify(error);
    if (about === 'Either') visit.doubts += 1;
    const isOver = about === 'Store' || visit.doubts >= DOUBTS_MAX;
    if (about !== 'Store') this.#pauses.grow(uid, retryAfterMs);
    if (isOver) this.#pauses.grow(visit.storeUid, retryAfterMs);
    this.#options.metrics.failed(reason);
    if (errorClass !== 'Conflict') {
      const { record } = await this.#options.ledger.load(uid, { namespace: '', name: '' });
      if (record !== undefined && isDebtor(record)) await this.#note(record, reason);
    }
    return isOver ? 'StopStore' : 'GoOn';
  }

  async #note(record: KeyRecord, reason: string): Promise<void> {
    await noteTrouble(this.#deps, record, reason);
  }
}

function isDebtor(record: KeyRecord): boolean {
  const hasNoObject = record.phase === 'Ended' || record.phase === 'Retained';
  return hasNoObject && owedBy(record).length > 0;
}
