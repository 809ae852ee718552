/** What becomes of a gate's database when its file, its server, its network or its rights are taken away. */
import { copyFileSync, existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from 'vitest';
import { findPgBouncer, startPgBouncer } from '../../control-plane/pgbouncer.ts';
import { MINUTE_MS } from '../../src/kernel/time.ts';
import type { GateLedger, LeaseWish, SeenSignature } from '../../src/ledger/gate.ts';
import { openGateLedger, openLedger } from '../../src/ledger/open.ts';
import { gateGrants } from '../../src/ledger/postgres/grants.ts';
import type { Ledger } from '../../src/ledger/port.ts';
import { startCommitProxy } from '../support/postgres.proxy.ts';
import { describeOnPostgres, freshSchema } from '../support/postgres.ts';
import { aClient, clientChange, together } from './ledger.documents.ts';
import { aCommit, aKey, CLUSTER, EPOCH } from './ledger.records.ts';

const UNAVAILABLE = { class: 'Transient', reason: 'LedgerUnavailable' };
const NOW_MS = Date.UTC(2025, 5, 15, 12);
const COUNT = { subject: 'key/a', windowStartMs: 0 };
const canPool = (await findPgBouncer()) !== undefined;

let cleanups: (() => Promise<unknown> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.toReversed()) await cleanup();
  cleanups = [];
});

async function openReady(url: string): Promise<Ledger> {
  const ledger = await openLedger({ url, missing: 'Create' });
  cleanups.push(() => ledger.close());
  await ledger.adoptCluster(CLUSTER);
  await ledger.openEpoch(EPOCH, 'operator-0');
  return ledger;
}

async function openGate(url: string): Promise<GateLedger> {
  const gate = await openGateLedger(url);
  cleanups.push(() => gate.close());
  return gate;
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'keyward-gate-'));
  cleanups.push(() => rmSync(path, { recursive: true }));
  return path;
}

function aWish(changes: Partial<LeaseWish> = {}): LeaseWish {
  const id = randomBytes(8).toString('hex');
  return { ...COUNT, id, limit: 1_000, uses: 10, nowMs: NOW_MS, ...changes };
}

function aSignature(): SeenSignature {
  const digest = new Uint8Array(randomBytes(32));
  return { keyId: 'k1', digest, untilMs: NOW_MS + MINUTE_MS, nowMs: NOW_MS };
}

const WITHOUT_NEWEST = `DELETE FROM migrations WHERE version = (SELECT max(version) FROM migrations)`;
const TOO_OLD = {
  class: 'Transient',
  reason: 'SchemaTooOld',
  message: expect.stringContaining("start this version's operator first"),
};

