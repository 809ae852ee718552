/** The rules of a CRD as text, to see that each has a case. */
import { join } from 'node:path';
import { readCrd, schemaOf, type Schema } from '../../tools/generate/schema.ts';

/** The schema of `spec` of a kind, by the plural of its file in crds/. */
export function specOf(plural: string): Schema {
  return schemaOf(readCrd(fileOf(plural)), 'spec');
}

/** Messages of the CEL rules in a schema, its own and those below. */
export function ruleMessages(schema: Schema): readonly string[] {
  return [
    ...(schema['x-kubernetes-validations'] ?? []).map((rule) => rule.message),
    ...Object.values(schema.properties ?? {}).flatMap(ruleMessages),
    ...(schema.items === undefined ? [] : ruleMessages(schema.items)),
  ];
}

/** Messages of the rules at the root of the object: what may not change. */
export function transitionMessages(plural: string): readonly string[] {
  const root = readCrd(fileOf(plural)).spec.versions[0].schema.openAPIV3Schema;
  return (root['x-kubernetes-validations'] ?? []).map((rule) => rule.message);
}

/** Those of the messages that no refusal contains a part of. */
export function untested(
  messages: readonly string[],
  cases: readonly { readonly refused?: string }[],
): readonly string[] {
  const said = cases.flatMap((entry) => entry.refused ?? []);
  return messages.filter((message) => !said.some((text) => message.includes(text)));
}

function fileOf(plural: string): string {
  return join(import.meta.dirname, `../../crds/keyward.dev_${plural}.yaml`);
}
