/**
 * Pure; whether what one rule admits is admitted by another one too. Answers yes only where that can
 * be proven from the two alone, so a no may be a mere doubt.
 */
import { contains, type Network } from './cidr.ts';
import { UNLIMITED } from './quota.ts';
import { DEFAULT_PORTS } from './site.ts';
import type { Quota, QuotaPeriod, Site } from './terms.ts';

/** Longer periods are made of whole shorter ones, in the same zone. */
const SPANS: Readonly<Record<QuotaPeriod, number>> = { Day: 1, Month: 2, Lifetime: 3 };

/**
 * Whether every address of `inner` lies in `outer`. IPv4 written as IPv6 is IPv4 by now, and no IPv6
 * network holds IPv4 addresses.
 */
export function isNetworkWithin(inner: Network, outer: Network): boolean {
  return inner.prefix >= outer.prefix && contains(outer, inner.address);
}

/**
 * Whether every request that comes from `inner` comes from one of `outers`. A site without scheme
 * stands for two, each with its default port, and they may lie in different ones of `outers`.
 */
export function isSiteWithin(inner: Site, outers: readonly Site[]): boolean {
  return doorsOf(inner).every(({ scheme, port }) =>
    outers.some(
      (outer) =>
        doorsOf(outer).some((door) => door.scheme === scheme && door.port === port) &&
        isHostWithin(inner, outer) &&
        isPathWithin(inner.path, outer.path),
    ),
  );
}

/** In which way a quota allows more uses than another one in some span of time; undefined: in none. */
export function findQuotaExcess(
  inner: Quota,
  outer: Quota | undefined,
): 'Requests' | 'Period' | undefined {
  const isAnyUse = outer === undefined || outer.requests === UNLIMITED;
  if (isAnyUse || inner.requests === 0) return undefined;
  if (inner.requests === UNLIMITED || inner.requests > outer.requests) return 'Requests';
  // As many uses in a longer period are at most as many in each shorter one; never the other way.
  return SPANS[inner.period] < SPANS[outer.period] ? 'Period' : undefined;
}

type Door = { readonly scheme: 'http' | 'https'; readonly port: number };

function doorsOf({ scheme, port }: Site): readonly Door[] {
  const schemes = scheme === undefined ? (['http', 'https'] as const) : [scheme];
  return schemes.map((each) => ({ scheme: each, port: port ?? DEFAULT_PORTS[each] }));
}

/** A wildcard never holds the host it stands under, but all wildcards further down. */
function isHostWithin(inner: Site, outer: Site): boolean {
  if (outer.subdomains && inner.host.endsWith(`.${outer.host}`)) return true;
  return inner.host === outer.host && inner.subdomains === outer.subdomains;
}

/** By whole segments; a place without path is never within one that has a path. */
function isPathWithin(inner: string | undefined, outer: string | undefined): boolean {
  if (outer === undefined) return true;
  return inner === outer || (inner?.startsWith(`${outer}/`) ?? false);
}
