/** What the status of a product says. Pure. */
import { productReady } from '../../api/applicationconditions.ts';
import { mergeConditions, type WantedCondition } from '../../api/reasons.ts';
import type { ApiProductSpec, ApiProductStatus } from '../../api/generated/apiproduct.ts';
import type { ProductView, World } from './world.ts';

const MESSAGES = {
  Published: 'the product can be asked for',
  Deprecated: 'whoever has the product keeps it; nobody gets it anew',
  Retired: 'calls to the product are refused',
} as const;

/** The status as it should be. */
export function wantedStatus({ product, others, nowMs }: World): ApiProductStatus {
  const { generation, status, spec } = product;
  return {
    observedGeneration: generation,
    conditions: mergeConditions(status?.conditions ?? [], ready(spec, others), {
      nowMs,
      generation,
    }),
  };
}

function ready(spec: ApiProductSpec, others: readonly ProductView[]): readonly WantedCondition[] {
  const claims = claimsOf(spec);
  // What is retired claims nothing any more.
  const rival = others.find(
    (other) =>
      other.spec.state !== 'Retired' &&
      claimsOf(other.spec).some((claim) => claims.includes(claim)),
  );
  if (rival !== undefined && spec.state !== 'Retired') {
    const shared = claimsOf(rival.spec).find((claim) => claims.includes(claim)) ?? '';
    const message = `spec.match claims "${shared}", and so does ApiProduct '${rival.ref.name}'; no request can belong to both`;
    return productReady('InvalidSpec', message);
  }
  return productReady(spec.state, MESSAGES[spec.state]);
}

/** Each request pattern that is claimed, in one spelling: host, path and method. */
function claimsOf({ match = [] }: ApiProductSpec): readonly string[] {
  return match.flatMap(({ hosts = [], pathPrefix, methods = [] }) => {
    const path = pathPrefix.replace(/\/+$/, '');
    return orAny(hosts).flatMap((host) =>
      orAny(methods).map((method) => `${method} ${host.toLowerCase()}${path}/`),
    );
  });
}

function orAny(list: readonly string[]): readonly string[] {
  return list.length === 0 ? ['*'] : list;
}
