/**
 * Pays debts: credentials at vendors whose keys are gone, because the vendor was down when they were
 * deleted. Every half minute all debts are paged through and each store that is owed something gets
 * one worker, which pays one credential after the other; a store that fails is left alone in growing
 * pauses and holds up no other. A debt leaves the ledger only when it is paid.
 */
import { sleep, type Clock } from '../../kernel/clock.ts';
import { classify } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import { MINUTE_MS, SECOND_MS } from '../../kernel/time.ts';
import type { Commit, Ledger } from '../../ledger/port.ts';
import type { KeyRecord } from '../../ledger/record.ts';
import { StoreFailure } from '../../stores/contract.ts';
import type { OpenedStore } from '../../stores/opened.ts';
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

/** What the worker is made of. */
export type DebtOptions = {
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

type Pile = { debts: StoreDebts; readonly uids: string[] };

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
      .map(([storeUid, { uids }]) => this.#payStore(storeUid, uids, stop));
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
      uids: [],
    };
    pile.debts = { ...pile.debts, credentials: pile.debts.credentials + credentials };
    if (pile.uids.length < BATCH_MAX && !this.#pauses.isPausing(uid)) pile.uids.push(uid);
    piles.set(store.uid, pile);
  }

  async #payStore(storeUid: string, uids: readonly string[], stop: AbortSignal): Promise<void> {
    this.#busy.add(storeUid);
    try {
      for (const uid of uids) {
        if (stop.aborted) return;
        // In turn: a vendor that has just come back is not overrun.
        // oxlint-disable-next-line no-await-in-loop
        if ((await this.#payKey(uid, stop)) === 'StopStore') return;
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

  async #payKey(uid: string, stop: AbortSignal): Promise<'GoOn' | 'StopStore'> {
    const { ledger, session } = this.#options;
    const { record } = await ledger.load(uid, { namespace: '', name: '' });
    if (record === undefined || !isDebtor(record)) return 'GoOn';
    try {
      const opened = await session(record, stop);
      const payment = await payDebt({ deps: this.#deps, session: opened, signal: stop }, record);
      if (payment.left === undefined) {
        this.#pauses.end(uid);
        return 'GoOn';
      }
      this.#pauses.grow(uid, payment.left === 'Unsettled' ? 0 : IDLE_ROUND_MS);
      await this.#note(payment.record, payment.left);
      return 'GoOn';
    } catch (error) {
      if (stop.aborted) throw error;
      return this.#failed(uid, record.store.uid, error);
    }
  }

  /** What a vendor does not accept about one credential is no reason to leave the others unpaid. */
  async #failed(uid: string, storeUid: string, error: unknown): Promise<'GoOn' | 'StopStore'> {
    const { reason, retryAfterMs, class: errorClass } = classify(error);
    const isOfKey =
      errorClass === 'Conflict' || (error instanceof StoreFailure && error.kind === 'Refused');
    this.#pauses.grow(isOfKey ? uid : storeUid, retryAfterMs);
    this.#options.metrics.failed(reason);
    if (errorClass === 'Conflict') return 'GoOn';
    const { record } = await this.#options.ledger.load(uid, { namespace: '', name: '' });
    if (record !== undefined && isDebtor(record)) await this.#note(record, reason);
    return isOfKey ? 'GoOn' : 'StopStore';
  }

  async #note(record: KeyRecord, reason: string): Promise<void> {
    await noteTrouble(this.#deps, record, reason);
  }
}

function isDebtor(record: KeyRecord): boolean {
  const hasNoObject = record.phase === 'Ended' || record.phase === 'Retained';
  return hasNoObject && owedBy(record).length > 0;
}
