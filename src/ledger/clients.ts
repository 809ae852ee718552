/** What is in force for a client, out of what its spec says and what reviewers decided. Pure. */
import type { ClientRecord, HeldState } from './documents.ts';

/** The stricter of both; an edit of the spec lifts nothing that a reviewer imposed. */
export function clientState(
  wanted: 'Active' | 'Suspended',
  held: HeldState | undefined,
): ClientRecord['state'] {
  return held?.state ?? wanted;
}

/** A client of the same name in the cluster that was made in place of a lost one. */
type ClientHome = {
  readonly clusterId: string;
  readonly uid: string;
  readonly wanted: 'Active' | 'Suspended';
};

/**
 * The record of the new client: what reviewers decided about the old one goes on to hold, its registration
 * too, because neither was ever about more than the name. Only of a Live record.
 */
export function carryClient(
  old: ClientRecord,
  { clusterId, uid, wanted }: ClientHome,
): ClientRecord {
  return { ...old, clusterId, uid, revision: 0, state: clientState(wanted, old.held) };
}
