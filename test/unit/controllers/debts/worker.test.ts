/** Debts are paid in the end, whatever happens meanwhile, and never forgotten before. */
import { describe, expect, test } from 'vitest';
import { DebtWorker } from '../../../../src/controllers/debts/worker.ts';
import { StoreFailure } from '../../../../src/stores/contract.ts';
import type { MemoryVendor } from '../../../support/vendor.ts';
import { DebtSite, LIVE, tokenOf } from './site.ts';

const MINUTE_MS = 60_000;

/** Answers calls about these credentials alone in a way that helps nobody. */
function poison(
  vendor: MemoryVendor,
  ids: ReadonlySet<string | undefined>,
  kind: 'Unavailable' | 'Garbled',
  how: 'update' | 'delete' | 'contradiction',
): void {
  const [update, remove] = [vendor.update.bind(vendor), vendor.delete.bind(vendor)];
  const fail = (): never => {
    throw new StoreFailure(kind, { message: 'not this one' });
  };
  if (how === 'update') {
    vendor.update = async (id, wish) => (ids.has(id) ? fail() : update(id, wish));
    return;
  }
  vendor.delete = async (id) => {
    if (!ids.has(id)) return remove(id);
    return how === 'delete' ? fail() : 'NotFound';
  };
}

/** Rounds as they come while something is owed. */
async function work(site: DebtSite, minutes: number): Promise<void> {
  for (let passedMs = 0; passedMs < minutes * MINUTE_MS; passedMs += 30_000) {
    // oxlint-disable-next-line no-await-in-loop
    await site.round();
    site.clock.advance(30_000);
  }
}

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
    vendor.delete = async (id) => {
      if (id === stuck.credentials[0]?.remote?.id)
        throw new StoreFailure('Refused', { message: 'not that one' });
      return deleting(id);
    };
    await site.round();
    expect([site.owed, site.failures]).toEqual([['a'], ['StoreRefused']]);
  });

  test.each([
    ['Unavailable', 'update'],
    ['Unavailable', 'delete'],
    ['Unavailable', 'contradiction'],
    ['Garbled', 'update'],
    ['Garbled', 'delete'],
    ['Garbled', 'contradiction'],
  ] as const)(
    'that cannot process one credential (%s, %s) gets all others ended in the same round',
    async (kind, how) => {
      const site = new DebtSite();
      const vendor = site.vendor('shop');
      const [stuck] = [site.owe('a', 'shop'), site.owe('b', 'shop'), site.owe('c', 'shop')];
      poison(vendor, new Set([stuck.credentials[0]?.remote?.id]), kind, how);
      await site.round();
      expect([site.owed, vendor.credentials.size]).toEqual([['a'], 1]);
      // The bad one delays no later debt either, and is not forgotten.
      await work(site, 60);
      site.owe('d', 'shop');
      await site.round();
      expect([site.owed, vendor.credentials.size]).toEqual([['a'], 1]);
      expect(site.failures.length).toBeLessThan(15);
    },
  );

  test('that cannot process one credential of a key gets the other one ended', async () => {
    const site = new DebtSite();
    const vendor = site.vendor('shop');
    const record = site.owe('a', 'shop');
    const [bad] = record.credentials;
    if (bad?.remote === undefined) throw new Error('nothing is owed');
    const remote = { ...bad.remote, id: vendor.plant().id };
    const good = { ...bad, sequence: bad.sequence + 1, token: tokenOf('good'), remote };
    site.ledger.records.set('a', { ...record, credentials: [bad, good] });
    poison(vendor, new Set([bad.remote.id]), 'Unavailable', 'delete');
    await site.round();
    expect([...vendor.credentials.keys()]).toEqual([bad.remote.id]);
    expect(site.ledger.records.get('a')?.credentials).toHaveLength(1);
  });

  test('that cannot process many credentials still gets the others ended', async () => {
    const site = new DebtSite();
    const vendor = site.vendor('shop');
    const bad = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const ids = new Set(bad.map((uid) => site.owe(uid, 'shop').credentials[0]?.remote?.id));
    for (const uid of ['x', 'y', 'z']) site.owe(uid, 'shop');
    poison(vendor, ids, 'Unavailable', 'update');
    await work(site, 60);
    expect(site.owed).toEqual(bad);
    // One that can be ended after all has its turn, whoever else fails again and again.
    ids.delete(site.ledger.records.get('d')?.credentials[0]?.remote?.id);
    await work(site, 60);
    expect(site.owed).toEqual(bad.filter((uid) => uid !== 'd'));
  });

  test('that is down but for its logins is not asked once for each debt', async () => {
    const site = new DebtSite();
    const vendor = site.vendor('shop');
    for (let index = 0; index < 300; index += 1) site.owe(`k${index}`, 'shop');
    vendor.fault = (call) => (call === 'login' ? undefined : 'Cut');
    await work(site, 24 * 60);
    // Two in each pause, of which a day has 144 and a few.
    expect(vendor.calls.filter((call) => call !== 'login').length).toBeLessThan(320);
    vendor.fault = () => undefined;
    await work(site, 20);
    expect(site.owed).toEqual([]);
  });

  test('whose account may not end credentials is not asked once for each debt', async () => {
    const site = new DebtSite();
    const vendor = site.vendor('shop');
    for (let index = 0; index < 300; index += 1) site.owe(`k${index}`, 'shop');
    vendor.update = async () => {
      const message = 'the account may not';
      throw new StoreFailure('Refused', { message, class: 'Waiting', retryAfterMs: 600_000 });
    };
    await work(site, 60);
    expect(site.failures.length).toBeLessThan(15);
    expect(site.owed).toHaveLength(300);
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
    expect([site.owed, site.reason('a')]).toEqual([['a'], 'Unsettled']);
    site.clock.advance(30_000);
    await site.round();
    expect([site.owed, vendor.credentials.size]).toEqual([['a'], 2]);
    expect(site.reason('a')).toBe('Ambiguous');
  });

  test('and whose only candidate may not be alone yet waits for lists to settle, not for a person', async () => {
    const site = new DebtSite();
    const vendor = site.vendor('shop', 'D');
    site.put('a', 'shop', { createBegunAtMs: site.clock.nowMs(), idsBefore: [] });
    vendor.plant();
    await site.round();
    expect([site.owed, site.reason('a')]).toEqual([['a'], 'Unsettled']);
    site.clock.advance(30_000);
    await site.round();
    expect([site.owed, vendor.credentials.size]).toEqual([[], 0]);
  });

  test('is told apart from what another key, whose store calls the account otherwise, is being given', async () => {
    const site = new DebtSite();
    const vendor = site.vendor('shop', 'D');
    site.put('a', 'shop', { createBegunAtMs: site.clock.nowMs(), idsBefore: [] });
    vendor.plant();
    const { id } = vendor.plant();
    site.clock.advance(30_000);
    let isGiven = false;
    site.beforeTurn = async () => {
      if (isGiven) return;
      isGiven = true;
      await site.give('b', { id, account: 'account-2' });
    };
    await site.round();
    expect([...vendor.credentials.keys()]).toEqual([id]);
    expect(site.ledger.records.get('a')?.credentials).toEqual([]);
  });

  test('is not what another key, whose store calls the account otherwise, was given meanwhile', async () => {
    const site = new DebtSite();
    const vendor = site.vendor('shop', 'D');
    site.put('a', 'shop', { createBegunAtMs: site.clock.nowMs(), idsBefore: [] });
    const { id } = vendor.plant();
    site.clock.advance(30_000);
    site.beforeTurn = () => site.give('b', { id, account: 'account-2' });
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
