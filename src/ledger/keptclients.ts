/**
 * What reviewers imposed on a client outlives its object, under its name: else deleting a client and making it anew
 * would lift what no edit can. Kept as a document of its own, until the next object of the name takes
 * it over. Pure.
 */
import type { ClientRecord } from './documents.ts';

/** In front of namespace and name in place of a UID; no UID has a slash. */
const KEPT = 'kept/';

/** What is kept of a client whose object is gone; undefined: reviewers imposed nothing on it. */
export function keptOf(record: ClientRecord): ClientRecord | undefined {
  const { held, clusterId, namespace, name } = record;
  if (held === undefined) return undefined;
  const uid = `${KEPT}${namespace}/${name}`;
  return { clusterId, uid, namespace, name, revision: 0, phase: 'Live', state: held.state, held };
}

/** Whether this is about no object, but was kept of one. */
export function isKept({ uid }: Pick<ClientRecord, 'uid'>): boolean {
  return uid.startsWith(KEPT);
}
