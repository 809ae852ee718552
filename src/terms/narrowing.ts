/**
 * Pure; a reviewer approves less than was asked for. What the narrowed terms admit is admitted by the
 * terms before, at any instant, from any place and however often; whatever cannot be proven to be less
 * is refused, and nothing is trimmed silently. The next layer narrows what the one before has left.
 */
import { formatTime } from '../kernel/time.ts';
import { parseCidr } from './cidr.ts';
import { findQuotaExcess, isNetworkWithin, isSiteWithin } from './containment.ts';
import { resolveTerms, type TermsContext } from './resolve.ts';
import { parseSite } from './site.ts';
import type { KeyTerms, Problem, TermsSpec, ValiditySpec } from './terms.ts';

/** Field `narrowed` of an ApiKeyReview. What is absent stays as it was; a period that was not there is Lifetime. */
export type NarrowedSpec = Pick<
  ValiditySpec,
  'expirationDate' | 'expirationTime' | 'durationDays'
> &
  Pick<TermsSpec, 'quota' | 'originPolicy' | 'cidrs' | 'productRefs'>;

/** Less, or every way in which it would be more or makes no sense; fields as in the review's spec. */
export type Narrowing =
  | { readonly type: 'Narrowed'; readonly terms: TermsSpec }
  | { readonly type: 'Problems'; readonly problems: readonly Problem[] };

/**
 * Narrows terms. Never throws; narrowing twice by the same gives the same.
 *
 * - Ends are compared as instants. A duration in place of a fixed end becomes an instant, counted from
 *   the first issue, or from the decision or the effective instant where nothing was issued yet:
 *   counted from a later issue it could outlive the end that was asked for.
 * - Lists: absent before means any site and any address, so any list narrows; but no product, so
 *   none may be named. An empty list is refused, because it would lift the restriction.
 * - Quota: not more uses, and not a shorter period, in which the same number comes back sooner.
 *   No use at all (0) narrows everything.
 *
 * @param terms as asked for, or as the layer before left them
 * @param context as the terms are resolved for the grant; `nowMs` is the instant of the decision
 */
export function narrow(terms: TermsSpec, narrowed: NarrowedSpec, context: TermsContext): Narrowing {
  const before = resolveTerms(terms, context);
  if (before.type === 'Problems') return before;
  const empty = emptyLists(terms, narrowed);
  const merged = merge(terms, narrowed);
  const after = resolveTerms(merged, context);
  if (after.type === 'Problems') {
    return { type: 'Problems', problems: [...empty, ...after.problems.map(inReview)] };
  }
  const problems = [...empty, ...widenings(narrowed, before.terms, after.terms)];
  if (problems.length > 0) return { type: 'Problems', problems };
  return { type: 'Narrowed', terms: fixEnd(merged, terms, after.terms.endMs) };
}

function emptyLists(terms: TermsSpec, narrowed: NarrowedSpec): readonly Problem[] {
  const { originPolicy, cidrs, productRefs } = narrowed;
  const lists = [
    ['originPolicy.allowed', originPolicy?.allowed],
    ['cidrs', cidrs],
    ['productRefs', productRefs],
  ] as const;
  const empty = lists
    .filter(([, list]) => list?.length === 0)
    .map(([field]) => problem(field, 'is empty, which would restrict nothing; leave it out'));
  const hasSites = (terms.originPolicy?.allowed ?? []).length > 0;
  if (originPolicy === undefined || originPolicy.allowed !== undefined || hasSites) return empty;
  return [
    ...empty,
    problem('originPolicy.allowed', 'is missing, and without it any site is allowed'),
  ];
}

function merge(terms: TermsSpec, narrowed: NarrowedSpec): TermsSpec {
  const { quota, originPolicy, cidrs, productRefs } = narrowed;
  return {
    ...terms,
    validity: mergeValidity(terms.validity ?? {}, narrowed),
    ...(quota && { quota: { ...terms.quota, ...quota } }),
    ...(originPolicy && { originPolicy: { ...terms.originPolicy, ...originPolicy } }),
    ...(cidrs && { cidrs }),
    ...(productRefs && { productRefs }),
  };
}

/** All ends that the review says are taken over, so that too many of them are noticed. */
function mergeValidity(validity: ValiditySpec, narrowed: NarrowedSpec): ValiditySpec {
  const { expirationDate, expirationTime, durationDays } = narrowed;
  const ends = {
    ...(expirationDate !== undefined && { expirationDate }),
    ...(expirationTime !== undefined && { expirationTime }),
    ...(durationDays !== undefined && { durationDays }),
  };
  return { ...(Object.keys(ends).length === 0 ? validity : withoutEnd(validity)), ...ends };
}