describe('A gate on a SQLite ledger', () => {
  const fileIn = (at: string): string => join(at, 'keyward.db');

  it('makes no file, and migrates none', async () => {
    const path = fileIn(folder());
    const missing = { class: 'Terminal', reason: 'DatabaseMissing' };
    await expect(openGate(`sqlite://${path}`)).rejects.toMatchObject(missing);
    expect(existsSync(path)).toBe(false);
    await (await openReady(`sqlite://${path}`)).close();
    const db = new DatabaseSync(path);
    db.exec(WITHOUT_NEWEST);
    db.close();
    await expect(openGate(`sqlite://${path}`)).rejects.toMatchObject(TOO_OLD);
  });

  it('takes nothing that an operator needs to start, and goes on through its restart', async () => {
    const url = `sqlite://${fileIn(folder())}`;
    await (await openReady(url)).close();
    const gate = await openGate(url);
    expect(await gate.lease([aWish()])).toMatchObject([{ uses: 10 }]);
    for (const round of [1, 2, 3]) {
      const ledger = await openLedger({ url, missing: 'Refuse' });
      await ledger.openEpoch(EPOCH + round, 'operator-0');
      await ledger.commit(aCommit(aKey(`k${round}`), { epoch: EPOCH + round }));
      expect(await gate.lease([aWish()])).toMatchObject([{ uses: 10 }]);
      await ledger.close();
      expect(await gate.findByKeyId(`keyId-k${round}-1`)).toMatchObject({ revision: 1 });
      expect(await gate.lease([aWish()])).toMatchObject([{ uses: 10 }]);
    }
    expect(await gate.counts([COUNT])).toMatchObject([{ reserved: 70 }]);
  });

  it('leaves nothing beside the file when the last one has closed it', async () => {
    const at = folder();
    const url = `sqlite://${fileIn(at)}`;
    const ledger = await openReady(url);
    const gate = await openGate(url);
    await gate.lease([aWish()]);
    await ledger.close();
    await gate.close();
    expect(readdirSync(at).toSorted()).toEqual(['keyward.db', 'keyward.db-lock']);
    expect((await (await openGate(url)).counts([COUNT]))[0]?.reserved).toBe(10);
  });

  it('leaves a ledger that can be copied as one file once the operator has closed it', async () => {
    const path = fileIn(folder());
    const ledger = await openReady(`sqlite://${path}`);
    const gate = await openGate(`sqlite://${path}`);
    await gate.changes(1);
    await ledger.close();
    copyFileSync(path, `${path}-copy`);
    const copy = new DatabaseSync(`${path}-copy`, { readOnly: true });
    expect(copy.prepare('SELECT cluster_id FROM meta').get()).toEqual({ cluster_id: CLUSTER });
    copy.close();
  });

  it('writes and reads nothing more where the file was replaced', async () => {
    const path = fileIn(folder());
    await (await openReady(`sqlite://${path}`)).close();
    copyFileSync(path, `${path}-copy`);
    const gate = await openGate(`sqlite://${path}`);
    await gate.lease([aWish()]);
    renameSync(`${path}-copy`, path);
    const replaced = { class: 'Terminal', reason: 'DatabaseReplaced' };
    await expect(gate.lease([aWish()])).rejects.toMatchObject(replaced);
    await expect(gate.remember([aSignature()])).rejects.toMatchObject(replaced);
    await expect(gate.findByKeyId('k')).rejects.toMatchObject(replaced);
    await expect(gate.changes(1)).rejects.toMatchObject(replaced);
  });

  it.each(['-wal', '-shm', '-wal -shm'])(
    'does not take an old view for a new one where %s was deleted',
    async (suffixes) => {
      const path = fileIn(folder());
      await (await openReady(`sqlite://${path}`)).close();
      const gate = await openGate(`sqlite://${path}`);
      await gate.identity();
      for (const suffix of suffixes.split(' ')) rmSync(path + suffix);
      const replaced = { class: 'Terminal', reason: 'DatabaseReplaced' };
      await expect(gate.identity()).rejects.toMatchObject(replaced);
      await expect(gate.lease([aWish()])).rejects.toMatchObject(replaced);
    },
  );

  it('says that it cannot while somebody else holds the file, and can after that', async () => {
    const path = fileIn(folder());
    await (await openReady(`sqlite://${path}`)).close();
    const gate = await openGate(`sqlite://${path}`);
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    const wish = aWish();
    await expect(gate.lease([wish])).rejects.toMatchObject(UNAVAILABLE);
    expect(await gate.counts([COUNT])).toEqual([]);
    other.close();
    expect(await gate.lease([wish])).toEqual([{ id: wish.id, uses: 10, unreserved: 990 }]);
  });

  it('answers nothing after it was closed', async () => {
    const url = `sqlite://${fileIn(folder())}`;
    await (await openReady(url)).close();
    const gate = await openGate(url);
    const last = gate.lease([aWish()]);
    await gate.close();
    expect(await last).toMatchObject([{ uses: 10 }]);
    await expect(gate.lease([aWish()])).rejects.toMatchObject({ reason: 'LedgerClosed' });
  });
});

