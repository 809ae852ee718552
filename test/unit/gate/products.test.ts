import { describe, expect, it } from 'vitest';
import type { ProductRecord } from '../../../src/ledger/documents.ts';
import { MemoryGateDatabase } from '../../support/gate.memory.ts';
import { Bench, showing } from './bench.ts';

function product(changes: Partial<ProductRecord> = {}): Partial<ProductRecord> & { uid: string } {
  return {
    uid: 'p1',
    name: 'maps',
    state: 'Published',
    access: 'ByGrant',
    match: [{ hosts: [], pathPrefix: '/maps', methods: [] }],
    ...changes,
  };
}

const TERMS = { timeZone: 'UTC', cidrs: [], productRefs: ['maps'] };
const GRANT = { formUid: 'f', round: 1 };

async function bench(unlisted: 'allow' | 'deny', changes: Partial<ProductRecord> = {}) {
  const made = await new Bench(new MemoryGateDatabase(), { unlisted }).start();
  made.database.putDocument('Product', product(changes));
  const granted = made.issue('granted', { terms: TERMS, grant: GRANT });
  const plain = made.issue('plain');
  await made.pass(200);
  const ask = (value: string, target: string, named?: string) =>
    made.cause(showing(value, { target, product: named }));
  return { made, granted: granted.value, plain: plain.value, ask };
}

describe('a call of a product by grant', () => {
  it('takes a key whose grant names it', async () => {
    const { ask, granted, plain } = await bench('allow');
    expect(await ask(granted, '/maps/1')).toBe('Allowed');
    expect(await ask(plain, '/maps/1')).toBe('ProductNotAllowed');
  });

  it('takes a grant: what a key without one says of products is nothing', async () => {
    const { ask, made } = await bench('allow');
    const { value } = made.issue('boaster', { terms: TERMS });
    await made.pass(200);
    expect(await ask(value, '/maps/1')).toBe('ProductNotAllowed');
  });

  it('is refused when the product is retired', async () => {
    const { ask, granted } = await bench('allow', { state: 'Retired' });
    expect(await ask(granted, '/maps/1')).toBe('ProductRetired');
  });

  it('is looked for again in the same place when products change, and where many others were asked for', async () => {
    const { ask, made, granted, plain } = await bench('allow');
    expect(await ask(plain, '/maps/1')).toBe('ProductNotAllowed');
    for (let number = 0; number < 5_000; number += 1) await ask(granted, `/maps/${number}`);
    expect(await ask(plain, '/maps/1')).toBe('ProductNotAllowed');
    made.database.putDocument('Product', product({ access: 'Open' }));
    await made.pass(200);
    expect(await ask(plain, '/maps/1')).toBe('Allowed');
    made.database.putDocument('Product', product({ state: 'Retired' }));
    await made.pass(200);
    expect(await ask(granted, '/maps/1')).toBe('ProductRetired');
  });

  it('may be one because the route says so, whatever its path', async () => {
    const { ask, granted, plain } = await bench('deny');
    expect(await ask(granted, '/other', 'maps')).toBe('Allowed');
    expect(await ask(plain, '/other', 'maps')).toBe('ProductNotAllowed');
    expect(await ask(granted, '/maps/1', 'no such product')).toBe('Unlisted');
  });
});

describe('a call of an open product', () => {
  it('takes any live key', async () => {
    const { ask, plain } = await bench('deny', { access: 'Open' });
    expect(await ask(plain, '/maps/1')).toBe('Allowed');
  });
});

describe('a call of no product', () => {
  it.each([
    ['allow', 'Allowed'],
    ['deny', 'Unlisted'],
  ] as const)('is what the administrator says: %s', async (unlisted, cause) => {
    const { ask, granted } = await bench(unlisted);
    expect(await ask(granted, '/elsewhere')).toBe(cause);
  });

  it('is doubtful when its path can be read in two ways', async () => {
    const { ask, granted } = await bench('allow');
    expect(await ask(granted, '/x/..%2fmaps')).toBe('TargetDoubtful');
    expect(await ask(granted, '')).toBe('TargetDoubtful');
  });

  it('needs no path where there are no products and nobody asks for one', async () => {
    const made = await new Bench().start();
    const { value } = made.issue('a');
    await made.pass(200);
    expect(await made.cause(showing(value, { target: '//' }))).toBe('Allowed');
  });
});

describe('a change of products', () => {
  it('is known within one look', async () => {
    const { ask, made, granted } = await bench('allow');
    expect(await ask(granted, '/maps/1')).toBe('Allowed');
    made.database.putDocument('Product', product({ name: 'atlas' }));
    await made.pass(100);
    expect(await ask(granted, '/maps/1')).toBe('ProductNotAllowed');
    made.database.putDocument('Product', product({ phase: 'Ended' }));
    await made.pass(100);
    expect(await ask(granted, '/maps/1')).toBe('Allowed');
  });

  it('leaves nothing of the product that another one of its name took over from', async () => {
    const { ask, made, granted, plain } = await bench('allow', { access: 'Open' });
    expect(await ask(plain, '/maps/1')).toBe('Allowed');
    const left = product({ access: 'Open', phase: 'Ended' });
    made.database.putDocument('Product', product({ uid: 'p2' }), left);
    await made.pass(100);
    expect(await ask(granted, '/maps/1')).toBe('Allowed');
    expect(await ask(plain, '/maps/1')).toBe('ProductNotAllowed');
  });
});
