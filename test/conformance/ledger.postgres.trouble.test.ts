/** What becomes of a PostgreSQL ledger when its server, its network or its rights are taken away. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createAuthority, issue } from '../../control-plane/certificates.ts';
import { findPgBouncer, startPgBouncer } from '../../control-plane/pgbouncer.ts';
import type { Postgres } from '../../control-plane/postgres.ts';
import { classify } from '../../src/kernel/errors.ts';
import { openLedger, openLedgerReader } from '../../src/ledger/open.ts';
import type { Ledger } from '../../src/ledger/port.ts';
import { startCommitProxy } from '../support/postgres.proxy.ts';
import { describeOnPostgres, freshSchema } from '../support/postgres.ts';
import { aHold, holdChange, together } from './ledger.documents.ts';
import { aCommit, aKey, anEntry, CLUSTER, EPOCH } from './ledger.records.ts';

const NOWHERE = { namespace: 'none', name: 'none' };
const UNAVAILABLE = { class: 'Transient', reason: 'LedgerUnavailable' };
const canPool = (await findPgBouncer()) !== undefined;

let cleanups: (() => Promise<unknown> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.toReversed()) await cleanup();
  cleanups = [];
});

async function open(url: string, missing: 'Create' | 'Refuse' = 'Create'): Promise<Ledger> {
  const ledger = await openLedger({ url, missing });
  cleanups.push(() => ledger.close());
  return ledger;
}

async function openReady(url: string): Promise<Ledger> {
  const ledger = await open(url);
  await ledger.adoptCluster(CLUSTER);
  await ledger.openEpoch(EPOCH, 'operator-0');
  return ledger;
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'keyward-pg-'));
  cleanups.push(() => rmSync(path, { recursive: true }));
  return path;
}

const revisionOf = async (ledger: Ledger, uid: string): Promise<number | undefined> =>
  (await ledger.load(uid, NOWHERE)).record?.revision;

/** What became of commits that were asked for while the server came and went. */
type Books = { readonly acknowledged: string[]; readonly failed: string[] };

/** Several callers that commit new keys one after the other until `isOver`. */
async function write(ledger: Ledger, callers: number, isOver: () => boolean): Promise<Books> {
  const books: Books = { acknowledged: [], failed: [] };
  const call = async (caller: number): Promise<void> => {
    for (let index = 0; !isOver(); index += 1) {
      const uid = `c${caller}-${index}`;
      try {
        const { type } = await ledger.commit(aCommit(aKey(uid)));
        expect(type).toBe('Committed');
        books.acknowledged.push(uid);
      } catch (thrown) {
        if (classify(thrown).reason !== UNAVAILABLE.reason) throw thrown;
        books.failed.push(uid);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, caller) => call(caller)));
  return books;
}

async function expectExact(ledger: Ledger, { acknowledged, failed }: Books): Promise<void> {
  const revisions = await Promise.all(acknowledged.map((uid) => revisionOf(ledger, uid)));
  expect(revisions.filter((revision) => revision !== 1)).toEqual([]);
  const ghosts = await Promise.all(failed.map((uid) => revisionOf(ledger, uid)));
  expect(ghosts.filter((revision) => revision !== undefined)).toEqual([]);
  const entries = acknowledged.length;
  expect(await ledger.verifyAudit()).toEqual({ entries, brokenAt: undefined });
  expect((await ledger.identity()).commitCounter).toBe(entries);
}

