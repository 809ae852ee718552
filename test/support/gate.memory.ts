/** A database for gates in memory, which can fail, hang and be restored when a test says so. */
import { KeywardError } from '../../src/kernel/errors.ts';
import type { DocumentKind, Documents } from '../../src/ledger/documents.ts';
import type { GateLedger, LeaseWish } from '../../src/ledger/gate.ts';
import type { KeyRecord } from '../../src/ledger/record.ts';

type Held = { readonly wish: LeaseWish; uses: number; spent: number };

/** What a question does instead of being answered; see `MemoryGateDatabase.trouble`. */
export type Trouble = 'Fails' | 'Hangs' | undefined;

/** The failure of a database that cannot be reached. */
export function unavailable(): KeywardError {
  return new KeywardError('Transient', {
    reason: 'LedgerUnavailable',
    message: 'the database cannot be reached',
  });
}

/** One database; `open` as often as there are gates. */
export class MemoryGateDatabase {
  readonly records = new Map<string, KeyRecord>();
  readonly documents = new Map<string, { kind: DocumentKind; document: Documents[DocumentKind] }>();
  readonly usage = new Map<string, { uses: number; lastUsedMs: number }>();
  readonly seen = new Set<string>();
  readonly leases = new Map<string, Held>();
  /** By subject and window. */
  readonly spent = new Map<string, number>();
  readonly feed: string[] = [];
  identity = { databaseId: 'db-1', incarnation: 'life-1', commitCounter: 0 };
  versions: { version: number; checkValue: string | undefined }[] = [];
  /** By the name of the method; `*` of all. */
  readonly trouble = new Map<string, Trouble>();
  /** How often each method was asked. */
  readonly asked = new Map<string, number>();
  /** Called with the method before it looks at anything. */
  before: (method: string) => Promise<void> | void = () => undefined;
  /** Called with the method when its answer is there and not told yet. */
  after: (method: string) => Promise<void> | void = () => undefined;

  /** Puts keys in, or changes them. */
  put(...records: readonly KeyRecord[]): void {
    for (const record of records) {
      this.records.set(record.uid, record);
      this.#changed(record.uid);
    }
  }

  /** Puts a document in, or changes it; `others` in the same commit, of which the feed names only the first. */
  putDocument<K extends DocumentKind>(
    kind: K,
    document: Partial<Documents[K]> & { uid: string },
    ...others: readonly (Partial<Documents[K]> & { uid: string })[]
  ): void {
    for (const each of [document, ...others]) {
      const at = `${kind}/${each.uid}`;
      const revision = (this.documents.get(at)?.document.revision ?? 0) + 1;
      const head = { clusterId: 'cluster-1', namespace: '', name: each.uid, phase: 'Live' };
      this.documents.set(at, { kind, document: { ...head, ...each, revision } as never });
    }
    this.#changed(document.uid);
  }

  /** Uses that are reserved or spent. */
  reserved(subject: string): number {
    let sum = 0;
    for (const [name, spent] of this.spent) if (name.startsWith(`${subject}@`)) sum += spent;
    for (const { wish, uses } of this.leases.values()) if (wish.subject === subject) sum += uses;
    return sum;
  }

