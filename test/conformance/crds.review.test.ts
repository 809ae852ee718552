/** Every rule of the ApiKeyReview schema, asked of the real API server. */
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
import { ruleMessages, specOf, transitionMessages, untested } from './crds.rules.ts';
import type { SpecCase } from './crds.spec-cases.ts';

const access = sharedControlPlane();
const send = senderTo(access);
let namespace = '';

beforeAll(async () => {
  await access.mustKubectl(['apply', '--server-side', '-f', 'deploy/rbac']);
  namespace = await freshNamespace(access, 'reviews');
  await policiesInForce(send, namespace);
});

const base = (): string => `${API}/namespaces/${namespace}/apikeyreviews`;

/** Without `reviewer`: the mutating policy stamps it. */
function review(name: string, spec: unknown): object {
  const metadata = { name };
  return { apiVersion: 'keyward.dev/v1alpha1', kind: 'ApiKeyReview', metadata, spec };
}

const uid = '0a1b2c3d-0000-4000-8000-000000000001';
const applicationRef = { name: 'crm', uid };
const requestHash = `sha256:${'ab'.repeat(32)}`;
const why = { reason: 'PurposeMismatch', message: 'Resale is not covered.' };
const ofForm = (decision: string, fields: object = {}): object => ({
  applicationRef,
  decision,
  requestHash,
  ...fields,
});
const ofKey = (decision: string, fields: object = {}): object => ({
  apiKeyRef: { name: 'crm', uid },
  decision,
  ...fields,
});
const ofClient = (decision: string, fields: object = {}): object => ({
  clientRef: { name: 'crm', uid },
  decision,
  ...fields,
});
const narrowed = (fields: object): object => ofForm('Approved', { narrowed: fields });

const ONE_TARGET = 'name exactly one of applicationRef, apiKeyRef and clientRef';
const FORM_DECISIONS = 'an application is Approved, Denied or Returned, and its grant Revoked';
const KEY_DECISIONS = 'a key is Suspended, Resumed or Revoked';
const CLIENT_DECISIONS = 'a client is Approved, Suspended, Resumed or Revoked';
const HASH = 'requestHash is required for Approved, Denied and Returned of an application';
const ROUND = 'grantRound is required for Revoked of an application';
const REASON = 'reason and message are required unless the decision is Approved or Resumed';

const DECISIONS: readonly SpecCase[] = [
  { why: 'a form approved', spec: ofForm('Approved') },
  { why: 'a form approved with a word', spec: ofForm('Approved', { message: 'Until spring.' }) },
  { why: 'a form approved for a layer', spec: ofForm('Approved', { layer: 'security' }) },
  { why: 'R14 R16 a form denied', spec: ofForm('Denied', why) },
  {
    why: 'R15 a form returned',
    spec: ofForm('Returned', { ...why, reason: 'InsufficientInformation' }),
  },
  { why: 'R17 a grant withdrawn', spec: grantWithdrawn({ ...why, reason: 'Security' }) },
  { why: 'a key switched off', spec: ofKey('Suspended', why) },
  { why: 'a key switched on', spec: ofKey('Resumed') },
  { why: 'a key ended', spec: ofKey('Revoked', why) },
  { why: 'a client registered', spec: ofClient('Approved') },
  { why: 'a client switched off', spec: ofClient('Suspended', why) },
  { why: 'a client switched on', spec: ofClient('Resumed') },
  { why: 'a client ended', spec: ofClient('Revoked', why) },
  { why: 'no spec', spec: undefined, refused: 'spec: Required' },
  { why: 'no decision', spec: { applicationRef, requestHash }, refused: 'decision: Required' },
  { why: 'another decision', spec: ofForm('Maybe'), refused: 'decision: Unsupported value' },
  { why: 'about nothing', spec: { decision: 'Resumed' }, refused: ONE_TARGET },
  {
    why: 'about two things',
    spec: ofKey('Revoked', { ...why, clientRef: { name: 'a', uid } }),
    refused: ONE_TARGET,
  },
  { why: 'a form suspended', spec: ofForm('Suspended', why), refused: FORM_DECISIONS },
  { why: 'a key approved', spec: ofKey('Approved'), refused: KEY_DECISIONS },
  { why: 'a key denied', spec: ofKey('Denied', why), refused: KEY_DECISIONS },
  { why: 'a client denied', spec: ofClient('Denied', why), refused: CLIENT_DECISIONS },
  { why: 'an unread form', spec: { applicationRef, decision: 'Approved' }, refused: HASH },
  {
    why: 'R20 denied without saying what was read',
    spec: { applicationRef, decision: 'Denied', ...why },
    refused: HASH,
  },
  { why: 'a hash where nothing was read', spec: ofKey('Resumed', { requestHash }), refused: HASH },
  {
    why: 'a withdrawal by hash',
    spec: grantWithdrawn({ ...why, requestHash }),
    refused: HASH,
  },
  { why: 'a hash that is none', spec: ofForm('Approved', { requestHash: 'abc' }), refused: 'Hash' },
  {
    why: 'a withdrawal of no certain grant',
    spec: { applicationRef, decision: 'Revoked', ...why },
    refused: ROUND,
  },
  { why: 'an approval of a grant', spec: ofForm('Approved', { grantRound: 1 }), refused: ROUND },
  { why: 'grant number 0', spec: grantWithdrawn({ ...why, grantRound: 0 }), refused: 'grantRound' },
  { why: 'R18 denied without a reason', spec: ofForm('Denied'), refused: REASON },
  {
    why: 'R18 denied with half a reason',
    spec: ofForm('Denied', { reason: 'Security' }),
    refused: REASON,
  },
  {
    why: 'R18 returned with a message and no reason',
    spec: ofForm('Returned', { message: 'x' }),
    refused: REASON,
  },
  { why: 'R18 a key ended without a reason', spec: ofKey('Revoked'), refused: REASON },
  {
    why: 'R18 a blank message',
    spec: ofForm('Denied', { ...why, message: ' \n' }),
    refused: 'spec.message',
  },
  {
    why: 'R18 another reason',
    spec: ofForm('Denied', { ...why, reason: 'Mood' }),
    refused: 'reason: Unsupported value',
  },
  { why: 'R18 a message of 1024 emoji', spec: ofForm('Denied', message('😀'.repeat(1024))) },
  {
    why: 'R18 a message of 1025 Korean characters',
    spec: ofForm('Denied', message('가'.repeat(1025))),
    refused: 'may not be more than 1024',
  },
  {
    why: 'R20 a form without its UID',
    spec: ofForm('Approved', { applicationRef: { name: 'crm' } }),
    refused: 'uid: Required',
  },
  {
    why: 'a layer that no store can have',
    spec: ofForm('Approved', { layer: 'Security Team' }),
    refused: 'spec.layer',
  },
];

