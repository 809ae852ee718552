/** Every rule of the ApiKeyApplication schema, asked of the real API server. */
import assert from 'node:assert/strict';
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
import { FORM_CASES, FORM_TERMS_CASES } from './crds.form-cases.ts';
import { ruleMessages, specOf, transitionMessages, untested } from './crds.rules.ts';
import { SECRET_CASES, type SpecCase } from './crds.spec-cases.ts';
import { TERMS_CASES, VALIDITY_CASES } from './crds.terms-cases.ts';

const access = sharedControlPlane();
const send = senderTo(access);
let namespace = '';

beforeAll(async () => {
  await access.mustKubectl(['apply', '--server-side', '-f', 'deploy/rbac']);
  namespace = await freshNamespace(access, 'forms');
  await policiesInForce(send, namespace);
});

const base = (): string => `${API}/namespaces/${namespace}/apikeyapplications`;

function form(name: string, spec: unknown): object {
  return {
    apiVersion: 'keyward.dev/v1alpha1',
    kind: 'ApiKeyApplication',
    metadata: { name },
    ...(spec === undefined ? {} : { spec }),
  };
}

describe.each<[string, readonly SpecCase[]]>([
  ['the form', FORM_CASES],
  ['what the seeds ask for', FORM_TERMS_CASES],
  ['validity', VALIDITY_CASES],
  ['terms', TERMS_CASES],
  ['the secret', SECRET_CASES],
])('a new ApiKeyApplication: %s', (_title, cases) => {
  it.each(cases)('$why: $refused', async ({ spec, refused }) => {
    const answer = await send({
      method: 'POST',
      path: `${base()}?dryRun=All&fieldValidation=Strict`,
      body: form('sample', spec),
    });
    expect(outcome(answer)).toEqual(expectedOutcome(refused));
  });
});

it('has a refused case for every CEL rule of the schema', () => {
  const cases = [
    ...FORM_CASES,
    ...FORM_TERMS_CASES,
    ...VALIDITY_CASES,
    ...TERMS_CASES,
    ...SECRET_CASES,
  ];
  const messages = ruleMessages(specOf('apikeyapplications'));
  expect(messages.length).toBeGreaterThan(20);
  expect(untested(messages, cases)).toEqual([]);
  expect(untested(transitionMessages('apikeyapplications'), TRANSITIONS)).toEqual([]);
});

it('asks for the terms and the Secret of an ApiKey, word for word', () => {
  const [of, key] = [specOf('apikeyapplications').properties, specOf('apikeys').properties];
  expect(of?.['terms']).toEqual(key?.['terms']);
  expect(of?.['secret']).toEqual(key?.['secret']);
});

type Transition = {
  readonly why: string;
  readonly from: object;
  readonly to: object;
  readonly status?: object;
  readonly refused?: string;
};

const submitted = { state: 'Pending', round: { number: 1, type: 'Issue' } };
const granted = {
  state: 'Approved',
  round: { number: 1, type: 'Issue' },
  grant: { state: 'InForce' },
};
const other = { kind: 'KeyStore', name: 'other' };

