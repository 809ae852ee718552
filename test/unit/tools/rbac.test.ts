/** The operator's rights, word for word: whoever widens them changes this file, and is asked why. */
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { OPERATOR_RIGHTS } from '../../../src/api/rights.ts';
import { rightsManifests } from '../../../tools/generate/rbac.ts';

type Rule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
};

type Manifest = {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules?: readonly Rule[];
  readonly roleRef?: { readonly kind: string; readonly name: string };
};

/** `kind namespace/name` of each role, with `group/resource names: verbs` for each of its resources. */
function rolesIn(path: string): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    manifestsIn(path)
      .filter(({ rules }) => rules !== undefined)
      .map(({ kind, metadata, rules = [] }) => [
        `${kind} ${metadata.namespace ?? ''}/${metadata.name}`,
        merged(rules),
      ]),
  );
}

function manifestsIn(path: string): readonly Manifest[] {
  const text = rightsManifests().get(path);
  if (text === undefined) throw new Error(`${path} is not written`);
  // Our own manifests.
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
}

function merged(rules: readonly Rule[]): readonly string[] {
  const verbs = new Map<string, readonly string[]>();
  for (const rule of rules) {
    for (const resource of rule.resources) {
      const names = rule.resourceNames === undefined ? '' : ` ${rule.resourceNames.join()}`;
      const text = `${rule.apiGroups.join()}/${resource}${names}`;
      verbs.set(text, [...(verbs.get(text) ?? []), ...rule.verbs]);
    }
  }
  return [...verbs].map(([text, all]) => `${text}: ${all.toSorted().join(' ')}`).toSorted();
}

const KEYS = [
  'keyward.dev/apiclients/status: update',
  'keyward.dev/apiclients: get list watch',
  'keyward.dev/apikeyapplications/status: update',
  'keyward.dev/apikeyapplications: get list patch watch',
  'keyward.dev/apikeyreviews/status: update',
  'keyward.dev/apikeyreviews: list watch',
  'keyward.dev/apikeys/status: update',
  'keyward.dev/apikeys: create get list patch update watch',
  'keyward.dev/keystores/status: update',
  'keyward.dev/keystores: get list patch watch',
];
const SHARED = [
  'keyward.dev/apiproducts/status: update',
  'keyward.dev/apiproducts: get list watch',
  'keyward.dev/clusterkeystores/status: update',
  'keyward.dev/clusterkeystores: get list patch watch',
];
const GUARDS = 'keyward-applications,keyward-reviews';
const QUESTIONS = [
  `admissionregistration.k8s.io/validatingadmissionpolicies ${GUARDS}: get`,
  `admissionregistration.k8s.io/validatingadmissionpolicybindings ${GUARDS}: get`,
  'authorization.k8s.io/selfsubjectrulesreviews: create',
  'authorization.k8s.io/subjectaccessreviews: create',
];
const SECRETS = '/secrets: create delete get list update watch';
const EVENTS = 'events.k8s.io/events: create get update';
const OWN = [
  'coordination.k8s.io/leases keyward-operator: get update',
  'coordination.k8s.io/leases: create',
  'keyward.dev/apikeyapplications: create',
  'keyward.dev/apikeyreviews: create',
];

describe('the rights of the operator (R18) are exactly these', () => {
  test('for all namespaces', () => {
    expect(rolesIn('deploy/rbac/operator.yaml')).toEqual({
      'ClusterRole /keyward-operator': [
        '/namespaces: get list watch',
        SECRETS,
        EVENTS,
        ...KEYS,
        ...SHARED,
        ...QUESTIONS,
      ].toSorted(),
      'Role keyward-system/keyward-operator': OWN,
    });
  });

  test('for named namespaces: of the cluster only what belongs to no namespace', () => {
    expect(rolesIn('deploy/rbac/namespaced/operator.yaml')).toEqual({
      'ClusterRole /keyward-operator': [
        '/namespaces kube-system: get',
        '/namespaces: list watch',
        ...SHARED,
        ...QUESTIONS,
      ].toSorted(),
      'Role keyward-system/keyward-operator': ['/secrets: get', ...OWN].toSorted(),
      'Role default/keyward-operator': [EVENTS],
    });
    expect(rolesIn('deploy/rbac/namespaced/watched.yaml')).toEqual({
      'Role /keyward-operator-watched': ['/namespaces: get', SECRETS, EVENTS, ...KEYS].toSorted(),
    });
  });

  test('for restarts: patches, and only where somebody installs them', () => {
    const rules = ['daemonsets', 'deployments', 'statefulsets'].map(
      (kind) => `apps/${kind}: get patch`,
    );
    expect(rolesIn('deploy/rbac/restart/restart.yaml')).toEqual({
      'ClusterRole /keyward-operator-restart': rules,
    });
    expect(rolesIn('deploy/rbac/namespaced/restart/restart.yaml')).toEqual({
      'Role /keyward-operator-restart': rules,
    });
  });

  test('for guarded metrics: a question, and only where somebody installs it', () => {
    expect(rolesIn('deploy/rbac/metrics/metrics.yaml')).toEqual({
      'ClusterRole /keyward-operator-metrics': ['authentication.k8s.io/tokenreviews: create'],
    });
  });
});

describe('each manifest', () => {
  const paths = [...rightsManifests().keys()];

  test.each(paths)('%s binds each of its roles to the account of the operator', (path) => {
    const manifests = manifestsIn(path);
    const roles = manifests.filter(({ rules }) => rules !== undefined);
    const bound = manifests.flatMap(({ roleRef, metadata }) =>
      roleRef === undefined ? [] : [`${roleRef.kind} ${metadata.namespace ?? ''}/${roleRef.name}`],
    );
    expect(bound).toEqual(
      roles.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`),
    );
  });

  test.each(paths)('%s has no wildcard and no verb that leads to more rights', (path) => {
    const words = manifestsIn(path).flatMap(({ rules = [] }) =>
      rules.flatMap((rule) => [...rule.verbs, ...rule.resources, ...rule.apiGroups]),
    );
    for (const word of ['*', 'escalate', 'bind', 'impersonate', 'approve', 'deletecollection']) {
      expect(words).not.toContain(word);
    }
    const levers = words.filter((word) => /^(pods|serviceaccounts|roles|clusterroles)/.test(word));
    expect(levers).toEqual([]);
  });
});

test('each right says in words what it is for and what does not work without it', () => {
  for (const { use, without } of OPERATOR_RIGHTS) {
    expect(use).toMatch(/^\S.*[.]$/);
    expect(without).toMatch(/^[a-zC].*[^.]$/);
  }
});
