/** Debts are paid in the end, whatever happens meanwhile, and never forgotten before. */
import { describe, expect, test } from 'vitest';
import { DebtWorker } from '../../../../src/controllers/debts/worker.ts';
import { DebtSite, LIVE } from './site.ts';

const MINUTE_MS = 60_000;

describe('a debt', () => {
  test('is paid by switching the credential off and deleting it, and then forgotten', async () => {
    const site = new DebtSite();
    const vendor = site.vendor('shop');
    site.owe('a', 'shop');
    const actions: string[] = [];
    site.ledger.around = (position, action) => {
      if (position === 'after') actions.push(action);
    };
    await site.round();
    expect(vendor.calls).toEqual(['login', 'update', 'delete']);
    expect(actions).toEqual(['RemoteDisabled', 'RemoteEnded']);
    expect([site.owed, vendor.credentials.size, site.paid]).toEqual([[], 0, 1]);
  });

  test('is paid when somebody at the vendor deleted the credential: two looks after a proven login', async () => {
    const site = new DebtSite();
    const vendor = site.vendor('shop');
    site.owe('a', 'shop');
    vendor.credentials.clear();
    await site.round();
    expect(vendor.calls).toEqual(['login', 'update', 'login', 'read']);
    expect(site.owed).toEqual([]);
  });

  test('is not forgotten because a vendor contradicts itself', async () => {
    const site = new DebtSite();
    const vendor = site.vendor('shop');
    site.owe('a', 'shop');
    vendor.delete = async () => 'NotFound';
    await site.round();
    expect([site.owed, vendor.credentials.size]).toEqual([['a'], 1]);
  });

  test('to a store that nothing is remembered of stays', async () => {
    const site = new DebtSite();
    site.put('a', 'forgotten', { id: 'id-1' });
    await site.round();
    expect(site.owed).toEqual(['a']);
  });

  test('survives a day in which the vendor is down, and is paid when it is back (S20)', async () => {
    const site = new DebtSite();
    const vendor = site.vendor('shop');
    const uids = Array.from({ length: 30 }, (_, index) => `k${index}`);
    for (const uid of uids) site.owe(uid, 'shop');
    vendor.fault = () => 'Cut';
    for (let passedMs = 0; passedMs < 24 * 60 * MINUTE_MS; passedMs += 30_000) {
      // oxlint-disable-next-line no-await-in-loop
      await site.round();
      site.clock.advance(30_000);
    }
    // Pauses of ten minutes at last: 144 in a day, and a few shorter ones before.
    expect(vendor.calls.length).toBeLessThan(160);
    expect(site.owed).toHaveLength(30);
    expect(site.told.at(-1)).toMatchObject([{ namespace: 'team', credentials: 30 }]);
    const [first] = site.ledger.records.values();
    expect(first?.credentials[0]?.remote?.endTrouble?.reason).toBe('StoreUnavailable');
    vendor.fault = () => undefined;
    site.clock.advance(10 * MINUTE_MS);
    await site.round();
    expect([site.owed, vendor.credentials.size, site.paid]).toEqual([[], 0, 30]);
  });

  test('is never forgotten because another tenant does not know it (S17)', async () => {
    const site = new DebtSite();
    const vendor = site.vendor('shop');
    site.owe('a', 'shop');
    vendor.account = 'account-2';
    for (let round = 0; round < 5; round += 1) {
      // oxlint-disable-next-line no-await-in-loop
      await site.round();
      site.clock.advance(10 * MINUTE_MS);
    }
    expect(site.owed).toEqual(['a']);
    expect(vendor.calls).not.toContain('delete');
    vendor.account = 'account-1';
    site.clock.advance(10 * MINUTE_MS);
    await site.round();
    expect([site.owed, vendor.credentials.size]).toEqual([[], 0]);
  });

  test('is not forgotten when the account changes between two calls (S17)', async () => {
    const site = new DebtSite();
    const vendor = site.vendor('shop');
    site.owe('a', 'shop');
    vendor.fault = (call) => {
      if (call === 'delete') vendor.account = 'account-2';
      return undefined;
    };
    await site.round();
    expect(site.owed).toEqual(['a']);
  });

  test.each(['Cut', 'LostAnswer'] as const)(
    'is paid whichever call goes wrong once (%s), and wherever the process dies',
    async (fault) => {
      for (let nth = 1; nth <= 3; nth += 1) {
        const site = new DebtSite();
        const vendor = site.vendor('shop');
        site.owe('a', 'shop');
        vendor.fault = (_, call) => (call === nth ? fault : undefined);
        // oxlint-disable-next-line no-await-in-loop
        await site.round();
        site.restart();
        // oxlint-disable-next-line no-await-in-loop
        await site.round();
        expect([site.owed, vendor.credentials.size]).toEqual([[], 0]);
      }
    },
  );
});

