/** Every rule of the ApiKey schema, asked of the real API server. */
import { beforeAll, describe, expect, it } from 'vitest';
import { freshNamespace, sharedControlPlane } from '../support/controlplane.ts';
import {
  accepted,
  apiKey,
  expectedOutcome,
  OPERATOR,
  outcome,
  policiesInForce,
  senderTo,
} from './crds.apiserver.ts';
import { ruleMessages, specOf, untested } from './crds.rules.ts';
import { SECRET_CASES, SPEC_CASES, type SpecCase } from './crds.spec-cases.ts';
import { TERMS_CASES, VALIDITY_CASES } from './crds.terms-cases.ts';

const access = sharedControlPlane();
const send = senderTo(access);
let namespace = '';

beforeAll(async () => {
  await access.mustKubectl(['apply', '--server-side', '-f', 'deploy/rbac']);
  namespace = await freshNamespace(access, 'crds');
  await policiesInForce(send, namespace);
});

const base = (): string => `/apis/keyward.dev/v1alpha1/namespaces/${namespace}/apikeys`;

describe.each<[string, readonly SpecCase[]]>([
  ['the spec', SPEC_CASES],
  ['validity', VALIDITY_CASES],
  ['terms', TERMS_CASES],
  ['the secret', SECRET_CASES],
])('a new ApiKey: %s', (_title, cases) => {
  it.each(cases)('$why: $refused', async ({ spec, refused }) => {
    const answer = await send({
      method: 'POST',
      path: `${base()}?dryRun=All&fieldValidation=Strict`,
      body: apiKey('sample', spec),
    });
    expect(outcome(answer)).toEqual(expectedOutcome(refused));
  });
});

it('has a refused case for every CEL rule of the schema', () => {
  const cases = [...SPEC_CASES, ...VALIDITY_CASES, ...TERMS_CASES, ...SECRET_CASES];
  const messages = ruleMessages(specOf('apikeys'));
  expect(messages.length).toBeGreaterThan(20);
  expect(untested(messages, cases)).toEqual([]);
});

describe('defaults', () => {
  it('make an empty spec Active and the status not yet seen', async () => {
    const { object } = await send({
      method: 'POST',
      path: `${base()}?dryRun=All`,
      body: apiKey('sample', undefined),
    });
    expect(object['spec']).toEqual({ state: 'Active', deletionPolicy: 'Revoke' });
    expect(object['status']).toEqual({
      observedGeneration: -1,
      conditions: [
        {
          type: 'Ready',
          status: 'Unknown',
          reason: 'Pending',
          message: 'The operator has not looked at this key yet.',
          lastTransitionTime: '1970-01-01T00:00:00Z',
        },
      ],
    });
  });

  it('fill in a secret that says nothing', async () => {
    const { object } = await send({
      method: 'POST',
      path: `${base()}?dryRun=All`,
      body: apiKey('sample', {
        secret: {},
        rotation: {},
        terms: { quota: { requests: 1 }, originPolicy: {} },
      }),
    });
    expect(object['spec']).toMatchObject({
      secret: {
        type: 'servicebinding.io/api-key',
        layout: 'Binding',
        ownership: 'Owner',
        onLoss: 'Rotate',
      },
      rotation: { urgency: 'Planned', retirePrevious: 'AfterOverlap' },
      terms: {
        quota: { requests: 1, period: 'Lifetime' },
        originPolicy: { missing: 'Deny', unknownPath: 'Allow' },
      },
    });
  });

  it('refuse a name that no label value can hold', async () => {
    const create = async (name: string): Promise<string> =>
      outcome(await send({ method: 'POST', path: `${base()}?dryRun=All`, body: apiKey(name, {}) }));
    expect(await create('a'.repeat(63))).toBe(accepted);
    expect(await create('a'.repeat(64))).toContain('may not be more than 63');
  });
});

it('finds keys by key id, client, state and store on the server', async () => {
  const created = await send({ method: 'POST', path: base(), body: apiKey('found', {}) });
  const status = {
    observedGeneration: 1,
    keyId: 'kw_found0000000000',
    clientName: 'crm',
    storeRef: { kind: 'KeyStore', name: 'own' },
  };
  const body = { ...created.object, status };
  await send({ method: 'PUT', path: `${base()}/found/status`, body, as: OPERATOR });
  const selectors = [
    'status.keyId=kw_found0000000000',
    'status.clientName=crm',
    'status.storeRef.name=own,spec.state=Active',
  ];
  for (const selector of selectors) {
    const path = `${base()}?fieldSelector=${encodeURIComponent(selector)}`;
    const { object } = await send({ method: 'GET', path });
    expect((object['items'] as unknown as unknown[]).length).toBe(1);
  }
});

it('prints the columns within 80 characters for a key with a long name', async () => {
  const status = {
    observedGeneration: 1,
    keyId: 'kw_4fJ2mXq0ZpT7aBc9',
    expirationTime: '2027-02-20T14:59:59Z',
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'Active',
        message: 'live',
        lastTransitionTime: '2026-11-22T00:00:00Z',
        observedGeneration: 1,
      },
    ],
  };
  const created = await send({ method: 'POST', path: base(), body: apiKey('checkout', {}) });
  const body = { ...created.object, status };
  await send({ method: 'PUT', path: `${base()}/checkout/status`, body, as: OPERATOR });
  const lines = (await access.mustKubectl(['get', 'akey', 'checkout', '-n', namespace])).split(
    '\n',
  );
  expect(lines[0]?.split(/\s+/).filter((title) => title !== '')).toEqual([
    'NAME',
    'READY',
    'STATUS',
    'KEY',
    'EXPIRES',
    'AGE',
  ]);
  expect(lines[1]).toContain('2027-02-20T14:59:59Z');
  expect(Math.max(...lines.map((line) => line.trimEnd().length))).toBeLessThanOrEqual(80);
});
