/**
 * The names that a ledger may hold a record of, so that a key which was never issued costs no read.
 * It only ever spares the question; what it says is proven by the commit that follows: a first commit
 * expects revision 0, and the ledger answers Stale when there is a record all the same.
 *
 * Complete means: since we opened our epoch, a scan has gone from the first record to the last.
 * Whoever led before us cannot commit any more, so every later record is one of our own commits,
 * and those are noted before they are sent.
 */
import type { Ref, UidRef } from '../api/meta.ts';
import type { Commit, CommitResult, Ledger, Page } from './port.ts';

/**
 * UIDs of the records of each name, nearly always one; an entry for each record that is not Ended.
 */
export class KnownNames {
  readonly #namespaces = new Map<string, Map<string, string | readonly string[]>>();
  #isFenced = false;
  #isComplete = false;
  /** Where the scan has come to without a gap; undefined: to the beginning. */
  #scannedTo: string | undefined;

  /** The same ledger, with its epochs, scans and commits noted here. */
  watch(ledger: Ledger): Ledger {
    return {
      ...ledger,
      openEpoch: async (epoch, holder) => {
        await ledger.openEpoch(epoch, holder);
        this.#isFenced = true;
      },
      scan: async (limit, after) => {
        const isFenced = this.#isFenced;
        const page = await ledger.scan(limit, after);
        if (isFenced) this.#scanned(page, after);
        return page;
      },
      commit: (commit) => this.#commit(ledger, commit),
    };
  }

  /** False: there is no record under this name that is not Ended. True: there may be one. */
  mayHold({ namespace, name }: Ref): boolean {
    return !this.#isComplete || this.#namespaces.get(namespace)?.has(name) === true;
  }

  /** Before it is sent, because an answer that got lost may have been a yes. */
  async #commit(ledger: Ledger, commit: Commit): Promise<CommitResult> {
    this.#add(commit.record);
    const result = await ledger.commit(commit);
    if (result.type === 'Committed' && result.record.phase === 'Ended') this.#remove(result.record);
    return result;
  }

  #scanned(page: Page, after: string | undefined): void {
    for (const record of page.records) this.#add(record);
    if (this.#isComplete || after !== this.#scannedTo) return;
    this.#scannedTo = page.next;
    this.#isComplete = page.next === undefined;
  }

  #add({ namespace, name, uid }: UidRef): void {
    let names = this.#namespaces.get(namespace);
    if (names === undefined) this.#namespaces.set(namespace, (names = new Map()));
    const held = uidsOf(names.get(name));
    if (held.includes(uid)) return;
    names.set(name, held.length === 0 ? uid : [...held, uid]);
  }

  #remove({ namespace, name, uid }: UidRef): void {
    const names = this.#namespaces.get(namespace);
    if (names === undefined) return;
    const left = uidsOf(names.get(name)).filter((held) => held !== uid);
    if (left.length > 0) names.set(name, left);
    else names.delete(name);
    if (names.size === 0) this.#namespaces.delete(namespace);
  }
}

function uidsOf(held: string | readonly string[] | undefined): readonly string[] {
  if (held === undefined) return [];
  return typeof held === 'string' ? [held] : held;
}