const NARROWED: readonly SpecCase[] = [
  {
    why: 'everything narrowed',
    spec: narrowed({
      expirationDate: '2027-06-30',
      quota: { requests: 10, period: 'Day' },
      productRefs: [{ name: 'orders' }],
      originPolicy: { allowed: ['www.myservice.com'], missing: 'Deny' },
      cidrs: ['192.0.2.1'],
    }),
  },
  { why: 'an end by duration', spec: narrowed({ durationDays: 30 }) },
  { why: 'no calls at all', spec: narrowed({ quota: { requests: 0 } }) },
  { why: 'nothing', spec: narrowed({}), refused: 'at least 1 properties' },
  {
    why: 'a denied form',
    spec: ofForm('Denied', { ...why, narrowed: { durationDays: 1 } }),
    refused: 'only Approved of an application can be narrowed',
  },
  {
    why: 'a registered client',
    spec: ofClient('Approved', { narrowed: { durationDays: 1 } }),
    refused: 'only Approved of an application can be narrowed',
  },
  {
    why: 'two ends',
    spec: narrowed({ expirationDate: '2027-06-30', durationDays: 1 }),
    refused: 'say the end once',
  },
  {
    why: 'an end after all time',
    spec: narrowed({ expirationTime: '9999-12-31T23:59:59-10:00' }),
    refused: 'before the year 10000 in UTC',
  },
  {
    why: 'no product left, which would mean all open ones',
    spec: narrowed({ productRefs: [] }),
    refused: 'at least 1 items',
  },
  {
    why: 'no site left, which would mean any',
    spec: narrowed({ originPolicy: { allowed: [] } }),
    refused: 'at least 1 items',
  },
  {
    why: 'no network left, which would mean any',
    spec: narrowed({ cidrs: [] }),
    refused: 'at least 1 items',
  },
  {
    why: 'a product twice',
    spec: narrowed({ productRefs: [{ name: 'a' }, { name: 'a' }] }),
    refused: 'a product is listed twice',
  },
  {
    why: 'a site twice',
    spec: narrowed({ originPolicy: { allowed: ['a.example', 'a.example'] } }),
    refused: 'an origin is listed twice',
  },
  {
    why: 'a network twice',
    spec: narrowed({ cidrs: ['192.0.2.1', '192.0.2.1'] }),
    refused: 'a network is listed twice',
  },
  { why: 'no network', spec: narrowed({ cidrs: ['everywhere'] }), refused: 'not a network' },
  {
    why: 'a path without a scheme',
    spec: narrowed({ originPolicy: { allowed: ['www.myservice.com/app'] } }),
    refused: 'a path needs a scheme',
  },
  {
    why: 'every site of a country',
    spec: narrowed({ originPolicy: { allowed: ['*.kr'] } }),
    refused: 'a wildcard needs at least two labels',
  },
  {
    why: 'a host of 254 characters',
    spec: narrowed({ originPolicy: { allowed: [`${'a'.repeat(250)}.kor`] } }),
    refused: 'a host has at most 253 characters',
  },
  {
    why: 'an address in octal',
    spec: narrowed({ originPolicy: { allowed: ['192.0.2.010'] } }),
    refused: 'write an IP address as four decimal numbers',
  },
  {
    why: 'the origin that is none',
    spec: narrowed({ originPolicy: { allowed: ['null'] } }),
    refused: '"null" is no site',
  },
  {
    why: 'a quota of -2',
    spec: narrowed({ quota: { requests: -2 } }),
    refused: 'quota.requests',
  },
];

