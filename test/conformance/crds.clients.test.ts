/** Every rule of the ApiClient and ApiProduct schemas, asked of the real API server. */
import { beforeAll, describe, expect, it } from 'vitest';
import { freshNamespace, sharedControlPlane } from '../support/controlplane.ts';
import {
  accepted,
  API,
  expectedOutcome,
  OPERATOR,
  outcome,
  policiesInForce,
  senderTo,
} from './crds.apiserver.ts';
import { ruleMessages, specOf, untested } from './crds.rules.ts';
import type { SpecCase } from './crds.spec-cases.ts';

const access = sharedControlPlane();
const send = senderTo(access);
let namespace = '';

beforeAll(async () => {
  await access.mustKubectl(['apply', '--server-side', '-f', 'deploy/rbac']);
  namespace = await freshNamespace(access, 'clients');
  await policiesInForce(send, namespace);
});

const clients = (): string => `${API}/namespaces/${namespace}/apiclients`;
const products = (): string => `${API}/apiproducts`;

function object(kind: string, name: string, spec: unknown): object {
  const metadata = { name };
  return {
    apiVersion: 'keyward.dev/v1alpha1',
    kind,
    metadata,
    ...(spec === undefined ? {} : { spec }),
  };
}

const client = (fields: object): object => ({ displayName: 'CRM', ...fields });
const product = (fields: object): object => ({ displayName: 'Orders', ...fields });
const match = (fields: object): object => product({ match: [{ pathPrefix: '/v1', ...fields }] });
const store = { kind: 'KeyStore', name: 'naver' };

const CLIENT_CASES: readonly SpecCase[] = [
  { why: 'R4 R5 a registered service', spec: client({ alias: 'crm', description: '고객 관리' }) },
  { why: 'no spec', spec: undefined, refused: 'spec: Required' },
  { why: 'no name', spec: {}, refused: 'displayName: Required' },
  { why: 'an empty name', spec: { displayName: '' }, refused: 'displayName' },
  { why: 'a name of two lines', spec: { displayName: 'a\nb' }, refused: 'displayName' },
  { why: 'a name of 255 emoji', spec: { displayName: '😀'.repeat(255) } },
  {
    why: 'a name of 256 Korean characters',
    spec: { displayName: '가'.repeat(256) },
    refused: 'may not be more than 255',
  },
  { why: 'switched off', spec: client({ state: 'Suspended' }) },
  { why: 'another state', spec: client({ state: 'Revoked' }), refused: 'state: Unsupported value' },
  {
    why: 'an address without a host',
    spec: client({ contact: { email: 'mina@' } }),
    refused: 'contact.email',
  },
];

const PRODUCT_CASES: readonly SpecCase[] = [
  {
    why: 'everything',
    spec: product({
      description: '주문 조회',
      documentationURL: 'https://docs.example.com/orders',
      contact: { channel: '#orders' },
      state: 'Deprecated',
      access: 'Open',
      allowedStores: [store, { kind: 'ClusterKeyStore', name: 'naver' }],
      allowedNamespaces: { from: 'Selector', namespaceSelector: { matchLabels: { team: 'a' } } },
      match: [
        { hosts: ['api.example.com', 'api.example.com:8443'], pathPrefix: '/', methods: ['GET'] },
      ],
      external: [{ storeRef: store, productId: 'p0000000-1' }],
    }),
  },
  { why: 'no spec', spec: undefined, refused: 'spec: Required' },
  { why: 'no name', spec: {}, refused: 'displayName: Required' },
  { why: 'another state', spec: product({ state: 'Draft' }), refused: 'state: Unsupported value' },
  { why: 'another access', spec: product({ access: 'All' }), refused: 'access: Unsupported value' },
  {
    why: 'documentation at no URL',
    spec: product({ documentationURL: 'docs' }),
    refused: 'documentationURL',
  },
  {
    why: 'a store twice',
    spec: product({ allowedStores: [store, store] }),
    refused: 'a store is listed twice',
  },
  {
    why: 'an outside product twice',
    spec: product({
      external: [
        { storeRef: store, productId: 'a' },
        { storeRef: store, productId: 'b' },
      ],
    }),
    refused: 'a store is listed twice',
  },
  {
    why: 'an outside product without an id',
    spec: product({ external: [{ storeRef: store }] }),
    refused: 'productId: Required',
  },
  {
    why: 'a selector that is missing',
    spec: product({ allowedNamespaces: { from: 'Selector' } }),
    refused: 'namespaceSelector and from Selector need each other',
  },
  {
    why: 'a selector expression without values',
    spec: product({
      allowedNamespaces: {
        from: 'Selector',
        namespaceSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] },
      },
    }),
    refused: 'In and NotIn need values',
  },
  { why: 'no path', spec: product({ match: [{ hosts: ['a.example'] }] }), refused: 'pathPrefix' },
  { why: 'a relative path', spec: match({ pathPrefix: 'v1' }), refused: 'pathPrefix' },
  { why: 'a path with a query', spec: match({ pathPrefix: '/v1?a' }), refused: 'pathPrefix' },
  {
    why: 'a path that climbs',
    spec: match({ pathPrefix: '/v1/../admin' }),
    refused: 'a prefix has no empty segment',
  },
  {
    why: 'a path with an empty segment',
    spec: match({ pathPrefix: '/v1//x' }),
    refused: 'a prefix has no empty segment',
  },
  { why: 'a path with dots in a name', spec: match({ pathPrefix: '/v1.2/...' }) },
  { why: 'a host in capitals', spec: match({ hosts: ['API.example.com'] }), refused: 'hosts[0]' },
  { why: 'a wildcard', spec: match({ hosts: ['*.example.com'] }), refused: 'hosts[0]' },
  {
    why: 'a host twice',
    spec: match({ hosts: ['a.example', 'a.example'] }),
    refused: 'a host is listed twice',
  },
  {
    why: 'a method twice',
    spec: match({ methods: ['GET', 'GET'] }),
    refused: 'Duplicate value',
  },
  { why: 'a method in small letters', spec: match({ methods: ['get'] }), refused: 'Unsupported' },
];

