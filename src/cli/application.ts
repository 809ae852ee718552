/** The ApiKeyApplication that the flags of `keyward apply-for` become. Pure. */
import type {
  ApiKeyApplicationSpec,
  ApplicationTerms,
} from '../api/generated/apikeyapplication.ts';
import type { Ref } from '../api/meta.ts';
import { API_KEY_APPLICATIONS, API_VERSION, ANNOTATION_APPLICANT } from '../api/names.ts';
import { usageError } from './exit.ts';
import { list, parseQuota } from './narrowed.ts';
import type { StoreRef } from './objects.ts';

/** A value: a text, or the texts of a flag that may be repeated. */
type Flag = string | readonly string[] | boolean | undefined;

/** Flags by their names in camel case. */
export type ApplicationFlags = Readonly<Record<string, Flag>>;

/** What is left out is filled in by the API server. */
type Sparse<T> = T extends readonly (infer E)[]
  ? readonly Sparse<E>[]
  : T extends object
    ? { readonly [K in keyof T]?: Sparse<T[K]> }
    : T;

/** A form as it is sent or written to a file. */
type ApplicationDraft = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: Sparse<ApiKeyApplicationSpec>;
};

/** The form. @throws KeywardError Terminal Usage, naming the flag */
export function applicationDraft(at: Ref, flags: ApplicationFlags): ApplicationDraft {
  return {
    apiVersion: API_VERSION,
    kind: API_KEY_APPLICATIONS.kind,
    metadata: { name: at.name, namespace: at.namespace },
    spec: {
      ...present('submission', flags['draft'] === true ? ('Draft' as const) : undefined),
      ...present('clientRef', reference(flags['client'])),
      ...present('storeRef', parseStore(text(flags['store']))),
      ...present('format', format(text(flags['format']))),
      ...present('apiKeyRef', reference(flags['key'])),
      ...present('displayName', text(flags['displayName'])),
      ...present('description', text(flags['description'])),
      ...group('service', flags, ['name', 'description', 'url']),
      ...present('purpose', text(flags['purpose'])),
      ...present('justification', text(flags['justification'])),
      ...group('contact', flags, ['name', 'email', 'url', 'channel']),
      ...present('terms', terms(flags)),
      ...present('secret', reference(flags['secret'])),
      ...present('onBehalfOf', person(text(flags['onBehalfOf']))),
    },
  };
}

/** The same form with its applicant filled in, as admission wants it. */
export function filedBy(draft: ApplicationDraft, username: string): ApplicationDraft {
  const annotations = { [ANNOTATION_APPLICANT]: username };
  return { ...draft, metadata: { ...draft.metadata, annotations } };
}

type SparseTerms = Sparse<ApplicationTerms>;

function terms(flags: ApplicationFlags): SparseTerms | undefined {
  const quota = text(flags['quota']);
  const origins = texts(flags['origin']);
  const found = {
    ...present('validity', validity(flags)),
    ...present('quota', quota === undefined ? undefined : parseQuota(quota)),
    ...present('originPolicy', origins.length === 0 ? undefined : { allowed: origins }),
    ...present('cidrs', nonEmpty(texts(flags['cidr']))),
    ...present('productRefs', nonEmpty(texts(flags['product']).map((name) => ({ name })))),
  };
  return Object.keys(found).length === 0 ? undefined : found;
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

function validity(flags: ApplicationFlags): SparseTerms['validity'] | undefined {
  const [from, until, days] = [text(flags['from']), text(flags['until']), text(flags['for'])];
  if (until !== undefined && days !== undefined) {
    throw usageError('say the end once, with --until or with --for');
  }
  const found = {
    ...(from === undefined
      ? {}
      : { [isDate('--from', from) ? 'effectiveDate' : 'notBeforeTime']: from }),
    ...(until === undefined
      ? {}
      : { [isDate('--until', until) ? 'expirationDate' : 'expirationTime']: until }),
    ...present('durationDays', days === undefined ? undefined : parseDays(days)),
    ...present('timeZone', text(flags['timeZone'])),
  };
  return Object.keys(found).length === 0 ? undefined : found;
}

/** False: an instant; the API server looks at both more closely. */
function isDate(flag: string, text: string): boolean {
  if (DATE.test(text)) return true;
  if (INSTANT.test(text)) return false;
  throw usageError(`${flag} takes 2027-01-31 or 2027-01-31T09:00:00Z, not '${text}'`);
}

function parseDays(days: string): number {
  const [, count = ''] = /^(\d{1,4})d?$/.exec(days) ?? [];
  if (count !== '') return Number(count);
  throw usageError(`--for takes days, such as 90d, not '${days}'`);
}

/**
 * `NAME` or `ClusterKeyStore/NAME`, or `KeyStore/NAME` for one of the namespace.
 * @throws KeywardError Terminal Usage
 */
export function parseStore(store: string | undefined): StoreRef | undefined {
  if (store === undefined) return undefined;
  const [kind = '', name] = store.includes('/') ? store.split('/') : ['clusterkeystore', store];
  const known = (['KeyStore', 'ClusterKeyStore'] as const).find(
    (each) => each.toLowerCase() === kind.toLowerCase(),
  );
  if (known !== undefined && name !== undefined && name !== '') return { kind: known, name };
  throw usageError(`--store takes NAME of a ClusterKeyStore, or KeyStore/NAME, not '${store}'`);
}

function format(wanted: string | undefined): ApiKeyApplicationSpec['format'] {
  if (wanted === undefined) return undefined;
  const known = (['Opaque', 'Dual', 'KeyPair'] as const).find((each) => each === wanted);
  if (known !== undefined) return known;
  throw usageError(`--format takes Opaque, Dual or KeyPair, not '${wanted}'`);
}

/** `--service-name` and its like under one field. */
function group(
  field: 'service' | 'contact',
  flags: ApplicationFlags,
  names: readonly string[],
): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const found = names.flatMap((name) => {
    const value = text(flags[`${field}${name.slice(0, 1).toUpperCase()}${name.slice(1)}`]);
    return value === undefined ? [] : [[name, value] as const];
  });
  return found.length === 0 ? {} : { [field]: Object.fromEntries(found) };
}

function reference(flag: Flag): { readonly name: string } | undefined {
  const name = text(flag);
  return name === undefined ? undefined : { name };
}

function person(username: string | undefined): { readonly username: string } | undefined {
  return username === undefined ? undefined : { username };
}

function present<N extends string, V>(name: N, value: V | undefined): { [K in N]?: V } {
  // Parser: the compiler cannot see that a computed name is the literal type N.
  return (value === undefined ? {} : { [name]: value }) as { [K in N]?: V };
}

function nonEmpty<T>(all: readonly T[]): readonly T[] | undefined {
  return all.length === 0 ? undefined : all;
}

function text(flag: Flag): string | undefined {
  return typeof flag === 'string' ? flag : undefined;
}

function texts(flag: Flag): readonly string[] {
  return Array.isArray(flag) ? flag.flatMap((each: string) => list(each)) : [];
}
