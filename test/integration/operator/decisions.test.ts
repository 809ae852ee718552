/** What a person decides about keys at a vendor: by command, at the running operator. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NaverFake } from '../../../fakes/naver/fake.ts';
import { SolapiFake } from '../../../fakes/solapi/fake.ts';
import { API_KEYS } from '../../../src/api/names.ts';
import { eventually } from '../../support/eventually.ts';
import { runKeyward } from '../../support/operator.ts';
import { condition } from '../../support/operator.site.ts';
import { VendorSite } from '../../support/vendor.site.ts';

async function command(
  { site }: VendorSite<NaverFake> | VendorSite<SolapiFake>,
  ...args: readonly string[]
) {
  return await runKeyward([...args, '--database', site.database]);
}

describe('at NAVER', () => {
  let vendor: VendorSite<NaverFake>;

  beforeAll(async () => {
    vendor = await VendorSite.open(new NaverFake());
  });

  afterAll(() => vendor.close());

  test('a key that exists is imported: nothing is made, nothing is printed', async () => {
    const { site, fake } = vendor;
    const { namespace } = site;
    const id = fake.act({ act: 'Create' });
    await site.api.create(API_KEYS, {
      metadata: { name: 'old', namespace, annotations: { 'keyward.dev/import': 'pending' } },
      spec: { storeRef: { kind: 'KeyStore', name: 'vendor' } },
    });
    const waiting = await eventually(async () => {
      const key = await site.key('old');
      expect(condition(key, 'Ready')?.message).toContain('keyward import');
      return key;
    });
    expect(condition(waiting, 'Ready')?.reason).toBe('Pending');
    expect(fake.credentials()).toHaveLength(1);
    const what = ['import', '--apikey', `${namespace}/old`, '--store'] as const;
    const elsewhere = await command(vendor, ...what, 'ClusterKeyStore/vendor', '--id', id);
    expect([elsewhere.code, elsewhere.stderr]).toEqual([1, expect.stringContaining('is in store')]);
    const store = `KeyStore/${namespace}/vendor`;
    const nobody = await command(vendor, ...what, store, '--id', 'nobody');
    expect([nobody.code, nobody.stderr]).toEqual([
      1,
      expect.stringContaining('no key with that id'),
    ]);
    const imported = await command(vendor, ...what, store, '--id', id);
    expect([imported.code, imported.stderr]).toEqual([0, expect.stringContaining('taken over')]);
    await site.until('old', 'Active');
    const values = await vendor.untilSame('old');
    expect(await vendor.idOf('old')).toBe(id);
    for (const value of [values['primaryKey'], values['secondaryKey']]) {
      expect(imported.stdout + imported.stderr).not.toContain(value);
    }
    const record = await site.record(waiting.metadata.uid);
    expect(record?.credentials).toMatchObject([{ origin: 'Imported', remote: { id } }]);
    const again = await command(vendor, ...what, store, '--id', id);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('waits for no import')]);
  });

  test('nobody imports what another key has', async () => {
    const { site } = vendor;
    const { namespace } = site;
    await vendor.issue('owner');
    const id = await vendor.idOf('owner');
    await site.api.create(API_KEYS, {
      metadata: { name: 'thief', namespace, annotations: { 'keyward.dev/import': 'pending' } },
      spec: { storeRef: { kind: 'KeyStore', name: 'vendor' } },
    });
    await eventually(async () =>
      expect(condition(await site.key('thief'), 'Ready')?.message).toContain('keyward import'),
    );
    const store = `KeyStore/${namespace}/vendor`;
    const what = ['--store', store, '--id', id, '--apikey', `${namespace}/thief`];
    const { code, stderr } = await command(vendor, 'import', ...what);
    expect([code, stderr]).toEqual([1, expect.stringContaining('belongs to something else')]);
    expect(stderr).not.toContain('owner');
    await site.remove('thief');
    await site.untilGone('thief');
    await vendor.untilSame('owner');
  });
});

describe('at SOLAPI', () => {
  let vendor: VendorSite<SolapiFake>;

  beforeAll(async () => {
    vendor = await VendorSite.open(new SolapiFake());
  });

  afterAll(() => vendor.close());

  /** A create call whose answer is lost while somebody else makes a credential, too. */
  async function ambiguous(name: string): Promise<string> {
    const { fake, site } = vendor;
    const held = fake.holds.add('create', 'After');
    await vendor.create(name);
    await held.arrived;
    const theirs = fake.act({ act: 'Create' });
    held.release('Cut');
    await site.until(name, 'OwnershipAmbiguous');
    return theirs;
  }

  test('the one among several is named, and works', async () => {
    const { site, fake } = vendor;
    const before = new Set(fake.credentials().map(({ id }) => id));
    const theirs = await ambiguous('named');
    const ours = fake.credentials().find(({ id }) => id !== theirs && !before.has(id))?.id ?? '';
    const { code } = await command(
      vendor,
      'keys',
      'resolve',
      `${site.namespace}/named`,
      '--adopt',
      ours,
    );
    expect(code).toBe(0);
    await site.until('named', 'Active');
    expect(await vendor.idOf('named')).toBe(ours);
    await vendor.untilSame('named');
  });

  test('none of them is it: a new one is made, and they stay', async () => {
    const { site, fake } = vendor;
    const theirs = await ambiguous('anew');
    const count = fake.credentials().length;
    const name = `${site.namespace}/anew`;
    const both = await command(vendor, 'keys', 'resolve', name, '--adopt', theirs, '--none');
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining('decide')]);
    expect((await command(vendor, 'keys', 'resolve', name, '--none')).code).toBe(0);
    await site.until('anew', 'Active');
    expect(fake.credentials()).toHaveLength(count + 1);
    expect(fake.credentials().map(({ id }) => id)).toContain(theirs);
    const audit = await command(vendor, 'audit', 'verify');
    expect(audit.stdout).toContain('chain unbroken');
  });

  test('without a running operator the command decides by itself, from sealed credentials', async () => {
    const { site, fake } = vendor;
    const known = new Set(fake.credentials().map(({ id }) => id));
    const theirs = await ambiguous('alone');
    const made = fake.credentials().filter(({ id }) => !known.has(id) && id !== theirs);
    await site.operator.terminate();
    const ours = made[0]?.id ?? '';
    const what = ['keys', 'resolve', `${site.namespace}/alone`, '--adopt', ours] as const;
    const flags = site.flags();
    const refused = await command(
      vendor,
      ...what,
      '--master-key-file',
      flags['master-key-file'] ?? '',
    );
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining('--endpoint-hosts'),
    ]);
    const { code, stderr } = await command(
      vendor,
      ...what,
      '--master-key-file',
      flags['master-key-file'] ?? '',
      '--endpoint-hosts',
      flags['endpoint-hosts'] ?? '',
    );
    expect([code, stderr]).toEqual([0, expect.stringContaining('taken over')]);
    await site.start();
    await site.until('alone', 'Active');
    expect(await vendor.idOf('alone')).toBe(ours);
  });
});
