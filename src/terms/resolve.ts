/**
 * Pure; terms as written become terms as they hold: instants instead of dates, checked sites and
 * networks, the store's defaults and limits. Controllers call it before they issue or change a key.
 */
import { formatCidr, parseCidr } from './cidr.ts';
import { UNLIMITED } from './quota.ts';
import { formatSite, parseSite } from './site.ts';
import type { KeyTerms, OriginPolicy, Problem, Quota, Site, TermsSpec } from './terms.ts';
import { resolveValidity, validityAt } from './validity.ts';
import { findZone, UTC, type Zone } from './zone.ts';

const LIST_MAX = 32;
const PRODUCTS_MAX = 64;

/** What terms are resolved against. */
export type TermsContext = {
  /** IANA name; absent: UTC. */
  readonly storeTimeZone?: string;
  readonly storeDurationDays?: number;
  readonly maxDurationDays?: number;
  readonly maxQuotaRequests?: number;
  /** First issue of the grant, from which durations count; absent: not issued yet. */
  readonly firstIssuedMs?: number;
  /** From when on what was granted before can be issued, where nothing was yet; absent: nothing was granted. */
  readonly issuableMs?: number;
  readonly nowMs: number;
};

/** Resolved, or every problem at once. `alreadyOver`: the end has passed, which is no problem. */
export type Resolution =
  | { readonly type: 'Resolved'; readonly terms: KeyTerms; readonly alreadyOver: boolean }
  | { readonly type: 'Problems'; readonly problems: readonly Problem[] };

/** Part of an answer: what was read, and what was wrong with it. */
type Part<T> = { readonly value?: T; readonly problems: readonly Problem[] };

/** Resolves terms. Never throws; repeatable, the same input gives the same JSON text. */
export function resolveTerms(spec: TermsSpec, context: TermsContext): Resolution {
  const { zone, problems: zoneProblems } = resolveZone(
    spec.validity?.timeZone,
    context.storeTimeZone,
  );
  const validity = resolveValidity(spec.validity ?? {}, { ...context, zone });
  const quota = resolveQuota(spec.quota, context, zone);
  const originPolicy = resolveOrigins(spec.originPolicy);
  const cidrs = resolveCidrs(spec.cidrs ?? []);
  const productRefs = resolveProducts(spec.productRefs ?? []);
  const parts = [validity, quota, originPolicy, cidrs, productRefs];
  const problems = [...zoneProblems, ...parts.flatMap((part) => part.problems)];
  if (problems.length > 0) return { type: 'Problems', problems };
  const terms: KeyTerms = {
    timeZone: zone.name,
    ...validity.interval,
    ...(quota.value && { quota: quota.value }),
    ...(originPolicy.value && { originPolicy: originPolicy.value }),
    cidrs: cidrs.value ?? [],
    productRefs: productRefs.value ?? [],
  };
  const alreadyOver = validityAt(terms, context.nowMs) === 'Over';
  return { type: 'Resolved', terms, alreadyOver };
}

/** An unknown zone is a problem and reads as UTC, so that the other problems are found too. */
function resolveZone(
  said: string | undefined,
  ofStore: string | undefined,
): { readonly zone: Zone; readonly problems: readonly Problem[] } {
  const name = said ?? ofStore ?? UTC.name;
  const zone = findZone(name);
  if (zone !== undefined) return { zone, problems: [] };
  const whose = said === undefined ? 'is absent, and the store names' : 'names';
  const message = `${whose} the unknown time zone ${quote(name)}`;
  return { zone: UTC, ...failure('terms.validity.timeZone', message) };
}

function resolveQuota(spec: TermsSpec['quota'], context: TermsContext, zone: Zone): Part<Quota> {
  const { maxQuotaRequests } = context;
  const limit = `the store allows ${maxQuotaRequests} requests at most`;
  if (spec === undefined) {
    // A limit nobody asked for would end the key without warning; so it has to be said.
    if (maxQuotaRequests === undefined) return { problems: [] };
    return failure('terms.quota', `is absent, but ${limit}`);
  }
  const { requests, period = 'Lifetime' } = spec;
  if (!Number.isSafeInteger(requests) || requests < UNLIMITED) {
    return failure('terms.quota.requests', 'is no whole number from -1 to 2^53 - 1');
  }
  const isOver = requests === UNLIMITED || requests > (maxQuotaRequests ?? Infinity);
  if (maxQuotaRequests !== undefined && isOver) {
    return failure('terms.quota.requests', `is ${requests}, but ${limit}`);
  }
  return { value: { requests, period, timeZone: zone.name }, problems: [] };
}

function resolveOrigins(spec: TermsSpec['originPolicy']): Part<OriginPolicy> {
  const texts = spec?.allowed ?? [];
  if (texts.length === 0) return { problems: [] };
  const field = 'terms.originPolicy.allowed';
  const problems: Problem[] = tooMany(field, texts.length, LIST_MAX);
  const allowed = new Map<string, Site>();
  for (const [index, text] of texts.entries()) {
    const result = parseSite(text);
    if ('site' in result) allowed.set(formatSite(result.site), result.site);
    else problems.push({ field: `${field}[${index}]`, message: result.problem });
  }
  const { missing = 'Deny', unknownPath = 'Allow' } = spec ?? {};
  return { value: { allowed: [...allowed.values()], missing, unknownPath }, problems };
}

function resolveCidrs(texts: readonly string[]): Part<readonly string[]> {
  const problems: Problem[] = tooMany('terms.cidrs', texts.length, LIST_MAX);
  const cidrs = new Set<string>();
  for (const [index, text] of texts.entries()) {
    const network = parseCidr(text);
    if ('problem' in network) {
      problems.push({ field: `terms.cidrs[${index}]`, message: network.problem });
    } else {
      cidrs.add(formatCidr(text, network));
    }
  }
  return { value: [...cidrs], problems };
}

function resolveProducts(refs: readonly { readonly name: string }[]): Part<readonly string[]> {
  const names = [...new Set(refs.map((ref) => ref.name))];
  const problems = tooMany('terms.productRefs', refs.length, PRODUCTS_MAX);
  // By code unit, so that the order does not depend on a locale.
  return { value: names.toSorted((a, b) => (a < b ? -1 : 1)), problems };
}

function tooMany(field: string, count: number, max: number): Problem[] {
  return count > max
    ? [{ field, message: `has ${count} entries, at most ${max} are allowed` }]
    : [];
}

function failure(field: string, message: string): { readonly problems: readonly Problem[] } {
  return { problems: [{ field, message }] };
}

/** Users' text in a message: short, and in quotes that show where it ends. */
function quote(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}...` : text);
}
