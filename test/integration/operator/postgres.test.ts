/** The operator on PostgreSQL: the life of a key, a database that goes away, and two replicas. */
import assert from 'node:assert/strict';
import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { installKeyward } from '../../../control-plane/install.ts';
import { startControlPlane, type ControlPlane } from '../../../control-plane/start.ts';
import { API_KEYS } from '../../../src/api/names.ts';
import { openLedgerReader } from '../../../src/ledger/open.ts';
import { eventually } from '../../support/eventually.ts';
import { OperatorProcess, runKeyward } from '../../support/operator.ts';
import { foreignTexts } from '../../support/imports.ts';
import { condition, PLAIN, Site } from '../../support/operator.site.ts';
import { describeOnPostgres } from '../../support/postgres.ts';

describeOnPostgres('The operator on PostgreSQL', (server) => {
  let plane: ControlPlane;
  let site: Site;
  let second: OperatorProcess | undefined;

  beforeAll(async () => {
    plane = await startControlPlane();
    await installKeyward(plane);
    const flags = { 'leader-elect': 'true', database: server().url() };
    site = await Site.open({ access: plane, account: 'Own', flags });
    await site.start({ identity: 'first' });
  });

  afterAll(async () => {
    await second?.terminate();
    await site.close();
    await plane.stop();
  });

  it('takes a key through issue, rotation, suspension, retention and its end', async () => {
    const key = await site.issue('life');
    const { apiKey: first = '' } = await site.values('life');
    expect(await site.verdict(first)).toBe('Allowed');
    await site.edit('life', { rotation: { requestId: 'once' } });
    await site.untilRotated('life', 'once');
    const { apiKey: next = '' } = await site.values('life');
    expect(next).not.toBe(first);
    expect(await site.verdict(next)).toBe('Allowed');
    await site.edit('life', { state: 'Suspended' });
    await site.until('life', 'Suspended');
    expect(await site.verdict(next)).not.toBe('Allowed');
    await site.edit('life', { state: 'Active', deletionPolicy: 'Retain' });
    await site.until('life', 'Rotating');
    await site.remove('life');
    await site.untilGone('life');
    expect(await site.verdict(next)).toBe('Allowed');
    const database = ['--database', site.database];
    const revoked = await runKeyward(['keys', 'revoke', key.metadata.uid, ...database]);
    expect(revoked).toMatchObject({ code: 0 });
    expect(await site.verdict(next)).not.toBe('Allowed');
    const audit = await runKeyward(['audit', 'verify', ...database]);
    expect(audit.stdout).toContain('chain unbroken');
  });

  it('takes values over that a command imports beside it, and says so when it looks', async () => {
    const { namespace } = site;
    const [value = ''] = foreignTexts('Opaque');
    const annotations = { 'keyward.dev/import': 'pending' };
    await site.api.create(API_KEYS, {
      metadata: { name: 'imported', namespace, annotations },
      spec: { storeRef: PLAIN },
    });
    const masterKey = `--master-key-file=${join(site.folder, 'master.key')}`;
    const bring = () =>
      runKeyward(
        ['import', '-', `--apikey=${namespace}/imported`, `--database=${site.database}`, masterKey],
        `${value}\n`,
      );
    await eventually(async () => {
      expect(condition(await site.key('imported'), 'Ready')?.message).toContain('keyward import -');
    });
    expect(await bring()).toMatchObject({ code: 0, stderr: expect.stringContaining('imported') });
    // It looks every half minute; an edit makes it look now.
    await site.edit('imported', { description: 'from the old system' });
    await site.until('imported', 'Active');
    expect((await site.values('imported'))['apiKey']).toBe(value);
    expect(await bring()).toMatchObject({ stderr: expect.stringContaining('imported before') });
  });

  it('goes on when the database comes back, and loses nothing', async () => {
    await site.issue('before');
    await server().kill();
    const names = Array.from({ length: 10 }, (_, index) => `during-${index}`);
    await Promise.all(names.map((name) => site.create(name)));
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(site.operator.isRunning).toBe(true);
    await server().start();
    await Promise.all(names.map((name) => site.until(name, 'Active')));
    for (const name of ['before', ...names]) {
      const { apiKey = '' } = await site.values(name);
      expect(await site.verdict(apiKey)).toBe('Allowed');
    }
  });

  it('is taken over by the other replica when the leader dies', async () => {
    second = new OperatorProcess(site.flags({ identity: 'second' }));
    await eventually(() => assert.ok(second?.log.some((line) => 'metrics' in line)));
    await site.create('led');
    await site.until('led', 'Active');
    const before = await site.values('led');
    await site.operator.kill();
    await second.whenReady();
    await site.issue('after');
    expect(await site.values('led')).toEqual(before);
    const { stdout } = await runKeyward(['audit', 'verify', '--database', site.database]);
    expect(stdout).toContain('chain unbroken');
  });

  it('moves to SQLite with all its keys, and takes a backup for one only after keyward restore', async () => {
    await second?.terminate();
    const path = join(site.folder, 'moved.db');
    const database = `sqlite://${path}`;
    const copied = await runKeyward([
      'database',
      'copy',
      '--from',
      site.database,
      '--to',
      database,
    ]);
    expect(copied).toMatchObject({ code: 0 });
    expect(copied.stdout).toContain('keys: ');
    const flags = { database, identity: 'first' };
    await site.start(flags);
    await site.issue('moved');
    await site.edit('led', { state: 'Revoked' });
    await site.until('led', 'Revoked');
    await site.operator.terminate();
    await copyFile(path, `${path}.backup`);
    await site.start(flags);
    await site.issue('since');
    const since = await site.values('since');
    const reader = await openLedgerReader(database);
    const { commitCounter } = await reader.identity();
    await reader.close();
    await eventually(async () => assert.ok((await notedCommits(plane)) >= commitCounter));
    await site.operator.terminate();
    await rm(`${path}-wal`, { force: true });
    await copyFile(`${path}.backup`, path);
    const refused = new OperatorProcess(site.flags(flags));
    await refused.ended;
    expect(refused.stderr).toContain('keyward restore');
    const restored = await runKeyward(['restore', '--database', database]);
    expect(restored).toMatchObject({ code: 0 });
    const operator = await site.start(flags);
    await eventually(() =>
      expect(operator.log.some(({ msg }) => msg.includes('restored from a backup'))).toBe(true),
    );
    // What was issued since is not replaced behind anybody's back.
    await site.until('since', 'KeyNotInLedger');
    expect(await site.values('since')).toEqual(since);
    await site.until('led', 'Revoked');
    await site.until('moved', 'Active');
    await site.edit('since', { rotation: { requestId: 'anew' } });
    await site.until('since', 'Active');
    const { apiKey: anew = '' } = await site.values('since');
    expect(anew).not.toBe(since['apiKey']);
    expect(await site.operator.terminate()).toMatchObject({ code: 0 });
    const identified = await runKeyward(['audit', 'verify', '--database', database]);
    expect(identified.stdout).toContain('chain unbroken');
  });
});

/** How many commits the Lease says there were. */
async function notedCommits(plane: ControlPlane): Promise<number> {
  const path = `jsonpath={.metadata.annotations['keyward\\.dev/commit-counter']}`;
  const lease = ['get', 'lease', '-n', 'keyward-system', 'keyward-operator', '-o', path];
  return Number(await plane.mustKubectl(lease));
}
