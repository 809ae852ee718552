/** Writes the roles of the operator in deploy/rbac from the list in src/api/rights.ts. */
import {
  OPERATOR_RIGHTS,
  type Feature,
  type Right,
  type RightScope,
} from '../../src/api/rights.ts';

/** Where the operator runs; the chart puts its own in their place. */
const NAMESPACE = 'keyward-system';
const ACCOUNT = 'keyward-operator';
const LINE_MAX = 110;

const ORIGIN = `# Written by "npm run generate" from the list of rights in src/api/rights.ts; edit that.`;
const TEMPLATED = `# The chart puts its own values for the namespace ${NAMESPACE}, the account ${ACCOUNT} as a subject
# and the names of these objects, and leaves the rules as they are.`;

/** A role, or the binding of one; no namespace: whoever applies it says where. */
type RoleObject = {
  readonly kind: 'ClusterRole' | 'Role';
  readonly name: string;
  readonly namespace?: string;
  readonly comment?: string;
  readonly rights: readonly Right[];
};

/** Path below the repository and text of each manifest, deterministic. */
export function rightsManifests(): ReadonlyMap<string, string> {
  const only = (wanted: Feature) => OPERATOR_RIGHTS.filter(({ feature }) => feature === wanted);
  const restart = only('Restart');
  const metrics = only('MetricsAuth');
  const core = OPERATOR_RIGHTS.filter((right) => ![...restart, ...metrics].includes(right));
  const of = (scope: RightScope): readonly Right[] => core.filter((right) => right.scope === scope);
  const everywhere = withoutCovered([...of('Watched'), ...of('Cluster')], []);
  const own = withoutCovered(of('Own'), everywhere);
  return new Map([
    [
      'deploy/rbac/operator.yaml',
      manifest(WIDE, [
        { kind: 'ClusterRole', name: ACCOUNT, rights: everywhere },
        { kind: 'Role', name: ACCOUNT, namespace: NAMESPACE, rights: own },
      ]),
    ],
    [
      'deploy/rbac/namespaced/operator.yaml',
      manifest(NAMESPACED, [
        { kind: 'ClusterRole', name: ACCOUNT, rights: of('Cluster'), comment: CLUSTER },
        { kind: 'Role', name: ACCOUNT, namespace: NAMESPACE, rights: of('Own') },
        { kind: 'Role', name: ACCOUNT, namespace: 'default', rights: of('Default') },
      ]),
    ],
    [
      'deploy/rbac/namespaced/watched.yaml',
      manifest(WATCHED, [{ kind: 'Role', name: `${ACCOUNT}-watched`, rights: of('Watched') }]),
    ],
    [
      'deploy/rbac/restart/restart.yaml',
      manifest(RESTART, [{ kind: 'ClusterRole', name: `${ACCOUNT}-restart`, rights: restart }]),
    ],
    [
      'deploy/rbac/namespaced/restart/restart.yaml',
      manifest(RESTART_HERE, [{ kind: 'Role', name: `${ACCOUNT}-restart`, rights: restart }]),
    ],
    [
      'deploy/rbac/metrics/metrics.yaml',
      manifest(METRICS, [{ kind: 'ClusterRole', name: `${ACCOUNT}-metrics`, rights: metrics }]),
    ],
  ]);
}

const WIDE = `# What an operator for all namespaces uses, and nothing else. The admission policies narrow it further: no
# spec is edited, and only Secrets with our mark are touched.`;

const NAMESPACED = `# What an operator with --watch-namespaces uses beside the roles in watched.yaml, which each watched namespace
# gets. Nothing here reads or writes Secrets outside the operator's own namespace.`;

const CLUSTER = `# Kinds that belong to no namespace. Without the rules for clusterkeystores, apiproducts, or list and watch of
# namespaces the operator works all the same, and says so where one of them is asked for.`;

const WATCHED = `# What an operator with --watch-namespaces uses in each of these namespaces:
#
#   kubectl apply -n NAMESPACE -f deploy/rbac/namespaced/watched.yaml`;

const RESTART = `# Optional: lets the operator restart the workloads named in spec.rotation.restartTargets.`;

const RESTART_HERE = `# Optional: lets an operator with --watch-namespaces restart the workloads named in
# spec.rotation.restartTargets, in the namespace into which this is applied.`;

const METRICS = `# Optional: lets an operator with --metrics-auth=delegated ask who wants to read its /metrics.`;

function manifest(comment: string, roles: readonly RoleObject[]): string {
  const documents = roles
    .filter(({ rights }) => rights.length > 0)
    .flatMap((role) => [roleText(role), bindingText(role)]);
  return `${comment}\n#\n${ORIGIN}\n${TEMPLATED}\n---\n${documents.join('---\n')}`;
}

function roleText(role: RoleObject): string {
  const { kind, comment, rights } = role;
  const above = comment === undefined ? '' : `${comment}\n`;
  return `${above}${headText(kind, role)}rules:\n${rights.map(ruleText).join('')}`;
}

function bindingText(role: RoleObject): string {
  return `${headText(`${role.kind}Binding`, role)}roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ${role.kind}
  name: ${role.name}
subjects:
- kind: ServiceAccount
  name: ${ACCOUNT}
  namespace: ${NAMESPACE}
`;
}

function headText(kind: string, { name, namespace }: RoleObject): string {
  return `apiVersion: rbac.authorization.k8s.io/v1
kind: ${kind}
metadata:
  name: ${name}
${namespace === undefined ? '' : `  namespace: ${namespace}\n`}  labels: {app.kubernetes.io/part-of: keyward}
`;
}

function ruleText({ resources, subresource, verbs, names, use }: Right): string {
  const suffix = subresource === undefined ? '' : `/${subresource}`;
  const groups = [...new Set(resources.map(({ group }) => (group === '' ? '""' : group)))];
  return [
    ...commentLines(use),
    `- apiGroups: [${groups.join(', ')}]`,
    ...listLines(
      'resources',
      resources.map(({ plural }) => `${plural}${suffix}`),
    ),
    ...(names === undefined ? [] : listLines('resourceNames', names)),
    `  verbs: [${verbs.join(', ')}]`,
    '',
  ].join('\n');
}

function listLines(field: string, words: readonly string[]): readonly string[] {
  const line = `  ${field}: [${words.join(', ')}]`;
  if (line.length <= LINE_MAX) return [line];
  return [`  ${field}:`, ...words.map((word) => `  - ${word}`)];
}

function commentLines(text: string): readonly string[] {
  const lines: string[] = [];
  let line = '#';
  for (const word of text.split(' ')) {
    if (line.length + 1 + word.length > LINE_MAX) {
      lines.push(line);
      line = '#';
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

/** Without those that others, of a wider scope, allow already. */
function withoutCovered(rights: readonly Right[], wider: readonly Right[]): readonly Right[] {
  return rights.filter(
    (right) => ![...rights, ...wider].some((other) => other !== right && covers(other, right)),
  );
}

function covers(wide: Right, narrow: Right): boolean {
  return (
    wide.names === undefined &&
    wide.subresource === narrow.subresource &&
    narrow.verbs.every((verb) => wide.verbs.includes(verb)) &&
    narrow.resources.every(({ group, plural }) =>
      wide.resources.some((other) => other.group === group && other.plural === plural),
    )
  );
}
