/** A policy that lets some requests past is no proof for them, whatever it refuses elsewhere. */
import { expect, test } from 'vitest';
import type { KubeObject } from '../../../../src/api/meta.ts';
import { API_KEY_REVIEWS } from '../../../../src/api/names.ts';
import { flawOf } from '../../../../src/controllers/identity/policies.ts';
import { rulesDigest, SHIPPED_RULES } from '../../../../src/controllers/identity/rules.ts';
import { aBinding, aPolicy, shippedRules } from './cluster.ts';

const NAME = 'keyward-reviews';
const PLURAL = 'apikeyreviews';
const selector = { matchLabels: { a: 'b' } };
const rule = (more: object): object => ({
  resourceRules: [
    {
      apiGroups: ['keyward.dev'],
      apiVersions: ['*'],
      resources: [PLURAL],
      operations: ['CREATE', 'UPDATE'],
      ...more,
    },
  ],
});
const containing = (text: string): unknown => expect.stringContaining(text);
const flaw = (policy: KubeObject, binding: KubeObject): string | undefined =>
  flawOf({
    name: NAME,
    guarded: API_KEY_REVIEWS,
    rules: SHIPPED_RULES.reviews,
    policy,
    binding,
  });
const shipped = shippedRules(PLURAL);

test.each<{ why: string; spec?: object; constraints?: object; reason?: readonly string[] }>([
  { why: 'as it is shipped' },
  {
    why: 'for everything',
    constraints: rule({ apiGroups: ['*'], resources: ['*'], operations: ['*'] }),
  },
  { why: 'with a scope', constraints: rule({ scope: 'Namespaced' }) },
  { why: 'that may fail', spec: { failurePolicy: 'Ignore' }, reason: ['lets requests pass'] },
  { why: 'with parameters', spec: { paramKind: { kind: 'A' } }, reason: ['parameters'] },
  {
    why: 'with conditions',
    spec: { matchConditions: [{ name: 'a' }] },
    reason: ['match conditions'],
  },
  {
    why: 'for some namespaces',
    constraints: { namespaceSelector: selector },
    reason: ['namespaces'],
  },
  { why: 'for some objects', constraints: { objectSelector: selector }, reason: ['objects'] },
  { why: 'with exclusions', constraints: { excludeResourceRules: [{}] }, reason: ['excludes'] },
  { why: 'for one name', constraints: rule({ resourceNames: ['a'] }), reason: ['is not about'] },
  {
    why: 'for creation only',
    constraints: rule({ operations: ['CREATE'] }),
    reason: ['is not about'],
  },
  { why: 'for another group', constraints: rule({ apiGroups: ['a'] }), reason: ['is not about'] },
  {
    why: 'for an older version',
    constraints: rule({ apiVersions: ['v1'] }),
    reason: ['is not about'],
  },
  { why: 'for cluster objects', constraints: rule({ scope: 'Cluster' }), reason: ['is not about'] },
  {
    why: 'with a way out for one user',
    spec: {
      validations: shipped.validations.map((each) => ({
        ...each,
        expression: `variables.user == 'mallory' || (${Reflect.get(each, 'expression')})`,
      })),
    },
    reason: ['has other rules'],
  },
  {
    why: 'that knows one user by another name',
    spec: {
      variables: shipped.variables.map((each, index) =>
        index > 0 ? each : { ...each, expression: "'ann'" },
      ),
    },
    reason: ['has other rules'],
  },
  {
    why: 'with a rule left out',
    spec: { validations: shipped.validations.slice(1) },
    reason: ['has other rules'],
  },
  {
    why: 'that refuses in other words',
    spec: { validations: shipped.validations.map((each) => ({ ...each, message: 'no' })) },
  },
  { why: 'without rules', constraints: { resourceRules: undefined }, reason: ['is not about'] },
])('a policy $why: $reason', ({ spec, constraints, reason = [] }) => {
  const found = flaw(aPolicy(PLURAL, spec, constraints), aBinding(NAME));
  expect(found === undefined ? [] : [found]).toEqual(reason.map(containing));
});

test.each<{ why: string; spec: object; reason?: readonly string[] }>([
  { why: 'that also warns', spec: { validationActions: ['Deny', 'Audit'] } },
  {
    why: 'with empty selectors',
    spec: { matchResources: { matchPolicy: 'Equivalent', namespaceSelector: {} } },
  },
  { why: 'that only warns', spec: { validationActions: ['Warn'] }, reason: ['does not deny'] },
  { why: 'of another policy', spec: { policyName: 'a' }, reason: ['another policy'] },
  { why: 'with parameters', spec: { paramRef: { name: 'a' } }, reason: ['parameters'] },
  {
    why: 'for some namespaces',
    spec: { matchResources: { namespaceSelector: selector } },
    reason: ['leaves requests out'],
  },
  {
    why: 'for some resources',
    spec: { matchResources: { resourceRules: [{}] } },
    reason: ['leaves requests out'],
  },
])('a binding $why: $reason', ({ spec, reason = [] }) => {
  const found = flaw(aPolicy(PLURAL), aBinding(NAME, spec));
  expect(found === undefined ? [] : [found]).toEqual(reason.map(containing));
});

test('the rules that are looked for are those of deploy/admission', () => {
  expect({
    applications: rulesDigest(shippedRules('apikeyapplications')),
    reviews: rulesDigest(shippedRules(PLURAL)),
  }).toEqual(SHIPPED_RULES);
});
