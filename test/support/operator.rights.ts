/** The account of an operator under test: what deploy/rbac gives, less where a test takes some away. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';

/** Where accounts of operators are; the admission policies know them by it. */
export const OWN_NAMESPACE = 'keyward-system';
const RBAC = join(import.meta.dirname, '..', '..', 'deploy', 'rbac', 'operator.yaml');

/** What is to be taken away. */
export type RightsWish = {
  /** Where the account may use Secrets; absent: everywhere, as deploy/rbac has it. */
  readonly secretsIn?: (namespaces: readonly string[]) => readonly string[];
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
  const grant = (scope: string, metadata: object, granted: readonly Rule[]): object[] => [
    { apiVersion, kind: `${scope}Role`, metadata, rules: granted },
    {
      apiVersion,
      kind: `${scope}RoleBinding`,
      metadata,
      roleRef: { apiGroup, kind: `${scope}Role`, name: account },
      subjects,
    },
  ];
  return [
    ...grant('Cluster', { name: account }, everywhere),
    ...grant('', { name: account, namespace: OWN_NAMESPACE }, rulesOf('Role')),
    ...(secretsIn ?? []).flatMap((namespace) =>
      grant('', { name: account, namespace }, rules.filter(isAboutSecrets)),
    ),
  ];
}
