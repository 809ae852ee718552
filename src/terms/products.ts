/**
 * Pure; which product a call belongs to. Products claim places: hosts, a path and what is below it,
 * methods. Of all claims that cover a call
 *
 *     the longest path wins, then a named host over any host, then a named method over any method.
 *
 * Where two products claim the very same, or where a lenient backend could take the call for one of
 * another product (`/Admin` for `/admin`), the answer is Doubtful, which is a no.
 */
import { normaliseHost } from './host.ts';
import { loosePath, readPath, type Target } from './target.ts';

/** What has to be known of a product; the records of the ledger fit as they are. */
export type ClaimingProduct = {
  readonly name: string;
  /** Ended: it was deleted, and claims nothing. */
  readonly phase: 'Live' | 'Ended';
  /** What is retired yields to a product that claims the same; its other calls are still its calls. */
  readonly state: 'Published' | 'Deprecated' | 'Retired';
  readonly match: readonly {
    /** Names, perhaps with a port, which is not looked at; empty: any. */
    readonly hosts: readonly string[];
    readonly pathPrefix: string;
    /** GET stands for HEAD too, where nobody else names HEAD; empty: any. */
    readonly methods: readonly string[];
  }[];
};

/** Products made ready for many questions. */
export type CompiledProducts<P extends ClaimingProduct> = {
  /** Claims by `placeName`. */
  readonly claims: ReadonlyMap<string, readonly Claim<P>[]>;
  /** Most segments that a claimed path has: no need to look deeper into a call's. */
  readonly depth: number;
  /** Whether any claim names hosts, so that a call must say its own; the same of methods. */
  readonly namesHosts: boolean;
  readonly namesMethods: boolean;
  /** Claims that no call can meet, because every call there is doubtful, as `product: path`; for a log. */
  readonly unusable: readonly string[];
};

/** In the place of a host; no host is written so. */
const ANY_HOST = '*';

type Claim<P> = {
  readonly product: P;
  /** Normal form without slash at the end; empty: every path. */
  readonly path: string;
  readonly hosts: ReadonlySet<string>;
  readonly methods: ReadonlySet<string>;
};

/** Makes products ready. A claim that cannot be read is left out and named. */
export function compileProducts<P extends ClaimingProduct>(
  products: Iterable<P>,
): CompiledProducts<P> {
  const claims: Claim<P>[] = [];
  const unusable: string[] = [];
  for (const product of products) {
    if (product.phase === 'Ended') continue;
    for (const pattern of product.match) {
      const claim = readClaim(product, pattern);
      if (claim === undefined) unusable.push(`${product.name}: ${pattern.pathPrefix}`);
      else claims.push(claim);
    }
  }
  return {
    claims: groupByPlace(claims),
    depth: claims.reduce((most, { path }) => Math.max(most, path.split('/').length - 1), 0),
    namesHosts: claims.some(({ hosts }) => hosts.size > 0),
    namesMethods: claims.some(({ methods }) => methods.size > 0),
    unusable,
  };
}

/** The product that a call belongs to; undefined: to none. Takes time by the depth of claims, not of calls. */
export function productOf<P extends ClaimingProduct>(
  compiled: CompiledProducts<P>,
  target: Target,
): P | 'Doubtful' | undefined {
  if (compiled.namesHosts && target.host === undefined) return 'Doubtful';
  if (compiled.namesMethods && target.method === undefined) return 'Doubtful';
  const ends = endsOfSegments(target.path, compiled.depth);
  const loose = loosePath(target.path);
  // Escapes never hide a slash, so both texts have their segments in common.
  const looseEnds = loose === target.path ? ends : endsOfSegments(loose, compiled.depth);
  for (let at = ends.length - 1; at >= 0; at -= 1) {
    const covering = claimsAt(compiled, loose.slice(0, looseEnds[at]), target);
    if (covering.length === 0) continue;
    const path = target.path.slice(0, ends[at]);
    return choose(
      covering.filter((claim) => claim.path === path),
      target,
    );
  }
  return undefined;
}