describeOnPostgres('A PostgreSQL ledger in trouble', (server) => {
  const urlOf = (parameters = `schema=${freshSchema()}`): string => server().url(parameters);

  describe('whose server is killed in the middle of writes', () => {
    it('loses nothing it acknowledged, and what it refused is not there', async () => {
      const ledger = await openReady(urlOf());
      let isOver = false;
      const writing = write(ledger, 16, () => isOver);
      for (let round = 0; round < 4; round += 1) {
        await new Promise((resolve) => setTimeout(resolve, 150 + 37 * round));
        await server().kill();
        await new Promise((resolve) => setTimeout(resolve, 100));
        await server().start();
      }
      await new Promise((resolve) => setTimeout(resolve, 300));
      isOver = true;
      const books = await writing;
      expect(books.acknowledged.length).toBeGreaterThan(100);
      await expectExact(ledger, books);
    });
  });

  describe('whose connection breaks at COMMIT', () => {
    it.each(['Question', 'Answer'] as const)(
      'answers Committed exactly once when the %s was lost',
      async (what) => {
        const proxy = await startCommitProxy(server().port);
        cleanups.push(() => proxy.close());
        const url = urlOf().replace(`:${server().port}/`, `:${proxy.port}/`);
        const ledger = await openReady(url);
        for (let round = 1; round <= 5; round += 1) {
          proxy.lose(what);
          const results = await Promise.all(
            ['a', 'b', 'c'].map((uid) => ledger.commit(aCommit(aKey(`${uid}${round}`)))),
          );
          expect(results.map(({ type }) => type)).toEqual(['Committed', 'Committed', 'Committed']);
          expect(proxy.lost).toBe(round);
        }
        expect(await ledger.verifyAudit()).toEqual({ entries: 15, brokenAt: undefined });
        proxy.lose(what);
        const decided = together(holdChange(aHold('a1')));
        expect(await ledger.commitDocuments(decided)).toEqual({ type: 'Committed' });
        expect(await ledger.loadDocument('Hold', 'a1')).toMatchObject({ revision: 1 });
        expect(await ledger.verifyAudit()).toEqual({ entries: 16, brokenAt: undefined });
        proxy.lose(what);
        await ledger.openEpoch(EPOCH + 1, 'operator-0');
        expect((await ledger.identity()).epoch).toBe(EPOCH + 1);
      },
    );
  });

  describe('with a second leader', () => {
    it('fences the first one, which changes nothing any more', async () => {
      const url = urlOf();
      const first = await openReady(url);
      await first.commit(aCommit(aKey('a')));
      const second = await open(url);
      await second.openEpoch(EPOCH + 1, 'operator-1');
      await expect(first.commit(aCommit(aKey('b')))).rejects.toMatchObject({
        class: 'Terminal',
        reason: 'Fenced',
      });
      await second.commit(aCommit(aKey('b'), { epoch: EPOCH + 1 }));
      expect(await first.verifyAudit()).toEqual({ entries: 2, brokenAt: undefined });
    });

    it('lets both write under one epoch without losing a limit or a link of the chain', async () => {
      const url = urlOf();
      const first = await openReady(url);
      const second = await open(url);
      const limits = { maxKeys: 31 };
      const results = await Promise.all(
        Array.from({ length: 60 }, async (_, index) => {
          const ledger = index % 2 === 0 ? first : second;
          return ledger.commit(aCommit(aKey(`k${index}`), { limits }));
        }),
      );
      expect(results.filter(({ type }) => type === 'Committed')).toHaveLength(31);
      expect(await first.verifyAudit()).toEqual({ entries: 31, brokenAt: undefined });
    });
  });

  describe('with a transaction that commits late', () => {
    it('shows its change feed in order, so nothing is skipped', async () => {
      const schema = freshSchema();
      const ledger = await openReady(urlOf(`schema=${schema}`));
      await ledger.commit(aCommit(aKey('a')));
      const { cursor } = await ledger.changes(10);
      // Another process takes the next number and is slow to commit.
      const late = server().sql(
        `BEGIN; SELECT 1 FROM ${schema}.meta FOR UPDATE;
         INSERT INTO ${schema}.audit SELECT commit_number + 1, cluster_id, at, actor, action, 'late',
           facts, hash, hash FROM ${schema}.audit WHERE commit_number = 1;
         UPDATE ${schema}.meta SET commit_counter = 2; SELECT pg_sleep(1); COMMIT`,
        'keyward',
      );
      await new Promise((resolve) => setTimeout(resolve, 300));
      const early = ledger.commit(aCommit(aKey('b')));
      const reader = await openLedgerReader(urlOf(`schema=${schema}`));
      cleanups.push(() => reader.close());
      expect(await reader.changes(10, cursor)).toEqual({ uids: [], cursor });
      await late;
      await early;
      expect((await reader.changes(10, cursor)).uids).toEqual(['late', 'b']);
    });
  });

  describe('that cannot be opened', () => {
    it('says so in one sentence without its password', async () => {
      const refused = urlOf().replace(`:${server().port}/`, ':1/');
      await expect(open(refused)).rejects.toMatchObject({
        ...UNAVAILABLE,
        message: expect.stringContaining('nothing listens'),
      });
      await expect(open(refused)).rejects.not.toMatchObject({
        message: expect.stringContaining(server().password),
      });
      const wrong = urlOf().replace(server().password, 'wrong');
      await expect(open(wrong)).rejects.toMatchObject({
        ...UNAVAILABLE,
        message: expect.stringContaining('refuses our user or password'),
      });
      const missing = urlOf().replace('/keyward?', '/nothing?');
      await expect(open(missing)).rejects.toMatchObject({
        class: 'Terminal',
        reason: 'DatabaseMissing',
      });
    });

    it.each<{ why: string; reason: string; harm: string }>([
      {
        why: 'a newer Keyward migrated it',
        reason: 'SchemaTooNew',
        harm: `INSERT INTO migrations VALUES (99, 'x')`,
      },
      {
        why: 'another build made it',
        reason: 'SchemaChanged',
        harm: `UPDATE migrations SET checksum = 'x'`,
      },
      {
        why: 'it holds tables of something else',
        reason: 'ForeignDatabase',
        harm: 'DROP TABLE meta; DROP TABLE audit',
      },
    ])('is refused when $why', async ({ reason, harm }) => {
      const schema = freshSchema();
      await (await openReady(urlOf(`schema=${schema}`))).close();
      await server().sql(`SET search_path = ${schema}; ${harm}`, 'keyward');
      const refusal = { class: 'Terminal', reason };
      await expect(open(urlOf(`schema=${schema}`))).rejects.toMatchObject(refusal);
      await expect(openLedgerReader(urlOf(`schema=${schema}`))).rejects.toMatchObject(refusal);
    });

    it('is made once when several processes start together', async () => {
      const url = urlOf();
      const ledgers = await Promise.all(Array.from({ length: 5 }, () => open(url)));
      const identities = await Promise.all(ledgers.map((ledger) => ledger.identity()));
      expect(new Set(identities.map(({ databaseId }) => databaseId)).size).toBe(1);
    });

    it('is not made by a reader, nor where that is not wanted', async () => {
      const url = urlOf();
      const refusal = { class: 'Terminal', reason: 'DatabaseMissing' };
      await expect(openLedgerReader(url)).rejects.toMatchObject(refusal);
      await expect(open(url, 'Refuse')).rejects.toMatchObject(refusal);
    });
  });

  describe('whose database is exchanged under it', () => {
    it('writes nothing more', async () => {
      const schema = freshSchema();
      const ledger = await openReady(urlOf(`schema=${schema}`));
      await ledger.commit(aCommit(aKey('a')));
      const change = (sql: string) =>
        server().sql(`SET search_path = ${schema}; ${sql}`, 'keyward');
      await change('DELETE FROM audit; UPDATE meta SET commit_counter = 0');
      const outdated = { class: 'Terminal', reason: 'DatabaseOutdated' };
      await expect(ledger.commit(aCommit(aKey('b')))).rejects.toMatchObject(outdated);
      await change(`UPDATE meta SET database_id = 'other'`);
      const replaced = { class: 'Terminal', reason: 'DatabaseReplaced' };
      await expect(ledger.commit(aCommit(aKey('b')))).rejects.toMatchObject(replaced);
    });

    it('waits while it is a standby, and goes on when it is not', async () => {
      const ledger = await openReady(urlOf());
      await server().sql(`ALTER DATABASE keyward SET default_transaction_read_only = on`);
      cleanups.push(() =>
        server().sql(`ALTER DATABASE keyward RESET default_transaction_read_only`),
      );
      const drop = () =>
        server().sql(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'keyward'`,
        );
      await drop();
      await expect(ledger.commit(aCommit(aKey('a')))).rejects.toMatchObject(UNAVAILABLE);
      await server().sql(`ALTER DATABASE keyward RESET default_transaction_read_only`);
      await expect
        .poll(() => ledger.commit(aCommit(aKey('b'))).catch(() => undefined), { timeout: 10_000 })
        .toMatchObject({ type: 'Committed' });
    });
  });

  describe('whose password rotates', () => {
    it('reads the file again for the next connection', async () => {
      const path = join(folder(), 'password');
      await server().sql(
        `CREATE ROLE rotating LOGIN PASSWORD 'one'; GRANT CREATE ON DATABASE keyward TO rotating`,
      );
      writeFileSync(path, 'one\n');
      const { host, port } = server();
      const url = `postgres://rotating@${host}:${port}/keyward?passwordfile=${path}&schema=${freshSchema()}`;
      const ledger = await openReady(url);
      await server().sql(
        `ALTER ROLE rotating PASSWORD 'two';
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'rotating'`,
      );
      await expect
        .poll(() => ledger.commit(aCommit(aKey('a'))).catch((thrown) => classify(thrown).message))
        .toContain('refuses our user or password');
      writeFileSync(path, 'two\n');
      expect(await ledger.commit(aCommit(aKey('a')))).toMatchObject({ type: 'Committed' });
    });
  });

  describe('with a role that may only read', () => {
    it('serves readers, and says what a writer lacks', async () => {
      const schema = freshSchema();
      const ledger = await openReady(urlOf(`schema=${schema}`));
      await ledger.commit(aCommit(aKey('a')));
      await server().sql(
        `CREATE ROLE looking LOGIN PASSWORD 'look'; GRANT USAGE ON SCHEMA ${schema} TO looking;
         GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO looking`,
        'keyward',
      );
      const { host, port } = server();
      const url = `postgres://looking:look@${host}:${port}/keyward?schema=${schema}`;
      const reader = await openLedgerReader(url);
      cleanups.push(() => reader.close());
      expect(await reader.findByKeyId('keyId-a-1')).toMatchObject({ uid: 'a' });
      expect(await reader.verifyAudit()).toEqual({ entries: 1, brokenAt: undefined });
      const writer = await open(url, 'Refuse');
      await expect(writer.commit(aCommit(aKey('b')))).rejects.toMatchObject({
        ...UNAVAILABLE,
        message: expect.stringContaining('lacks a right'),
      });
    });
  });

  describe.skipIf(!canPool)('behind a pooler in transaction mode', () => {
    it('works when every transaction may come to another server connection', async () => {
      const pooler = await startPgBouncer(server(), 2);
      cleanups.push(() => pooler.stop());
      const ledger = await openReady(pooler.url(`schema=${freshSchema()}`));
      const keys = Array.from({ length: 300 }, (_, index) => aKey(`k${index}`));
      const results = await Promise.all(
        keys.map(async (key, index) => {
          const result = await ledger.commit(aCommit(key));
          await ledger.load(key.uid, NOWHERE);
          if (index % 10 === 0) await ledger.scan(20);
          return result.type;
        }),
      );
      expect(new Set(results)).toEqual(new Set(['Committed']));
      const audit = anEntry({ action: 'KeyChanged' });
      const again = keys.map((key) => ledger.commit(aCommit({ ...key, revision: 1 }, { audit })));
      expect(new Set((await Promise.all(again)).map(({ type }) => type))).toEqual(
        new Set(['Committed']),
      );
      expect(await ledger.verifyAudit()).toEqual({ entries: 600, brokenAt: undefined });
    });
  });
});

const authority = createAuthority('keyward test authority', Date.now());
const certificate = issue(
  authority,
  { commonName: 'database', usage: 'server', addresses: ['127.0.0.1'] },
  Date.now(),
);

describeOnPostgres(
  'A PostgreSQL ledger over TLS',
  (server) => {
    const urlOf = ({ host, port, user, password }: Postgres, rest: string): string =>
      `postgres://${user}:${password}@${host}:${port}/keyward?schema=${freshSchema()}&${rest}`;

    it('verifies issuer and name with verify-full, and reads certificates again', async () => {
      const path = join(folder(), 'ca.pem');
      writeFileSync(path, createAuthority('somebody else', Date.now()).certificatePem);
      const url = urlOf(server(), `sslmode=verify-full&sslrootcert=${path}`);
      await expect(open(url)).rejects.toMatchObject({
        ...UNAVAILABLE,
        message: expect.stringContaining('certificate'),
      });
      writeFileSync(path, authority.certificatePem);
      const ledger = await openReady(url);
      expect(await ledger.commit(aCommit(aKey('a')))).toMatchObject({ type: 'Committed' });
      const named = url.replace('@127.0.0.1:', '@localhost:');
      await expect(open(named)).rejects.toMatchObject(UNAVAILABLE);
      await expect(open(named.replace('verify-full', 'verify-ca'))).resolves.toBeDefined();
    });

    it('encrypts with require, and asks for a certificate of ours where the server does', async () => {
      const client = issue(authority, { commonName: 'keyward', usage: 'client' }, Date.now());
      const at = folder();
      writeFileSync(join(at, 'crt'), client.certificatePem);
      writeFileSync(join(at, 'key'), client.privateKeyPem);
      await expect(
        open(urlOf(server(), `sslmode=require&sslcert=${at}/crt&sslkey=${at}/key`)),
      ).resolves.toBeDefined();
    });
  },
  { certificate },
);
