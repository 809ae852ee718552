import { expect, test } from 'vitest';
import { storeSeries } from '../../../../src/controllers/keystore/storeseries.ts';
import type { StoreView } from '../../../../src/stores/view.ts';

function aStore(name: string, ready?: [status: string, reason: string], more = {}): StoreView {
  const conditions = ready && [{ type: 'Ready', status: ready[0], reason: ready[1] }];
  const status = conditions === undefined ? undefined : { conditions };
  // Only what the metrics look at.
  return {
    ref: { namespace: '', name },
    isDeleting: false,
    spec: { type: 'Naver' },
    status,
    ...more,
  } as unknown as StoreView;
}

function scrape(cluster: readonly StoreView[], own: readonly StoreView[] = []): string[] {
  const series = storeSeries({
    keyStores: { values: () => own.values() },
    clusterKeyStores: { values: () => cluster.values() },
    isLeading: () => true,
  });
  return [...series.pieces()].join('').split('\n');
}

test('stores are up while they are Ready, with the reason where they are not', () => {
  const lines = scrape(
    [aStore('good', ['True', 'Connected']), aStore('bad', ['False', 'AuthenticationFailed'])],
    [aStore('own', ['False', 'ConnectionFailed'], { ref: { namespace: 'shop', name: 'own' } })],
  );
  const of = (name: string) => `{kind="ClusterKeyStore",namespace="",name="${name}",type="Naver"`;
  expect(lines).toContain(`keyward_store_up${of('good')}} 1`);
  expect(lines).toContain(`keyward_store_up${of('bad')}} 0`);
  expect(lines).toContain(`keyward_store_info${of('bad')},reason="AuthenticationFailed"} 1`);
  expect(lines).toContain(
    'keyward_store_up{kind="KeyStore",namespace="shop",name="own",type="Naver"} 0',
  );
});

test('stores that nobody looked at, and those that go, are neither up nor down', () => {
  const going = { isDeleting: true };
  const lines = scrape([
    aStore('new'),
    aStore('pending', ['Unknown', 'Pending']),
    aStore('going', ['False', 'KeysRemain'], going),
  ]);
  expect(lines.filter((line) => line.startsWith('keyward_store_up{'))).toEqual([]);
});

test('of too many stores those that are down are told', () => {
  const many = Array.from({ length: 600 }, (_, n) => aStore(`s${n}`, ['True', 'Connected']));
  const lines = scrape([...many, aStore('down', ['False', 'ConnectionFailed'])]);
  const told = lines.filter((line) => line.startsWith('keyward_store_up{'));
  expect(told).toHaveLength(500);
  expect(told[0]).toContain('name="down"');
});
