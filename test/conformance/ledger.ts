/**
 * What every database behind the ledger must do. Run it with
 * `describeLedger('SQLite', () => createHarness())`.
 */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DAY_MS } from '../../src/kernel/time.ts';
import { hasReached } from '../../src/ledger/cursor.ts';
import type { Commit, CommitResult, Ledger, StoreRow } from '../../src/ledger/port.ts';
import type { KeyRecord, RemoteRecord } from '../../src/ledger/record.ts';
import {
  aCommit,
  aCredential,
  aHashOnlySlot,
  aKey,
  anEntry,
  aSlot,
  AT_MS,
  CLUSTER,
  EPOCH,
  NO_TERMS,
} from './ledger.records.ts';

/** One database, opened as often as a test likes, by one ledger at a time. */
export type Harness = {
  open(): Promise<Ledger>;
  /** Changes rows behind the ledger's back, while nobody has it open. */
  tamper(sql: string): Promise<void>;
  /** Closes what is open and removes the database. */
  remove(): Promise<void>;
};

export function describeLedger(name: string, createHarness: () => Promise<Harness>): void {
  let harness: Harness;
  let ledger: Ledger;

  beforeEach(async () => {
    harness = await createHarness();
    ledger = await harness.open();
    await ledger.adoptCluster(CLUSTER);
    await ledger.openEpoch(EPOCH, 'operator-0');
  });

  afterEach(() => harness.remove());

  async function reopen(): Promise<void> {
    await ledger.close();
    ledger = await harness.open();
  }

  async function committed(record: KeyRecord, changes?: Partial<Commit>): Promise<KeyRecord> {
    const result = await ledger.commit(aCommit(record, changes));
    if (result.type !== 'Committed') throw new Error(`expected Committed, got ${result.type}`);
    return result.record;
  }

  async function stored(uid: string): Promise<KeyRecord | undefined> {
    return (await ledger.load(uid, { namespace: 'none', name: 'none' })).record;
  }

  const types = (results: readonly CommitResult[]): string[] =>
    results.map((result) => result.type).toSorted();

  describe(`${name} ledger: identity`, () => {
    it('belongs to the first cluster that adopts it, and refuses every other one', async () => {
      await ledger.adoptCluster(CLUSTER);
      await expect(ledger.adoptCluster('cluster-2')).rejects.toMatchObject({
        class: 'Terminal',
        reason: 'ForeignDatabase',
      });
      const foreign = aCommit(aKey('a', { clusterId: 'cluster-2' }));
      await expect(ledger.commit(foreign)).rejects.toMatchObject({ reason: 'ForeignDatabase' });
      expect(await ledger.identity()).toMatchObject({ clusterId: CLUSTER, commitCounter: 0 });
    });

    it('keeps its ids, its counter and its epoch when it is opened again', async () => {
      await committed(aKey('a'));
      const before = await ledger.identity();
      await reopen();
      expect(await ledger.identity()).toEqual(before);
      expect(before).toMatchObject({
        commitCounter: 1,
        epoch: EPOCH,
        schemaVersion: expect.any(Number),
      });
      await expect(ledger.openEpoch(EPOCH, 'operator-1')).rejects.toMatchObject({
        reason: 'Fenced',
      });
    });

    it('gives every database other ids', async () => {
      const other = await createHarness();
      const theirs = await (await other.open()).identity();
      await other.remove();
      const ours = await ledger.identity();
      expect(theirs.databaseId).not.toBe(ours.databaseId);
      expect(theirs.incarnation).not.toBe(ours.incarnation);
    });
  });

  describe(`${name} ledger: commits`, () => {
    it.each<{ why: string; record: KeyRecord }>([
      { why: 'nothing optional', record: aKey('plain') },
      {
        why: 'everything optional',
        record: aKey('full', {
          grant: { formUid: 'form', round: 3 },
          clientUid: 'client',
          phase: 'Retained',
          state: 'Suspended',
          format: 'Dual',
          sequence: 2,
          lastRotationRequestId: 'request-1',
          terms: { ...NO_TERMS, notBeforeMs: 1, cidrs: ['10.0.0.0/8'] },
          secret: {
            name: 'secret',
            uid: 'uid',
            resourceVersion: '12',
            fingerprint: 'f',
            shape: 's',
            health: 'Tampered',
            missingSinceMs: AT_MS,
          },
          credentials: [
            aCredential('full-1', {
              state: 'Retiring',
              retireAtMs: AT_MS + 1,
              valueLost: true,
              remote: {
                account: 'account-1',
                id: 'r-1',
                createBegunAtMs: AT_MS,
                idsBefore: ['r-0'],
                regenerating: { slots: ['apiKey'], trigger: 'Age', role: 'Next', begunAtMs: AT_MS },
                enabled: false,
                name: 'name',
                facts: { tenantId: 't' },
              },
              origin: 'Imported',
            }),
            aCredential('full-2', {
              sequence: 2,
              slots: [
                aSlot('p', { name: 'primaryKey' }),
                aSlot('s', { name: 'secondaryKey', role: 'Standby', retireAtMs: AT_MS + 2 }),
              ],
            }),
          ],
        }),
      },
      { why: 'no credentials', record: aKey('bare', { credentials: [] }) },
    ])('return what was written, field by field: $why', async ({ record }) => {
      const result = await committed(record);
      expect(result).toEqual({ ...record, revision: 1 });
      expect(await stored(record.uid)).toEqual(result);
      await reopen();
      expect(await stored(record.uid)).toEqual(result);
    });

    it('are seen by reads that are asked for after them, without waiting', async () => {
      const commit = ledger.commit(aCommit(aKey('a')));
      expect(await stored('a')).toMatchObject({ revision: 1 });
      await commit;
    });

    it.each([
      { why: 'the record exists already', exists: true, expected: 0 },
      { why: 'an old revision is expected', exists: true, expected: 1 },
      { why: 'a future revision is expected', exists: true, expected: 3 },
      { why: 'the record does not exist', exists: false, expected: 1 },
    ])('change nothing when $why', async ({ exists, expected }) => {
      if (exists) await committed(await committed(aKey('a')));
      const before = {
        record: await stored('a'),
        counter: (await ledger.identity()).commitCounter,
      };
      const stale = aCommit(aKey('a', { state: 'Revoked' }), {
        expectedRevision: expected,
        spendRequestId: 'request-1',
      });
      expect(await ledger.commit(stale)).toEqual({ type: 'Stale' });
      expect(await stored('a')).toEqual(before.record);
      expect((await ledger.identity()).commitCounter).toBe(before.counter);
      expect(await ledger.isRequestSpent('a', 'request-1')).toBe(false);
    });

    it('on one revision win once, however many try at the same time', async () => {
      const record = await committed(aKey('a'));
      const tries = Array.from({ length: 40 }, () => ledger.commit(aCommit(record)));
      const results = await Promise.all(tries);
      expect(types(results).filter((type) => type === 'Committed')).toHaveLength(1);
      expect(types(results).filter((type) => type === 'Stale')).toHaveLength(39);
      expect(await ledger.verifyAudit()).toEqual({ entries: 2, brokenAt: undefined });
    });

    it('of different keys at the same time all succeed, each with its own audit entry', async () => {
      const keys = Array.from({ length: 700 }, (_, index) => aKey(`k${index}`));
      await Promise.all(keys.map((key) => committed(key)));
      expect((await ledger.identity()).commitCounter).toBe(700);
      expect(await ledger.verifyAudit()).toEqual({ entries: 700, brokenAt: undefined });
    });
  });

  describe(`${name} ledger: fencing`, () => {
    it.each([EPOCH - 1, EPOCH, EPOCH + 1])(
      'lets only the newest epoch write when %d is not it any more',
      async (epoch) => {
        const record = await committed(aKey('a'));
        await ledger.openEpoch(EPOCH + 2, 'operator-1');
        await expect(ledger.commit(aCommit(record, { epoch }))).rejects.toMatchObject({
          class: 'Terminal',
          reason: 'Fenced',
        });
        expect(await stored('a')).toEqual(record);
        await committed(record, { epoch: EPOCH + 2 });
      },
    );

    it('refuses commits before the first epoch', async () => {
      const other = await createHarness();
      const fresh = await other.open();
      await fresh.adoptCluster(CLUSTER);
      await expect(fresh.commit(aCommit(aKey('a'), { epoch: 0 }))).rejects.toMatchObject({
        reason: 'Fenced',
      });
      await expect(fresh.openEpoch(0, 'operator-0')).rejects.toMatchObject({ reason: 'Fenced' });
      expect((await fresh.identity()).epoch).toBe(0);
      await other.remove();
    });

    it('does not harm commits that arrive together with a fenced one', async () => {
      const good = [1, 2, 3].map((index) => ledger.commit(aCommit(aKey(`good${index}`))));
      const fenced = ledger.commit(aCommit(aKey('bad'), { epoch: EPOCH - 1 }));
      await expect(fenced).rejects.toMatchObject({ reason: 'Fenced' });
      expect(types(await Promise.all(good))).toEqual(['Committed', 'Committed', 'Committed']);
    });
  });

  describe(`${name} ledger: rotation requests`, () => {
    it('are spent once in the life of a key, also after it was opened again', async () => {
      const record = await committed(aKey('a'), { spendRequestId: 'once' });
      await reopen();
      expect(await ledger.isRequestSpent('a', 'once')).toBe(true);
      expect(await ledger.isRequestSpent('b', 'once')).toBe(false);
      const again = await ledger.commit(aCommit(record, { spendRequestId: 'once' }));
      expect(again).toEqual({ type: 'RequestSpent' });
      expect(await stored('a')).toEqual(record);
    });

    it('of one id by several keys do not meet', async () => {
      await committed(aKey('a'), { spendRequestId: 'same' });
      const other = await committed(aKey('b'), { spendRequestId: 'same' });
      expect(other.revision).toBe(1);
    });
  });

  describe(`${name} ledger: limits`, () => {
    const types100 = async (limits: Commit['limits'], namespaces: number): Promise<string[]> => {
      const keys = Array.from({ length: 100 }, (_, index) =>
        aKey(`k${index}`, { namespace: `n${index % namespaces}` }),
      );
      const commits = keys.map((key) => aCommit(key, limits === undefined ? {} : { limits }));
      return types(await Promise.all(commits.map((commit) => ledger.commit(commit))));
    };

    it('let exactly maxKeys of a hundred simultaneous issues through', async () => {
      const results = await types100({ maxKeys: 37 }, 3);
      expect(results.filter((type) => type === 'Committed')).toHaveLength(37);
      expect(results.filter((type) => type === 'LimitExceeded')).toHaveLength(63);
    });

    it('let exactly maxKeysPerNamespace through in each namespace', async () => {
      const results = await types100({ maxKeys: 90, maxKeysPerNamespace: 11 }, 4);
      expect(results.filter((type) => type === 'Committed')).toHaveLength(44);
    });

    it('count live and retained keys of the store, and name the limit that was met', async () => {
      const limits = { maxKeys: 3, maxKeysPerNamespace: 2 };
      const live = await committed(aKey('live'));
      await committed(aKey('retained', { phase: 'Retained' }));
      await committed(aKey('ending', { phase: 'Ending', credentials: [] }));
      await committed(aKey('other', { store: { ...live.store, uid: 'store-2' } }));
      await reopen();
      const third = aCommit(aKey('third'), { limits });
      expect(await ledger.commit(third)).toEqual({
        type: 'LimitExceeded',
        limit: 'maxKeysPerNamespace',
      });
      await committed(aKey('elsewhere', { namespace: 'far' }), { limits });
      const fourth = aCommit(aKey('fourth', { namespace: 'farther' }), { limits });
      expect(await ledger.commit(fourth)).toEqual({ type: 'LimitExceeded', limit: 'maxKeys' });
      await committed({ ...live, phase: 'Ending', credentials: [] });
      await committed(aKey('fourth', { namespace: 'farther' }), { limits });
    });

    it('do not stop a change of a key that is counted already', async () => {
      const record = await committed(aKey('a'));
      const changed = await committed(record, { limits: { maxKeys: 0, maxKeysPerNamespace: 0 } });
      expect(changed.revision).toBe(2);
    });

    it('are not met by commits that were refused', async () => {
      await committed(aKey('first'), { limits: { maxKeys: 9 } });
      const twin = aKey('twin', { credentials: [aCredential('first-1')] });
      await expect(ledger.commit(aCommit(twin))).rejects.toMatchObject({
        class: 'Bug',
      });
      await committed(aKey('second'), { limits: { maxKeys: 2 } });
    });

    it('agree with the counts per store', async () => {
      await types100({ maxKeys: 37 }, 3);
      await committed(aKey('x', { store: { ...aKey('x').store, uid: 'store-0' } }));
      expect(await ledger.countByStore()).toEqual([
        { storeUid: 'store-0', keys: 1, debts: 0 },
        { storeUid: 'store-1', keys: 37, debts: 0 },
      ]);
    });
  });

  describe(`${name} ledger: remote stores`, () => {
    const aStoreRow = (at: number, type: string): StoreRow => ({
      storeUid: `store-${at}`,
      type,
      account: `acc-${at}`,
      settings: '{}',
      sealed: { version: 3, blob: new Uint8Array([1, 2, 3]) },
    });
    const atVendor = (uid: string, remote: Partial<RemoteRecord> = {}, state = 'Intent' as const) =>
      aCredential(`${uid}-1`, {
        state,
        slots: [],
        remote: { account: 'acc', facts: {}, ...remote },
      });
    const begun = { createBegunAtMs: AT_MS };
    const owing = (uid: string): KeyRecord =>
      aKey(uid, {
        phase: 'Ended',
        credentials: [{ ...atVendor(uid, { id: `id-${uid}` }), state: 'Disabled' }],
      });

    it('let one create call of an account begin at a time', async () => {
      await committed(aKey('a', { credentials: [atVendor('a', begun)] }));
      const second = aCommit(aKey('b', { credentials: [atVendor('b', begun)] }));
      const exclusiveAccount = 'acc';
      expect(await ledger.commit({ ...second, exclusiveAccount })).toEqual({ type: 'AccountBusy' });
      expect(await ledger.commit({ ...second, exclusiveAccount: 'other' })).toMatchObject({
        type: 'Committed',
      });
    });

    it('let the next create call begin once the id of the one before is known', async () => {
      const first = await committed(aKey('a', { credentials: [atVendor('a', begun)] }));
      await committed({ ...first, credentials: [atVendor('a', { ...begun, id: 'r-1' })] });
      const second = aCommit(aKey('b', { credentials: [atVendor('b', begun)] }));
      expect(await ledger.commit({ ...second, exclusiveAccount: 'acc' })).toMatchObject({
        type: 'Committed',
      });
    });

    it('know which of the vendor ids are claimed, by the dead as well and under any name of the account', async () => {
      const stores = ['Solapi', 'Solapi', 'Naver'].map((type, at) => aStoreRow(at + 1, type));
      await Promise.all(stores.map((row) => ledger.saveStore(row, EPOCH)));
      const record = await committed(aKey('a', { credentials: [atVendor('a', { id: 'r-1' })] }));
      await committed({ ...record, credentials: [] });
      expect(await ledger.claimedIds('store-1', ['r-0', 'r-1', "r'2"])).toEqual(['r-1']);
      expect(await ledger.claimedIds('store-2', ['r-0', 'r-1'])).toEqual(['r-1']);
      expect(await ledger.claimedIds('store-3', ['r-1'])).toEqual([]);
    });

    it('count a vendor id as claimed while it is not known what store that was', async () => {
      await committed(aKey('a', { credentials: [atVendor('a', { id: 'r-1' })] }));
      expect(await ledger.claimedIds('store-1', ['r-1'])).toEqual(['r-1']);
      await ledger.saveStore(aStoreRow(3, 'Naver'), EPOCH);
      expect(await ledger.claimedIds('store-3', ['r-1'])).toEqual(['r-1']);
    });

    it('know what became of a token, for ever', async () => {
      const alive = { ...atVendor('a', { id: 'r-1' }), state: 'Sealed' as const };
      await committed(aKey('a', { credentials: [alive] }));
      const record = await committed(aKey('b', { credentials: [atVendor('b')] }));
      await committed({ ...record, credentials: [] });
      const { token } = atVendor('b');
      const found = await ledger.findTokens([alive.token, token, "no'body"]);
      expect(found).toHaveLength(2);
      expect(found).toContainEqual({ token: alive.token, state: 'Sealed', remoteId: 'r-1' });
      expect(found).toContainEqual({ token, state: 'Deleted' });
      expect(await ledger.findTokens([])).toEqual([]);
    });

    it('know whether anything of a store exists at its vendor, or may', async () => {
      const is = () => ledger.existsAtVendor('store-1');
      const other = { ...aKey('x').store, uid: 'store-2' };
      const there = [atVendor('x', { id: 'r-0' })];
      await committed(aKey('x', { store: other, credentials: there }));
      const waiting = await committed(aKey('a', { credentials: [atVendor('a')] }));
      expect(await is()).toBe(false);
      const calling = await committed({ ...waiting, credentials: [atVendor('a', begun)] });
      expect(await is()).toBe(true);
      const ended = await committed({ ...calling, phase: 'Ended', credentials: [] });
      expect([ended.phase, await is()]).toEqual(['Ended', false]);
      await committed(owing('b'));
      expect(await is()).toBe(true);
    });

    it('follow a credential to another account, as long as nothing of it exists', async () => {
      const waiting = await committed(aKey('a', { credentials: [atVendor('a')] }));
      const moved = [atVendor('a', { ...begun, account: 'other' })];
      await committed({ ...waiting, credentials: moved });
      const { record } = await ledger.load('a', waiting);
      expect(record?.credentials).toMatchObject([{ remote: { account: 'other' } }]);
    });

    it('list what is still owed to a vendor, page by page, and count it by store', async () => {
      for (const uid of ['c', 'a']) await committed(owing(uid));
      await committed({ ...owing('b'), phase: 'Retained' });
      const first = await ledger.debts(2);
      expect(first.records.map(({ uid }) => uid)).toEqual(['a', 'b']);
      const rest = await ledger.debts(2, first.next);
      expect(rest.records.map(({ uid }) => uid)).toEqual(['c']);
      expect(await ledger.countByStore()).toEqual([{ storeUid: 'store-1', keys: 1, debts: 3 }]);
      const paid = rest.records[0] ?? aKey('none');
      await committed({ ...paid, credentials: [] });
      expect(await ledger.countByStore()).toMatchObject([{ debts: 2 }]);
    });

    it('remember a store, the newest words of it, and which master key they need', async () => {
      const row = aStoreRow(1, 'Naver');
      await ledger.saveStore(row, EPOCH);
      await ledger.saveStore({ ...row, settings: '{"a":1}' }, EPOCH);
      expect(await ledger.loadStore('store-1')).toEqual({ ...row, settings: '{"a":1}' });
      expect(await ledger.loadStore('store-2')).toBeUndefined();
      expect((await ledger.versionsInUse()).map(({ version }) => version)).toContain(3);
      await expect(ledger.saveStore(row, EPOCH - 1)).rejects.toMatchObject({ reason: 'Fenced' });
    });
  });

  describe(`${name} ledger: credentials`, () => {
    it.each([
      { why: 'token', twin: aCredential('twin', { token: 'token-a-1' }) },
      { why: 'keyId', twin: aCredential('twin', { keyId: 'keyId-a-1' }) },
    ])('never share a $why, and a refused commit spoils none beside it', async ({ twin }) => {
      await committed(aKey('a'));
      const before = ledger.commit(aCommit(aKey('before')));
      const refused = ledger.commit(aCommit(aKey('bad', { credentials: [twin] })));
      const after = ledger.commit(aCommit(aKey('after')));
      await expect(refused).rejects.toMatchObject({ class: 'Bug', reason: 'ConstraintViolated' });
      expect(types([await before, await after])).toEqual(['Committed', 'Committed']);
      expect(await stored('bad')).toBeUndefined();
      expect(await ledger.verifyAudit()).toEqual({ entries: 3, brokenAt: undefined });
    });

    it('that a commit leaves out are gone, and neither they nor their ids come back', async () => {
      const issued = await committed(aKey('a'));
      const next = aCredential('a-2', { sequence: 2 });
      const rotated = await committed({ ...issued, sequence: 2, credentials: [next] });
      expect(await stored('a')).toEqual(rotated);
      expect(rotated.credentials.map((c) => c.sequence)).toEqual([2]);
      await reopen();
      const revival = { ...rotated, credentials: [...issued.credentials, next] };
      await expect(ledger.commit(aCommit(revival))).rejects.toMatchObject({ class: 'Bug' });
      expect(await stored('a')).toEqual(rotated);
    });

    it('in state Deleted end like those left out', async () => {
      const issued = await committed(aKey('a'));
      const deleted = issued.credentials.map((c) => ({ ...c, state: 'Deleted' as const }));
      expect(await committed({ ...issued, credentials: deleted })).toMatchObject({
        revision: 2,
        credentials: [],
      });
      expect(await stored('a')).toMatchObject({ revision: 2, credentials: [] });
    });

    it('are found by keyId whatever became of them, as long as the key is remembered', async () => {
      const issued = await committed(aKey('a'));
      expect(await ledger.findByKeyId('keyId-a-1')).toEqual(issued);
      const ended = await committed({ ...issued, phase: 'Ended', credentials: [] });
      expect(await ledger.findByKeyId('keyId-a-1')).toEqual(ended);
      expect(await ledger.findByKeyId('keyId-b-1')).toBeUndefined();
    });

    it('say which master key versions are needed, and remember what these look like', async () => {
      const sealedByNew = aSlot('x', { sealed: { version: 3, blob: new Uint8Array(40) } });
      const issued = await committed(
        aKey('a', { credentials: [aCredential('a-1', { slots: [sealedByNew] })] }),
      );
      await ledger.rememberVersion(1, 'check-1');
      await ledger.rememberVersion(1, 'check-1');
      await ledger.rememberVersion(2, 'check-2');
      await expect(ledger.rememberVersion(1, 'check-x')).rejects.toMatchObject({
        class: 'Terminal',
        reason: 'MasterKeyMismatch',
      });
      expect(await ledger.versionsInUse()).toEqual([
        { version: 1, checkValue: 'check-1' },
        { version: 3, checkValue: undefined },
      ]);
      const published = aCredential('a-1', { slots: [aHashOnlySlot('x')] });
      const active = await committed({ ...issued, credentials: [published] });
      expect((await ledger.versionsInUse()).map((each) => each.version)).toEqual([1]);
      await committed({ ...active, credentials: [] });
      expect(await ledger.versionsInUse()).toEqual([]);
    });
  });

  describe(`${name} ledger: names`, () => {
    it('show other live or ending keys of one name, and those only', async () => {
      const at = { namespace: 'shop', name: 'same' };
      const ours = await committed(aKey('ours', at));
      const live = await committed(aKey('live', at));
      const ending = await committed(aKey('ending', { ...at, phase: 'Ending', credentials: [] }));
      await committed(aKey('ended', { ...at, phase: 'Ended', credentials: [] }));
      await committed(aKey('retained', { ...at, phase: 'Retained' }));
      await committed(aKey('elsewhere', { namespace: 'far', name: 'same' }));
      expect(await ledger.load('ours', at)).toEqual({ record: ours, others: [ending, live] });
      const fresh = await ledger.load('fresh', at);
      expect(fresh.record).toBeUndefined();
      expect(fresh.others.map((each) => each.uid)).toEqual(['ending', 'live', 'ours']);
    });
  });

  describe(`${name} ledger: scan`, () => {
    it('pages through all keys but ended ones in the order of their UIDs', async () => {
      const uids = ['c', 'a', 'e', 'b', 'd'];
      await Promise.all(uids.map((uid) => committed(aKey(uid))));
      await committed({ ...aKey('b', { revision: 1 }), phase: 'Ended', credentials: [] });
      await committed({ ...aKey('d', { revision: 1 }), phase: 'Ending', credentials: [] });
      const seen: string[] = [];
      let after: string | undefined;
      do {
        const page = await ledger.scan(2, after);
        expect(page.records.length).toBeLessThanOrEqual(2);
        seen.push(...page.records.map((record) => record.uid));
        after = page.next;
      } while (after !== undefined);
      expect(seen).toEqual(['a', 'c', 'd', 'e']);
    });

    it('of an empty database is one empty page', async () => {
      expect(await ledger.scan(10)).toEqual({ records: [], next: undefined });
    });
  });

  describe(`${name} ledger: change feed`, () => {
    it('begins at the newest position and then names every key that changed', async () => {
      await committed(aKey('before'));
      const start = await ledger.changes(10);
      expect(start.uids).toEqual([]);
      await committed(await committed(aKey('a')));
      await committed(aKey('b'));
      const page = await ledger.changes(10, start.cursor);
      expect(new Set(page.uids)).toEqual(new Set(['a', 'b']));
      expect((await ledger.changes(10, page.cursor)).uids).toEqual([]);
    });

    it('has reached what was committed once it has named the last of it, and not before', async () => {
      const { cursor: start } = await ledger.changes(10);
      await committed(aKey('a'));
      await committed(aKey('b'));
      const identity = await ledger.identity();
      await committed(aKey('c'));
      const first = await ledger.changes(1, start);
      const second = await ledger.changes(1, first.cursor);
      const rest = await ledger.changes(10, first.cursor);
      const cursors = [start, first.cursor, second.cursor, rest.cursor];
      expect(cursors.map((cursor) => hasReached(cursor, identity))).toEqual([
        false,
        false,
        true,
        true,
      ]);
    });

    it('misses nothing when commits and small pages interleave, also over a restart', async () => {
      let { cursor } = await ledger.changes(1);
      const seen = new Set<string>();
      for (let round = 0; round < 5; round += 1) {
        const uids = [0, 1, 2].map((index) => `r${round}-${index}`);
        await Promise.all(uids.map((uid) => committed(aKey(uid))));
        const page = await ledger.changes(2, cursor);
        for (const uid of page.uids) seen.add(uid);
        cursor = page.cursor;
        if (round === 2) await reopen();
      }
      for (;;) {
        const page = await ledger.changes(2, cursor);
        if (page.uids.length === 0) break;
        for (const uid of page.uids) seen.add(uid);
        cursor = page.cursor;
      }
      expect(seen.size).toBe(15);
    });

    it('refuses a position of another database', async () => {
      await expect(ledger.changes(1, 'elsewhere/3')).rejects.toMatchObject({
        class: 'Conflict',
        reason: 'CursorUnknown',
      });
    });
  });

  describe(`${name} ledger: audit chain`, () => {
    beforeEach(async () => {
      for (const uid of ['a', 'b', 'c', 'd']) await committed(aKey(uid));
    });

    it('is whole when nobody touched it, also over a restart', async () => {
      expect(await ledger.verifyAudit()).toEqual({ entries: 4, brokenAt: undefined });
      await reopen();
      await committed(aKey('e'));
      expect(await ledger.verifyAudit()).toEqual({ entries: 5, brokenAt: undefined });
    });

    it.each([
      { why: 'an actor', sql: `UPDATE audit SET actor = 'x' WHERE commit_number = 2`, at: 2 },
      { why: 'an action', sql: `UPDATE audit SET action = 'x' WHERE commit_number = 3`, at: 3 },
      { why: 'a time', sql: `UPDATE audit SET at = at + 1 WHERE commit_number = 1`, at: 1 },
      { why: 'a fact', sql: `UPDATE audit SET facts = '{}' WHERE commit_number = 4`, at: 4 },
      { why: 'a key', sql: `UPDATE audit SET uid = 'x' WHERE commit_number = 2`, at: 2 },
      {
        why: 'a hash',
        sql: `UPDATE audit SET hash = previous_hash WHERE commit_number = 2`,
        at: 2,
      },
      { why: 'a missing entry', sql: `DELETE FROM audit WHERE commit_number = 2`, at: 2 },
      { why: 'a cut-off end', sql: `DELETE FROM audit WHERE commit_number = 4`, at: 4 },
    ])('shows that $why was changed', async ({ sql, at }) => {
      await ledger.close();
      await harness.tamper(sql);
      ledger = await harness.open();
      expect(await ledger.verifyAudit()).toEqual({ entries: at - 1, brokenAt: at });
    });
  });

  describe(`${name} ledger: tombstones`, () => {
    it('stay 30 days; after that the keyId is still not free', async () => {
      const issued = await committed(aKey('a'), { spendRequestId: 'r' });
      const ended = await committed({ ...issued, phase: 'Ended', credentials: [] });
      await reopen();
      const later = (days: number) => ({ audit: anEntry({ atMs: AT_MS + days * DAY_MS }) });
      await committed(aKey('b'), later(29));
      expect(await stored('a')).toEqual(ended);
      await reopen();
      await committed(aKey('c'), later(31));
      expect(await stored('a')).toBeUndefined();
      expect(await ledger.isRequestSpent('a', 'r')).toBe(false);
      await committed(aKey('e'));
      const thief = aKey('d', { credentials: [aCredential('d-1', { keyId: 'keyId-a-1' })] });
      await expect(ledger.commit(aCommit(thief))).rejects.toMatchObject({ class: 'Bug' });
    });
  });

  describe(`${name} ledger: closing`, () => {
    it('waits for what was asked, refuses what comes later, and may be repeated', async () => {
      const commit = ledger.commit(aCommit(aKey('a')));
      const closing = ledger.close();
      expect(await commit).toMatchObject({ type: 'Committed' });
      await closing;
      await ledger.close();
      await expect(ledger.identity()).rejects.toMatchObject({ reason: 'LedgerClosed' });
    });
  });

  describe(`${name} ledger: model`, () => {
    it('does what a map of records would do, for any sequence of commits', async () => {
      const goOn = ['GoOn', 'GoOn', 'GoOn', 'GoOn'] as const;
      const steps = fc.array(
        fc.record({
          uid: fc.constantFrom('a', 'b', 'c', 'd'),
          revision: fc.constantFrom('Right', 'Right', 'Right', 'Wrong'),
          phase: fc.constantFrom('Live', 'Live', 'Retained', 'Ending', 'Ended'),
          store: fc.constantFrom('store-1', 'store-2'),
          credentials: fc.nat({ max: 2 }),
          request: fc.option(fc.constantFrom('r1', 'r2'), { nil: undefined }),
          maxKeys: fc.option(fc.nat({ max: 3 }), { nil: undefined }),
          next: fc.constantFrom(...goOn, ...goOn, 'Together', 'Together', 'Reopen'),
        }),
        { maxLength: 25 },
      );
      let run = 0;
      await fc.assert(
        fc.asyncProperty(steps, async (sequence) => {
          run += 1;
          const model = createModel();
          let waiting: { result: Promise<CommitResult>; expected: string }[] = [];
          const settle = async (): Promise<void> => {
            for (const { result, expected } of waiting) expect((await result).type).toBe(expected);
            waiting = [];
          };
          for (const [index, step] of sequence.entries()) {
            const uid = `${run}-${step.uid}`;
            const before = model.records.get(uid);
            const revision = (before?.revision ?? 0) + (step.revision === 'Right' ? 0 : 1);
            const kept = before?.credentials.slice(-step.credentials) ?? [];
            const record = aKey(uid, {
              revision,
              phase: step.phase as KeyRecord['phase'],
              store: { ...aKey(uid).store, uid: `${run}-${step.store}` },
              credentials:
                step.credentials === 0
                  ? []
                  : [...kept, aCredential(`${uid}-${index}`, { sequence: index + 1 })],
            });
            const commit = aCommit(record, {
              ...(step.request === undefined ? {} : { spendRequestId: step.request }),
              ...(step.maxKeys === undefined ? {} : { limits: { maxKeys: step.maxKeys } }),
            });
            waiting.push({ result: ledger.commit(commit), expected: model.commit(commit) });
            if (step.next !== 'Together') await settle();
            if (step.next === 'Reopen') await reopen();
          }
          await settle();
          for (const [uid, record] of model.records) expect(await stored(uid)).toEqual(record);
          expect((await ledger.verifyAudit()).brokenAt).toBeUndefined();
          const ours = (await ledger.scan(10_000)).records.filter((r) =>
            r.uid.startsWith(`${run}-`),
          );
          const scanned = [...model.records.values()].filter((r) => r.phase !== 'Ended');
          expect(ours.map((r) => r.uid)).toEqual(scanned.map((r) => r.uid).toSorted());
        }),
        { numRuns: 60 },
      );
    });
  });
}

/** The ledger as a map, for one property run. */
function createModel(): {
  readonly records: ReadonlyMap<string, KeyRecord>;
  commit(commit: Commit): CommitResult['type'];
} {
  const records = new Map<string, KeyRecord>();
  const spent = new Set<string>();
  const isCounted = (record: KeyRecord | undefined): boolean =>
    record?.phase === 'Live' || record?.phase === 'Retained';
  return {
    records,
    commit: ({ record, expectedRevision, spendRequestId, limits }) => {
      const before = records.get(record.uid);
      if ((before?.revision ?? 0) !== expectedRevision) return 'Stale';
      const request = `${record.uid}/${spendRequestId}`;
      if (spendRequestId !== undefined && spent.has(request)) return 'RequestSpent';
      const others = [...records.values()].filter(
        (each) => isCounted(each) && each.store.uid === record.store.uid,
      );
      const isNew = isCounted(record) && !isCounted(before);
      if (isNew && others.length >= (limits?.maxKeys ?? Infinity)) return 'LimitExceeded';
      if (spendRequestId !== undefined) spent.add(request);
      records.set(record.uid, { ...record, revision: expectedRevision + 1 });
      return 'Committed';
    },
  };
}