  open(): GateLedger {
    const ledger: GateLedger = {
      identity: async () => ({
        ...this.identity,
        clusterId: 'cluster-1',
        epoch: 1,
        schemaVersion: 1,
      }),
      findByKeyId: async (keyId) => {
        const found = [...this.records.values()].find(({ credentials }) =>
          credentials.some((each) => each.keyId === keyId),
        );
        const form = this.documents.get(`Form/${found?.grant?.formUid}`)?.document;
        return found && { ...found, ...(form === undefined ? {} : { application: form.name }) };
      },
      changes: async (limit, cursor) => this.#changes(limit, cursor),
      loadDocument: async (kind, uid) => this.documents.get(`${kind}/${uid}`)?.document as never,
      scanDocuments: async (kind, limit, after = '') =>
        [...this.documents.values()]
          .filter((each) => each.kind === kind && each.document.phase === 'Live')
          .map(({ document }) => document)
          .filter(({ uid }) => uid > after)
          .toSorted((a, b) => (a.uid < b.uid ? -1 : 1))
          .slice(0, limit) as never,
      versionsInUse: async () => this.versions,
      keyIds: async (limit, after = '') =>
        this.#keyIds()
          .filter((keyId) => keyId > after)
          .slice(0, limit),
      keyIdsOf: async (uids) => this.#keyIds(uids),
      lease: async (wishes) => wishes.map((wish) => this.#lease(wish)),
      reportLeases: async (reports) => {
        for (const { id, spent } of reports) {
          const held = this.leases.get(id);
          if (held !== undefined) held.spent = spent;
        }
      },
      returnLeases: async (reports) => {
        for (const { id, spent } of reports) {
          const held = this.leases.get(id);
          if (held === undefined) continue;
          this.leases.delete(id);
          const name = `${held.wish.subject}@${held.wish.windowStartMs}`;
          this.spent.set(name, (this.spent.get(name) ?? 0) + spent);
        }
      },
      reportUsage: async (reports) => {
        for (const { uid, uses, lastUsedMs } of reports) {
          const before = this.usage.get(uid)?.uses ?? 0;
          this.usage.set(uid, { uses: before + uses, lastUsedMs });
        }
      },
      remember: async (signatures) =>
        signatures.map(({ keyId, digest }) => {
          const name = `${keyId}/${Buffer.from(digest).toString('hex')}`;
          const isNew = !this.seen.has(name);
          this.seen.add(name);
          return isNew;
        }),
      sweepUses: async () => undefined,
      counts: async () => [],
      usage: async () => [],
      close: async () => undefined,
    };
    return this.#troubled(ledger);
  }

  #changed(uid: string): void {
    this.identity = { ...this.identity, commitCounter: this.identity.commitCounter + 1 };
    this.feed.push(uid);
  }

  #changes(limit: number, cursor: string | undefined) {
    const { incarnation } = this.identity;
    if (cursor === undefined) return { uids: [], cursor: `${incarnation}/${this.feed.length}` };
    const [life, position] = cursor.split('/');
    if (life !== incarnation) {
      throw new KeywardError('Conflict', { reason: 'CursorUnknown', message: 'restored' });
    }
    const uids = this.feed.slice(Number(position), Number(position) + limit);
    return { uids: [...new Set(uids)], cursor: `${incarnation}/${Number(position) + uids.length}` };
  }

  #keyIds(uids?: readonly string[]): readonly string[] {
    return [...this.records.values()]
      .filter(({ uid }) => uids === undefined || uids.includes(uid))
      .flatMap(({ credentials }) => credentials.map(({ keyId }) => keyId))
      .toSorted();
  }

  #lease(wish: LeaseWish) {
    const taken = (): number => {
      const inWindow = [...this.leases.values()].filter(
        (held) =>
          held.wish.subject === wish.subject && held.wish.windowStartMs === wish.windowStartMs,
      );
      const spent = this.spent.get(`${wish.subject}@${wish.windowStartMs}`) ?? 0;
      return inWindow.reduce((sum, { uses }) => sum + uses, spent);
    };
    const known = this.leases.get(wish.id);
    const uses = known?.uses ?? Math.max(0, Math.min(wish.uses, wish.limit - taken()));
    if (known === undefined && uses > 0) this.leases.set(wish.id, { wish, uses, spent: 0 });
    return { id: wish.id, uses, unreserved: Math.max(0, wish.limit - taken()) };
  }

  #troubled(ledger: GateLedger): GateLedger {
    const troubled = Object.entries(ledger).map(([name, method]) => [
      name,
      async (...args: unknown[]) => {
        this.asked.set(name, (this.asked.get(name) ?? 0) + 1);
        const trouble =
          this.trouble.get(name) ?? (name === 'close' ? undefined : this.trouble.get('*'));
        if (trouble === 'Fails') throw unavailable();
        if (trouble === 'Hangs') return new Promise(() => undefined);
        await this.before(name);
        const answer: unknown = await (method as (...given: unknown[]) => unknown)(...args);
        await this.after(name);
        return answer;
      },
    ]);
    return Object.fromEntries(troubled) as GateLedger;
  }
}
