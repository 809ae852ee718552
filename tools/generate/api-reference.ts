/** Writes docs/api-reference.md from the CRDs: every field with type, bounds, default and rules. */
import type { Crd, Schema } from './schema.ts';

const INTRO = `# API reference

<!-- Written by \`npm run generate\` from crds/; edit those files. -->

Group \`keyward.dev\`, version \`v1alpha1\`. Every field is optional unless marked *required*. Bounds are
checked by the API server; what it cannot check becomes a condition (see [conditions](conditions.md)).
`;

/** The whole page, deterministic. */
export function apiReferencePage(crds: readonly Crd[]): string {
  return [INTRO, ...crds.map(kindSection)].join('\n');
}

function kindSection(crd: Crd): string {
  const version = crd.spec.versions[0];
  const { kind, plural, shortNames } = crd.spec.names;
  const schema = version.schema.openAPIV3Schema;
  const columns = version.additionalPrinterColumns.map((column) =>
    column.priority === 1 ? `${column.name} (wide)` : column.name,
  );
  const selectable = (version.selectableFields ?? []).map(
    (field) => `\`${field.jsonPath.slice(1)}\``,
  );
  return [
    `## ${kind}\n`,
    `${schema.description ?? ''}\n`,
    `\`${plural}\`, short \`${shortNames.join(', ')}\`, scope ${crd.spec.scope}. Columns: ${columns.join(', ')}.`,
    ...(selectable.length === 0 ? [] : [`Field selectors: ${selectable.join(', ')}.`]),
    '',
    '| field | type | says |',
    '| --- | --- | --- |',
    ...rows(schema, 'spec'),
    ...rows(schema, 'status'),
    '',
    'Rules:\n',
    ...rules(schema, '').map((rule) => `- ${rule}`),
    '',
  ].join('\n');
}

function rows(root: Schema, field: string): readonly string[] {
  const walk = (schema: Schema, path: string, isRequired: string): readonly string[] => [
    `| \`${path}\` | ${typeText(schema)}${isRequired} | ${cell(schema)} |`,
    ...Object.entries(schema.properties ?? {}).flatMap(([name, part]) =>
      walk(part, `${path}.${name}`, schema.required?.includes(name) === true ? ', *required*' : ''),
    ),
    ...itemRows(schema, path, walk),
  ];
  const schema = root.properties?.[field];
  return schema === undefined ? [] : walk(schema, field, '').slice(1);
}

function itemRows(
  schema: Schema,
  path: string,
  walk: (schema: Schema, path: string, isRequired: string) => readonly string[],
): readonly string[] {
  if (schema.items?.properties === undefined) return [];
  return walk(schema.items, `${path}[]`, '').slice(1);
}

function typeText(schema: Schema): string {
  if (schema.enum !== undefined) return schema.enum.join(' \\| ');
  if (schema.type === 'array') {
    return `list of ${typeText(schema.items ?? {})}${range(schema.minItems, schema.maxItems)}`;
  }
  if (schema.additionalProperties !== undefined) {
    return `map of ${typeText(schema.additionalProperties)}${range(schema.minProperties, schema.maxProperties)}`;
  }
  const bounds =
    schema.type === 'string'
      ? range(schema.minLength, schema.maxLength)
      : range(schema.minimum, schema.maximum);
  return `${schema.format ?? schema.type ?? ''}${bounds}`;
}

function range(from: number | undefined, to: number | undefined): string {
  return from === undefined && to === undefined ? '' : ` ${from ?? 0}..${to ?? ''}`;
}

function cell(schema: Schema): string {
  const scalar = schema.default !== undefined && !(schema.type === 'object');
  const text = scalar
    ? `${schema.description ?? ''} Default \`${JSON.stringify(schema.default)}\`.`
    : (schema.description ?? '');
  return text.trim().replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function rules(schema: Schema, path: string): readonly string[] {
  const own = (schema['x-kubernetes-validations'] ?? []).map(
    (rule) => `\`${path === '' ? 'object' : path.slice(1)}\`: ${rule.message.trim()}`,
  );
  const below = Object.entries(schema.properties ?? {}).flatMap(([name, part]) =>
    rules(part, `${path}.${name}`),
  );
  const items = schema.items === undefined ? [] : rules(schema.items, `${path}[]`);
  return [...own, ...below, ...items];
}
