/** Who may do what by the roles in deploy/rbac, asked of the real API server: exactly this and no more. */
import { beforeAll, describe, expect, it } from 'vitest';
import { freshNamespace, sharedControlPlane } from '../support/controlplane.ts';
import { outcome, accepted, OPERATOR, senderTo } from './crds.apiserver.ts';

const access = sharedControlPlane();
const send = senderTo(access);
const OWN = 'keyward-system';
let namespace = '';

beforeAll(async () => {
  await access.mustKubectl(['apply', '--server-side', '-f', 'deploy/rbac']);
  namespace = await freshNamespace(access, 'rights');
  await bind('edit', 'edit');
  await bind('view', 'view');
  await bind('admin', 'admin');
  for (const role of ['reviewer', 'approver', 'client-approver', 'store-admin', 'release']) {
    await bind(role, `keyward-${role}`);
  }
});

/** User `rights-<name>` has the role in the namespace of this file. */
async function bind(name: string, role: string): Promise<void> {
  const body = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: `rights-${name}` }],
  };
  const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`;
  expect(outcome(await send({ method: 'POST', path, body }))).toBe(accepted);
}

type Rule = {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
};

/** `verb resource` for each right in our group that the person has in the namespace, sorted. */
async function rightsOf(username: string, where: string): Promise<readonly string[]> {
  const answer = await send({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectRulesReview',
      spec: { namespace: where },
    },
    as: { username },
  });
  const status = answer.object['status'] as unknown as { readonly resourceRules: readonly Rule[] };
  const own = status.resourceRules.filter((rule) => rule.apiGroups?.includes('keyward.dev'));
  const texts = own.flatMap((rule) =>
    (rule.resources ?? []).map((resource) => {
      const names = rule.resourceNames === undefined ? '' : ` ${rule.resourceNames.join()}`;
      return `${resource}${names}: ${rule.verbs.toSorted().join(' ')}`;
    }),
  );
  return [...new Set(texts)].toSorted();
}

const KINDS = [
  'apiclients',
  'apikeyapplications',
  'apikeyreviews',
  'apikeys',
  'apiproducts',
  'clusterkeystores',
  'keystores',
];
const reading = KINDS.map((kind) => `${kind}: get list watch`);
const writing = ['apiclients', 'apikeyapplications', 'apikeys'].map(
  (kind) => `${kind}: create delete deletecollection patch update`,
);

describe('people', () => {
  const cases: readonly { role: string; may: string; rights: readonly string[] }[] = [
    { role: 'view', may: 'read all kinds', rights: reading },
    {
      role: 'edit',
      may: 'have keys, apply and register clients, and write no review',
      rights: [...reading, ...writing],
    },
    {
      role: 'admin',
      may: 'do no more than edit: deciding is bound explicitly',
      rights: [...reading, ...writing],
    },
    {
      role: 'reviewer',
      may: 'read and write reviews, never change or delete one',
      rights: [...reading, 'apikeyreviews: create'],
    },
    {
      role: 'approver',
      may: 'approve at one store and nothing else',
      rights: ['clusterkeystores default: approve', 'keystores default: approve'],
    },
    {
      role: 'client-approver',
      may: 'decide about clients and nothing else',
      rights: ['apiclients: approve'],
    },
    {
      role: 'store-admin',
      may: 'keep stores and products, and decide nothing',
      rights: KINDS.map((kind) =>
        ['apiproducts', 'clusterkeystores', 'keystores'].includes(kind)
          ? `${kind}: create delete get list patch update watch`
          : `${kind}: get list watch`,
      ),
    },
    {
      role: 'release',
      may: 'take finalizers off what has one',
      rights: ['apikeyapplications', 'apikeys', 'clusterkeystores', 'keystores'].map(
        (kind) => `${kind}: get list patch release update`,
      ),
    },
  ];
  it.each(cases)('R28: $role may $may', async ({ role, rights }) => {
    await expect
      .poll(() => rightsOf(`rights-${role}`, namespace), { timeout: 30_000 })
      .toEqual(rights.toSorted());
  });
});

describe('the operator', () => {
  /** `resource` as `plural`, `plural/subresource` or `plural name`. */
  const may = async (
    verb: string,
    resource: string,
    where: string,
    group = 'keyward.dev',
  ): Promise<boolean> => {
    const [kind = '', name] = resource.split(' ');
    const [plural, subresource] = kind.split('/');
    const answer = await send({
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: {
          user: OPERATOR.username,
          groups: OPERATOR.groups,
          resourceAttributes: {
            verb,
            group,
            resource: plural,
            subresource,
            name,
            namespace: where,
          },
        },
      },
    });
    return (answer.object['status'] as unknown as { readonly allowed: boolean }).allowed;
  };

  it('writes the status of every kind', async () => {
    for (const kind of KINDS)
      expect([kind, await may('update', `${kind}/status`, namespace)]).toEqual([kind, true]);
  });

  it('makes keys for approved forms, and no form or review but as a dry run at home', async () => {
    expect(await may('create', 'apikeys', namespace)).toBe(true);
    for (const kind of ['apikeyapplications', 'apikeyreviews']) {
      expect([kind, await may('create', kind, namespace)]).toEqual([kind, false]);
      expect([kind, await may('create', kind, OWN)]).toEqual([kind, true]);
    }
  });

  it('edits and deletes no review, client or product', async () => {
    for (const kind of ['apikeyreviews', 'apiclients', 'apiproducts']) {
      for (const verb of ['update', 'patch', 'delete', 'deletecollection']) {
        expect([verb, kind, await may(verb, kind, namespace)]).toEqual([verb, kind, false]);
      }
    }
  });

  it('has no right to approve anywhere', async () => {
    for (const kind of ['keystores', 'clusterkeystores', 'keystores/security']) {
      expect([kind, await may('approve', kind, namespace)]).toEqual([kind, false]);
    }
  });

  it('asks who may approve, and reads the policies without changing them', async () => {
    const policies = 'validatingadmissionpolicies';
    const group = 'admissionregistration.k8s.io';
    const own = 'authorization.k8s.io';
    expect(await may('create', 'subjectaccessreviews', '', own)).toBe(true);
    expect(await may('get', `${policies} keyward-reviews`, '', group)).toBe(true);
    expect(await may('get', `${policies} somebody-else`, '', group)).toBe(false);
    expect(await may('update', policies, '', group)).toBe(false);
    expect(await may('impersonate', 'users', '', '')).toBe(false);
    expect(await may('bind', 'clusterroles', '', 'rbac.authorization.k8s.io')).toBe(false);
    expect(await may('create', 'serviceaccounts/token', OWN, '')).toBe(false);
    expect(await may('create', 'pods', OWN, '')).toBe(false);
    expect(await may('deletecollection', 'secrets', namespace, '')).toBe(false);
    expect(await may('patch', 'secrets', namespace, '')).toBe(false);
    expect(await may('get', 'leases other', OWN, 'coordination.k8s.io')).toBe(false);
  });
});
