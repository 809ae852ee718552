/** What every database behind the ledger must do with documents, and with the audit chain as people read it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type {
  ClientRecord,
  DocumentChange,
  HeldState,
  HoldRecord,
  ReviewRecord,
} from '../../src/ledger/documents.ts';
import type { AuditQuery, DocumentCommit, Ledger } from '../../src/ledger/port.ts';
import type { Harness } from './ledger.ts';
import { aCommit, aKey, anEntry, AT_MS, CLUSTER, EPOCH } from './ledger.records.ts';

const HELD: HeldState = {
  state: 'Suspended',
  reviewUid: 'r-1',
  reviewer: 'eve',
  message: 'why',
  sinceMs: AT_MS,
};

/** A decision about the key of this UID. */
export function aHold(uid: string, changes: Partial<HoldRecord> = {}): HoldRecord {
  return {
    clusterId: CLUSTER,
    uid,
    namespace: 'shop',
    name: `key-${uid}`,
    revision: 0,
    phase: 'Live',
    ...changes,
  };
}

/** A client under its own name. */
export function aClient(uid: string, changes: Partial<ClientRecord> = {}): ClientRecord {
  return { ...aHold(uid), name: `client-${uid}`, state: 'Active', ...changes };
}

/** The change of one hold, on top of its own revision. */
export function holdChange(hold: HoldRecord): DocumentChange {
  return { kind: 'Hold', document: hold, expectedRevision: hold.revision };
}

/** The change of one client, on top of its own revision. */
export function clientChange(client: ClientRecord): DocumentChange {
  return { kind: 'Client', document: client, expectedRevision: client.revision };
}

/** These changes, in one commit. */
export function together(...changes: readonly DocumentChange[]): DocumentCommit {
  return { changes, epoch: EPOCH, audit: anEntry({ action: 'Decided' }) };
}