describe.each<[string, readonly SpecCase[], () => string]>([
  ['ApiClient', CLIENT_CASES, clients],
  ['ApiProduct', PRODUCT_CASES, products],
])('a new %s', (kind, cases, base) => {
  it.each(cases)('$why: $refused', async ({ spec, refused }) => {
    const answer = await send({
      method: 'POST',
      path: `${base()}?dryRun=All&fieldValidation=Strict`,
      body: object(kind, 'sample', spec),
    });
    expect(outcome(answer)).toEqual(expectedOutcome(refused));
  });
});

it('has a refused case for every CEL rule of the schemas', () => {
  expect(untested(ruleMessages(specOf('apiclients')), CLIENT_CASES)).toEqual([]);
  expect(untested(ruleMessages(specOf('apiproducts')), PRODUCT_CASES)).toEqual([]);
});

it('a product chooses namespaces as a ClusterKeyStore does', () => {
  const says = (plural: string): unknown => {
    const { description, ...rest } = specOf(plural).properties?.['allowedNamespaces'] ?? {};
    return [typeof description, rest];
  };
  expect(says('apiproducts')).toEqual(says('clusterkeystores'));
});

describe('defaults', () => {
  it.each<[string, () => string, object, object]>([
    ['ApiClient', clients, client({}), { displayName: 'CRM', state: 'Active' }],
    [
      'ApiProduct',
      products,
      product({}),
      { displayName: 'Orders', state: 'Published', access: 'ByGrant' },
    ],
  ])('of %s', async (kind, base, spec, expected) => {
    const path = `${base()}?dryRun=All`;
    const { object: made } = await send({ method: 'POST', path, body: object(kind, 'a', spec) });
    expect(made['spec']).toEqual(expected);
    expect(made['status']).toMatchObject({
      observedGeneration: -1,
      conditions: [{ type: 'Ready', status: 'Unknown', reason: 'Pending' }],
    });
  });
});

it('R98 a client is listed with state and keys within 80 characters, and with its title when asked', async () => {
  const body = object('ApiClient', 'crm', client({ alias: '고객', state: 'Suspended' }));
  const created = await send({ method: 'POST', path: clients(), body });
  const status = { observedGeneration: 1, keys: { total: 12, active: 3 } };
  const written = await send({
    method: 'PUT',
    path: `${clients()}/crm/status`,
    body: { ...created.object, status },
    as: OPERATOR,
  });
  expect(outcome(written)).toBe(accepted);
  const listed = async (...more: readonly string[]): Promise<string> =>
    await access.mustKubectl(['get', 'acl', '-n', namespace, ...more]);
  const table = await listed('--field-selector', 'spec.state=Suspended');
  expect(table.split(/\s+/).slice(0, 5)).toEqual(['NAME', 'READY', 'STATUS', 'KEYS', 'AGE']);
  expect(table).toContain('12');
  expect(await listed('-o', 'wide')).toMatch(/CRM +고객/);
});

it('R115 products are listed by state and access for whoever chooses one', async () => {
  const name = `orders-${namespace}`;
  const body = object('ApiProduct', name, product({ access: 'Open' }));
  expect(outcome(await send({ method: 'POST', path: products(), body }))).toBe(accepted);
  const select = ['--field-selector', 'spec.state=Published,spec.access=Open'];
  const table = await access.mustKubectl(['get', 'aprod', ...select]);
  expect(table.split(/\s+/).slice(0, 6)).toEqual([
    'NAME',
    'STATE',
    'ACCESS',
    'READY',
    'STATUS',
    'AGE',
  ]);
  expect(table).toContain(name);
  await send({ method: 'DELETE', path: `${products()}/${name}` });
});
