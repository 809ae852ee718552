/** The account of an operator under test: what deploy/rbac gives, less where a test takes some away. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseAllDocuments } from 'yaml';

/** Where accounts of operators are; the admission policies know them by it. */
export const OWN_NAMESPACE = 'keyward-system';
const RBAC = join(import.meta.dirname, '..', '..', 'deploy', 'rbac', 'operator.yaml');

const RESTART = join(dirname(RBAC), 'restart', 'restart.yaml');

/** What is to be taken away, or added. */
export type RightsWish = {
  /** Where the account may use Secrets; absent: everywhere, as deploy/rbac has it. */
  readonly secretsIn?: (namespaces: readonly string[]) => readonly string[];
  /** Allowed: what deploy/rbac/restart adds. */
  readonly restarts?: 'Allowed';
  /** What the account may do with Secrets; absent: what deploy/rbac allows. */
  readonly secretVerbs?: readonly string[];
};

type Rule = {
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
};

/** Account and rights as deploy/rbac/operator.yaml gives them, under another name. */
export function rights(
  account: string,
  namespaces: readonly string[],
  options: RightsWish,
): object[] {
  const secretsIn = options.secretsIn?.(namespaces);
  const documents = parseAllDocuments(readFileSync(RBAC, 'utf8'));
  // Our own manifest.
  const manifests = documents.map((document) => document.toJS() as { kind: string; rules: Rule[] });
  const rulesOf = (wanted: string): readonly Rule[] =>
    manifests.find(({ kind }) => kind === wanted)?.rules ?? [];
  const isAboutSecrets = (rule: Rule): boolean => rule.resources.includes('secrets');
  const rules = rulesOf('ClusterRole').map((rule) =>
    isAboutSecrets(rule) ? { ...rule, verbs: options.secretVerbs ?? rule.verbs } : rule,
  );
  const everywhere = rules.filter((rule) => secretsIn === undefined || !isAboutSecrets(rule));
  const [apiVersion, apiGroup] = ['rbac.authorization.k8s.io/v1', 'rbac.authorization.k8s.io'];
  const subjects = [{ kind: 'ServiceAccount', name: account, namespace: OWN_NAMESPACE }];
  const grant = (
    scope: string,
    metadata: { readonly name: string; readonly namespace?: string },
    granted: readonly Rule[],
  ): object[] => [
    { apiVersion, kind: `${scope}Role`, metadata, rules: granted },
    {
      apiVersion,
      kind: `${scope}RoleBinding`,
      metadata,
      roleRef: { apiGroup, kind: `${scope}Role`, name: metadata.name },
      subjects,
    },
  ];
  return [
    ...grant('Cluster', { name: account }, everywhere),
    ...(options.restarts === undefined
      ? []
      : grant('Cluster', { name: `${account}-restart` }, restartRules())),
    ...grant('', { name: account, namespace: OWN_NAMESPACE }, rulesOf('Role')),
    ...(secretsIn ?? []).flatMap((namespace) =>
      grant('', { name: account, namespace }, rules.filter(isAboutSecrets)),
    ),
  ];
}

/** The rules of deploy/rbac/restart. */
function restartRules(): readonly Rule[] {
  const documents = parseAllDocuments(readFileSync(RESTART, 'utf8'));
  // Our own manifest.
  return documents.flatMap((document) => (document.toJS() as { rules?: Rule[] }).rules ?? []);
}
