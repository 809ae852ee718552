/** The part of a CRD and of its schema that the generators look at. */
import { readFileSync } from 'node:fs';

import { parse } from 'yaml';

/** A structural schema, cut to what is used here. */
export type Schema = {
  readonly type?: 'object' | 'array' | 'string' | 'integer';
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-validations'?: readonly Rule[];
};

/** One CEL rule. */
export type Rule = { readonly rule: string; readonly message: string; readonly fieldPath?: string };

/** A CustomResourceDefinition with one version. */
export type Crd = {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly scope: string;
    readonly names: {
      readonly kind: string;
      readonly plural: string;
      readonly shortNames: readonly string[];
    };
    readonly versions: readonly [
      {
        readonly name: string;
        readonly additionalPrinterColumns: readonly {
          readonly name: string;
          readonly jsonPath: string;
          readonly priority?: number;
        }[];
        readonly selectableFields?: readonly { readonly jsonPath: string }[];
        readonly schema: { readonly openAPIV3Schema: Schema };
      },
    ];
  };
};

/** The CRD in one file. Our own files, checked by the API server in the conformance test. */
export function readCrd(path: string): Crd {
  return parse(readFileSync(path, 'utf8')) as Crd;
}

/** The schema of a top-level field, `spec` or `status`. */
export function schemaOf(crd: Crd, field: 'spec' | 'status'): Schema {
  return crd.spec.versions[0].schema.openAPIV3Schema.properties?.[field] ?? {};
}
