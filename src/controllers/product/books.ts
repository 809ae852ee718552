/**
 * What gates know of products, in the memory of the one leader: read once, and after that followed
 * through our own commits, because whoever led before cannot commit any more. Two products can want the
 * same claim at the same time, so commits are made one after the other.
 */
import type { Ref } from '../../api/meta.ts';
import type { ProductRecord } from '../../ledger/documents.ts';
import type { AuditEntry, Ledger } from '../../ledger/port.ts';
import { ledgerMoved } from '../../runtime/behind.ts';

/** Documents at a time when everything is read. */
const PAGE = 500;

/** What shall be known, and what the audit chain says of it. */
export type ProductCommit = {
  /** Their own `revision` is what is compared. At least one; the audit entry is about the first. */
  readonly records: readonly ProductRecord[];
  readonly audit: AuditEntry;
};

/** See the file comment. */
export class ProductBooks {
  readonly #ledger: Pick<Ledger, 'loadDocument' | 'scanDocuments' | 'commitDocuments'>;
  readonly #epoch: () => number;
  readonly #known = new Map<string, ProductRecord>();
  readonly #waiting = new Map<string, Ref>();
  readonly #listeners: ((refs: readonly Ref[]) => void)[] = [];
  #loading: Promise<void> | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  /** @param epoch of the leadership under which is committed */
  constructor(
    ledger: Pick<Ledger, 'loadDocument' | 'scanDocuments' | 'commitDocuments'>,
    epoch: () => number,
  ) {
    this.#ledger = ledger;
    this.#epoch = epoch;
  }

  /** Live records by UID, as they are at this moment. Repeatable. @throws KeywardError of the ledger */
  async known(): Promise<ReadonlyMap<string, ProductRecord>> {
    this.#loading ??= this.#load();
    try {
      await this.#loading;
    } catch (error) {
      this.#loading = undefined;
      throw error;
    }
    return this.#known;
  }

  /** What the next commit about this UID is compared with; 0: there never was one. */
  async revisionOf(uid: string): Promise<number> {
    const known = this.#known.get(uid) ?? (await this.#ledger.loadDocument('Product', uid));
    return known?.revision ?? 0;
  }

  /** A claim of this product is taken; whoever listens hears of it when that may have changed. */
  await(ref: Ref): void {
    this.#waiting.set(ref.name, ref);
  }

  /** Called with those who waited, after each commit. */
  onChange(listener: (refs: readonly Ref[]) => void): void {
    this.#listeners.push(listener);
  }

  /**
   * Commits what `decide` makes of what is known then; undefined: nothing. One at a time.
   *
   * @throws KeywardError Conflict when a record is another one than was known; everything is read anew
   */
  async commit(
    decide: (
      known: ReadonlyMap<string, ProductRecord>,
    ) => ProductCommit | undefined | Promise<ProductCommit | undefined>,
  ): Promise<void> {
    const turn = this.#turn.then(async () => {
      const wish = await decide(await this.known());
      if (wish !== undefined) await this.#commit(wish);
    });
    // Whoever is next waits for the end of this turn, however it ended.
    this.#turn = turn.catch(() => undefined);
    await turn;
  }

  async #commit({ records, audit }: ProductCommit): Promise<void> {
    try {
      const { type } = await this.#ledger.commitDocuments({
        changes: records.map((document) => ({
          kind: 'Product',
          document,
          expectedRevision: document.revision,
        })),
        epoch: this.#epoch(),
        audit,
      });
      if (type === 'Stale') throw ledgerMoved(`ApiProduct '${records[0]?.name}'`);
    } catch (error) {
      // Nobody knows what is stored now.
      this.#loading = undefined;
      throw error;
    }
    for (const record of records) this.#note({ ...record, revision: record.revision + 1 });
    const refs = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const listener of this.#listeners) listener(refs);
  }

  #note(record: ProductRecord): void {
    if (record.phase === 'Live') this.#known.set(record.uid, record);
    else this.#known.delete(record.uid);
  }

  async #load(): Promise<void> {
    const all: ProductRecord[] = [];
    for (let after: string | undefined; ;) {
      // Each page begins where the one before ended.
      // oxlint-disable-next-line no-await-in-loop
      const page = await this.#ledger.scanDocuments('Product', PAGE, after);
      all.push(...page);
      if (page.length < PAGE) break;
      after = page.at(-1)?.uid;
    }
    this.#known.clear();
    for (const record of all) this.#known.set(record.uid, record);
  }
}
