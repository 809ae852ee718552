/** A vendor that is down while keys, their store and their whole namespace go. */
import assert from 'node:assert/strict';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NaverFake } from '../../../fakes/naver/fake.ts';
import { NAMESPACES } from '../../../src/api/names.ts';
import { eventually } from '../../support/eventually.ts';
import { runKeyward } from '../../support/operator.ts';
import { VendorSite } from '../../support/vendor.site.ts';

const NAMES = ['one', 'two', 'three', 'four', 'five'];

let vendor: VendorSite<NaverFake>;

beforeAll(async () => {
  // The ten minutes that a vendor has, shortened.
  vendor = await VendorSite.open(new NaverFake(), { flags: { 'debt-after-seconds': '10' } });
});

afterAll(() => vendor.close());

test('a dead vendor holds up no namespace, and is told everything when it is back (S20)', async () => {
  const { site, fake } = vendor;
  const { namespace } = site;
  const list = () => runKeyward(['debts', '--database', site.database]);
  await Promise.all(NAMES.map((name) => vendor.issue(name)));
  expect(fake.credentials()).toHaveLength(5);
  expect((await list()).stderr).toBe('no debts\n');

  await fake.stop();
  await site.remove('one');
  await site.untilGone('one');
  expect(fake.credentials()).toHaveLength(5);
  const early = await list();
  expect(early.stdout).toMatch(new RegExp(`${namespace} +one +KeyStore/${namespace}/vendor +`));

  // With the namespace go the other keys, the KeyStore, and the Secret with its credentials.
  await site.api.request('DELETE', `/api/v1/namespaces/${namespace}`);
  await eventually(async () => {
    const left = await site.api.get(NAMESPACES, '', namespace);
    assert.equal(left, undefined, 'the namespace is still there');
  }, 90_000);
  await eventually(
    async () => expect(await site.operator.metric('keyward_debts', '')).toBe(5),
    60_000,
  );
  const late = await list();
  expect(late.stdout.trim().split('\n')).toHaveLength(6);
  expect(late.stdout).toContain('StoreUnavailable');
  expect(fake.credentials()).toHaveLength(5);

  // What is owed survives the operator, too.
  await site.operator.kill();
  await site.start();
  await fake.start();
  await eventually(() => expect(fake.credentials()).toEqual([]), 120_000);
  await eventually(async () => expect((await list()).stderr).toBe('no debts\n'));
  const audit = await runKeyward(['audit', 'verify', '--database', site.database]);
  expect(audit.stdout).toContain('chain unbroken');
}, 300_000);
