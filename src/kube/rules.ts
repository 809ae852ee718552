/** Which of the rights it needs an account has, by what the API server says of it. Pure. */
import type { Right } from '../api/rights.ts';

/** Some verbs on some resources, as RBAC has them. */
type Rule = {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  /** With the subresource, such as `apikeys/status`. */
  readonly resources: readonly string[];
  /** Empty: all names. */
  readonly resourceNames: readonly string[];
};

/** What an account may do in one namespace. */
export type Rules = {
  readonly rules: readonly Rule[];
  /** False: an authoriser of the cluster cannot list its rules, so there may be more. */
  readonly isComplete: boolean;
};

/** Parser of an answered SelfSubjectRulesReview; what cannot be read is no right. */
export function readRules(answer: unknown): Rules {
  const { status } = answer as {
    status?: { resourceRules?: unknown; incomplete?: unknown } | null;
  };
  const listed = Array.isArray(status?.resourceRules) ? status.resourceRules : [];
  return { rules: listed.map(readRule), isComplete: status?.incomplete === false };
}

function readRule(rule: unknown): Rule {
  const { verbs, apiGroups, resources, resourceNames } = rule as Record<string, unknown>;
  return {
    verbs: texts(verbs),
    apiGroups: texts(apiGroups),
    resources: texts(resources),
    resourceNames: texts(resourceNames),
  };
}

function texts(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.filter((each) => typeof each === 'string') : [];
}

/** `verb resource` for each part of the right that no rule allows; empty: it is there as a whole. */
export function lackingOf(right: Right, { rules }: Rules): readonly string[] {
  const suffix = right.subresource === undefined ? '' : `/${right.subresource}`;
  return right.resources.flatMap(({ group, plural }) => {
    const resource = `${plural}${suffix}`;
    const isAllowed = (verb: string): boolean =>
      rules.some((rule) => allows(rule, { verb, group, resource, names: right.names }));
    const verbs = right.verbs.filter((verb) => !isAllowed(verb));
    return verbs.length === 0 ? [] : [`${verbs.join(', ')} ${resource}`];
  });
}

function allows(
  rule: Rule,
  asked: { verb: string; group: string; resource: string; names: readonly string[] | undefined },
): boolean {
  const has = (list: readonly string[], word: string): boolean =>
    list.includes(word) || list.includes('*');
  const [plural, subresource] = asked.resource.split('/');
  const isResource =
    has(rule.resources, asked.resource) ||
    (subresource !== undefined && rule.resources.includes(`*/${subresource}`)) ||
    (subresource === undefined && rule.resources.includes(plural ?? ''));
  const isNamed =
    rule.resourceNames.length === 0 ||
    asked.names?.every((name) => rule.resourceNames.includes(name)) === true;
  return has(rule.verbs, asked.verb) && has(rule.apiGroups, asked.group) && isResource && isNamed;
}
