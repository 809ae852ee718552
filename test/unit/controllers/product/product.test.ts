import { describe, expect, test } from 'vitest';
import type { ApiProductSpec, ApiProductStatus } from '../../../../src/api/generated/apiproduct.ts';
import { onProduct, productSteps } from '../../../../src/controllers/product/index.ts';
import { wantedStatus } from '../../../../src/controllers/product/status.ts';
import type { ProductView } from '../../../../src/controllers/product/world.ts';
import { reconcile } from '../../../../src/runtime/pipeline.ts';
import { FakeClock } from '../../../support/clock.ts';

function aProduct(name: string, spec: Partial<ApiProductSpec> = {}): ProductView {
  return {
    ref: { namespace: '', name },
    uid: `${name}-uid`,
    resourceVersion: '1',
    generation: 1,
    isDeleting: false,
    spec: { displayName: name, state: 'Published', access: 'ByGrant', ...spec },
    status: undefined,
  };
}

const readyOf = (product: ProductView, ...others: ProductView[]) =>
  wantedStatus({ product, others, nowMs: 0 }).conditions?.find(({ type }) => type === 'Ready');

describe('a product', () => {
  test('shows the state of its spec', () => {
    expect(readyOf(aProduct('places'))).toMatchObject({ status: 'True', reason: 'Published' });
    const deprecated = aProduct('places', { state: 'Deprecated' });
    expect(readyOf(deprecated)).toMatchObject({ status: 'True', reason: 'Deprecated' });
    const retired = aProduct('places', { state: 'Retired' });
    expect(readyOf(retired)).toMatchObject({ status: 'False', reason: 'Retired' });
  });

  test('claims no request that another one claims, and both are named', () => {
    const places = aProduct('places', { match: [{ pathPrefix: '/v1/', methods: ['GET'] }] });
    const spots = aProduct('spots', { match: [{ pathPrefix: '/v1', methods: ['GET', 'PUT'] }] });
    expect(readyOf(places, spots)).toMatchObject({
      reason: 'InvalidSpec',
      message: expect.stringContaining("ApiProduct 'spots'"),
    });
    expect(readyOf(spots, places)?.reason).toBe('InvalidSpec');
  });

  test('may claim what another one claims more narrowly, or claimed until it was retired', () => {
    const places = aProduct('places', { match: [{ pathPrefix: '/v1' }] });
    const deeper = aProduct('deeper', { match: [{ pathPrefix: '/v1/places' }] });
    const other = aProduct('other', { match: [{ pathPrefix: '/v1', hosts: ['a.example'] }] });
    expect(readyOf(places, deeper, other)?.reason).toBe('Published');
    const retired = aProduct('old', { match: [{ pathPrefix: '/v1' }], state: 'Retired' });
    expect(readyOf(places, retired)?.reason).toBe('Published');
  });

  test('is written once, and looked at again when any other one is edited', async () => {
    let product = aProduct('places');
    const other = aProduct('other');
    const clock = new FakeClock();
    let writes = 0;
    const products = { get: () => product, values: () => [product, other].values() };
    const steps = productSteps({
      products: products as never,
      client: {
        replaceStatus: async (_, draft) => {
          writes += 1;
          product = { ...product, status: draft['status'] as ApiProductStatus };
          return undefined;
        },
      },
      clock,
    });
    const stop = new AbortController().signal;
    await reconcile(steps, product.ref, { clock, stop });
    await reconcile(steps, product.ref, { clock, stop });
    expect(writes).toBe(1);
    const edited = { ref: other.ref, previous: other, current: { ...other, generation: 2 } };
    expect(onProduct(products as never, edited).map(({ ref }) => ref.name)).toContain('places');
    expect(onProduct(products as never, { ...edited, current: other })).toEqual([]);
  });
});
