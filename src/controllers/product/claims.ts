/**
 * Which calls a product claims, in one spelling, and who else has them. Pure.
 *
 * The rule: whoever's claim the gates know keeps it. A claim that another product has already is not
 * handed out a second time, so no edit can take the calls of another product away; among products that the gates do not
 * know yet, the older one has it. What is retired claims nothing.
 */
import type { ProductPattern, ProductRecord } from '../../ledger/documents.ts';
import { claimedHost, claimedPath } from '../../terms/products.ts';
import type { ProductView } from './world.ts';

/** A claim that is taken, and whose it is. */
export type Rival = { readonly name: string; readonly claim: string };

/** What somebody else claims. */
type Claimant = Pick<ProductRecord, 'name' | 'state' | 'match'>;

/** The match of a spec as gates read it: lists never absent. */
export function patternsOf({ spec }: Pick<ProductView, 'spec'>): readonly ProductPattern[] {
  return (spec.match ?? []).map(({ hosts = [], pathPrefix, methods = [] }) => ({
    hosts,
    pathPrefix,
    methods,
  }));
}

/** Who else may have claims: what gates know of others, and older products that they do not know yet. */
export function othersOf(
  product: ProductView,
  known: Iterable<ProductRecord>,
  views: Iterable<ProductView>,
): readonly Claimant[] {
  const records = [...known];
  const uids = new Set(records.map(({ uid }) => uid));
  const older = [...views].filter(
    (view) => !uids.has(view.uid) && !view.isDeleting && isOlder(view, product),
  );
  return [
    // An earlier product of the same name ends in the commit that makes this one known.
    ...records.filter(({ uid, name }) => uid !== product.uid && name !== product.ref.name),
    ...older.map((view) => ({
      name: view.ref.name,
      state: view.spec.state,
      match: patternsOf(view),
    })),
  ];
}

/** The first of `match` that another one has; undefined: all are free. */
export function rivalOf(
  match: readonly ProductPattern[],
  others: readonly Claimant[],
): Rival | undefined {
  const wanted = new Set(match.flatMap(claimsOf));
  for (const { name, state, match: theirs } of others) {
    if (state === 'Retired') continue;
    const claim = theirs.flatMap(claimsOf).find((each) => wanted.has(each));
    if (claim !== undefined) return { name, claim };
  }
  return undefined;
}

/** The first path of `match` that gates cannot use, because servers read it in two ways; undefined: none. */
export function unreadableIn(match: readonly ProductPattern[]): string | undefined {
  return match.find((pattern) => claimsOf(pattern).length === 0)?.pathPrefix;
}

/** Each claim of a pattern as gates tell claims apart: method, host without port, path in normal form. */
function claimsOf({ hosts, pathPrefix, methods }: ProductPattern): readonly string[] {
  const path = claimedPath(pathPrefix);
  if (path === undefined) return [];
  const names = hosts.flatMap((host) => claimedHost(host) ?? []);
  // Without the hosts that cannot be read it must not become a claim for any host.
  if (hosts.length > 0 && names.length === 0) return [];
  return orAny(names).flatMap((host) =>
    orAny(methods).map((method) => `${method} ${host}${path}/`),
  );
}

function orAny(list: readonly string[]): readonly string[] {
  return list.length === 0 ? ['*'] : list;
}

function isOlder(view: ProductView, than: ProductView): boolean {
  const [a, b] = [view, than].map(({ createdTime, uid }) => `${createdTime} ${uid}`);
  return view.uid !== than.uid && (a ?? '') < (b ?? '');
}
