/** The sweep at a vendor whose marks stand in names and descriptions, over HTTP. */
import { expect, test } from 'vitest';
import { SWEEP_EVERY_MS, OrphanSweeper } from '../../../../src/controllers/orphans/sweeper.ts';
import { silentLogger } from '../../../../src/kernel/log.ts';
import { clusterMark } from '../../../../src/stores/mark.ts';
import { FakeClock } from '../../../support/clock.ts';
import { MemoryLedger } from '../../../support/memory.ts';
import { aCredential, aRecord } from '../../../support/world.ts';
import { GOING_ON, naverSite, NOW_MS } from '../../stores/naver/site.ts';

test('a zombie create at NAVER is switched off with its mark kept, and deleted (S21)', async () => {
  await using site = await naverSite();
  const { store, fake, handle } = site;
  const account = await store.login(GOING_ON);
  const mark = { cluster: clusterMark('cluster-1'), token: 'a'.repeat(26), attempt: 1 };
  const wanted = { mark, format: 'Dual' as const, name: 'web', description: '' };
  const zombie = await store.create(wanted, GOING_ON);
  const live = await store.create(wanted, GOING_ON);
  const settled = { enabled: true, name: 'web', description: 'shop' };
  await store.update(live.id, settled, GOING_ON);
  const stranger = fake.act({ act: 'Create' });
  const ledger = new MemoryLedger();
  const remote = { account: account.id, facts: {}, id: live.id };
  await ledger.port.commit({
    record: aRecord({ revision: 0, credentials: [aCredential({ token: mark.token, remote })] }),
    expectedRevision: 0,
    epoch: 1,
    audit: { action: 'Test', actor: 'test', atMs: 0, facts: {} },
  });
  const clock = new FakeClock(NOW_MS);
  const done: string[] = [];
  const sweeper = new OrphanSweeper({
    ledger: ledger.port,
    clock,
    clusterId: 'cluster-1',
    stores: () => [{ uid: 'store-1', type: 'Naver', text: 'KeyStore team/naver' }],
    session: async () => ({
      handle,
      account,
      remote: store,
      prove: async () => undefined,
      exclusively: (work) => work(),
    }),
    alarm: () => undefined,
    metrics: {
      found: () => undefined,
      done: (_, what) => done.push(what),
      unclaimed: () => undefined,
      gone: () => undefined,
    },
    log: silentLogger,
    random: () => 0,
  });
  const sweep = async (): Promise<void> => {
    await Promise.all(sweeper.tick(GOING_ON));
    clock.advance(SWEEP_EVERY_MS);
  };
  await sweep();
  await sweep();
  expect(await store.read(zombie.id, GOING_ON)).toMatchObject({ enabled: false, mark });
  await sweep();
  expect(done).toEqual(['Quarantined', 'Deleted']);
  expect(fake.credentials().map(({ id }) => id)).toEqual([live.id, stranger]);
  expect(fake.credentials().every(({ enabled }) => enabled)).toBe(true);
});
