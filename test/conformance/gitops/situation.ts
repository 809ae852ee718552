/**
 * Objects as GitOps tools meet them: what somebody applied, and the status that the operator's own
 * code gives it there. Which of them there are is in contrib/states.yaml.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Condition } from '../../../src/api/meta.ts';
import { API_VERSION } from '../../../src/api/names.ts';
import { ROOT } from '../../runner/command.ts';

/** A kind that people apply. */
export type Kind =
  | 'ApiKey'
  | 'ApiKeyApplication'
  | 'ApiKeyReview'
  | 'ApiClient'
  | 'ApiProduct'
  | 'KeyStore'
  | 'ClusterKeyStore';

/** As much of an object as tools look at. */
export type Shown = {
  readonly apiVersion: string;
  readonly kind: Kind;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly generation: number;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: object;
  readonly status: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly Condition[];
  };
};

/** How the object of one situation is made; repeatable. */
export type Maker = () => Shown | Promise<Shown>;

/** Makers by the situation's name. */
export type Makers = Readonly<Record<string, Maker>>;

/** An instant at which objects without a clock of their own are looked at. */
export const SEEN_MS = Date.UTC(2026, 0, 5, 9);

/** An object in the order in which people write one; fields without a value are left out. */
export function shown(
  kind: Kind,
  { ref, generation = 1 }: { readonly ref: NamedRef; readonly generation?: number },
  { spec, status }: { readonly spec: object; readonly status: object | undefined },
): Shown {
  const { name, namespace } = ref;
  const place = namespace === undefined || namespace === '' ? { name } : { name, namespace };
  const object = {
    apiVersion: API_VERSION,
    kind,
    metadata: { ...place, generation },
    spec,
    status,
  };
  // Parser: the fields are those of Shown, without what JSON does not have.
  return JSON.parse(JSON.stringify(object)) as Shown;
}

type NamedRef = { readonly name: string; readonly namespace?: string };

/** What an object is before the operator has seen it: the defaults of its CRD. */
export function unseen(kind: Kind, spec: object): Shown {
  const file = join(ROOT, 'crds', `keyward.dev_${kind.toLowerCase()}s.yaml`);
  // Parser: our own manifest; other suites check its shape.
  const crd = parse(readFileSync(file, 'utf8')) as Crd;
  const status = crd.spec.versions[0]?.schema.openAPIV3Schema.properties.status.default;
  const isWide = crd.spec.scope === 'Cluster';
  const ref = isWide ? { name: 'web' } : { namespace: 'team', name: 'web' };
  return shown(kind, { ref }, { spec, status });
}

type Crd = {
  readonly spec: {
    readonly scope: string;
    readonly versions: readonly {
      readonly schema: {
        readonly openAPIV3Schema: {
          readonly properties: { readonly status: { readonly default: object } };
        };
      };
    }[];
  };
};

/** A condition of an object. */
export function conditionOf(object: Shown, type: string): Condition | undefined {
  return object.status.conditions?.find((condition) => condition.type === type);
}
