/**
 * Marks a database that was restored from a backup: a new incarnation, under which nobody takes it for
 * the newer database it once was, and an audit entry that says who did it.
 */
import { type Archive, type TableView } from './archive.ts';
import { AUDIT_COLUMNS, CHAIN_START, hashEntry, writeFacts } from './audit.ts';
import { terminal } from './refusals.ts';
import { bytes, type Row } from './rows.ts';

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
  const { clusterId, commitCounter, incarnation: before } = await archive.meta();
  if (clusterId === undefined) {
    throw terminal(
      'DatabaseUnused',
      `database "${archive.label}" was never used; there is nothing to restore`,
    );
  }
  const audit: TableView = { name: 'audit', by: ['commit_number'], columns: AUDIT_COLUMNS };
  const [newest] = await archive.page(audit, [commitCounter - 1]);
  const previous = newest === undefined ? CHAIN_START : bytes(newest.at(-1));
  const entry = {
    commitNumber: commitCounter + 1,
    clusterId,
    atMs,
    actor,
    action: 'DatabaseRestored',
    uid: '',
    facts: writeFacts({ incarnation, before }),
  };
  const hash = hashEntry(previous, entry);
  const { commitNumber, action, uid, facts } = entry;
  await archive.insert(audit, [
    [commitNumber, clusterId, atMs, actor, action, uid, facts, previous, hash],
  ]);
  await replaceMeta(archive, { commit_counter: commitNumber, incarnation });
  await archive.commit();
  return { commitCounter: commitNumber };
}

async function replaceMeta(
  archive: Archive,
  changes: Readonly<Record<string, string | number>>,
): Promise<void> {
  const columns = await archive.columns('meta');
  const meta: TableView = { name: 'meta', by: ['id'], columns };
  const [row = []] = await archive.page(meta, undefined);
  const changed: Row = row.map((value, index) => changes[columns[index] ?? ''] ?? value);
  await archive.clear('meta');
  await archive.insert(meta, [changed]);
}