export function describeDocuments(name: string, createHarness: () => Promise<Harness>): void {
  let harness: Harness;
  let ledger: Ledger;

  beforeEach(async () => {
    harness = await createHarness();
    ledger = await harness.open();
    await ledger.adoptCluster(CLUSTER);
    await ledger.openEpoch(EPOCH, 'operator-0');
  });

  afterEach(() => harness.remove());

  const put = async (...changes: readonly DocumentChange[]): Promise<string> =>
    (await ledger.commitDocuments(together(...changes))).type;

  describe(`${name} ledger: documents`, () => {
    it('come back as they were written, under their kind and UID, also when it is opened again', async () => {
      const hold = aHold('a', { held: HELD });
      const client = aClient('a', { held: { ...HELD, message: 'text\n"é😀"' } });
      expect(await put(holdChange(hold), clientChange(client))).toBe('Committed');
      await ledger.close();
      ledger = await harness.open();
      expect(await ledger.loadDocument('Hold', 'a')).toEqual({ ...hold, revision: 1 });
      expect(await ledger.loadDocument('Client', 'a')).toEqual({ ...client, revision: 1 });
      expect(await ledger.loadDocument('Form', 'a')).toBeUndefined();
      expect(await ledger.loadDocument('Hold', 'b')).toBeUndefined();
    });

    it('change only on top of the revision that was read', async () => {
      expect(await put(holdChange(aHold('a')))).toBe('Committed');
      expect(await put(holdChange(aHold('a', { held: HELD })))).toBe('Stale');
      expect(await put(holdChange(aHold('a', { revision: 2, held: HELD })))).toBe('Stale');
      expect(await put(holdChange(aHold('b', { revision: 1 })))).toBe('Stale');
      expect(await ledger.loadDocument('Hold', 'a')).toEqual(aHold('a', { revision: 1 }));
      expect(await put(holdChange(aHold('a', { revision: 1, held: HELD })))).toBe('Committed');
      expect(await ledger.loadDocument('Hold', 'a')).toMatchObject({ revision: 2, held: HELD });
      expect((await ledger.identity()).commitCounter).toBe(2);
    });

    it('change all together or not at all', async () => {
      await put(holdChange(aHold('a')));
      const stale = [holdChange(aHold('new')), holdChange(aHold('a', { held: HELD }))];
      expect(await put(...stale)).toBe('Stale');
      expect(await ledger.loadDocument('Hold', 'new')).toBeUndefined();
      expect(await put(...stale.toReversed())).toBe('Stale');
      expect(await ledger.loadDocument('Hold', 'a')).not.toHaveProperty('held');
      expect((await ledger.identity()).commitCounter).toBe(1);
    });

    it('are refused under another epoch, of another cluster, and twice in one commit', async () => {
      const commit = together(holdChange(aHold('a')));
      await expect(ledger.commitDocuments({ ...commit, epoch: EPOCH - 1 })).rejects.toMatchObject({
        class: 'Terminal',
        reason: 'Fenced',
      });
      await ledger.openEpoch(EPOCH + 1, 'operator-1');
      await expect(ledger.commitDocuments(commit)).rejects.toMatchObject({ reason: 'Fenced' });
      const foreign = { ...together(holdChange(aHold('a', { clusterId: 'x' }))), epoch: EPOCH + 1 };
      await expect(ledger.commitDocuments(foreign)).rejects.toMatchObject({
        reason: 'ForeignDatabase',
      });
      const twice = together(holdChange(aHold('a')), holdChange(aHold('a')));
      await expect(ledger.commitDocuments(twice)).rejects.toMatchObject({ class: 'Bug' });
      const nothing = together();
      await expect(ledger.commitDocuments(nothing)).rejects.toMatchObject({ class: 'Bug' });
      expect(await ledger.loadDocument('Hold', 'a')).toBeUndefined();
    });

    it('go to exactly one of many writers on the same revision, also within one batch', async () => {
      const race = async (revision: number): Promise<readonly string[]> =>
        Promise.all(
          Array.from({ length: 12 }, (_, index) =>
            put(
              holdChange(aHold('a', { revision, held: { ...HELD, message: String(index) } })),
              holdChange(aHold(`only-${revision}-${index}`)),
            ),
          ),
        );
      for (const revision of [0, 1]) {
        const outcomes = await race(revision);
        expect(outcomes.filter((outcome) => outcome === 'Committed')).toHaveLength(1);
        const winner = outcomes.indexOf('Committed');
        const stored = await ledger.loadDocument('Hold', 'a');
        expect(stored).toMatchObject({ revision: revision + 1, held: { message: `${winner}` } });
      }
      expect(await ledger.scanDocuments('Hold', 100)).toHaveLength(3);
      expect(await ledger.verifyAudit()).toEqual({ entries: 2, brokenAt: undefined });
    });

    it('see in one batch what the commit before left', async () => {
      const steps = Array.from({ length: 20 }, (_, revision) =>
        put(holdChange(aHold('a', { revision, held: { ...HELD, sinceMs: revision } }))),
      );
      expect(new Set(await Promise.all(steps))).toEqual(new Set(['Committed']));
      const at = { namespace: 'shop', name: 'key-a' };
      const last = { revision: 20, held: { sinceMs: 19 } };
      expect(await ledger.findDocument('Hold', at)).toMatchObject(last);
    });

    it('are read as the writes before in calling order left them', async () => {
      const writes = [put(holdChange(aHold('a')))];
      const first = ledger.loadDocument('Hold', 'a');
      writes.push(put(holdChange(aHold('a', { revision: 1, phase: 'Ended' }))));
      const second = ledger.findDocument('Hold', { namespace: 'shop', name: 'key-a' });
      const page = ledger.scanDocuments('Hold', 5);
      expect(await Promise.all(writes)).toEqual(['Committed', 'Committed']);
      expect(await first).toBeDefined();
      expect(await second).toBeUndefined();
      expect(await page).toEqual([]);
    });

    it('are found by name while they are Live, the newer of two, and by UID for ever', async () => {
      const at = { namespace: 'shop', name: 'twin' };
      await put(clientChange(aClient('z', at)));
      await put(clientChange(aClient('a', at)));
      await put(clientChange(aClient('b', { ...at, namespace: 'other' })));
      expect(await ledger.findDocument('Client', at)).toMatchObject({ uid: 'a' });
      expect(await ledger.findDocument('Hold', at)).toBeUndefined();
      await put(clientChange(aClient('a', { ...at, revision: 1, phase: 'Ended' })));
      expect(await ledger.findDocument('Client', at)).toMatchObject({ uid: 'z' });
      await put(clientChange(aClient('z', { ...at, revision: 1, phase: 'Ended' })));
      expect(await ledger.findDocument('Client', at)).toBeUndefined();
      expect(await ledger.loadDocument('Client', 'a')).toMatchObject({ phase: 'Ended' });
    });

    it('are scanned in pages by UID, those that ended left out', async () => {
      const uids = ['B', 'a', 'b', 'c', 'é'];
      await put(...uids.map((uid) => holdChange(aHold(uid))), clientChange(aClient('b')));
      await put(holdChange(aHold('b', { revision: 1, phase: 'Ended' })));
      const first = await ledger.scanDocuments('Hold', 2);
      const second = await ledger.scanDocuments('Hold', 2, first.at(-1)?.uid);
      const rest = await ledger.scanDocuments('Hold', 2, second.at(-1)?.uid);
      expect([first, second, rest].map((page) => page.map(({ uid }) => uid))).toEqual([
        ['B', 'a'],
        ['c', 'é'],
        [],
      ]);
    });

    it.each([
      { what: 'U+0000', text: 'a\0b' },
      { what: 'an escaped U+0000', text: '\\u0000' },
      { what: 'half a surrogate pair', text: 'x\uD800y' },
      { what: 'what JSON and SQL escape', text: `"'\\ \n\r\t\b\f\u2028\u2029 ?$1 {schema} --` },
      { what: 'what is not normalised, or not a character', text: 'e\u0301 \uFFFE \u{10FFFF}' },
    ])('keep $what in every text', async ({ text }) => {
      const held = { ...HELD, message: text, reviewer: text };
      expect(await put(holdChange(aHold('a', { held })))).toBe('Committed');
      expect(await ledger.loadDocument('Hold', 'a')).toMatchObject({ held });
      const commit = aCommit(aKey('k'), {
        documents: [holdChange(aHold('a', { revision: 1, held }))],
        audit: anEntry({ actor: text, facts: { text } }),
      });
      expect(await ledger.commit(commit)).toMatchObject({ type: 'Committed' });
      expect(await ledger.verifyAudit()).toEqual({ entries: 2, brokenAt: undefined });
      expect((await ledger.auditLines({ limit: 1 }))[0]?.facts).toEqual({ text });
      expect(await ledger.loadDocument('Hold', text)).toBeUndefined();
      const nowhere = { namespace: text, name: text };
      expect(await ledger.findDocument('Hold', nowhere)).toBeUndefined();
      expect(await ledger.auditLines({ limit: 1, uid: text })).toEqual([]);
    });

    it('may be as large as an object can be', async () => {
      const message = 'é😀\0"'.repeat(150_000);
      const review: ReviewRecord = {
        ...aHold('r'),
        target: { kind: 'ApiKey', uid: 'a', name: 'n' },
        decision: 'Suspended',
        isCounted: true,
        reason: 'Accepted',
        message,
        reviewer: { username: 'eve', source: 'Authenticated' },
        judgedMs: AT_MS,
      };
      const change = { kind: 'Review', document: review, expectedRevision: 0 } as const;
      expect(await put(change)).toBe('Committed');
      expect((await ledger.loadDocument('Review', 'r'))?.message).toBe(message);
    });

    it('are one line each in the change feed and the audit chain, with the UID of the first', async () => {
      const { cursor } = await ledger.changes(1);
      await put(holdChange(aHold('a')), clientChange(aClient('c')));
      await ledger.commit(aCommit(aKey('k'), { documents: [clientChange(aClient('d'))] }));
      expect((await ledger.changes(10, cursor)).uids).toEqual(['a', 'k']);
      expect(await ledger.verifyAudit()).toEqual({ entries: 2, brokenAt: undefined });
      expect((await ledger.identity()).commitCounter).toBe(2);
    });
  });

  describe(`${name} ledger: documents with a key`, () => {
    it('are committed with it, and nothing when either is stale', async () => {
      const key = aKey('k');
      const withHold = (hold: HoldRecord, revision = 0) =>
        ledger.commit(aCommit({ ...key, revision }, { documents: [holdChange(hold)] }));
      expect((await withHold(aHold('a'))).type).toBe('Committed');
      // The key is stale.
      expect((await withHold(aHold('a', { revision: 1, held: HELD }))).type).toBe('Stale');
      expect(await ledger.loadDocument('Hold', 'a')).toEqual(aHold('a', { revision: 1 }));
      // The document is stale.
      expect((await withHold(aHold('a', { held: HELD }), 1)).type).toBe('Stale');
      const at = { namespace: 'shop', name: 'key-k' };
      expect((await ledger.load('k', at)).record?.revision).toBe(1);
      expect((await withHold(aHold('a', { revision: 1, held: HELD }), 1)).type).toBe('Committed');
      expect((await ledger.load('k', at)).record?.revision).toBe(2);
      expect(await ledger.loadDocument('Hold', 'a')).toMatchObject({ revision: 2, held: HELD });
    });

    it('stay as they were when a limit, a spent request or a cluster refuses the key', async () => {
      const documents = [holdChange(aHold('a'))];
      const full = aCommit(aKey('k'), { documents, limits: { maxKeys: 0 } });
      expect((await ledger.commit(full)).type).toBe('LimitExceeded');
      await ledger.commit(aCommit(aKey('j'), { spendRequestId: 'r' }));
      const spent = aCommit(aKey('j', { revision: 1 }), { documents, spendRequestId: 'r' });
      expect((await ledger.commit(spent)).type).toBe('RequestSpent');
      const foreign = [holdChange(aHold('a', { clusterId: 'x' }))];
      await expect(ledger.commit(aCommit(aKey('k'), { documents: foreign }))).rejects.toMatchObject(
        { reason: 'ForeignDatabase' },
      );
      expect(await ledger.loadDocument('Hold', 'a')).toBeUndefined();
      const at = { namespace: 'shop', name: 'key-k' };
      expect((await ledger.load('k', at)).record).toBeUndefined();
    });

    it('let a first issue and the end of its grant never both succeed', async () => {
      await put(clientChange(aClient('form')));
      for (const index of [1, 3, 5]) {
        const grant = aClient('form', { revision: index });
        const issue = ledger.commit(
          aCommit(aKey(`k${index}`), { documents: [clientChange(grant)] }),
        );
        const end = put(clientChange({ ...grant, state: 'Revoked' }));
        expect([(await issue).type, await end]).toEqual(['Committed', 'Stale']);
        expect(await put(clientChange({ ...grant, revision: index + 1 }))).toBe('Committed');
      }
    });

    it('do not spoil their neighbours in a batch when the database refuses the key', async () => {
      await ledger.commit(aCommit(aKey('k')));
      const thief = aKey('thief', { credentials: aKey('k').credentials });
      const [bad, good] = await Promise.allSettled([
        ledger.commit(aCommit(thief, { documents: [holdChange(aHold('bad'))] })),
        put(holdChange(aHold('good'))),
      ]);
      expect(bad.status).toBe('rejected');
      expect(good).toEqual({ status: 'fulfilled', value: 'Committed' });
      expect(await ledger.loadDocument('Hold', 'bad')).toBeUndefined();
      expect(await ledger.loadDocument('Hold', 'good')).toBeDefined();
    });
  });

  describe(`${name} ledger: lines of the audit chain`, () => {
    it('come newest first, in pages, and of one UID alone', async () => {
      await put(holdChange(aHold('a')));
      await ledger.commit(aCommit(aKey('k')));
      await put(holdChange(aHold('a', { revision: 1 })));
      const all = await ledger.auditLines({ limit: 10 });
      expect(all.map(({ number, uid }) => [number, uid])).toEqual([
        [3, 'a'],
        [2, 'k'],
        [1, 'a'],
      ]);
      expect(all[1]).toEqual({ ...anEntry(), number: 2, uid: 'k' });
      expect(await ledger.auditLines({ limit: 1 })).toEqual(all.slice(0, 1));
      expect(await ledger.auditLines({ limit: 10, before: 3 })).toEqual(all.slice(1));
      expect(await ledger.auditLines({ limit: 10, uid: 'a' })).toEqual([all[0], all[2]]);
      expect(await ledger.auditLines({ limit: 10, uid: 'a', before: 3 })).toEqual([all[2]]);
      expect(await ledger.auditLines({ limit: 10, uid: 'x' })).toEqual([]);
      expect(await ledger.auditLines({ limit: 2, after: 0 })).toEqual([all[2], all[1]]);
      expect(await ledger.auditLines({ limit: 10, after: 1, before: 3 })).toEqual([all[1]]);
      expect(await ledger.auditLines({ limit: 10, after: 3 })).toEqual([]);
    });

    it('come of those alone whose actor has a name that begins so', async () => {
      const by = (actor: string) => ({ audit: anEntry({ actor }) });
      await ledger.commit(aCommit(aKey('a'), by('command line: mina')));
      await ledger.commit(aCommit(aKey('b'), by('operator')));
      await ledger.commit(aCommit(aKey('c'), by('not command line: mina')));
      await ledger.commit(aCommit(aKey('d'), by('command line: %')));
      const uids = async (query: Partial<AuditQuery>) =>
        (await ledger.auditLines({ limit: 10, ...query })).map(({ uid }) => uid);
      expect(await uids({ by: 'command line: ' })).toEqual(['d', 'a']);
      expect(await uids({ by: 'command line: ', after: 1 })).toEqual(['d']);
      expect(await uids({ by: 'command line: %' })).toEqual(['d']);
      expect(await uids({ by: '' })).toEqual(['d', 'c', 'b', 'a']);
    });
  });
}
