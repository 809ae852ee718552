/** What an operator needs that is elected in a plan's own namespace. */
import type { Resource } from '../../src/api/meta.ts';
import { GROUP } from '../../src/api/names.ts';
import type { Site } from './site.ts';

/** Lets the operator's account have its Lease there, and forge forms and reviews that must be refused. */
export async function allowLease(site: Pick<Site, 'api' | 'namespace' | 'account'>): Promise<void> {
  const { namespace } = site;
  const metadata = { name: 'lease', namespace };
  const verbs = ['get', 'create', 'update'];
  const forged = ['apikeyapplications', 'apikeyreviews'];
  const rules = [
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs },
    { apiGroups: [GROUP], resources: forged, verbs: ['create'] },
  ];
  await site.api.create(rbac('Role'), { metadata, rules });
  await site.api.create(rbac('RoleBinding'), {
    metadata,
    roleRef: { apiGroup: RBAC, kind: 'Role', name: 'lease' },
    subjects: [{ kind: 'ServiceAccount', name: site.account, namespace: 'keyward-system' }],
  });
}

const RBAC = 'rbac.authorization.k8s.io';

function rbac(kind: 'Role' | 'RoleBinding'): Resource {
  return { group: RBAC, version: 'v1', plural: `${kind.toLowerCase()}s`, kind, namespaced: true };
}
