/**
 * The two policies that say who wrote a form or a review, as they are installed. A forged object in one
 * namespace proves nothing about the others, so what would let some requests past a policy is looked for
 * in the objects themselves. Pure.
 */
import type { KubeObject, Resource } from '../../api/meta.ts';
import {
  ADMISSION_BINDINGS,
  ADMISSION_POLICIES,
  API_KEY_APPLICATIONS,
  API_KEY_REVIEWS,
  GROUP,
} from '../../api/names.ts';
import { rulesDigest, SHIPPED_RULES } from './rules.ts';

/** A policy, which binding of the same name puts in force, the kind it guards, and the digest of its rules. */
export type Guard = {
  readonly name: string;
  readonly guarded: Resource;
  readonly rules: string;
};

/** Those that must be in force, by their names in deploy/admission. */
export const GUARDS: readonly Guard[] = [
  {
    name: 'keyward-applications',
    guarded: API_KEY_APPLICATIONS,
    rules: SHIPPED_RULES.applications,
  },
  { name: 'keyward-reviews', guarded: API_KEY_REVIEWS, rules: SHIPPED_RULES.reviews },
];

/** A guard as it was found; undefined: there is no such object. */
export type FoundGuard = Guard & {
  readonly policy: KubeObject | undefined;
  readonly binding: KubeObject | undefined;
};

type Fields = Readonly<Record<string, unknown>>;

/** Why the guard does not guard everything, as the end of a sentence; undefined: it does. */
export function flawOf({ name, guarded, rules, policy, binding }: FoundGuard): string | undefined {
  if (policy === undefined) return `${ADMISSION_POLICIES.kind} ${name} does not exist`;
  if (binding === undefined) return `${ADMISSION_BINDINGS.kind} ${name} does not exist`;
  const spec = specOf(policy);
  const flaw = flawOfPolicy(spec, guarded) ?? flawOfRules(spec, rules);
  if (flaw !== undefined) return `${ADMISSION_POLICIES.kind} ${name} ${flaw}`;
  const gap = flawOfBinding(specOf(binding), name);
  return gap === undefined ? undefined : `${ADMISSION_BINDINGS.kind} ${name} ${gap}`;
}

/** Which objects these are and how often each was changed; equal texts mean nothing was done to them. */
export function fingerprintOf(guards: readonly FoundGuard[]): string {
  const versions = guards.flatMap(({ name, policy, binding }) => [
    [name, 'policy', policy?.metadata.uid, policy?.metadata.generation],
    [name, 'binding', binding?.metadata.uid, binding?.metadata.generation],
  ]);
  return JSON.stringify(versions);
}

function flawOfPolicy(spec: Fields, guarded: Resource): string | undefined {
  const constraints = fields(spec['matchConstraints']);
  if (spec['failurePolicy'] !== 'Fail') return 'lets requests pass when it fails';
  if (!isBlank(spec['paramKind'])) return 'depends on parameters';
  if (!isBlank(spec['matchConditions'])) return 'has match conditions, which leave requests out';
  if (!isBlank(constraints['excludeResourceRules'])) return 'excludes resources';
  if (!isBlank(constraints['namespaceSelector'])) return 'leaves namespaces out';
  if (!isBlank(constraints['objectSelector'])) return 'leaves objects out';
  const rules = list(constraints['resourceRules']).map(fields);
  return rules.some((rule) => coversAll(rule, guarded))
    ? undefined
    : `is not about creation and update of all ${guarded.plural}`;
}

function flawOfRules(spec: Fields, rules: string): string | undefined {
  return rulesDigest(spec) === rules
    ? undefined
    : 'has other rules than this version of Keyward brings; install those of deploy/admission';
}

function flawOfBinding(spec: Fields, name: string): string | undefined {
  if (spec['policyName'] !== name) return 'binds another policy';
  if (!list(spec['validationActions']).includes('Deny')) return 'does not deny';
  if (!isBlank(spec['paramRef'])) return 'depends on parameters';
  const { matchPolicy: _, ...selected } = fields(spec['matchResources']);
  return Object.values(selected).every(isBlank) ? undefined : 'leaves requests out';
}

function coversAll(rule: Fields, { plural, version }: Resource): boolean {
  const has = (field: string, ...wanted: readonly string[]): boolean => {
    const there = list(rule[field]);
    return there.includes('*') || wanted.every((value) => there.includes(value));
  };
  const isEverywhere = rule['scope'] === undefined || rule['scope'] === '*';
  return (
    has('apiGroups', GROUP) &&
    has('apiVersions', version) &&
    has('resources', plural) &&
    has('operations', 'CREATE', 'UPDATE') &&
    isBlank(rule['resourceNames']) &&
    (isEverywhere || rule['scope'] === 'Namespaced')
  );
}

/** The API server writes what is absent as an empty selector or list. */
function isBlank(value: unknown): boolean {
  if (typeof value !== 'object') return value === undefined;
  return value === null || Object.keys(value).length === 0;
}

function specOf(object: KubeObject): Fields {
  return fields(fields(object)['spec']);
}

function fields(value: unknown): Fields {
  // Parser: any object may be looked into by name; each value is checked where it is used.
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
