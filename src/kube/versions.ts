/** Order of resource versions: decimal numbers of any length, kept as the text that was sent. */

/**
 * Whether `a` is a later version than `b`; '' is before everything. Comparable for all objects of
 * one resource (API conventions, "resource versions", since Kubernetes 1.35 a promise, before that
 * true of every etcd-backed resource).
 */
export function isLater(a: string, b: string): boolean {
  // Compared as text, because numbers beyond 2^53 lose digits and BigInt costs an allocation each.
  return a.length === b.length ? a > b : a.length > b.length;
}
