/** ApiClients, ApiProducts and stores in each situation, by the status code of their controllers. */
import { wantedStatus as clientStatus } from '../../../src/controllers/client/status.ts';
import type { World as ClientWorld } from '../../../src/controllers/client/world.ts';
import { wantedStatus as storeStatus } from '../../../src/controllers/keystore/status.ts';
import type { World as StoreWorld } from '../../../src/controllers/keystore/world.ts';
import { wantedStatus as productStatus } from '../../../src/controllers/product/status.ts';
import type { ProductView, World as ProductWorld } from '../../../src/controllers/product/world.ts';
import type { KeywardError } from '../../../src/kernel/errors.ts';
import type { ClientRecord, ProductRecord } from '../../../src/ledger/documents.ts';
import { builtinDriver } from '../../../src/stores/builtin/driver.ts';
import type { StoreHandle } from '../../../src/stores/contract.ts';
import type { HealthState } from '../../../src/stores/health.ts';
import { SEEN_MS, shown, unseen, type Maker, type Makers } from './situation.ts';

const HEAD = { clusterId: 'cluster-1', namespace: 'team', name: 'shop', revision: 1 } as const;
const HELD = { reviewUid: 'r-1', reviewer: 'bob', message: 'misuse', sinceMs: SEEN_MS } as const;

const V1 = { hosts: [], pathPrefix: '/v1', methods: [] } as const;

/** See the file comment. */
export const CLIENTS: Makers = {
  'not-seen': () => unseen('ApiClient', { displayName: 'Shop', state: 'Active' }),
  'ledger-away': client({ record: undefined }),
  active: client({}),
  registered: client({ record: record({ registeredBy: 'review-1' }), registrars: ['desk'] }),
  'pending-review': client({ registrars: ['desk'] }),
  suspended: client({ record: record({ state: 'Suspended' }) }, 'Suspended'),
  'suspended-by-reviewer': client({
    record: record({ state: 'Suspended', held: { ...HELD, state: 'Suspended' } }),
  }),
  revoked: client({ record: record({ state: 'Revoked', held: { ...HELD, state: 'Revoked' } }) }),
};

/** See the file comment. */
export const PRODUCTS: Makers = {
  'not-seen': () => unseen('ApiProduct', product().spec),
  'not-known': products(product(), new Map()),
  published: products(product()),
  deprecated: products(product({ state: 'Deprecated' })),
  retired: products(product({ state: 'Retired' })),
  'match-taken': products(
    product({ match: [{ hosts: [], pathPrefix: '/v1', methods: [] }] }),
    new Map([
      ['maps-uid', known(product())],
      ['rival-uid', { ...known(product()), uid: 'rival-uid', name: 'rival', match: [V1] }],
    ]),
  ),
};

/** Of both kinds of stores; the names are the same. */
export function stores(kind: 'KeyStore' | 'ClusterKeyStore'): Makers {
  const at = (change: Partial<StoreWorld> = {}, failure?: KeywardError) =>
    store(kind, change, failure);
  const vendor = (state: HealthState, message = '') => at({ remote: remote(state, message) });
  return {
    'not-seen': () => unseen(kind, { type: 'Builtin', builtin: {} }),
    connected: at(),
    'not-asked-yet': vendor('Unknown', 'the vendor was not asked yet'),
    'vendor-connected': vendor('Connected'),
    'connection-failed': vendor('Unreachable', 'the vendor does not answer'),
    'authentication-failed': vendor('Denied', 'the vendor refuses the credentials'),
    'credentials-not-found': vendor('CredentialsNotFound', "Secret 'login' does not exist"),
    'clock-skew': vendor('ClockSkew', 'the clock is 400 s ahead of the vendor'),
    'account-changed': vendor('AccountChanged', 'the credentials lead to another account'),
    'endpoint-not-allowed': vendor('NotAllowed', 'the host is not on the list'),
    'invalid-configuration': at({ handle: { problem: 'spec.builtin: nothing fits' } }),
    'keys-remain': at({ count: { keys: 2, debts: 0 } }),
    ephemeral: at({ isEphemeral: true }),
  };
}

function record(change: Partial<ClientRecord> = {}): ClientRecord {
  return { ...HEAD, uid: 'client-1', phase: 'Live', state: 'Active', ...change };
}

function client(change: Partial<ClientWorld>, state: 'Active' | 'Suspended' = 'Active'): Maker {
  const ref = { namespace: 'team', name: 'shop' };
  const spec = { displayName: 'Shop', state } as const;
  const view = { ref, uid: 'client-1', resourceVersion: '1', generation: 1, isDeleting: false };
  const world: ClientWorld = {
    ref,
    nowMs: SEEN_MS,
    client: { ...view, spec, status: undefined },
    record: record(),
    predecessor: undefined,
    registrars: [],
    keys: { total: 3, active: 2 },
    isProvenGone: false,
    ...change,
  };
  return () => shown('ApiClient', view, { spec, status: clientStatus(world, undefined) });
}

function product(spec: Partial<ProductView['spec']> = {}): ProductView {
  return {
    ref: { namespace: '', name: 'maps' },
    uid: 'maps-uid',
    resourceVersion: '1',
    generation: 1,
    createdTime: '2026-01-05T08:00:00Z',
    isDeleting: false,
    spec: { displayName: 'Maps', state: 'Published', access: 'ByGrant', ...spec },
    status: undefined,
  };
}

function known({ spec }: ProductView): ProductRecord {
  const { state, access } = spec;
  const head = { ...HEAD, namespace: '', name: 'maps', uid: 'maps-uid', phase: 'Live' } as const;
  return { ...head, state, access, match: [] };
}

function products(
  view: ProductView,
  records: ProductWorld['known'] = new Map([['maps-uid', known(view)]]),
): Maker {
  const world: ProductWorld = {
    ref: view.ref,
    nowMs: SEEN_MS,
    product: view,
    known: records,
    views: [view],
    isProvenGone: false,
  };
  return () =>
    shown('ApiProduct', view, { spec: view.spec, status: productStatus(world, undefined) });
}

function store(
  kind: 'KeyStore' | 'ClusterKeyStore',
  change: Partial<StoreWorld>,
  failure?: KeywardError,
): Maker {
  const ref = { namespace: kind === 'KeyStore' ? 'team' : '', name: 'vendor' };
  const isDeleting = (change.count?.keys ?? 0) > 0;
  const spec = { type: 'Builtin', builtin: {} };
  const view = { ref, uid: 'store-1', resourceVersion: '1', generation: 1, finalizers: [] };
  const world: StoreWorld = {
    store: { ...view, isDeleting, spec, status: undefined },
    handle: builtin(),
    document: undefined,
    count: { keys: 0, debts: 0 },
    remote: undefined,
    databaseId: 'database-1',
    isEphemeral: false,
    debtsHoldMs: 600_000,
    nowMs: SEEN_MS,
    ...change,
  };
  return () => shown(kind, view, { spec, status: storeStatus(world, failure) });
}

function remote(state: HealthState, message: string): NonNullable<StoreWorld['remote']> {
  return { health: { state, message, sinceMs: SEEN_MS }, account: undefined };
}

function builtin(): StoreHandle {
  const handle = builtinDriver.open({});
  if ('problem' in handle) throw new Error(handle.problem);
  return handle;
}
