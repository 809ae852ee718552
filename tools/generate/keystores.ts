/**
 * Puts the KeyStore and ClusterKeyStore CRDs together from keystore.base.yaml and the schema.yaml of
 * each driver. The conformance suite uses the same function for CRDs with an extra driver.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { parse, stringify } from 'yaml';

import type { Rule, Schema } from './schema.ts';

/** What a driver adds to the KeyStore spec: the content of its schema.yaml. */
export type DriverSchema = {
  /** Value of spec.type. */
  readonly type: string;
  /** Name of the member of spec that holds the driver's settings. */
  readonly member: string;
  readonly schema: Schema;
};

type Kind = {
  readonly kind: string;
  readonly plural: string;
  readonly shortName: string;
  readonly scope: string;
  readonly description: string;
  readonly specProperties: Readonly<Record<string, Schema>>;
};

type Base = {
  readonly kinds: readonly Kind[];
  readonly printerColumns: readonly unknown[];
  readonly spec: Schema;
  readonly status: Schema;
};

const HEADER = `# Written by \`npm run generate\` from tools/generate/keystore.base.yaml and src/stores/*/schema.yaml.
# Edit those; the check fails when this file differs.
`;

/** The driver folders below src/stores: those with a schema.yaml, sorted by name. */
export function shippedDriverFolders(): readonly string[] {
  const stores = fileURLToPath(new URL('../../src/stores/', import.meta.url));
  return readdirSync(stores)
    .toSorted()
    .map((name) => join(stores, name))
    .filter((folder) => existsSync(join(folder, 'schema.yaml')));
}

/** The schema.yaml of a driver folder. */
export function readDriverSchema(folder: string): DriverSchema {
  return parse(readFileSync(join(folder, 'schema.yaml'), 'utf8')) as DriverSchema;
}

/**
 * The text of each CRD file by file name, for exactly these drivers.
 *
 * @param drivers at least one; their types and members must differ
 */
export function keyStoreCrds(drivers: readonly DriverSchema[]): ReadonlyMap<string, string> {
  const base = parse(readFileSync(new URL('keystore.base.yaml', import.meta.url), 'utf8')) as Base;
  return new Map(
    base.kinds.map((kind) => [
      `keyward.dev_${kind.plural}.yaml`,
      HEADER + stringify(crd(base, kind, drivers), { lineWidth: 0, aliasDuplicateObjects: false }),
    ]),
  );
}

function crd(base: Base, kind: Kind, drivers: readonly DriverSchema[]): unknown {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${kind.plural}.keyward.dev`,
      labels: { 'app.kubernetes.io/part-of': 'keyward' },
    },
    spec: {
      group: 'keyward.dev',
      scope: kind.scope,
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.kind.toLowerCase(),
        shortNames: [kind.shortName],
        categories: ['keyward'],
      },
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: base.printerColumns,
          schema: { openAPIV3Schema: objectSchema(base, kind, drivers) },
        },
      ],
    },
  };
}

function objectSchema(base: Base, kind: Kind, drivers: readonly DriverSchema[]): Schema {
  return {
    description: kind.description,
    type: 'object',
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: specSchema(base.spec, kind, drivers),
      status: base.status,
    },
  };
}

function specSchema(base: Schema, kind: Kind, drivers: readonly DriverSchema[]): Schema {
  return {
    ...base,
    'x-kubernetes-validations': [
      ...drivers.map(memberRule),
      ...(base['x-kubernetes-validations'] ?? []),
    ],
    properties: {
      type: {
        description:
          'Which driver; the member of the same name holds its settings. Cannot be changed.',
        type: 'string',
        enum: drivers.map((driver) => driver.type),
      },
      ...Object.fromEntries(drivers.map((driver) => [driver.member, driver.schema])),
      ...base.properties,
      ...kind.specProperties,
    },
  };
}

function memberRule(driver: DriverSchema): Rule {
  // A member with required fields has no such short form.
  const isOptional = (driver.schema.required ?? []).length === 0;
  const hint = isOptional ? `; for all defaults write "${driver.member}: {}"` : '';
  return {
    rule: `has(self.${driver.member}) == (self.type == '${driver.type}')`,
    message: `type ${driver.type} and ${driver.member} need each other${hint}`,
    fieldPath: `.${driver.member}`,
  };
}
