/** Everything that the gate knows of its database, and how it is read. */
import { sleep, type Clock } from '../../kernel/clock.ts';
import type { Documents } from '../../ledger/documents.ts';
import type { GateLedger } from '../../ledger/gate.ts';
import { within } from '../within.ts';
import type { KnownIds } from './knownids.ts';
import type { Known, Records } from './records.ts';
import { GATE_KINDS, type GateKind, type Surroundings } from './surroundings.ts';

const KEY_IDS_PAGE = 5_000;
const DOCUMENTS_PAGE = 500;
const PAGE_TIMEOUT_MS = 10_000;
/** Objects whose documents are read beside each other. */
const ABREAST = 16;

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
    for (const kind of GATE_KINDS) {
      await this.#readPages(kind, bounded, (documents) => {
        for (const document of documents) this.around.put(kind, document);
      });
    }
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
    await (this.#isScanCheaper(uids)
      ? this.#rescan(uids, ledger, isCurrent)
      : this.#reread(uids, ledger, isCurrent));
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
    for (const kind of GATE_KINDS) {
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
    for (let at = 0; at < uids.length; at += ABREAST) {
      const some = uids.slice(at, at + ABREAST);
      const reading = some.flatMap((uid) =>
        GATE_KINDS.map(async (kind) => {
          const document = await ledger.loadDocument(kind, uid);
          if (document !== undefined && isCurrent()) this.around.put(kind, document);
        }),
      );
      await Promise.all(reading);
    }
  }

  async #readPages<K extends GateKind>(
    kind: K,
    ledger: Pick<GateLedger, 'scanDocuments'>,
    take: (documents: readonly Documents[K][]) => void,
  ): Promise<void> {
    let after: string | undefined;
    do {
      const page = await ledger.scanDocuments(kind, DOCUMENTS_PAGE, after);
      take(page);
      after = page.length < DOCUMENTS_PAGE ? undefined : page.at(-1)?.uid;
    } while (after !== undefined);
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
