/** metav1.MicroTime, which Leases and Events use. */

/** An instant with the six digits of a second that the API server insists on. */
export function formatMicroTime(atMs: number): string {
  return new Date(atMs).toISOString().replace('Z', '000Z');
}
