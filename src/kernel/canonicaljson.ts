/** Pure; JSON text that is the same for the same content. */

/**
 * JSON text in the canonical form of RFC 8785: fields in the order of their UTF-16 code units, no
 * blanks, numbers and strings as ECMAScript writes them. So two texts can be compared or hashed,
 * although the API server returns fields in an order of its own. Lists keep theirs. As in JSON, a
 * field that is undefined is absent, and a member of a list that is undefined is null.
 *
 * Half of a surrogate pair, which that RFC refuses, is written as an escape, which nothing else is:
 * it makes a text of its own instead of an error.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value))
    return `[${value.map((member: unknown) => canonicalJson(member ?? null)).join(',')}]`;
  const fields = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    // Not by an object made anew: that would put names such as "10" first.
    .toSorted(([x], [y]) => (x < y ? -1 : 1));
  return `{${fields.map(([name, inner]) => `${JSON.stringify(name)}:${canonicalJson(inner)}`).join(',')}}`;
}
