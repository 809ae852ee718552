/**
 * What gates are to know of a product, and the next single step towards that. Pure.
 *
 * A product has no finalizer: nothing outside has to be ended before it may go. Its record ends after a live read has
 * shown that it is gone; one that was made anew under its name takes over in one commit, so that
 * there is no moment in which its calls belong to nobody.
 */
import { isSameJson } from '../../kernel/samejson.ts';
import type { ProductPattern, ProductRecord } from '../../ledger/documents.ts';
import { othersOf, patternsOf, rivalOf, unreadableIn, type Rival } from './claims.ts';
import type { ProductView, World } from './world.ts';

/** What gates are to know of a product, and what stands in the way of its spec. */
export type Wanted = Pick<ProductRecord, 'state' | 'access' | 'match'> & {
  /** Present: why spec.match does not take effect, so that the claims stay as they were known. */
  readonly trouble?: Trouble;
};

/** What is wrong with spec.match. */
export type Trouble =
  | ({ readonly type: 'Taken' } & Rival)
  /** Servers read this path in two ways. */
  | { readonly type: 'Unreadable'; readonly path: string };

/** One step. Each is safe to repeat after a crash. */
export type Action =
  /** One live read: the object of these records is gone. */
  | { readonly type: 'ProveGone' }
  | { readonly type: 'End' }
  /** What gates know follows the spec; records of earlier objects of the name end with it. */
  | { readonly type: 'Follow' };

/** The next step, or undefined when nothing is to be done now. */
export function nextAction(world: World): Action | undefined {
  const { product, known } = world;
  if (product === undefined) {
    if (ofName(world).length === 0) return undefined;
    return { type: world.isProvenGone ? 'End' : 'ProveGone' };
  }
  const isFollowed = isKnown(known.get(product.uid), wantedOf(world, product));
  return isFollowed && predecessorsOf(world).length === 0 ? undefined : { type: 'Follow' };
}

/**
 * State and access follow the spec at all times. The claims follow as long as nobody else has one of them; if
 * somebody has, or one cannot be read, they stay as they are known, and what is known as retired stays so, because coming back would
 * claim again what somebody else may have by now.
 */
export function wantedOf(
  { known, views }: Pick<World, 'known' | 'views'>,
  product: ProductView,
): Wanted {
  const { state, access } = product.spec;
  const match = patternsOf(product);
  const record = known.get(product.uid);
  if (state === 'Retired') return { state, access, match };
  const trouble = troubleOf(match, othersOf(product, known.values(), views));
  if (trouble === undefined) return { state, access, match };
  const isBack = record?.state === 'Retired';
  return { state: isBack ? 'Retired' : state, access, match: record?.match ?? [], trouble };
}

function troubleOf(
  match: readonly ProductPattern[],
  others: Parameters<typeof rivalOf>[1],
): Trouble | undefined {
  const path = unreadableIn(match);
  if (path !== undefined) return { type: 'Unreadable', path };
  const rival = rivalOf(match, others);
  return rival && { type: 'Taken', ...rival };
}

/** Whether gates know it as it is wanted. */
export function isKnown(
  record: ProductRecord | undefined,
  { state, access, match }: Wanted,
): boolean {
  return (
    record !== undefined &&
    record.phase === 'Live' &&
    record.state === state &&
    record.access === access &&
    isSameJson(record.match, match)
  );
}

/** Live records of the name. */
export function ofName({ ref, known }: Pick<World, 'ref' | 'known'>): readonly ProductRecord[] {
  return [...known.values()].filter(({ name }) => name === ref.name);
}

/** Live records of earlier objects of the name. */
export function predecessorsOf(world: World): readonly ProductRecord[] {
  return ofName(world).filter(({ uid }) => uid !== world.product?.uid);
}
