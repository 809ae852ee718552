/** Documents in memory, for ledgers that are no database. */
import type { DocumentChange, DocumentKind, Documents } from '../../src/ledger/documents.ts';
import type { Ledger } from '../../src/ledger/port.ts';

type Stored = Documents[DocumentKind];

/** As the databases keep them: compared, replaced as a whole, read as copies of what was written. */
export class MemoryDocuments {
  readonly #stored = new Map<DocumentKind, Map<string, Stored>>();

  areCurrent(changes: readonly DocumentChange[]): boolean {
    return changes.every(
      ({ kind, document, expectedRevision }) =>
        (this.#of(kind).get(document.uid)?.revision ?? 0) === expectedRevision,
    );
  }

  /** What is stored under this UID now. */
  peek<K extends DocumentKind>(kind: K, uid: string): Documents[K] | undefined {
    return this.#typed(kind).find((each) => each.uid === uid);
  }

  /** Only after `areCurrent`. */
  write(changes: readonly DocumentChange[]): void {
    for (const { kind, document, expectedRevision } of changes) {
      // Through JSON, as a database does it: what is undefined is not there afterwards.
      const copy = JSON.parse(JSON.stringify(document)) as Stored;
      this.#of(kind).set(document.uid, { ...copy, revision: expectedRevision + 1 });
    }
  }

  /** Puts a document there as if it had been committed. */
  put(...changes: readonly Omit<DocumentChange, 'expectedRevision'>[]): void {
    for (const { kind, document } of changes) {
      const expectedRevision = this.#of(kind).get(document.uid)?.revision ?? 0;
      this.write([{ kind, document, expectedRevision } as DocumentChange]);
    }
  }

  /** Every one of a kind, also those that ended. */
  all<K extends DocumentKind>(kind: K): readonly Documents[K][] {
    return this.#typed(kind);
  }

  reads(): Pick<Ledger, 'loadDocument' | 'findDocument' | 'scanDocuments'> {
    return {
      loadDocument: async (kind, uid) => this.#typed(kind).find((each) => each.uid === uid),
      findDocument: async (kind, { namespace, name }) =>
        this.#typed(kind).findLast(
          (each) => each.phase === 'Live' && each.namespace === namespace && each.name === name,
        ),
      scanDocuments: async (kind, limit, after = '') =>
        this.#typed(kind)
          .filter((each) => each.phase === 'Live' && each.uid > after)
          .toSorted((a, b) => (a.uid < b.uid ? -1 : 1))
          .slice(0, limit),
    };
  }

  /** Under each kind there are documents of that kind only. */
  #typed<K extends DocumentKind>(kind: K): Documents[K][] {
    return [...this.#of(kind).values()] as Documents[K][];
  }

  #of(kind: DocumentKind): Map<string, Stored> {
    let stored = this.#stored.get(kind);
    if (stored === undefined) this.#stored.set(kind, (stored = new Map()));
    return stored;
  }
}
