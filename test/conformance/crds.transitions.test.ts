/** What may change in an ApiKey and what may not, asked of the real API server. */
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

const access = sharedControlPlane();
const send = senderTo(access);
let namespace = '';

beforeAll(async () => {
  await access.mustKubectl(['apply', '--server-side', '-f', 'deploy/rbac']);
  namespace = await freshNamespace(access, 'crds');
  await policiesInForce(send, namespace);
});

const base = (): string => `/apis/keyward.dev/v1alpha1/namespaces/${namespace}/apikeys`;

describe('transitions', () => {
  const issued = {
    observedGeneration: 1,
    storeRef: { kind: 'ClusterKeyStore', name: 'default' },
    binding: { name: 'a-secret' },
  };
  const cases: readonly {
    why: string;
    from: object;
    to: object;
    status?: object;
    refused?: string;
  }[] = [
    { why: 'Revoked to Active', from: { state: 'Revoked' }, to: {}, refused: 'Revoked is final' },
    {
      why: 'Revoked to Suspended',
      from: { state: 'Revoked' },
      to: { state: 'Suspended' },
      refused: 'Revoked is final',
    },
    { why: 'Suspended to Active', from: { state: 'Suspended' }, to: {} },
    {
      why: 'application added',
      from: {},
      to: { applicationRef: { name: 'a' } },
      refused: 'applicationRef cannot be changed',
    },
    {
      why: 'application removed',
      from: { applicationRef: { name: 'a' } },
      to: {},
      refused: 'applicationRef cannot be changed',
    },
    {
      why: 'application changed',
      from: { applicationRef: { name: 'a' } },
      to: { applicationRef: { name: 'b' } },
      refused: 'applicationRef cannot be changed',
    },
    {
      why: 'store changed before there is one',
      from: {},
      to: { storeRef: { kind: 'KeyStore', name: 'x' } },
    },
    {
      why: 'store added later',
      from: {},
      to: { storeRef: { kind: 'KeyStore', name: 'x' } },
      status: issued,
      refused: 'storeRef cannot be changed',
    },
    {
      why: 'store removed later',
      from: { storeRef: { kind: 'KeyStore', name: 'x' } },
      to: {},
      status: issued,
      refused: 'storeRef cannot be changed',
    },
    {
      why: 'another store later',
      from: { storeRef: { kind: 'ClusterKeyStore', name: 'x' } },
      to: { storeRef: { kind: 'KeyStore', name: 'x' } },
      status: issued,
      refused: 'storeRef cannot be changed',
    },
    {
      why: 'the default store written out later',
      from: {},
      to: { storeRef: { kind: 'ClusterKeyStore', name: 'default' } },
      status: issued,
    },
    { why: 'format changed before there is a store', from: {}, to: { format: 'Dual' } },
    {
      why: 'format added later',
      from: {},
      to: { format: 'Dual' },
      status: issued,
      refused: 'format cannot be changed',
    },
    {
      why: 'format removed later',
      from: { format: 'Dual' },
      to: {},
      status: issued,
      refused: 'format cannot be changed',
    },
    { why: 'Secret name changed before there is one', from: {}, to: { secret: { name: 'x' } } },
    {
      why: 'Secret name added later',
      from: {},
      to: { secret: { name: 'x' } },
      status: issued,
      refused: 'secret.name cannot be changed',
    },
    {
      why: 'Secret name removed later',
      from: { secret: { name: 'x' } },
      to: { secret: {} },
      status: issued,
      refused: 'secret.name cannot be changed',
    },
    {
      why: 'Secret name removed with the whole secret',
      from: { secret: { name: 'x' } },
      to: {},
      status: issued,
      refused: 'secret.name cannot be changed',
    },
    {
      why: 'Secret type changed later',
      from: {},
      to: { secret: { type: 'Opaque' } },
      status: issued,
      refused: 'secret.type cannot be changed',
    },
    {
      why: 'Secret defaults written out later',
      from: {},
      to: { secret: { type: 'servicebinding.io/api-key' } },
      status: issued,
    },
    {
      why: 'terms and layout changed later',
      from: {},
      to: { terms: { quota: { requests: 3 } }, secret: { layout: 'Env' } },
      status: issued,
    },
  ];

  it.each(cases)('$why: $refused', async ({ why, from, to, status, refused }) => {
    const name = why.toLowerCase().replaceAll(/[^a-z]+/g, '-');
    const path = `${base()}/${name}`;
    const created = await send({ method: 'POST', path: base(), body: apiKey(name, from) });
    const body = { ...created.object, ...(status === undefined ? {} : { status }) };
    const written = await send({ method: 'PUT', path: `${path}/status`, body, as: OPERATOR });
    expect(outcome(written)).toBe(accepted);
    const now = await send({ method: 'GET', path });
    const answer = await send({ method: 'PUT', path, body: { ...now.object, spec: to } });
    expect(outcome(answer)).toEqual(expectedOutcome(refused));
  });
});
