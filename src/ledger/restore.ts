/**
 * Marks a database that was restored from a backup: a new incarnation, under which nobody takes it for
 * the newer database it once was, and an audit entry that says who did it.
 */
import type { Archive } from './archive.ts';
import { appendEntries, replaceMeta } from './archivechain.ts';
import { terminal } from './refusals.ts';

/** Who restored, when, and the new incarnation: 32 random hexadecimal digits. */
export type Restoration = {
  readonly actor: string;
  readonly atMs: number;
  readonly incarnation: string;
};

/**
 * Writes both and commits. Positions of the change feed end with the old incarnation, so readers
 * begin anew. Each call makes another incarnation.
 *
 * @throws KeywardError Terminal DatabaseUnused: no operator ever wrote there
 */
export async function markRestored(
  archive: Archive,
  { actor, atMs, incarnation }: Restoration,
): Promise<{ readonly commitCounter: number }> {
  const { clusterId, commitCounter: after, incarnation: before } = await archive.meta();
  if (clusterId === undefined) throw unused(archive);
  const entry = { action: 'DatabaseRestored', uid: '', facts: { incarnation, before } };
  await appendEntries(archive, [entry], { clusterId, actor, atMs, after });
  const commitCounter = after + 1;
  await replaceMeta(archive, { commit_counter: commitCounter, incarnation });
  await archive.commit();
  return { commitCounter };
}

/** No operator ever wrote there. */
export function unused({ label }: Pick<Archive, 'label'>): Error {
  return terminal(
    'DatabaseUnused',
    `database "${label}" was never used; there is nothing to restore`,
  );
}