const TRANSITIONS: readonly Transition[] = [
  { why: 'R99 client chosen in the draft', from: {}, to: { clientRef: { name: 'crm' } } },
  {
    why: 'R99 client added later',
    from: {},
    to: { clientRef: { name: 'crm' } },
    status: submitted,
    refused: 'clientRef cannot be changed',
  },
  {
    why: 'R99 client removed later',
    from: { clientRef: { name: 'crm' } },
    to: {},
    status: submitted,
    refused: 'clientRef cannot be changed',
  },
  {
    why: 'R99 another client later',
    from: { clientRef: { name: 'crm' } },
    to: { clientRef: { name: 'erp' } },
    status: submitted,
    refused: 'clientRef cannot be changed',
  },
  { why: 'key named in the draft', from: {}, to: { apiKeyRef: { name: 'other' } } },
  {
    why: 'key named later',
    from: {},
    to: { apiKeyRef: { name: 'other' } },
    status: submitted,
    refused: 'apiKeyRef cannot be changed',
  },
  {
    why: 'another key later',
    from: { apiKeyRef: { name: 'one' } },
    to: { apiKeyRef: { name: 'two' } },
    status: submitted,
    refused: 'apiKeyRef cannot be changed',
  },
  {
    why: 'name of the key written out later',
    from: {},
    to: { apiKeyRef: { name: 'name-of-the-key-written-out-later' } },
    status: submitted,
  },
  {
    why: 'applied for somebody else',
    from: { onBehalfOf: { username: 'mina' } },
    to: { onBehalfOf: { username: 'jin' } },
    refused: 'onBehalfOf cannot be changed',
  },
  {
    why: 'person removed',
    from: { onBehalfOf: { username: 'mina' } },
    to: {},
    refused: 'onBehalfOf cannot be changed',
  },
  {
    why: 'person added',
    from: {},
    to: { onBehalfOf: { username: 'mina' } },
    refused: 'onBehalfOf cannot be changed',
  },
  { why: 'store changed in review', from: {}, to: { storeRef: other }, status: submitted },
  {
    why: 'store changed after approval',
    from: {},
    to: { storeRef: other },
    status: granted,
    refused: 'storeRef cannot be changed',
  },
  {
    why: 'store removed after approval',
    from: { storeRef: other },
    to: {},
    status: granted,
    refused: 'storeRef cannot be changed',
  },
  {
    why: 'default store written out after approval',
    from: {},
    to: { storeRef: { kind: 'ClusterKeyStore', name: 'default' } },
    status: granted,
  },
  { why: 'format changed in review', from: {}, to: { format: 'Dual' }, status: submitted },
  {
    why: 'format changed after approval',
    from: {},
    to: { format: 'Dual' },
    status: granted,
    refused: 'format cannot be changed',
  },
  {
    why: 'R19 R121 text and terms corrected after approval',
    from: {},
    to: { purpose: 'More', terms: { quota: { requests: 9 } } },
    status: granted,
  },
  { why: 'taken back', from: {}, to: { submission: 'Withdrawn' }, status: submitted },
  {
    why: 'R22 reissue asked for after approval',
    from: {},
    to: { reissue: { requestId: 'a', reason: 'Exposed' } },
    status: granted,
  },
];

describe('an edit of an ApiKeyApplication', () => {
  it.each(TRANSITIONS)('$why: $refused', async ({ why, from, to, status, refused }) => {
    const name = why
      .toLowerCase()
      .replaceAll(/\br\d+ |[^a-z ]/g, '')
      .trim()
      .replaceAll(' ', '-');
    const path = `${base()}/${name}`;
    const created = await send({ method: 'POST', path: base(), body: form(name, from) });
    expect(outcome(created)).toBe(accepted);
    const body = { ...created.object, ...(status === undefined ? {} : { status }) };
    const written = await send({ method: 'PUT', path: `${path}/status`, body, as: OPERATOR });
    expect(outcome(written)).toBe(accepted);
    const now = await send({ method: 'GET', path });
    const answer = await send({ method: 'PUT', path, body: { ...now.object, spec: to } });
    expect(outcome(answer)).toEqual(expectedOutcome(refused));
  });
});

describe('defaults', () => {
  it('submit an empty form and make its status not yet seen', async () => {
    const path = `${base()}?dryRun=All`;
    const { object } = await send({ method: 'POST', path, body: form('sample', undefined) });
    expect(object['spec']).toEqual({ submission: 'Submitted' });
    expect(object['status']).toMatchObject({
      observedGeneration: -1,
      conditions: [{ type: 'Ready', status: 'Unknown', reason: 'Pending' }],
    });
  });

  it('keep values in use while a reissue waits', async () => {
    const path = `${base()}?dryRun=All`;
    const body = form('sample', { reissue: { requestId: 'a', reason: 'Routine' } });
    const { object } = await send({ method: 'POST', path, body });
    expect(object['spec']).toMatchObject({ reissue: { whileWaiting: 'KeepActive' } });
  });

  it('refuse a name that the key could not take', async () => {
    const create = async (name: string): Promise<string> =>
      outcome(await send({ method: 'POST', path: `${base()}?dryRun=All`, body: form(name, {}) }));
    expect(await create('a'.repeat(63))).toBe(accepted);
    expect(await create('a'.repeat(64))).toContain('may not be more than 63');
  });
});

