import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { KnownIds } from '../../../../src/gate/view/knownids.ts';
import { Records } from '../../../../src/gate/view/records.ts';
import { Surroundings } from '../../../../src/gate/view/surroundings.ts';
import { View } from '../../../../src/gate/view/view.ts';
import type { ProductRecord } from '../../../../src/ledger/documents.ts';
import { FakeClock } from '../../../support/clock.ts';
import { issueKey } from '../../../support/gate.keys.ts';
import { MemoryGateDatabase } from '../../../support/gate.memory.ts';

type Product = Partial<ProductRecord> & { uid: string };

function product(uid: string, changes: Partial<ProductRecord> = {}): Product {
  return { uid, name: 'maps', state: 'Published', access: 'Open', match: [], ...changes };
}

function bench() {
  const database = new MemoryGateDatabase();
  const view = new View({
    known: new KnownIds(randomBytes),
    records: new Records({ recordsMax: 100, loadsMax: 100 }, new FakeClock()),
    around: new Surroundings(),
  });
  const client = (uid: string, state: 'Active' | 'Suspended', phase: 'Live' | 'Ended' = 'Live') =>
    database.putDocument('Client', { uid, name: `name-${uid}`, state, phase });
  const products = () => view.around.products.map(({ uid }) => uid);
  const asked = () => [...database.asked.values()].reduce((sum, times) => sum + times, 0);
  return { database, ledger: database.open(), view, client, products, asked };
}

describe('the view', () => {
  it('holds every key and document after it was read, in pages', async () => {
    const { database, ledger, view, client } = bench();
    const keys = Array.from({ length: 6_000 }, (_, i) => issueKey(`k${i}`));
    for (const { record } of keys) database.records.set(record.uid, record);
    for (let i = 0; i < 700; i += 1) client(`c${String(i).padStart(3, '0')}`, 'Active');
    const clock = new FakeClock();
    const reading = view.readAll(ledger, clock, new AbortController().signal);
    for (let i = 0; i < 20; i += 1) await clock.advanceSettled(1);
    await reading;
    expect(view.known.size).toBe(6_000);
    expect(view.around.size).toBe(700);
    expect(view.around.client('c699')).toEqual({ state: 'Active', name: 'name-c699' });
  });

  it.each([1, 300])('takes in %i changes at once, whatever they are', async (extra) => {
    const { database, ledger, view, client } = bench();
    const more = Array.from({ length: extra }, (_, i) => issueKey(`k${i}`));
    database.put(...more.map(({ record }) => record));
    client('c1', 'Active');
    const uids = [...more.map(({ record }) => record.uid), 'c1'];
    await view.takeIn(uids, ledger);
    expect(more.every(({ keyId }) => view.known.has(keyId))).toBe(true);
    expect(view.around.client('c1')?.state).toBe('Active');
    client('c1', 'Suspended');
    await view.takeIn(uids, ledger);
    expect(view.around.client('c1')?.state).toBe('Suspended');
    client('c1', 'Active', 'Ended');
    await view.takeIn(uids, ledger);
    expect(view.around.client('c1')).toBeUndefined();
  });

  it('asks little about many keys, and about one client little among many', async () => {
    const { database, ledger, view, client, asked } = bench();
    const uids = Array.from({ length: 500 }, (_, i) => `k${i}`);
    await view.takeIn(uids, ledger);
    expect(asked()).toBeLessThanOrEqual(5);
    for (let i = 0; i < 5_000; i += 1) client(`c${i}`, 'Active');
    await view.readAll(ledger, new FakeClock(), new AbortController().signal);
    database.asked.clear();
    await view.takeIn(['c17'], ledger);
    expect(asked()).toBeLessThanOrEqual(5);
  });

  it('takes no answer that was on its way when it looked again', async () => {
    const { database, ledger, view, client } = bench();
    client('c1', 'Active');
    const { promise, resolve } = Promise.withResolvers<void>();
    database.after = (method) => (method === 'loadDocument' ? promise : undefined);
    const slow = view.takeIn(['c1'], ledger);
    await new Promise(setImmediate);
    client('c1', 'Suspended');
    database.after = () => undefined;
    await view.takeIn(['c1'], ledger);
    resolve();
    await slow;
    expect(view.around.client('c1')?.state).toBe('Suspended');
  });
});

describe('products in the view', () => {
  const MANY = Array.from({ length: 20 }, (_, i) => `k${i}`);

  it.each([
    ['one change', []],
    ['many changes', MANY],
  ])('are left by those that another takes over from: %s', async (_, more) => {
    const { database, ledger, view, products } = bench();
    database.putDocument('Product', product('p1'));
    database.putDocument('Product', product('other', { name: 'other' }));
    await view.takeIn(['p1', 'other'], ledger);
    database.putDocument('Product', product('p2'), product('p1', { phase: 'Ended' }));
    await view.takeIn(['p2', ...more], ledger);
    expect(products().toSorted()).toEqual(['other', 'p2']);
  });

  it.each([
    ['one change', []],
    ['many changes', MANY],
  ])('are left by all that end with one, also when that one was not known: %s', async (_, more) => {
    const { database, ledger, view, products } = bench();
    database.putDocument('Product', product('p2'));
    await view.takeIn(['p2'], ledger);
    const ended = { phase: 'Ended' } as const;
    database.putDocument('Product', product('p1', ended), product('p2', ended));
    await view.takeIn(['p1', ...more], ledger);
    expect(products()).toEqual([]);
  });

  it('are read once more when that failed, although the one that is named is known', async () => {
    const { database, ledger, view, products } = bench();
    database.putDocument('Product', product('p1'));
    await view.takeIn(['p1'], ledger);
    database.putDocument('Product', product('p2'), product('p1', { phase: 'Ended' }));
    database.trouble.set('scanDocuments', 'Fails');
    await expect(view.takeIn(['p2'], ledger)).rejects.toMatchObject({ class: 'Transient' });
    // Never both: their claims are the same.
    expect(products()).toEqual(['p1']);
    database.trouble.clear();
    await view.takeIn(['p2'], ledger);
    expect(products()).toEqual(['p2']);
  });

  it('are not what they were when the next look began', async () => {
    const { database, ledger, view, products } = bench();
    database.putDocument('Product', product('p1'));
    const { promise, resolve } = Promise.withResolvers<void>();
    database.after = (method) => (method === 'scanDocuments' ? promise : undefined);
    const slow = view.takeIn(['p1'], ledger);
    await new Promise(setImmediate);
    database.putDocument('Product', product('p2'), product('p1', { phase: 'Ended' }));
    database.after = () => undefined;
    await view.takeIn(['p2'], ledger);
    resolve();
    await slow;
    expect(products()).toEqual(['p2']);
  });

  it('count as changed only when one of them changed, however many keys are issued', async () => {
    const { database, ledger, view } = bench();
    database.putDocument('Product', product('p1'));
    await view.takeIn(['p1'], ledger);
    const before = view.around.productVersion;
    await view.takeIn(['k1'], ledger);
    await view.takeIn(MANY, ledger);
    expect(view.around.productVersion).toBe(before);
    database.putDocument('Product', product('p1', { state: 'Retired' }));
    await view.takeIn(['p1', ...MANY], ledger);
    expect(view.around.productVersion).toBeGreaterThan(before);
    expect(view.around.products[0]?.state).toBe('Retired');
  });
});
