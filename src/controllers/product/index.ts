/**
 * The controller of ApiProducts: keeps in the ledger what gates have to know of each, and shows it. Forms
 * read the object itself.
 */
import type { Ref } from '../../api/meta.ts';
import { API_PRODUCTS } from '../../api/names.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { KeywardError } from '../../kernel/errors.ts';
import { isSameJson } from '../../kernel/samejson.ts';
import type { Cache, Change, KubeClient } from '../../kube/port.ts';
import { statusDraft } from '../../kube/statusdraft.ts';
import type { ProductRecord } from '../../ledger/documents.ts';
import { cacheBehind } from '../../runtime/behind.ts';
import type { Steps } from '../../runtime/pipeline.ts';
import type { Wake } from '../../runtime/trigger.ts';
import type { ProductBooks, ProductCommit } from './books.ts';
import {
  isKnown,
  nextAction,
  ofName,
  predecessorsOf,
  wantedOf,
  type Action,
  type Wanted,
} from './plan.ts';
import { wantedStatus } from './status.ts';
import type { ProductView, World } from './world.ts';

/** What the controller works with. */
type Deps = {
  readonly products: Pick<Cache<ProductView>, 'get' | 'values'>;
  readonly client: Pick<KubeClient, 'get' | 'replaceStatus'>;
  readonly books: ProductBooks;
  readonly clusterId: string;
  readonly clock: Clock;
};

/** An edit of one product may make or end a contradiction with any other; there are few of them. */
export function onProduct(
  products: Pick<Cache<ProductView>, 'values'>,
  { ref, previous, current }: Change<ProductView>,
): readonly Wake[] {
  const isSame = previous?.uid === current?.uid && previous?.generation === current?.generation;
  if (isSame) return [];
  const others = Array.from(products.values(), (product) => product.ref);
  const own: Wake = { ref, lane: isTurned(previous, current) ? 'urgent' : 'normal' };
  return [own, ...others.map((each): Wake => ({ ref: each, lane: 'bulk' }))];
}

/** Who is let in has changed; a retired product must be closed soon. */
function isTurned(previous: ProductView | undefined, current: ProductView | undefined): boolean {
  return (
    previous?.spec.state !== current?.spec.state || previous?.spec.access !== current?.spec.access
  );
}

/** The steps for the pipeline. */
export function productSteps(deps: Deps): Steps<World, Action> {
  return {
    name: 'apiproduct',
    observe: (ref) => look(deps, ref, deps.products.get(ref)),
    next: nextAction,
    apply: (world, action, signal) => apply(deps, world, action, signal),
    report: (world, failure, signal) => report(deps, world, failure, signal),
    lookAgainAtMs: () => undefined,
  };
}

async function look(
  { books, products, clock }: Deps,
  ref: Ref,
  product: ProductView | undefined,
): Promise<World> {
  // A copy, because one moment is looked at. Nothing is awaited from here on, so that no commit is missed.
  const known = new Map(await books.known());
  const world = {
    ref,
    nowMs: clock.nowMs(),
    product,
    known,
    views: [...products.values()],
    isProvenGone: false,
  };
  if (product !== undefined && wantedOf(world, product).trouble?.type === 'Taken') books.await(ref);
  return world;
}

async function apply(
  deps: Deps,
  world: World,
  action: Action,
  signal: AbortSignal,
): Promise<World> {
  if (action.type === 'ProveGone') return proveGone(deps, world, signal);
  // Decided again on what is known when it is our turn.
  await deps.books.commit((known) => commitOf(deps, { ...world, known }));
  return { ...(await look(deps, world.ref, world.product)), isProvenGone: world.isProvenGone };
}

/** One live read: a watch that lost its place must not close a product. */
async function proveGone(deps: Deps, world: World, signal: AbortSignal): Promise<World> {
  const object = await deps.client.get(API_PRODUCTS, world.ref, { signal });
  const uid = object?.metadata.uid;
  if (!ofName(world).some((record) => record.uid === uid)) return { ...world, isProvenGone: true };
  throw cacheBehind(`ApiProduct '${world.ref.name}'`);
}

async function commitOf(deps: Deps, world: World): Promise<ProductCommit | undefined> {
  const { product } = world;
  const ended = predecessorsOf(world).map((record) => ({ ...record, phase: 'Ended' as const }));
  const [first] = ended;
  if (product === undefined) return first && tell(deps, ended, first, 'ProductEnded');
  const wanted = wantedOf(world, product);
  const record = world.known.get(product.uid);
  if (first === undefined && isKnown(record, wanted)) return undefined;
  const next = await recordOf(deps, product, wanted);
  return tell(
    deps,
    [next, ...ended],
    next,
    record === undefined ? 'ProductOpened' : 'ProductChanged',
  );
}

async function recordOf(
  { books, clusterId }: Deps,
  { uid, ref }: ProductView,
  { state, access, match }: Wanted,
): Promise<ProductRecord> {
  const revision = await books.revisionOf(uid);
  return { clusterId, uid, ...ref, revision, phase: 'Live', state, access, match };
}

function tell(
  { clock }: Deps,
  records: readonly ProductRecord[],
  { name, state, access, match }: ProductRecord,
  action: string,
): ProductCommit {
  const facts = { product: name, state, access, patterns: match.length };
  return { records, audit: { action, actor: 'operator', atMs: clock.nowMs(), facts } };
}

async function report(
  deps: Deps,
  world: World,
  failure: KeywardError | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { product } = world;
  const status = wantedStatus(world, failure);
  if (product === undefined || status === undefined || isSameJson(status, product.status)) return;
  await deps.client.replaceStatus(API_PRODUCTS, statusDraft(API_PRODUCTS, product, status), {
    signal,
  });
}
