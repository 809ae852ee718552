/** What `keyward debts` prints. */
import { expect, test } from 'vitest';
import { listDebts } from '../../../src/cli/debts.ts';
import { NOW_MS } from '../../support/world.ts';
import { DebtSite } from '../controllers/debts/site.ts';

async function printed(site: DebtSite): Promise<{ data: string; notes: string }> {
  let [data, notes] = ['', ''];
  await listDebts(site.ledger.port, {
    data: (text) => (data += text),
    note: (text) => (notes += text),
  });
  return { data, notes };
}

test('the list names key, store, vendor id, since when, and why', async () => {
  const site = new DebtSite();
  const endTrouble = { reason: 'StoreUnavailable', sinceMs: NOW_MS };
  site.put('a', 'shop', { id: 'id-1', endTrouble });
  site.put('b', 'shop', { id: 'id-2' });
  site.put('c', 'other', {});
  expect((await printed(site)).data).toBe(
    [
      'NAMESPACE   NAME   STORE                 VENDOR-ID   SINCE                  REASON',
      'team        a      KeyStore/team/shop    id-1        2026-01-01T00:00:00Z   StoreUnavailable',
      'team        b      KeyStore/team/shop    id-2        2026-01-01T00:00:00Z   StoreUnavailable',
      'team        c      KeyStore/team/other   <unknown>   2026-01-01T00:00:00Z   <none yet>',
      '',
    ].join('\n'),
  );
});

test.each(['Ambiguous', 'Unsettled'])(
  '%s, which is about one create call, is shown at no other debt of the store',
  async (reason) => {
    const site = new DebtSite();
    site.put('a', 'shop', { endTrouble: { reason, sinceMs: NOW_MS } });
    site.put('b', 'shop', { id: 'id-2' });
    const { data } = await printed(site);
    expect(data).toMatch(new RegExp(` a .*${reason}\n.* b .*<none yet>\n$`));
  },
);

test('without debts it says so, on standard error', async () => {
  expect(await printed(new DebtSite())).toEqual({ data: '', notes: 'no debts\n' });
});