describeOnPostgres('A gate on a PostgreSQL ledger', (server) => {
  const urlOf = (parameters = `schema=${freshSchema()}`): string => server().url(parameters);

  it('makes no tables, and migrates none', async () => {
    const schema = freshSchema();
    const url = urlOf(`schema=${schema}`);
    await expect(openGate(url)).rejects.toMatchObject({ reason: 'DatabaseMissing' });
    await (await openReady(url)).close();
    await server().sql(`SET search_path = ${schema}; ${WITHOUT_NEWEST}`, 'keyward');
    await expect(openGate(url)).rejects.toMatchObject(TOO_OLD);
  });

  it.each(['Question', 'Answer'] as const)(
    'counts exactly once when the %s of a COMMIT was lost',
    async (what) => {
      const proxy = await startCommitProxy(server().port);
      cleanups.push(() => proxy.close());
      const url = urlOf().replace(`:${server().port}/`, `:${proxy.port}/`);
      await openReady(url);
      const gate = await openGate(url);
      const wish = aWish();
      proxy.lose(what);
      expect(await gate.lease([wish])).toEqual([{ id: wish.id, uses: 10, unreserved: 990 }]);
      proxy.lose(what);
      await gate.reportLeases([{ id: wish.id, spent: 3 }], NOW_MS);
      expect(await gate.counts([COUNT])).toEqual([{ ...COUNT, reserved: 10, unspent: 7 }]);
      proxy.lose(what);
      await gate.returnLeases([{ id: wish.id, spent: 4 }], NOW_MS);
      expect(await gate.counts([COUNT])).toEqual([{ ...COUNT, reserved: 4, unspent: 0 }]);
      const signatures = [aSignature(), aSignature()];
      proxy.lose(what);
      expect(await gate.remember(signatures)).toEqual([true, true]);
      expect(await gate.remember(signatures)).toEqual([false, false]);
      proxy.lose(what);
      const report = { uid: 'a', uses: 1, lastUsedMs: NOW_MS };
      await expect(gate.reportUsage([report])).rejects.toMatchObject(UNAVAILABLE);
      expect(proxy.lost).toBe(5);
    },
  );

  it('says that it cannot while the server is gone, and goes on when it is back', async () => {
    const url = urlOf();
    await openReady(url);
    const gate = await openGate(url);
    const wish = aWish();
    await gate.lease([wish]);
    await server().kill();
    await expect(gate.lease([aWish()])).rejects.toMatchObject(UNAVAILABLE);
    await expect(gate.remember([aSignature()])).rejects.toMatchObject(UNAVAILABLE);
    await expect(gate.changes(1)).rejects.toMatchObject(UNAVAILABLE);
    await server().start();
    await expect
      .poll(() => gate.lease([wish]).catch(() => undefined), { timeout: 10_000 })
      .toEqual([{ id: wish.id, uses: 10, unreserved: 990 }]);
  });

  it('is exact where role or database ask for another isolation', async () => {
    const url = urlOf();
    await openReady(url);
    const isolated = (to: string) =>
      server().sql(`ALTER DATABASE keyward SET default_transaction_isolation = '${to}'`);
    await isolated('serializable');
    cleanups.push(() => server().sql('ALTER DATABASE keyward RESET default_transaction_isolation'));
    const gates = await Promise.all([openGate(url), openGate(url), openGate(url)]);
    const leases = await Promise.all(
      Array.from({ length: 60 }, async (_, index) =>
        gates[index % 3]?.lease([aWish({ limit: 100, uses: 3 })]),
      ),
    );
    const uses = leases.flatMap((lease) => lease?.[0]?.uses ?? 0);
    expect(uses.reduce((sum, each) => sum + each)).toBe(100);
  });

  it('locks many counts in one order, so that gates do not wait for each other in a circle', async () => {
    const url = urlOf();
    await openReady(url);
    const gates = await Promise.all([openGate(url), openGate(url), openGate(url)]);
    const subjects = Array.from({ length: 12 }, (_, index) => `key/${index}`);
    await Promise.all(
      Array.from({ length: 30 }, async (_, index) => {
        const order = index % 2 === 0 ? subjects : subjects.toReversed();
        const wishes = order.map((subject) => aWish({ subject }));
        await gates[index % 3]?.lease(wishes);
        const reports = wishes.map(({ id }) => ({ id, spent: 5 }));
        await gates[(index + 1) % 3]?.reportLeases(reports.toReversed(), NOW_MS);
        await gates[(index + 2) % 3]?.returnLeases(reports, NOW_MS);
      }),
    );
    const refs = subjects.map((subject) => ({ subject, windowStartMs: 0 }));
    const counts = (await gates[0]?.counts(refs)) ?? [];
    expect(counts.map(({ reserved }) => reserved)).toEqual(subjects.map(() => 150));
  });

  it('does not forget early because its own clock is ahead', async () => {
    const url = urlOf();
    await openReady(url);
    const gate = await openGate(url);
    const windowEndMs = Date.now() + MINUTE_MS;
    await gate.lease([aWish({ windowEndMs, nowMs: Date.now() })]);
    const signature = { ...aSignature(), untilMs: windowEndMs };
    await gate.remember([signature]);
    await gate.sweepUses(Date.now() + 1_000 * 24 * 60 * MINUTE_MS, MINUTE_MS);
    expect(await gate.counts([COUNT])).toMatchObject([{ reserved: 10, unspent: 10 }]);
    expect(await gate.remember([signature])).toEqual([false]);
  });

  describe.skipIf(!canPool)('behind a pooler in transaction mode', () => {
    it('counts when every transaction may come to another server connection', async () => {
      const pooler = await startPgBouncer(server(), 2);
      cleanups.push(() => pooler.stop());
      const url = pooler.url(`schema=${freshSchema()}`);
      await openReady(url);
      const gates = await Promise.all([openGate(url), openGate(url)]);
      const uses = await Promise.all(
        Array.from({ length: 100 }, async (_, index) => {
          const gate = gates[index % 2];
          const [lease] = (await gate?.lease([aWish({ limit: 300, uses: 7 })])) ?? [];
          await gate?.remember([aSignature()]);
          return lease?.uses ?? 0;
        }),
      );
      expect(uses.reduce((sum, each) => sum + each)).toBe(300);
    });
  });

  describe('under a role with the grants for gates', () => {
    it('does everything that a gate does, and is refused everything else', async () => {
      const schema = freshSchema();
      const ledger = await openReady(urlOf(`schema=${schema}`));
      await ledger.commit(aCommit(aKey('a')));
      await ledger.commitDocuments(together(clientChange(aClient('c1'))));
      await ledger.rememberVersion(1, 'check');
      const grants = gateGrants({ schema, role: 'the "gate"' });
      await server().sql(`CREATE ROLE "the ""gate""" LOGIN PASSWORD 'gate'; ${grants}`, 'keyward');
      await server().sql(grants, 'keyward');
      const { host, port } = server();
      const user = encodeURIComponent('the "gate"');
      const url = `postgres://${user}:gate@${host}:${port}/keyward?schema=${schema}`;

      const gate = await openGate(url);
      expect(await gate.identity()).toMatchObject({ commitCounter: 2 });
      expect(await gate.keyIds(10)).toEqual(['keyId-a-1']);
      expect(await gate.keyIdsOf(['a'])).toEqual(['keyId-a-1']);
      expect(await gate.findByKeyId('keyId-a-1')).toMatchObject({ uid: 'a' });
      expect(await gate.versionsInUse()).toEqual([{ version: 1, checkValue: 'check' }]);
      expect(await gate.loadDocument('Client', 'c1')).toMatchObject({ uid: 'c1' });
      expect(await gate.scanDocuments('Client', 10)).toHaveLength(1);
      const { cursor } = await gate.changes(10);
      expect((await gate.changes(10, cursor)).uids).toEqual([]);
      const wish = aWish();
      expect(await gate.lease([wish])).toMatchObject([{ uses: 10 }]);
      await gate.reportLeases([{ id: wish.id, spent: 1 }], NOW_MS);
      await gate.returnLeases([{ id: wish.id, spent: 2 }], NOW_MS);
      await gate.reportUsage([{ uid: 'a', uses: 1, lastUsedMs: NOW_MS }]);
      expect(await gate.remember([aSignature()])).toEqual([true]);
      await gate.sweepUses(Date.now(), MINUTE_MS);
      expect(await gate.counts([COUNT])).toMatchObject([{ reserved: 2 }]);
      expect(await gate.usage(['a'])).toHaveLength(1);

      const writer = await openLedger({ url, missing: 'Refuse' });
      cleanups.push(() => writer.close());
      const refused = { ...UNAVAILABLE, message: expect.stringContaining('lacks a right') };
      await expect(writer.commit(aCommit(aKey('b')))).rejects.toMatchObject(refused);
      await expect(writer.openEpoch(EPOCH + 9, 'thief')).rejects.toMatchObject(UNAVAILABLE);
      await expect(writer.loadStore('s')).rejects.toMatchObject(refused);
      const asGate = `SET ROLE "the ""gate"""; SET search_path = ${schema};`;
      const forbidden = [
        `UPDATE keys SET state = 'Active'`,
        `UPDATE slots SET retire_at = NULL`,
        `DELETE FROM credentials`,
        `INSERT INTO documents SELECT * FROM documents`,
        `UPDATE meta SET commit_counter = 0`,
        `DELETE FROM audit`,
        `SELECT sealed FROM stores`,
        `SELECT actor FROM audit`,
        `TRUNCATE counts`,
        `CREATE TABLE mine (id int)`,
        `DROP TABLE counts`,
      ];
      for (const sql of forbidden) {
        const denied = expect.stringMatching(/permission denied|must be owner/);
        const tried = server().sql(`${asGate} ${sql}`, 'keyward');
        await expect(tried).rejects.toMatchObject({ message: denied });
      }
    });
  });
});
