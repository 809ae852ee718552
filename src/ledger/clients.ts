/** What is in force for a client, out of what its spec says and what reviewers decided. Pure. */
import type { ClientRecord, HeldState } from './documents.ts';

/** The stricter of both; an edit of the spec lifts nothing that a reviewer imposed. */
export function clientState(
  wanted: 'Active' | 'Suspended',
  held: HeldState | undefined,
): ClientRecord['state'] {
  return held?.state ?? wanted;
}