function withoutEnd(validity: ValiditySpec): ValiditySpec {
  const { expirationDate: _, expirationTime: __, durationDays: ___, ...rest } = validity;
  return rest;
}

function widenings(narrowed: NarrowedSpec, before: KeyTerms, after: KeyTerms): readonly Problem[] {
  return [
    ...laterEnd(narrowed, before, after),
    ...moreUses(narrowed, before, after),
    ...moreOrigins(narrowed, before),
    ...moreAddresses(narrowed, before),
    ...moreProducts(narrowed, before),
  ];
}

function laterEnd(narrowed: NarrowedSpec, before: KeyTerms, after: KeyTerms): readonly Problem[] {
  // Without an end in the review both sides count from the same words.
  const field = (['expirationDate', 'expirationTime', 'durationDays'] as const).find(
    (name) => narrowed[name] !== undefined,
  );
  if (field === undefined || before.endMs === undefined) return [];
  if (after.endMs !== undefined && after.endMs <= before.endMs) return [];
  return [problem(field, `ends later than what was asked for, ${formatTime(before.endMs)}`)];
}

function moreUses({ quota }: NarrowedSpec, before: KeyTerms, after: KeyTerms): readonly Problem[] {
  if (quota === undefined || after.quota === undefined) return [];
  switch (findQuotaExcess(after.quota, before.quota)) {
    case undefined:
      return [];
    case 'Requests':
      return [
        problem('quota.requests', `allows more than the ${before.quota?.requests} asked for`),
      ];
    case 'Period':
      return [
        problem(
          'quota.period',
          `begins anew sooner than the period asked for, ${before.quota?.period}`,
        ),
      ];
  }
}

function moreOrigins({ originPolicy }: NarrowedSpec, before: KeyTerms): readonly Problem[] {
  const asked = before.originPolicy;
  if (originPolicy === undefined || asked === undefined) return [];
  const { allowed = [], missing = 'Deny', unknownPath = 'Deny' } = originPolicy;
  const sites = outside(allowed, (text) => {
    const result = parseSite(text);
    return 'site' in result && isSiteWithin(result.site, asked.allowed);
  });
  const what = 'which was not asked for';
  return [
    ...sites.map((index) => problem(`originPolicy.allowed[${index}]`, `admits a site ${what}`)),
    ...(missing === 'Allow' && asked.missing === 'Deny'
      ? [problem('originPolicy.missing', `admits calls that say no origin, ${what}`)]
      : []),
    ...(unknownPath === 'Allow' && asked.unknownPath === 'Deny'
      ? [problem('originPolicy.unknownPath', `admits calls that do not say their path, ${what}`)]
      : []),
  ];
}

function moreAddresses({ cidrs = [] }: NarrowedSpec, before: KeyTerms): readonly Problem[] {
  if (before.cidrs.length === 0) return [];
  const asked = before.cidrs
    .map(parseCidr)
    .flatMap((network) => ('problem' in network ? [] : [network]));
  const networks = outside(cidrs, (text) => {
    const network = parseCidr(text);
    return !('problem' in network) && asked.some((outer) => isNetworkWithin(network, outer));
  });
  return networks.map((index) =>
    problem(`cidrs[${index}]`, 'lies in none of the networks that were asked for'),
  );
}

function moreProducts({ productRefs = [] }: NarrowedSpec, before: KeyTerms): readonly Problem[] {
  const names = outside(productRefs, ({ name }) => before.productRefs.includes(name));
  return names.map((index) =>
    problem(`productRefs[${index}]`, 'names a product that was not asked for'),
  );
}

/** A duration behind a fixed end becomes the instant that it was compared by, to the millisecond. */
function fixEnd(merged: TermsSpec, terms: TermsSpec, endMs: number | undefined): TermsSpec {
  const { expirationDate, expirationTime } = terms.validity ?? {};
  const wasFixed = (expirationDate ?? expirationTime) !== undefined;
  const isDuration = merged.validity?.durationDays !== undefined;
  if (!wasFixed || !isDuration || endMs === undefined) return merged;
  const validity = {
    ...withoutEnd(merged.validity ?? {}),
    expirationTime: new Date(endMs).toISOString(),
  };
  return { ...merged, validity };
}

/** Indices of the entries that do not pass. */
function outside<T>(list: readonly T[], isInside: (entry: T) => boolean): readonly number[] {
  return list.flatMap((entry, index) => (isInside(entry) ? [] : [index]));
}

/** Terms are resolved as a form's; the person who reads it wrote a review. */
function inReview({ field, message }: Problem): Problem {
  return problem(field.replace(/^terms\.(validity\.)?/, ''), message);
}

function problem(field: string, message: string): Problem {
  return { field: `narrowed.${field}`, message };
}
