/** Keys at a vendor whose cluster was lost: what was made there ends, and new ones are made. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NaverFake } from '../../../fakes/naver/fake.ts';
import { SolapiFake } from '../../../fakes/solapi/fake.ts';
import { API_KEYS, KEY_STORES, SECRETS } from '../../../src/api/names.ts';
import { openArchive } from '../../../src/ledger/open.ts';
import { rebindArchive } from '../../../src/ledger/rebind.ts';
import { eventually } from '../../support/eventually.ts';
import { runKeyward } from '../../support/operator.ts';
import { VendorSite } from '../../support/vendor.site.ts';

describe.each([
  { name: 'NAVER', make: () => new NaverFake() },
  { name: 'SOLAPI', make: () => new SolapiFake() },
])('at $name', ({ make }) => {
  let vendor: VendorSite<NaverFake> | VendorSite<SolapiFake>;

  beforeAll(async () => {
    vendor = (await VendorSite.open<NaverFake | SolapiFake>(make())) as typeof vendor;
  });

  afterAll(() => vendor.close());

  /** From the outside the same: other UIDs everywhere, and a database of a cluster that is no more. */
  async function loseCluster(): Promise<void> {
    const { site } = vendor;
    const { namespace, api } = site;
    await site.operator.kill();
    const archive = await openArchive(site.database, 'Change');
    await rebindArchive(archive, {
      actor: 'test',
      atMs: Date.now(),
      incarnation: 'a'.repeat(32),
      clusterId: 'the-lost-one',
      successions: [],
      keyUids: new Map(),
    });
    await archive.close();
    for (const [resource, name] of [
      [API_KEYS, 'kept'],
      [API_KEYS, 'dropped'],
      [KEY_STORES, 'vendor'],
      [SECRETS, 'vendor-account'],
      [SECRETS, 'kept'],
      [SECRETS, 'dropped'],
    ] as const) {
      // In this order: what needs the next one goes first.
      // oxlint-disable-next-line no-await-in-loop
      await api.remove(resource, namespace, name);
      // oxlint-disable-next-line no-await-in-loop
      const left = await api.get(resource, namespace, name);
      if (left === undefined) continue;
      // oxlint-disable-next-line no-await-in-loop
      await api.patch(resource, [namespace, name], { metadata: { finalizers: null } });
    }
    await vendor.putStore('vendor');
  }

  test('credentials of the old cluster end, and an ApiKey that was applied again gets a new one', async () => {
    const { site, fake } = vendor;
    await vendor.issue('kept');
    await vendor.issue('dropped');
    const before = [await vendor.idOf('kept'), await vendor.idOf('dropped')];
    await loseCluster();
    const place = ['--database', site.database, '--kubeconfig', site.access.adminKubeconfig];
    const { code, stderr } = await runKeyward(['restore', '--rebind', '--yes', ...place]);
    expect([code, stderr]).toEqual([0, expect.stringContaining('ends the 2 old keys')]);
    await site.start({ 'accept-vanished': '' });
    await vendor.issue('kept');
    const now = await vendor.idOf('kept');
    expect(before).not.toContain(now);
    await eventually(async () => {
      expect(fake.credentials().map(({ id }) => id)).toEqual([now]);
    });
    await vendor.untilSame('kept');
    const debts = await runKeyward(['debts', '--database', site.database]);
    expect(debts.stderr).toContain('no debts');
  });
});
