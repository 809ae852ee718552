/** Pure; JSON text that is the same for the same content. */

/**
 * JSON text with the fields of every object in one order, so that two texts can be compared: the
 * API server returns fields in an order of its own. Lists keep theirs.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([x], [y]) => (x < y ? -1 : 1)))
      : inner,
  );
}
