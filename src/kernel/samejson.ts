/** Pure; compares values as JSON would write them. */

/**
 * Whether both would be the same JSON text if the fields of every object stood in one order: the API
 * server returns fields in an order of its own. Lists keep theirs; as in JSON, a field that is
 * undefined is absent, and a member of a list that is undefined is null.
 */
export function isSameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((member, index) => isSameJson(member ?? null, b[index] ?? null));
  }
  return hasAll(a, b) && hasAll(b, a, 'Names');
}

/** Each field of `a` that is there has its like in `b`; with Names only the names are looked at. */
function hasAll(a: object, b: object, compare: 'Values' | 'Names' = 'Values'): boolean {
  // Fields of plain data are read by name; each is compared, never trusted.
  const theirs = b as Readonly<Record<string, unknown>>;
  for (const [name, value] of Object.entries(a)) {
    if (value === undefined) continue;
    const other = theirs[name];
    if (compare === 'Names' ? other === undefined : !isSameJson(value, other)) return false;
  }
  return true;
}
