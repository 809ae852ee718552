/**
 * Pure; what a form asks for, in the one form in which it is reviewed, hashed, compared and granted.
 * The application controller hashes it when a round opens; whoever reviews names that hash, so that
 * what was read is what is approved.
 */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../kernel/canonicaljson.ts';
import type { KeyFormat } from '../keys/format.ts';
import type { TermsSpec, ValiditySpec } from './terms.ts';

/** New values for a key that exists. */
type ReissueRequest = {
  readonly requestId: string;
  readonly reason: 'Exposed' | 'SecurityConcern' | 'Routine';
  readonly message?: string;
  /** What the key does until the decision. */
  readonly whileWaiting: 'KeepActive' | 'Suspend';
};

/** The end of a grant, asked for by its holder. */
type RevocationRequest = {
  readonly justification: string;
  /** `YYYY-MM-DD` in the zone of the terms; absent: at once. */
  readonly effectiveDate?: string;
};

/** All that a reviewer decides about. Plain JSON; texts as written. */
export type RequestContent = {
  readonly storeRef: {
    readonly kind: 'KeyStore' | 'ClusterKeyStore';
    readonly name: string;
    readonly uid: string;
  };
  readonly client: { readonly name: string; readonly uid: string };
  /** The form's, else the store's when the round opened. */
  readonly format: KeyFormat;
  /** The one ApiKey that is served. */
  readonly apiKeyName: string;
  readonly displayName?: string;
  readonly description?: string;
  readonly service?: {
    readonly name?: string;
    readonly description?: string;
    readonly url?: string;
  };
  /** Intended use. */
  readonly purpose?: string;
  /** Why it is asked for. */
  readonly justification?: string;
  /** With the time zone said (`withTimeZone`), so that a later edit of the store moves no date. */
  readonly terms: TermsSpec;
  readonly reissue?: ReissueRequest;
  readonly revocation?: RevocationRequest;
};

/** What a hash is bound to. */
export type HashedRequest = {
  readonly formUid: string;
  /** From 1. */
  readonly round: number;
  readonly type: 'Issue' | 'Change' | 'Reissue' | 'Revoke';
  readonly content: RequestContent;
};

/** The terms with their time zone said: their own, else the store's, else UTC. */
export function withTimeZone(terms: TermsSpec, storeTimeZone: string | undefined): TermsSpec {
  const timeZone = terms.validity?.timeZone ?? storeTimeZone ?? 'UTC';
  return { ...terms, validity: { ...terms.validity, timeZone } };
}

/**
 * The normal form: equal requests have equal canonical JSON. Known fields only; texts in NFC; an
 * empty text, list or object is absent; lists that are sets are sorted, each entry once; defaults of
 * quota and origins are said, and origins are left out where none is allowed in particular,
 * because then their other fields mean nothing. Repeating it changes nothing.
 */
export function canonicalContent(content: RequestContent): RequestContent {
  const { storeRef, client, service, reissue, revocation } = content;
  return {
    storeRef: { kind: storeRef.kind, name: nfc(storeRef.name), uid: nfc(storeRef.uid) },
    client: { name: nfc(client.name), uid: nfc(client.uid) },
    format: content.format,
    apiKeyName: nfc(content.apiKeyName),
    ...texts(content, ['displayName', 'description', 'purpose', 'justification']),
    ...object('service', texts(service ?? {}, ['name', 'description', 'url'])),
    terms: canonicalTerms(content.terms),
    ...(reissue && { reissue: canonicalReissue(reissue) }),
    ...(revocation && {
      revocation: {
        justification: nfc(revocation.justification),
        ...texts(revocation, ['effectiveDate']),
      },
    }),
  };
}

/**
 * Plain JSON with each text as the normal form has it, and everything in its place: what is judged so is
 * what is frozen, and a problem names the entry that somebody wrote.
 */
export function withNormalTexts<T>(value: T): T {
  if (typeof value === 'string') return nfc(value) as T;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withNormalTexts) as T;
  const entries = Object.entries(value).map(([name, each]) => [name, withNormalTexts(each)]);
  return Object.fromEntries(entries) as T;
}

/**
 * What a review has to name: `sha256:` and 64 hex digits over the canonical JSON (RFC 8785, UTF-8) of
 * `{content, formUid, round, type}`, the content in its normal form. Every text stands between quotes
 * under the name of its field, so moving text from one field to another makes another hash.
 */
export function requestHash(request: HashedRequest): string {
  const { formUid, round, type } = request;
  const content = canonicalContent(request.content);
  const text = canonicalJson({ formUid: nfc(formUid), round, type, content });
  return `sha256:${createHash('sha256').update(text, 'utf8').digest('hex')}`;
}

function canonicalTerms(terms: TermsSpec): TermsSpec {
  const { quota, originPolicy } = terms;
  const allowed = textSet(originPolicy?.allowed);
  const cidrs = textSet(terms.cidrs);
  const products = textSet(terms.productRefs?.map(({ name }) => name));
  return {
    ...object('validity', canonicalValidity(terms.validity ?? {})),
    ...(quota && { quota: { requests: quota.requests, period: quota.period ?? 'Lifetime' } }),
    ...(allowed.length > 0 && {
      originPolicy: {
        allowed,
        missing: originPolicy?.missing ?? 'Deny',
        unknownPath: originPolicy?.unknownPath ?? 'Allow',
      },
    }),
    ...(cidrs.length > 0 && { cidrs }),
    ...(products.length > 0 && { productRefs: products.map((name) => ({ name })) }),
  };
}

function canonicalValidity(validity: ValiditySpec): ValiditySpec {
  const { durationDays } = validity;
  return {
    ...texts(validity, [
      'effectiveDate',
      'expirationDate',
      'timeZone',
      'notBeforeTime',
      'expirationTime',
    ]),
    ...(durationDays !== undefined && { durationDays }),
  };
}

function canonicalReissue(reissue: ReissueRequest): ReissueRequest {
  return {
    requestId: nfc(reissue.requestId),
    reason: reissue.reason,
    ...texts(reissue, ['message']),
    whileWaiting: reissue.whileWaiting,
  };
}

/** The named fields that hold a text; the others are left out. */
function texts<Name extends string>(
  from: { readonly [N in Name]?: string },
  names: readonly Name[],
): { readonly [N in Name]?: string } {
  const said: { [N in Name]?: string } = {};
  for (const name of names) {
    const text = from[name];
    if (text !== undefined && text !== '') said[name] = nfc(text);
  }
  return said;
}

/** `{name: value}`, or nothing where the value has no field. */
function object<Name extends string, Value extends object>(
  name: Name,
  value: Value,
): { readonly [N in Name]?: Value } {
  // TypeScript widens a computed name to any string; there is just this one.
  return Object.keys(value).length === 0
    ? {}
    : ({ [name]: value } as { readonly [N in Name]: Value });
}

/** Sorted by code unit, so that the order depends on no locale. */
function textSet(list: readonly string[] | undefined): readonly string[] {
  return [...new Set((list ?? []).map(nfc))].toSorted((a, b) => (a < b ? -1 : 1));
}

function nfc(text: string): string {
  return text.normalize('NFC');
}
