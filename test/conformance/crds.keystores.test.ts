/** Every rule of the KeyStore and ClusterKeyStore schemas, and the generator's way to more drivers. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  keyStoreCrds,
  readDriverSchema,
  shippedDriverFolders,
} from '../../tools/generate/keystores.ts';
import { drivers } from '../../src/stores/registry.ts';
import { freshNamespace, sharedControlPlane } from '../support/controlplane.ts';
import {
  accepted,
  API,
  expectedOutcome,
  outcome,
  policiesInForce,
  senderTo,
} from './crds.apiserver.ts';

const access = sharedControlPlane();
const send = senderTo(access);
let namespace = '';

beforeAll(async () => {
  namespace = await freshNamespace(access, 'crds');
  await policiesInForce(send, namespace);
});

const builtin = (fields: object): object => ({ type: 'Builtin', builtin: fields });
const withBuiltin = (fields: object): object => ({ ...builtin({}), ...fields });
const naver = (fields: object): object => ({
  type: 'Naver',
  naver: { credentialsSecretRef: { name: 'account' }, ...fields },
});
const applications = (fields: object): object => withBuiltin({ applications: fields });
const store = (kind: string, name: string, spec: unknown): object => ({
  apiVersion: 'keyward.dev/v1alpha1',
  kind,
  metadata: { name },
  ...(spec === undefined ? {} : { spec }),
});

type StoreCase = { readonly why: string; readonly spec: unknown; readonly refused?: string };

const STORE_CASES: readonly StoreCase[] = [
  { why: 'all defaults', spec: builtin({}) },
  { why: 'no spec', spec: undefined, refused: 'spec: Required' },
  { why: 'no type', spec: { builtin: {} }, refused: 'type: Required' },
  {
    why: 'a driver that is not there',
    spec: { type: 'Vault' },
    refused: 'type: Unsupported value',
  },
  { why: 'a type without its member', spec: { type: 'Builtin' }, refused: 'write "builtin: {}"' },
  { why: 'the longest prefix', spec: builtin({ keyPrefix: 'a234567890123456' }) },
  {
    why: 'a prefix that is too long',
    spec: builtin({ keyPrefix: 'a2345678901234567' }),
    refused: 'keyPrefix',
  },
  {
    why: 'a prefix with the separator in it',
    spec: builtin({ keyPrefix: 'a_b' }),
    refused: 'keyPrefix',
  },
  {
    why: 'an unknown profile',
    spec: builtin({ profile: 'Other' }),
    refused: 'profile: Unsupported value',
  },
  { why: 'pairs whose secret is kept', spec: builtin({ format: 'KeyPair', recovery: 'Sealed' }) },
  {
    why: 'pairs whose secret is not kept',
    spec: builtin({ format: 'KeyPair' }),
    refused: 'format KeyPair needs recovery Sealed',
  },
  { why: 'a profile that keeps secrets', spec: builtin({ profile: 'Solapi', format: 'KeyPair' }) },
  {
    why: 'a profile whose secrets are not kept',
    spec: builtin({ profile: 'DigiRunner', recovery: 'None' }),
    refused: 'this profile gives key pairs',
  },
  {
    why: 'a profile that has single values besides',
    spec: builtin({ profile: 'DigiRunner', format: 'Opaque', recovery: 'None' }),
  },
  {
    why: 'pairs of a profile whose secrets are not kept',
    spec: builtin({ profile: 'Solapi', format: 'KeyPair', recovery: 'None' }),
    refused: 'format KeyPair needs recovery Sealed',
  },
  { why: 'two values where the profile has two', spec: builtin({ profile: 'Naver' }) },
  {
    why: 'one value where the profile has two',
    spec: builtin({ profile: 'Naver', format: 'Opaque' }),
    refused: 'the profile has another format',
  },
  {
    why: 'layers in order',
    spec: applications({ layers: [{ name: 'owner' }, { name: 'legal', approvals: 2 }] }),
  },
  { why: 'no layers: nobody can decide', spec: applications({ layers: [] }) },
  {
    why: 'a layer twice',
    spec: applications({ layers: [{ name: 'a' }, { name: 'a' }] }),
    refused: 'Duplicate value',
  },
  {
    why: 'a layer without approvals',
    spec: applications({ layers: [{ name: 'a', approvals: 0 }] }),
    refused: 'approvals',
  },
  {
    why: 'a step twice',
    spec: applications({ requiredFor: ['Issue', 'Issue'] }),
    refused: 'Duplicate value',
  },
  {
    why: 'an unknown step',
    spec: applications({ requiredFor: ['Rotate'] }),
    refused: 'requiredFor[0]: Unsupported value',
  },
  {
    why: 'an unknown field',
    spec: applications({ requiredFields: ['Colour'] }),
    refused: 'requiredFields[0]: Unsupported value',
  },
  {
    why: 'an attestor twice',
    spec: applications({ attestors: [{ username: 'a' }, { username: 'a' }] }),
    refused: 'Duplicate value',
  },
  {
    why: 'a deadline of no days',
    spec: applications({ deadlineDays: 0 }),
    refused: 'deadlineDays',
  },
  {
    why: 'an overlap over 30 days',
    spec: withBuiltin({ defaults: { overlapSeconds: 2592001 } }),
    refused: 'overlapSeconds',
  },
  {
    why: 'a duration over ten years',
    spec: withBuiltin({ defaults: { durationDays: 3651 } }),
    refused: 'durationDays',
  },
  {
    why: 'a zone with blanks',
    spec: withBuiltin({ defaults: { timeZone: 'a b' } }),
    refused: 'timeZone',
  },
  { why: 'a negative limit', spec: withBuiltin({ limits: { maxKeys: -1 } }), refused: 'maxKeys' },
  {
    why: 'a quota limit beyond JavaScript',
    spec: withBuiltin({ limits: { maxQuotaRequests: 9007199254740992 } }),
    refused: 'maxQuotaRequests',
  },
  {
    why: 'an unknown retention',
    spec: withBuiltin({ retention: 'Maybe' }),
    refused: 'retention: Unsupported value',
  },
  {
    why: 'a notice day twice',
    spec: withBuiltin({ expiryNoticeDays: [7, 7] }),
    refused: 'Duplicate value',
  },
  {
    why: 'a notice on the last day only',
    spec: withBuiltin({ expiryNoticeDays: [0] }),
    refused: 'expiryNoticeDays[0]',
  },
  { why: 'no notice', spec: withBuiltin({ expiryNoticeDays: [] }) },
];

const NAVER_CASES: readonly StoreCase[] = [
  { why: 'an account at NAVER', spec: naver({}) },
  { why: 'a tenant there', spec: naver({ tenantId: '0123402f55ae4436913a6e2c65bab47c' }) },
  {
    why: 'an account without credentials',
    spec: { type: 'Naver', naver: {} },
    refused: 'credentialsSecretRef: Required',
  },
  {
    why: 'the type Naver without its member',
    spec: { type: 'Naver' },
    refused: 'type Naver and naver need each other',
  },
  {
    why: 'the type Naver with the member of another type',
    spec: { type: 'Naver', builtin: {} },
    refused: 'type Naver and naver need each other',
  },
  {
    why: 'two members',
    spec: { ...naver({}), builtin: {} },
    refused: 'type Builtin and builtin need each other',
  },
  {
    why: 'the type Builtin with the member naver beside its own',
    spec: { ...naver({}), ...builtin({}) },
    refused: 'type Naver and naver need each other',
  },
  {
    why: 'another zone',
    spec: naver({ endpoint: 'https://apigateway.apigw.gov-ntruss.com/api/v1' }),
  },
  { why: 'a fake on this machine', spec: naver({ endpoint: 'http://127.0.0.1:8080/api/v1' }) },
  { why: 'a fake on this machine by IPv6', spec: naver({ endpoint: 'http://[::1]:8080' }) },
  {
    why: 'an address without TLS',
    spec: naver({ endpoint: 'http://apigateway.apigw.ntruss.com/api/v1' }),
    refused: 'the endpoint must be reached by https',
  },
  {
    why: 'an address without TLS that looks like this machine',
    spec: naver({ endpoint: 'http://127.0.0.1.example.com/' }),
    refused: 'the endpoint must be reached by https',
  },
  {
    why: 'an address with a user',
    spec: naver({ endpoint: 'https://user@example.com/' }),
    refused: 'naver.endpoint',
  },
  {
    why: 'an address with a query',
    spec: naver({ endpoint: 'https://example.com/?a=b' }),
    refused: 'naver.endpoint',
  },
  {
    why: 'a Secret without name',
    spec: naver({ credentialsSecretRef: { name: '' } }),
    refused: 'credentialsSecretRef.name',
  },
  { why: 'a tenant with blanks', spec: naver({ tenantId: 'a b' }), refused: 'tenantId' },
  {
    why: 'an unknown end',
    spec: naver({ onExpiry: 'Keep' }),
    refused: 'onExpiry: Unsupported value',
  },
  {
    why: 'a negative settle time',
    spec: naver({ settleSeconds: -1 }),
    refused: 'settleSeconds',
  },
  {
    why: 'a grace of more than 30 days',
    spec: naver({ deleteGraceSeconds: 2_592_001 }),
    refused: 'deleteGraceSeconds',
  },
];

const NAMESPACE_CASES: readonly StoreCase[] = [
  { why: 'for all namespaces', spec: withBuiltin({ allowedNamespaces: {} }) },
  {
    why: 'by label',
    spec: withBuiltin({
      allowedNamespaces: { from: 'Selector', namespaceSelector: { matchLabels: { a: 'b' } } },
    }),
  },
  {
    why: 'from Selector without one',
    spec: withBuiltin({ allowedNamespaces: { from: 'Selector' } }),
    refused: 'namespaceSelector and from Selector need each other',
  },
  {
    why: 'a selector that nobody asks',
    spec: withBuiltin({ allowedNamespaces: { namespaceSelector: {} } }),
    refused: 'namespaceSelector and from Selector need each other',
  },
  {
    why: 'In without values',
    spec: selecting({ key: 'a', operator: 'In' }),
    refused: 'In and NotIn need values',
  },
  {
    why: 'Exists with values',
    spec: selecting({ key: 'a', operator: 'Exists', values: ['b'] }),
    refused: 'In and NotIn need values',
  },
];

describe.each([
  ['KeyStore', [...STORE_CASES, ...NAVER_CASES]],
  ['ClusterKeyStore', [...STORE_CASES, ...NAVER_CASES, ...NAMESPACE_CASES]],
])('a new %s', (kind, cases) => {
  it.each(cases)('$why: $refused', async ({ spec, refused }) => {
    const path =
      kind === 'KeyStore' ? `${API}/namespaces/${namespace}/keystores` : `${API}/clusterkeystores`;
    const body = store(kind, 'sample', spec);
    const answer = await send({
      method: 'POST',
      path: `${path}?dryRun=All&fieldValidation=Strict`,
      body,
    });
    expect(outcome(answer)).toEqual(expectedOutcome(refused));
  });
});

it('allowedNamespaces is not a field of a KeyStore: it serves its own namespace', async () => {
  const path = `${API}/namespaces/${namespace}/keystores?dryRun=All&fieldValidation=Strict`;
  const body = store('KeyStore', 'sample', withBuiltin({ allowedNamespaces: {} }));
  expect(outcome(await send({ method: 'POST', path, body }))).toContain('unknown field');
});

it('fills in the defaults of a store', async () => {
  const path = `${API}/namespaces/${namespace}/keystores?dryRun=All`;
  const { object } = await send({
    method: 'POST',
    path,
    body: store('KeyStore', 'sample', builtin({})),
  });
  expect(object['spec']).toEqual({
    type: 'Builtin',
    builtin: { profile: 'Keyward', keyPrefix: 'kw' },
    applications: {
      requirement: 'Never',
      requiredFor: ['Issue', 'Change', 'Reissue'],
      mode: 'Manual',
      selfReview: 'Forbidden',
      onDenied: 'Resubmit',
      deadlineDays: 14,
      draftDays: 30,
    },
    defaults: { overlapSeconds: 86400 },
    retention: 'Forbidden',
    expiryNoticeDays: [30, 7, 1],
  });
  expect(object['status']).toMatchObject({ observedGeneration: -1 });
});

it('fills in the defaults of an account at NAVER', async () => {
  const path = `${API}/namespaces/${namespace}/keystores?dryRun=All`;
  const body = store('KeyStore', 'sample', naver({}));
  const { object } = await send({ method: 'POST', path, body });
  expect(object['spec']).toMatchObject({
    naver: {
      endpoint: 'https://apigateway.apigw.ntruss.com/api/v1',
      settleSeconds: 30,
      onExpiry: 'Disable',
      deleteGraceSeconds: 0,
    },
  });
});

describe('the generator', () => {
  const shipped = shippedDriverFolders().map(readDriverSchema);

  it('puts in exactly the registered drivers', () => {
    expect(shipped.map((driver) => driver.type).toSorted()).toEqual([...drivers.keys()].toSorted());
  });

  it('makes a CRD with an extra driver that the API server accepts, with its rules', async () => {
    const extra = readDriverSchema(join(import.meta.dirname, 'extra-driver'));
    const text = keyStoreCrds([...shipped, extra]).get('keyward.dev_keystores.yaml') ?? '';
    const group = `extra-${namespace}.example`;
    // A group of its own, so that suites beside this one keep the shipped kinds.
    const crd = parse(text.replaceAll('keyward.dev', group)) as object;
    const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    expect(outcome(await send({ method: 'POST', path: crds, body: crd }))).toBe(accepted);
    const established = ['wait', '--for=condition=Established', `crd/keystores.${group}`];
    await access.mustKubectl(established);

    const create = async (spec: object): Promise<string> => {
      const body = { ...store('KeyStore', 'sample', spec), apiVersion: `${group}/v1alpha1` };
      const path = `/apis/${group}/v1alpha1/namespaces/${namespace}/keystores?dryRun=All`;
      return outcome(await send({ method: 'POST', path, body }));
    };
    expect(await create({ type: 'Extra', extra: { colour: 'Red' } })).toBe(accepted);
    expect(await create({ type: 'Extra', extra: {} })).toContain('colour: Required');
    expect(await create({ type: 'Extra', builtin: {} })).toContain(
      'type Extra and extra need each',
    );
    expect(await create({ type: 'Builtin', builtin: {}, extra: { colour: 'Red' } })).toContain(
      'type Extra and extra need each other',
    );
    await send({ method: 'DELETE', path: `${crds}/keystores.${group}` });
  });

  it('does not let the type of a store change', async () => {
    const crds = keyStoreCrds(shipped);
    for (const text of crds.values()) expect(text).toContain('self.type == oldSelf.type');
  });
});

function selecting(requirement: object): object {
  const namespaceSelector = { matchExpressions: [requirement] };
  return withBuiltin({ allowedNamespaces: { from: 'Selector', namespaceSelector } });
}