it('R116 an applied list of products replaces the saved one as a whole', async () => {
  const apply = (products: readonly string[]): object =>
    form('whole', { terms: { productRefs: products.map((name) => ({ name })) } });
  const created = await send({ method: 'POST', path: base(), body: apply(['a', 'b']) });
  expect(outcome(created)).toBe(accepted);
  const path = `${base()}/whole`;
  const patched = await send({ method: 'PATCH', path, body: apply(['c']) });
  expect(patched.object['spec']).toMatchObject({ terms: { productRefs: [{ name: 'c' }] } });
});

const fullTerms = {
  validity: { effectiveDate: '2027-01-01', expirationDate: '2027-12-31', timeZone: 'Asia/Seoul' },
  quota: { requests: -1, period: 'Lifetime' },
  originPolicy: { allowed: ['www.myservice.com'], missing: 'Deny', unknownPath: 'Allow' },
  cidrs: ['192.0.2.0/24'],
  productRefs: [{ name: 'orders' }],
};
const time = '2026-11-22T00:00:00Z';
const grant = { round: 1, hash: `sha256:${'f'.repeat(64)}`, terms: fullTerms, approvedTime: time };
const fullStatus = {
  observedGeneration: 2,
  state: 'Pending',
  applicant: { username: 'mina', source: 'Authenticated' },
  editors: ['jin'],
  round: {
    number: 2,
    type: 'Change',
    requestHash: `sha256:${'f'.repeat(64)}`,
    submittedTime: time,
    deadlineTime: time,
    changes: [{ field: 'terms.quota.requests', from: '10', to: '20' }],
  },
  approvals: { layer: 'security', required: 2, given: 1 },
  reviews: [
    { name: 'r', decision: 'Approved', reviewer: 'kim', source: 'Asserted', layer: 'owner', time },
  ],
  grant: {
    ...grant,
    state: 'InForce',
    effectiveTime: time,
    expirationTime: '2027-12-31T14:59:59Z',
  },
  nextGrant: { ...grant, state: 'Scheduled', effectiveTime: time },
  quota: { limit: 10, remaining: 5 },
  apiKeyRef: { name: 'shown' },
  lastHandledReissueRequestId: 'a',
  conditions: [
    {
      type: 'Ready',
      status: 'False',
      reason: 'ProductNotAvailable',
      message: 'm',
      lastTransitionTime: time,
      observedGeneration: 2,
    },
  ],
};

describe('what the operator writes', () => {
  beforeAll(async () => {
    const body = form('checkout', { clientRef: { name: 'crm' } });
    const created = await send({ method: 'POST', path: base(), body });
    const answer = await send({
      method: 'PUT',
      path: `${base()}/checkout/status`,
      body: { ...created.object, status: fullStatus },
      as: OPERATOR,
    });
    assert.equal(outcome(answer), accepted);
  });

  it('is kept field by field', async () => {
    const { object } = await send({ method: 'GET', path: `${base()}/checkout` });
    expect(object['status']).toEqual(fullStatus);
  });

  it.each([
    'status.state=Pending,spec.clientRef.name=crm',
    'status.round.type=Change',
    'status.grant.state=InForce',
  ])('R98 R119 is found by the server with %s', async (selector) => {
    const path = `${base()}?fieldSelector=${encodeURIComponent(selector)}`;
    const { object } = await send({ method: 'GET', path });
    const items = object['items'] as unknown as readonly { metadata: { name: string } }[];
    expect(items.map((item) => item.metadata.name)).toContain('checkout');
  });

  it('R119 R120 is printed within 80 characters, with the longest reason', async () => {
    const table = await access.mustKubectl(['get', 'akapp', 'checkout', '-n', namespace]);
    const lines = table.split('\n');
    expect(lines[0]?.trim().split(/\s+/)).toEqual([
      'NAME',
      'READY',
      'STATUS',
      'ROUND',
      'EXPIRES',
      'AGE',
    ]);
    expect(lines[1]).toContain('2027-12-31T14:59:59Z');
    expect(Math.max(...lines.map((line) => line.trimEnd().length))).toBeLessThanOrEqual(80);
  });
});
