/** What gates have to know of products: in the ledger before the product says that it is Ready. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ApiProductSpec, ApiProductStatus } from '../../../src/api/generated/apiproduct.ts';
import type { KubeObject } from '../../../src/api/meta.ts';
import { API_PRODUCTS, API_VERSION } from '../../../src/api/names.ts';
import { sharedControlPlane } from '../../support/controlplane.ts';
import { eventually } from '../../support/eventually.ts';
import { Site } from '../../support/operator.site.ts';

type Product = KubeObject<{ readonly spec: ApiProductSpec; readonly status: ApiProductStatus }>;

/** Products belong to no namespace, so hosts and names are this file's own. */
const OWN = randomBytes(4).toString('hex');
const HOST = `${OWN}.example`;
const named = (name: string) => `${name}-${OWN}`;

let site: Site;
const made = new Set<string>();

beforeAll(async () => {
  site = await Site.open({ access: sharedControlPlane() });
  await site.start();
});

afterAll(async () => {
  await Promise.all([...made].map((name) => site.api.remove(API_PRODUCTS, '', name)));
  await site.close();
});

async function make(name: string, spec: Partial<ApiProductSpec>): Promise<void> {
  made.add(named(name));
  await site.api.create(API_PRODUCTS, {
    apiVersion: API_VERSION,
    kind: 'ApiProduct',
    metadata: { name: named(name) },
    spec: { displayName: name, ...spec },
  });
}

const edit = (name: string, spec: Partial<ApiProductSpec>) =>
  site.api.patch(API_PRODUCTS, ['', named(name)], { spec });

async function remove(name: string): Promise<void> {
  made.delete(named(name));
  await site.api.remove(API_PRODUCTS, '', named(name));
}

/** Waits until Ready has this reason for the newest spec, and what the ledger knows at that moment. */
async function until(name: string, reason: string) {
  const { metadata, status } = await eventually(async () => {
    // Asked for by kind, and the schema fills in spec and status.
    const product = (await site.api.get(API_PRODUCTS, '', named(name))) as unknown as Product;
    const ready = product.status.conditions?.find(({ type }) => type === 'Ready');
    assert.equal(ready?.reason, reason, `${name}: ${ready?.reason}: ${ready?.message}`);
    assert.equal(ready.observedGeneration, product.metadata.generation);
    return product;
  });
  const record = await (await site.ledger()).loadDocument('Product', metadata.uid);
  return { uid: metadata.uid, record, status };
}

const at = (pathPrefix: string) => [{ hosts: [HOST], pathPrefix }];
const known = (pathPrefix: string) => [{ hosts: [HOST], pathPrefix, methods: [] }];

describe('a product', () => {
  test('is known to gates when it says that it is Ready, and each edit when that is seen', async () => {
    await make('places', { match: at('/places') });
    const { record } = await until('places', 'Published');
    expect(record).toMatchObject({
      phase: 'Live',
      state: 'Published',
      access: 'ByGrant',
      match: known('/places'),
    });
    await edit('places', { state: 'Retired', access: 'Open', match: at('/old') });
    expect((await until('places', 'Retired')).record).toMatchObject({
      state: 'Retired',
      access: 'Open',
      match: known('/old'),
    });
  });

  test('takes no call away from another one, and gets it when that gives it up', async () => {
    await make('owner', { match: at('/shared') });
    await until('owner', 'Published');
    await make('thief', { match: at('/mine') });
    await until('thief', 'Published');
    await edit('thief', { match: at('/shared'), access: 'Open' });
    expect((await until('thief', 'InvalidSpec')).record).toMatchObject({
      access: 'Open',
      match: known('/mine'),
    });
    const owner = await until('owner', 'Published');
    expect(owner.record?.match).toEqual(known('/shared'));
    await edit('owner', { match: at('/other') });
    expect((await until('thief', 'Published')).record?.match).toEqual(known('/shared'));
  });

  test('that is deleted ends, also when no operator ran', async () => {
    await make('first', { match: at('/first') });
    await make('second', { match: at('/second') });
    const [first, second] = [await until('first', 'Published'), await until('second', 'Published')];
    await remove('first');
    await untilEnded(first.uid);
    await site.operator.terminate();
    await remove('second');
    await site.restart();
    await untilEnded(second.uid);
    const lines = await (await site.ledger()).auditLines({ limit: 10, uid: second.uid });
    expect(lines.map(({ action }) => action)).toEqual(['ProductEnded', 'ProductOpened']);
  });
});

async function untilEnded(uid: string): Promise<void> {
  const ledger = await site.ledger();
  await eventually(async () =>
    expect((await ledger.loadDocument('Product', uid))?.phase).toBe('Ended'),
  );
}