/** Claims of a path, in its loose form, that cover the call. */
function claimsAt<P extends ClaimingProduct>(
  { claims }: CompiledProducts<P>,
  path: string,
  target: Target,
): readonly Claim<P>[] {
  const named = target.host === undefined ? [] : (claims.get(placeName(target.host, path)) ?? []);
  const all = [...named, ...(claims.get(placeName(ANY_HOST, path)) ?? [])];
  return all.filter((claim) => rankOf(claim, target) !== undefined);
}

function groupByPlace<P>(claims: readonly Claim<P>[]): ReadonlyMap<string, readonly Claim<P>[]> {
  const places = new Map<string, Claim<P>[]>();
  for (const claim of claims) {
    for (const host of claim.hosts.size === 0 ? [ANY_HOST] : claim.hosts) {
      const place = placeName(host, loosePath(claim.path));
      const there = places.get(place);
      if (there === undefined) places.set(place, [claim]);
      else there.push(claim);
    }
  }
  return places;
}

/** Host, which has no slash, and path in loose form without slash at the end. */
function placeName(host: string, loose: string): string {
  return host + loose;
}

/** Among claims of one path: the highest rank, if it is one product's. */
function choose<P extends ClaimingProduct>(
  claims: readonly Claim<P>[],
  target: Target,
): P | 'Doubtful' {
  const rank = Math.max(...claims.map((claim) => rankOf(claim, target) ?? 0));
  const first = claims.filter((claim) => rankOf(claim, target) === rank);
  const live = first.filter(({ product }) => product.state !== 'Retired');
  const [one, ...others] = (live.length > 0 ? live : first).map(({ product }) => product);
  return one === undefined || others.some((other) => other !== one) ? 'Doubtful' : one;
}

/** How closely the claim fits, or undefined when it does not cover the call's host and method. */
function rankOf<P>({ hosts, methods }: Claim<P>, { host, method }: Target): number | undefined {
  const hostRank = hosts.size === 0 ? 0 : host !== undefined && hosts.has(host) ? 4 : undefined;
  const methodRank = methods.size === 0 ? 0 : rankOfMethod(methods, method);
  return hostRank === undefined || methodRank === undefined ? undefined : hostRank + methodRank;
}

function rankOfMethod(
  methods: ReadonlySet<string>,
  method: string | undefined,
): number | undefined {
  if (method !== undefined && methods.has(method)) return 2;
  // Servers answer HEAD by what they have for GET.
  return method === 'HEAD' && methods.has('GET') ? 1 : undefined;
}

/** Where segments end, from the root (0) down to `depth` segments. */
function endsOfSegments(path: string, depth: number): readonly number[] {
  const ends = [0];
  for (let at = 0; at < path.length - 1 && ends.length <= depth;) {
    const next = path.indexOf('/', at + 1);
    at = next < 0 ? path.length : next;
    ends.push(at);
  }
  return ends;
}

function readClaim<P extends ClaimingProduct>(
  product: P,
  { hosts, pathPrefix, methods }: P['match'][number],
): Claim<P> | undefined {
  const path = claimedPath(pathPrefix);
  const known = hosts.map(claimedHost).filter((name) => name !== undefined);
  // Without the hosts that cannot be read it must not become a claim for any host.
  if (path === undefined || (hosts.length > 0 && known.length === 0)) return undefined;
  return { product, path, hosts: new Set(known), methods: new Set(methods) };
}

/**
 * A prefix as it is compared: normal form without slash at the end, empty for every path; undefined where no call
 * can be told to be one of it.
 */
export function claimedPath(pathPrefix: string): string | undefined {
  // Half of a surrogate pair has no escape; it becomes U+FFFD, which no call that means it has.
  const ascii = pathPrefix
    .toWellFormed()
    .replaceAll(/[^\x21-\x7e]+/gu, (text) => encodeURIComponent(text));
  return readPath(ascii)?.replace(/\/$/, '');
}

/** A host as it is compared: normal form without port; undefined where it is no host. */
export function claimedHost(host: string): string | undefined {
  return normaliseHost(host.replace(/:\d+$/, ''));
}
