/** What a form sees of stores, clients and products from where it is. */
import { describe, expect, test } from 'vitest';
import type { ApiProductSpec } from '../../../../src/api/generated/apiproduct.ts';
import {
  clientFact,
  productFact,
  storeFact,
} from '../../../../src/controllers/application/neighbours.ts';
import { builtinDriver } from '../../../../src/stores/builtin/driver.ts';
import type { StoreView } from '../../../../src/stores/view.ts';
import { someRules } from './workshop.ts';

const NAMED = { kind: 'ClusterKeyStore', name: 'default' } as const;
const HERE = { store: NAMED, isAtVendor: false, labels: { team: 'shop' } } as const;

function aProduct(change: Partial<ApiProductSpec> = {}) {
  const spec = { displayName: 'Maps', state: 'Published', access: 'ByGrant', ...change } as const;
  return { isDeleting: false, spec };
}

function aStoreView(allowedNamespaces?: object): StoreView {
  const spec = {
    type: 'Builtin',
    applications: someRules(),
    defaults: { overlapSeconds: 60, timeZone: 'Asia/Seoul' },
    limits: { maxDurationDays: 90 },
    retention: 'Forbidden',
    expiryNoticeDays: [7],
    ...(allowedNamespaces === undefined ? {} : { allowedNamespaces }),
  };
  return { uid: 'store-1', spec } as unknown as StoreView;
}

describe('a product', () => {
  const shopOnly = {
    from: 'Selector',
    namespaceSelector: { matchLabels: { team: 'shop' } },
  } as const;

  test.for([
    ['is what it says', aProduct(), 'Published'],
    ['is deprecated', aProduct({ state: 'Deprecated' }), 'Deprecated'],
    ['is for this namespace', aProduct({ allowedNamespaces: shopOnly }), 'Published'],
    ['is for this store', aProduct({ allowedStores: [NAMED] }), 'Published'],
  ] as const)('that %s can be seen', ([, product, state]) => {
    expect(productFact('maps', product, HERE)).toEqual({ name: 'maps', state });
  });

  test.for([
    ['does not exist', undefined, HERE],
    ['is going', { ...aProduct(), isDeleting: true }, HERE],
    ['is for another store', aProduct({ allowedStores: [{ ...NAMED, name: 'other' }] }), HERE],
    [
      'is for other namespaces',
      aProduct({ allowedNamespaces: shopOnly }),
      { ...HERE, labels: { team: 'bank' } },
    ],
    [
      'may be for other namespaces',
      aProduct({ allowedNamespaces: shopOnly }),
      { ...HERE, labels: undefined },
    ],
    ['the vendor does not have', aProduct(), { ...HERE, isAtVendor: true }],
  ] as const)('that %s looks like one that there is not', ([, product, from]) => {
    expect(productFact('maps', product, from).state).toBe('Unavailable');
  });

  test('that the vendor has can be asked for there', () => {
    const product = aProduct({ external: [{ storeRef: NAMED, productId: 'p1' }] });
    expect(productFact('maps', product, { ...HERE, isAtVendor: true }).state).toBe('Published');
  });
});

describe('a store', () => {
  const handle = builtinDriver.open({});

  test('shows its rules, limits and what its driver can do', () => {
    expect(storeFact(NAMED, aStoreView(), { handle, labels: undefined })).toMatchObject({
      type: 'Usable',
      uid: 'store-1',
      timeZone: 'Asia/Seoul',
      maxDurationDays: 90,
      allowsNamespace: true,
      isAtVendor: false,
      expiryNoticeDays: [7],
    });
  });

  test('that selects namespaces is unusable while the labels are not known', () => {
    const view = aStoreView({ from: 'Selector', namespaceSelector: { matchLabels: { a: 'b' } } });
    expect(storeFact(NAMED, view, { handle, labels: undefined }).type).toBe('Unusable');
    expect(storeFact(NAMED, view, { handle, labels: {} })).toMatchObject({
      allowsNamespace: false,
    });
  });

  test('that is not there, or that no driver can open, says so', () => {
    expect(storeFact(NAMED, undefined, { handle: undefined, labels: {} }).type).toBe('Missing');
    const seen = { handle: { problem: 'no driver' }, labels: {} };
    expect(storeFact(NAMED, aStoreView(), seen)).toMatchObject({ problem: 'no driver' });
  });
});

describe('a client', () => {
  const client = { uid: 'c1', isDeleting: false, spec: { state: 'Active' } } as const;
  const record = {
    clusterId: 'x',
    uid: 'c1',
    namespace: 'team',
    name: 'shop',
    revision: 1,
    phase: 'Live',
    state: 'Suspended',
    registeredBy: 'r1',
  } as const;

  test('is what reviewers decided, whatever its spec says', () => {
    expect(clientFact('shop', client, record)).toMatchObject({
      state: 'Suspended',
      isRegistered: true,
    });
    expect(clientFact('shop', client, undefined)).toMatchObject({
      state: 'Active',
      isRegistered: false,
    });
  });

  test('that is going is not there any more', () => {
    expect(clientFact('shop', { ...client, isDeleting: true }, record).type).toBe('Missing');
    expect(clientFact(undefined, undefined, undefined).type).toBe('Unnamed');
  });
});
