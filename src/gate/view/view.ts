/** Everything that the gate knows of its database, and how it is read. */
import { sleep, type Clock } from '../../kernel/clock.ts';
import type { Documents, ProductRecord } from '../../ledger/documents.ts';
import type { GateLedger } from '../../ledger/gate.ts';
import { within } from '../within.ts';
import type { KnownIds } from './knownids.ts';
import type { Known, Records } from './records.ts';
import { GATE_KINDS, type GateKind, type Surroundings } from './surroundings.ts';

const KEY_IDS_PAGE = 5_000;
const DOCUMENTS_PAGE = 500;
/** More than there are: one that takes over is seen before or afterwards, and not in between. */
const PRODUCTS_PAGE = 5_000;
const PAGE_TIMEOUT_MS = 10_000;
/** Objects whose documents are read beside each other. */
const ABREAST = 16;
/** The feed names each of their documents that changed; of the products of one commit it names one. */
const LONE_KINDS = GATE_KINDS.filter((kind) => kind !== 'Product');

/** The three parts, and the ways to fill them. */
export class View {
  readonly known: KnownIds;
  readonly records: Records;
  readonly around: Surroundings;
  /** Counts the looks: an answer that comes after the next look began may be older than what is known. */
  #look = 0;

  constructor(parts: Pick<View, 'known' | 'records' | 'around'>) {
    this.known = parts.known;
    this.records = parts.records;
    this.around = parts.around;
  }

  /** What is known of this keyId; undefined: it exists, and its record has to be read. */
  find(keyId: string): Known | undefined {
    // First where most are. What is not known to exist costs the database nothing.
    const known = this.records.get(keyId);
    return known === undefined && !this.known.has(keyId) ? 'Gone' : known;
  }

  /** Whether there is no such id: what `find` does for one that is not in the cache, and no more. */
  isUnknown(keyId: string): boolean {
    return this.records.isGone(keyId) || !this.known.has(keyId);
  }

  /** Forgets everything. */
  clear(): void {
    this.#look += 1;
    this.known.clear();
    this.records.clear();
    this.around.clear();
  }

  /**
   * Reads everything that has to be known before calls can be decided.
   *
   * @throws KeywardError of the ledger; then the view is not complete
   */
  async readAll(ledger: GateLedger, clock: Clock, stop: AbortSignal): Promise<void> {
    const bounded = boundedBy(clock, ledger);
    for (const kind of LONE_KINDS) {
      await this.#readPages(kind, bounded, (documents) => {
        for (const document of documents) this.around.put(kind, document);
      });
    }
    await this.#readProducts(bounded, () => true);
    let after: string | undefined;
    for (;;) {
      const page = await bounded.keyIds(KEY_IDS_PAGE, after);
      this.known.add(page);
      after = page.at(-1);
      if (page.length < KEY_IDS_PAGE) return;
      // Probes and calls, which are refused meanwhile, get their turn.
      await sleep(clock, 0, stop);
    }
  }

  /** These changed: keys, or documents of any kind; the feed does not say which. Repeatable. */
  async takeIn(uids: readonly string[], ledger: GateLedger): Promise<void> {
    this.#look += 1;
    const look = this.#look;
    this.records.forget(uids);
    const keyIds = await ledger.keyIdsOf(uids);
    this.known.add(keyIds);
    this.records.appeared(keyIds);
    const isCurrent = (): boolean => look === this.#look;
    await Promise.all(
      this.#isScanCheaper(uids)
        ? [this.#rescan(uids, ledger, isCurrent), this.#readProducts(ledger, isCurrent)]
        : [this.#reread(uids, ledger, isCurrent), this.#rereadProducts(uids, ledger, isCurrent)],
    );
  }

  /** Whether reading all documents takes fewer questions than looking for each of these in each kind. */
  #isScanCheaper(uids: readonly string[]): boolean {
    return uids.length > 1 + this.around.size / DOCUMENTS_PAGE;
  }

  /** Keys are issued by the hundred, and of none of them there is a document. */
  async #rescan(
    uids: readonly string[],
    ledger: GateLedger,
    isCurrent: () => boolean,
  ): Promise<void> {
    for (const kind of LONE_KINDS) {
      const missing = new Set(uids);
      await this.#readPages(kind, ledger, (documents) => {
        const changed = documents.filter(({ uid }) => missing.delete(uid));
        if (isCurrent()) for (const document of changed) this.around.put(kind, document);
      });
      if (isCurrent()) for (const uid of missing) this.around.drop(kind, uid);
    }
  }

  async #reread(
    uids: readonly string[],
    ledger: GateLedger,
    isCurrent: () => boolean,
  ): Promise<void> {
    await inTurns(uids, (uid) =>
      LONE_KINDS.map(async (kind) => {
        const document = await ledger.loadDocument(kind, uid);
        if (document !== undefined && isCurrent()) this.around.put(kind, document);
      }),
    );
  }

  /**
   * Reads all products when any of these is one, or was. Only so is it known what else became of them in
   * that commit: one that is made anew ends its predecessors.
   */
  async #rereadProducts(
    uids: readonly string[],
    ledger: GateLedger,
    isCurrent: () => boolean,
  ): Promise<void> {
    let isAnyNamed = uids.some((uid) => this.around.hasProduct(uid));
    const look = async (uid: string): Promise<void> => {
      // Also when it has ended: others may have ended with it.
      if ((await ledger.loadDocument('Product', uid)) !== undefined) isAnyNamed = true;
    };
    if (!isAnyNamed) await inTurns(uids, (uid) => [look(uid)]);
    if (isAnyNamed) await this.#readProducts(ledger, isCurrent);
  }

  /** What is known of them changes when all of them are read: two must not claim the same place meanwhile. */
  async #readProducts(
    ledger: Pick<GateLedger, 'scanDocuments'>,
    isCurrent: () => boolean,
  ): Promise<void> {
    const products: ProductRecord[] = [];
    await this.#readPages('Product', ledger, (page) => products.push(...page));
    if (isCurrent()) this.around.putProducts(products);
  }

  async #readPages<K extends GateKind>(
    kind: K,
    ledger: Pick<GateLedger, 'scanDocuments'>,
    take: (documents: readonly Documents[K][]) => void,
  ): Promise<void> {
    const limit = kind === 'Product' ? PRODUCTS_PAGE : DOCUMENTS_PAGE;
    let after: string | undefined;
    do {
      const page = await ledger.scanDocuments(kind, limit, after);
      take(page);
      after = page.length < limit ? undefined : page.at(-1)?.uid;
    } while (after !== undefined);
  }
}

/** Asks about each of them, about some beside each other. */
async function inTurns(
  uids: readonly string[],
  ask: (uid: string) => readonly Promise<void>[],
): Promise<void> {
  for (let at = 0; at < uids.length; at += ABREAST) {
    await Promise.all(uids.slice(at, at + ABREAST).flatMap(ask));
  }
}

/** The same pages, each with a deadline. */
function boundedBy(clock: Clock, ledger: GateLedger): Pick<GateLedger, 'scanDocuments' | 'keyIds'> {
  return {
    scanDocuments: (kind, limit, after) =>
      within(clock, PAGE_TIMEOUT_MS, ledger.scanDocuments(kind, limit, after)),
    keyIds: (limit, after) => within(clock, PAGE_TIMEOUT_MS, ledger.keyIds(limit, after)),
  };
}
