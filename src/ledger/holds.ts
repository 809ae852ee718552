/**
 * What reviewers imposed on keys and clients, in the memory of the one leader, so that looking at a
 * key asks the ledger nothing. Filled when leadership begins; after that every change is a commit of
 * our own, because whoever led before cannot commit any more, and those are followed here.
 */
import type {
  ClientRecord,
  DocumentChange,
  DocumentKind,
  HeldState,
  HoldRecord,
} from './documents.ts';
import type { Ledger } from './port.ts';

/** Documents at a time when everything is read. */
const PAGE = 500;

/** What changed: the decision about a key, or the state of a client. The UID is its own. */
export type HoldChange = {
  readonly kind: 'Hold' | 'Client';
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
};

type Followed = Pick<Ledger, 'loadDocument'>;

/** See the file comment; complete only after `load`. */
export class Holds {
  readonly #holds = new Map<string, HoldRecord>();
  /** UIDs of those, by the name of their key: nearly always one. */
  readonly #names = new Map<string, readonly string[]>();
  readonly #clients = new Map<string, ClientRecord>();
  readonly #listeners = new Set<(change: HoldChange) => void>();
  /** Changes of which nobody knows whether they were committed, by kind and UID. */
  readonly #unsure = new Map<string, HoldChange>();

  /**
   * Reads everything anew. Call it after the epoch is opened and before anything is asked here; no
   * listener is told. May be repeated.
   *
   * @throws KeywardError of the ledger; then what is here is not complete
   */
  async load(ledger: Pick<Ledger, 'scanDocuments'>): Promise<void> {
    this.#holds.clear();
    this.#names.clear();
    this.#clients.clear();
    this.#unsure.clear();
    for (const hold of await readAll(ledger, 'Hold')) {
      this.#holds.set(hold.uid, hold);
      this.#name(hold);
    }
    for (const client of await readAll(ledger, 'Client')) this.#clients.set(client.uid, client);
  }

  /** The same ledger, with the outcome of its commits noted here. */
  watch(ledger: Ledger): Ledger {
    return {
      ...ledger,
      commit: (commit) => this.#follow(ledger, commit.documents ?? [], () => ledger.commit(commit)),
      commitDocuments: (commit) =>
        this.#follow(ledger, commit.changes, () => ledger.commitDocuments(commit)),
    };
  }

  /** What a reviewer imposed on the key of this UID; absent: nothing, or it was lifted. */
  ofKey(uid: string): HeldState | undefined {
    const hold = this.#holds.get(uid);
    return hold?.phase === 'Live' ? hold.held : undefined;
  }

  /**
   * What holds for a key: a decision about this very object, else the strictest about earlier objects of
   * its name, so that deleting a key and making it anew lifts nothing.
   */
  imposedOn(uid: string, at: Pick<HoldRecord, 'namespace' | 'name'>): HeldState | undefined {
    if (this.#holds.size === 0) return undefined;
    if (this.#holds.has(uid)) return this.ofKey(uid);
    const uids = this.#names.get(nameOf(at)) ?? [];
    const earlier = uids.flatMap((each) => this.ofKey(each) ?? []);
    return earlier.find(({ state }) => state === 'Revoked') ?? earlier[0];
  }

  /** The state of the client of this UID; absent: it is not registered, or gone. */
  clientState(uid: string): ClientRecord['state'] | undefined {
    const client = this.#clients.get(uid);
    return client?.phase === 'Live' ? client.state : undefined;
  }

  /** Tells the listener of every change from now on, when it can be asked for here. */
  onChange(listener: (change: HoldChange) => void): void {
    this.#listeners.add(listener);
  }

  async #follow<R extends { readonly type: string }>(
    ledger: Followed,
    changes: readonly DocumentChange[],
    send: () => Promise<R>,
  ): Promise<R> {
    try {
      const result = await send();
      if (result.type === 'Committed') {
        for (const change of changes) this.#note(change, change.expectedRevision + 1);
      }
      if (this.#unsure.size > 0) void this.#reread(ledger);
      return result;
    } catch (thrown) {
      // A failure may hide a commit that was carried out; it is looked up as soon as that works.
      for (const change of changes) this.#doubt(change);
      if (this.#unsure.size > 0) void this.#reread(ledger);
      throw thrown;
    }
  }

  #note(change: DocumentChange, revision: number): void {
    if (change.kind === 'Hold') {
      this.#name(change.document);
      this.#replace(this.#holds, change.kind, { ...change.document, revision });
    } else if (change.kind === 'Client') {
      this.#replace(this.#clients, change.kind, { ...change.document, revision });
    }
  }

  #replace<T extends HoldRecord | ClientRecord>(
    known: Map<string, T>,
    kind: HoldChange['kind'],
    document: T,
  ): void {
    const { uid, namespace, name, revision } = document;
    // Answers may come in another order than the commits.
    if ((known.get(uid)?.revision ?? 0) >= revision) return;
    known.set(uid, document);
    for (const listener of this.#listeners) listener({ kind, uid, namespace, name });
  }

  #name(hold: HoldRecord): void {
    const known = this.#names.get(nameOf(hold)) ?? [];
    if (!known.includes(hold.uid)) this.#names.set(nameOf(hold), [...known, hold.uid]);
  }

  #doubt({ kind, document }: DocumentChange): void {
    if (kind !== 'Hold' && kind !== 'Client') return;
    const { uid, namespace, name } = document;
    this.#unsure.set(`${kind}/${uid}`, { kind, uid, namespace, name });
  }

  /** Never rejects: what cannot be read stays unsure until the next commit. */
  async #reread(ledger: Followed): Promise<void> {
    const asked = [...this.#unsure];
    await Promise.allSettled(
      asked.map(async ([name, { kind, uid }]) => {
        if (kind === 'Hold') this.#takeHold(await ledger.loadDocument(kind, uid));
        else this.#take(this.#clients, kind, await ledger.loadDocument(kind, uid));
        this.#unsure.delete(name);
      }),
    );
  }

  #takeHold(document: HoldRecord | undefined): void {
    if (document !== undefined) this.#name(document);
    this.#take(this.#holds, 'Hold', document);
  }

  #take<T extends HoldRecord | ClientRecord>(
    known: Map<string, T>,
    kind: HoldChange['kind'],
    document: T | undefined,
  ): void {
    if (document !== undefined) this.#replace(known, kind, document);
  }
}

function nameOf({ namespace, name }: Pick<HoldRecord, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}

async function readAll<K extends Extract<DocumentKind, 'Hold' | 'Client'>>(
  ledger: Pick<Ledger, 'scanDocuments'>,
  kind: K,
): Promise<readonly (K extends 'Hold' ? HoldRecord : ClientRecord)[]> {
  type Found = K extends 'Hold' ? HoldRecord : ClientRecord;
  const found: Found[] = [];
  for (;;) {
    // Each page begins where the one before ended.
    // oxlint-disable-next-line no-await-in-loop
    const page = await ledger.scanDocuments(kind, PAGE, found.at(-1)?.uid);
    // The same type, which TypeScript cannot see through a parameter.
    found.push(...(page as unknown as readonly Found[]));
    if (page.length < PAGE) return found;
  }
}
