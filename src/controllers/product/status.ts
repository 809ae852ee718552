/** What the status of a product says. Pure. */
import { productReady } from '../../api/applicationconditions.ts';
import { mergeConditions, type WantedCondition } from '../../api/reasons.ts';
import type { ApiProductStatus } from '../../api/generated/apiproduct.ts';
import type { KeywardError } from '../../kernel/errors.ts';
import { isKnown, wantedOf, type Trouble } from './plan.ts';
import type { ProductView, World } from './world.ts';

const MESSAGES = {
  Published: 'the product can be asked for',
  Deprecated: 'whoever has the product keeps it; nobody gets it anew',
  Retired: 'calls to the product are refused',
} as const;

/** The status as it should be; undefined where there is no object to show it on. */
export function wantedStatus(
  world: World,
  failure: KeywardError | undefined,
): ApiProductStatus | undefined {
  const { product, nowMs } = world;
  if (product === undefined || product.isDeleting) return undefined;
  const { generation, status } = product;
  return {
    observedGeneration: generation,
    conditions: mergeConditions(status?.conditions ?? [], ready(world, product, failure), {
      nowMs,
      generation,
    }),
  };
}

function ready(
  world: World,
  product: ProductView,
  failure: KeywardError | undefined,
): readonly WantedCondition[] {
  const record = world.known.get(product.uid);
  const wanted = wantedOf(world, product);
  // Nothing is told before gates can act on it.
  if (!isKnown(record, wanted)) {
    const why = failure === undefined ? '' : `: ${failure.message}`;
    return productReady('Pending', `gates do not know this spec yet${why}`);
  }
  const { spec } = product;
  const { trouble, state } = wanted;
  if (trouble === undefined) return productReady(spec.state, MESSAGES[spec.state]);
  const stays =
    state === spec.state
      ? 'spec.match does not take effect until that changes'
      : 'the product stays retired until that changes';
  return productReady('InvalidSpec', `${whatIsWrong(trouble)}; ${stays}`);
}

function whatIsWrong(trouble: Trouble): string {
  return trouble.type === 'Taken'
    ? `spec.match claims "${trouble.claim}", which ApiProduct '${trouble.name}' has`
    : `spec.match names the path "${trouble.path}", which servers read in more than one way`;
}