describe.each<[string, readonly SpecCase[]]>([
  ['the decision', DECISIONS],
  ['what is narrowed', NARROWED],
])('a new ApiKeyReview: %s', (_title, cases) => {
  it.each(cases)('$why: $refused', async ({ spec, refused }) => {
    const answer = await send({
      method: 'POST',
      path: `${base()}?dryRun=All&fieldValidation=Strict`,
      body: review('sample', spec),
    });
    expect(outcome(answer)).toEqual(expectedOutcome(refused));
  });
});

it('has a refused case for every CEL rule of the schema', () => {
  const messages = ruleMessages(specOf('apikeyreviews'));
  expect(messages.length).toBeGreaterThan(15);
  expect(untested(messages, [...DECISIONS, ...NARROWED])).toEqual([]);
  expect(transitionMessages('apikeyreviews')).toEqual([UNCHANGEABLE]);
});

const UNCHANGEABLE = 'a review cannot be changed; create another one';

describe('a review that exists', () => {
  it.each<[string, object]>([
    ['another decision', { decision: 'Denied', ...why }],
    ['another form', { applicationRef: { name: 'other', uid } }],
    ['more', { narrowed: { durationDays: 1 } }],
    ['a word added', { message: 'And more.' }],
    ['another reviewer', { reviewer: { username: 'jin' } }],
  ])('is never edited: %s', async (name, change) => {
    const spec = ofForm('Approved');
    const object = name.replaceAll(' ', '-');
    const created = await send({ method: 'POST', path: base(), body: review(object, spec) });
    expect(outcome(created)).toBe(accepted);
    const path = `${base()}/${object}`;
    const answer = await send({ method: 'PATCH', path, body: { spec: change } });
    expect(answer.code).toBeGreaterThanOrEqual(400);
    expect(answer.message).toMatch(/cannot be changed/);
  });

  it('takes labels, and a status from the operator', async () => {
    const body = review('counted', ofForm('Denied', why));
    expect(outcome(await send({ method: 'POST', path: base(), body }))).toBe(accepted);
    const path = `${base()}/counted`;
    const labels = { metadata: { labels: { team: 'a' } } };
    const labelled = await send({ method: 'PATCH', path, body: labels });
    expect(outcome(labelled)).toBe(accepted);
    const lastTransitionTime = '2026-11-22T00:00:00Z';
    const status = {
      observedGeneration: 1,
      reviewer: { username: 'kim', source: 'Authenticated' },
      effectiveTime: lastTransitionTime,
      conditions: [
        { type: 'Ready', status: 'False', reason: 'Refused', message: 'm', lastTransitionTime },
        {
          type: 'Accepted',
          status: 'False',
          reason: 'ReviewerNotAuthorized',
          message: 'm',
          lastTransitionTime,
        },
      ],
    };
    const written = await send({
      method: 'PUT',
      path: `${path}/status`,
      body: { ...labelled.object, status },
      as: OPERATOR,
    });
    expect(outcome(written)).toBe(accepted);
    expect(written.object['status']).toEqual(status);
    const table = await access.mustKubectl(['get', 'akrev', 'counted', '-n', namespace]);
    const lines = table.split('\n');
    expect(lines[0]?.trim().split(/\s+/)).toEqual([
      'NAME',
      'DECISION',
      'APPLICATION',
      'ACCEPTED',
      'STATUS',
      'AGE',
    ]);
    expect(Math.max(...lines.map((line) => line.trimEnd().length))).toBeLessThanOrEqual(80);
  });

  it.each([
    'spec.applicationRef.name=crm,spec.decision=Approved',
    'spec.apiKeyRef.name=night',
    'spec.clientRef.name=crm',
  ])('is found by the server with %s', async (selector) => {
    const specs = [
      ofForm('Approved'),
      ofKey('Resumed', { apiKeyRef: { name: 'night', uid } }),
      ofClient('Resumed'),
    ];
    const name = (i: number): string => `found-${i}-${selector.length}`;
    for (const [i, spec] of specs.entries()) {
      const body = review(name(i), spec);
      expect(outcome(await send({ method: 'POST', path: base(), body }))).toBe(accepted);
    }
    const path = `${base()}?fieldSelector=${encodeURIComponent(selector)}`;
    const { object } = await send({ method: 'GET', path });
    expect((object['items'] as unknown as unknown[]).length).toBeGreaterThan(0);
  });

  it('begins as not yet seen', async () => {
    const path = `${base()}?dryRun=All`;
    const body = review('sample', ofKey('Resumed'));
    const { object } = await send({ method: 'POST', path, body });
    expect(object['status']).toMatchObject({
      observedGeneration: -1,
      conditions: [{ type: 'Ready', status: 'Unknown', reason: 'Pending' }],
    });
  });
});

function grantWithdrawn(fields: object): object {
  return { applicationRef, decision: 'Revoked', grantRound: 3, ...fields };
}

function message(text: string): object {
  return { reason: 'Other', message: text };
}
