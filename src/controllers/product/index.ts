/**
 * The controller of ApiProducts: shows whether a product can be asked for. Nothing is kept of it: forms
 * and gates read the object, and what was granted names it.
 */
import type { Ref } from '../../api/meta.ts';
import { API_PRODUCTS, API_VERSION } from '../../api/names.ts';
import type { Clock } from '../../kernel/clock.ts';
import { isSameJson } from '../../kernel/samejson.ts';
import type { Cache, Change, KubeClient } from '../../kube/port.ts';
import type { Steps } from '../../runtime/pipeline.ts';
import type { Wake } from '../../runtime/trigger.ts';
import { wantedStatus } from './status.ts';
import type { ProductView, World } from './world.ts';

/** What the controller works with. */
export type Deps = {
  readonly products: Pick<Cache<ProductView>, 'get' | 'values'>;
  readonly client: Pick<KubeClient, 'replaceStatus'>;
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
  return [ref, ...others].map((each) => ({ ref: each, lane: 'bulk' }));
}

/** The steps for the pipeline: there is nothing to do but to tell. */
export function productSteps(deps: Deps): Steps<World, never> {
  return {
    name: 'apiproduct',
    observe: async (ref) => observe(deps, ref),
    next: () => undefined,
    apply: async (world) => world,
    report: (world, _, signal) => report(deps, world, signal),
    lookAgainAtMs: () => undefined,
  };
}

function observe({ products, clock }: Deps, ref: Ref): World | undefined {
  const product = products.get(ref);
  if (product === undefined || product.isDeleting) return undefined;
  const others = [...products.values()].filter(({ uid }) => uid !== product.uid);
  return { nowMs: clock.nowMs(), product, others };
}

async function report(deps: Deps, world: World, signal: AbortSignal): Promise<void> {
  const { ref, uid, resourceVersion, status } = world.product;
  const wanted = wantedStatus(world);
  if (isSameJson(wanted, status)) return;
  await deps.client.replaceStatus(
    API_PRODUCTS,
    {
      apiVersion: API_VERSION,
      kind: 'ApiProduct',
      metadata: { name: ref.name, uid, resourceVersion },
      status: wanted,
    },
    { signal },
  );
}