describe('a store', () => {
  test('that does not answer holds up no other', async () => {
    const site = new DebtSite();
    const slow = site.vendor('slow');
    site.vendor('fine');
    const answer = Promise.withResolvers<never>();
    slow.login = () => answer.promise;
    site.owe('a', 'slow');
    site.owe('b', 'fine');
    const first = await site.worker.round(LIVE);
    await first.paying[1];
    expect(site.owed).toEqual(['a']);
    site.owe('c', 'fine');
    const second = await site.worker.round(LIVE);
    await Promise.all(second.paying);
    // The slow one is still being worked at, and is not begun twice.
    expect([site.owed, second.paying.length]).toEqual([['a'], 1]);
  });

  test('that refuses one credential still gets the others ended', async () => {
    const site = new DebtSite();
    const vendor = site.vendor('shop');
    const [stuck] = [site.owe('a', 'shop'), site.owe('b', 'shop'), site.owe('c', 'shop')];
    const deleting = vendor.delete.bind(vendor);
    const { StoreFailure } = await import('../../../../src/stores/contract.ts');
    vendor.delete = async (id) => {
      if (id === stuck.credentials[0]?.remote?.id)
        throw new StoreFailure('Refused', { message: 'not that one' });
      return deleting(id);
    };
    await site.round();
    expect([site.owed, site.failures]).toEqual([['a'], ['StoreRefused']]);
  });

  test('is told by name how much it is owed', async () => {
    const site = new DebtSite();
    site.vendor('shop').fault = () => 'Cut';
    site.owe('a', 'shop');
    site.owe('b', 'shop');
    await site.round();
    expect(site.told).toEqual([
      [{ store: expect.objectContaining({ name: 'shop' }), namespace: 'team', credentials: 2 }],
    ]);
  });
});

describe('a create call whose answer never came', () => {
  test.each(['M', 'O'] as const)(
    'is found by its mark and ended, class %s',
    async (driverClass) => {
      const site = new DebtSite();
      const vendor = site.vendor('shop', driverClass);
      site.put('a', 'shop', { createBegunAtMs: site.clock.nowMs() });
      vendor.plantMarked(site.mark('a'));
      await site.round();
      expect([site.owed, vendor.credentials.size]).toEqual([[], 0]);
    },
  );

  test('that made nothing is forgotten, but not before lists have settled', async () => {
    const site = new DebtSite();
    site.vendor('shop');
    site.put('a', 'shop', { createBegunAtMs: site.clock.nowMs() });
    await site.round();
    expect(site.owed).toEqual(['a']);
    site.clock.advance(30_000);
    await site.round();
    expect(site.owed).toEqual([]);
  });

  test('among several without a mark is left to a person, and none is touched (C6)', async () => {
    const site = new DebtSite();
    const vendor = site.vendor('shop', 'D');
    site.put('a', 'shop', { createBegunAtMs: site.clock.nowMs(), idsBefore: [] });
    vendor.plant();
    vendor.plant();
    await site.round();
    expect([site.owed, vendor.credentials.size]).toEqual([['a'], 2]);
    const reason = site.ledger.records.get('a')?.credentials[0]?.remote?.endTrouble?.reason;
    expect(reason).toBe('Ambiguous');
  });

  test('is not what another key, whose store calls the account otherwise, was given meanwhile', async () => {
    const site = new DebtSite();
    const vendor = site.vendor('shop', 'D');
    site.put('a', 'shop', { createBegunAtMs: site.clock.nowMs(), idsBefore: [] });
    const { id } = vendor.plant();
    site.clock.advance(30_000);
    site.beforeTurn = async () => {
      const other = site.put('b', 'elsewhere', { id, account: 'account-2' });
      const audit = { action: 'Test', actor: 'test', atMs: 0, facts: {} };
      const record = { ...other, phase: 'Live' as const };
      await site.ledger.port.commit({ record, expectedRevision: 1, epoch: 1, audit });
    };
    await site.round();
    expect(vendor.credentials.get(id)).toMatchObject({ enabled: true });
    expect(site.ledger.records.get('a')?.credentials).toEqual([]);
  });
});

describe('the worker', () => {
  test('hears of a debt when the commit that leaves it is stored, and not of its own', async () => {
    const site = new DebtSite();
    let rings = 0;
    const heard = DebtWorker.watch(site.ledger.port, () => (rings += 1));
    const record = site.put('a', 'shop', { id: 'id-1' });
    const commit = (facts: Readonly<Record<string, string>>, expectedRevision: number) =>
      heard.commit({
        record,
        expectedRevision,
        epoch: 1,
        audit: { action: 'KeyEnded', actor: 'operator', atMs: 0, facts },
      });
    await commit({}, 1);
    expect(rings).toBe(1);
    await commit({ because: 'Debt' }, 2);
    await commit({}, 2);
    expect(rings).toBe(1);
  });

  test('looks again when it is told to hurry, and ends when it is stopped', async () => {
    const site = new DebtSite();
    site.vendor('shop');
    const stop = new AbortController();
    const running = site.worker.run(stop.signal);
    await site.clock.advanceSettled(1_000);
    site.owe('a', 'shop');
    site.worker.hurry();
    await site.clock.advanceSettled(5_000);
    expect(site.owed).toEqual([]);
    stop.abort();
    await running;
  });
});
