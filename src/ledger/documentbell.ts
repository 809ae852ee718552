/** Tells who listens that a document was committed, by whichever controller. */
import type { DocumentChange } from './documents.ts';
import type { Ledger } from './port.ts';

/** In whose commit a document changed: a key's, or one of documents alone. */
type DocumentOrigin = 'Key' | 'Documents';

/** Called after the commit; must not throw. The document is as it was committed, its revision is not. */
type DocumentListener = (change: DocumentChange, origin: DocumentOrigin) => void;

/** Rings for each document, once its commit has succeeded or may have. */
export class DocumentBell {
  readonly #listeners: DocumentListener[] = [];

  /** From now on, for as long as the process lives. */
  listen(listener: DocumentListener): void {
    this.#listeners.push(listener);
  }

  /** The same ledger; what is committed through it rings. */
  watch(ledger: Ledger): Ledger {
    return {
      ...ledger,
      commit: (commit) => {
        const { documents } = commit;
        const result = ledger.commit(commit);
        return documents === undefined ? result : this.#after(result, documents, 'Key');
      },
      commitDocuments: (commit) =>
        this.#after(ledger.commitDocuments(commit), commit.changes, 'Documents'),
    };
  }

  async #after<R extends { readonly type: string }>(
    answer: Promise<R>,
    changes: readonly DocumentChange[],
    origin: DocumentOrigin,
  ): Promise<R> {
    try {
      const result = await answer;
      if (result.type === 'Committed') this.#ring(changes, origin);
      return result;
    } catch (thrown) {
      // An answer that got lost may have been a yes, and a look too many changes nothing.
      this.#ring(changes, origin);
      throw thrown;
    }
  }

  #ring(changes: readonly DocumentChange[], origin: DocumentOrigin): void {
    for (const change of changes) {
      for (const listener of this.#listeners) listener(change, origin);
    }
  }
}
