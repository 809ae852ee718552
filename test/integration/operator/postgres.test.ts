/** The operator on PostgreSQL: the life of a key, a database that goes away, and two replicas. */
import assert from 'node:assert/strict';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { installKeyward } from '../../../control-plane/install.ts';
import { startControlPlane, type ControlPlane } from '../../../control-plane/start.ts';
import { eventually } from '../../support/eventually.ts';
import { OperatorProcess, runKeyward } from '../../support/operator.ts';
import { Site } from '../../support/operator.site.ts';
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
});
