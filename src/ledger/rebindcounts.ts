/**
 * Uses of quotas in another cluster: what was counted for a form or a key goes on being counted for the
 * one in its place, so that binding a database anew fills no quota up.
 */
import { refText } from '../api/meta.ts';
import { type Archive, PAGE, rowsOf, type TableView } from './archive.ts';
import { integer, optionalInteger, type Row, text } from './rows.ts';
import { addUses } from './uses.ts';

/** Who is in whose place. */
type Successors = {
  /** UIDs of new forms by those of the old ones. */
  readonly forms: ReadonlyMap<string, string>;
  /** UIDs of the ApiKeys of the new cluster by their refs as text. */
  readonly keys: ReadonlyMap<string, string>;
};

const COUNTS: TableView = {
  name: 'counts',
  by: ['subject', 'window_start'],
  columns: ['subject', 'window_start', 'window_end', 'reserved'],
};
const KEY_NAMES: TableView = {
  name: 'keys',
  by: ['id'],
  columns: ['id', 'uid', 'namespace', 'name', 'phase'],
};

/**
 * Copies the counts; commits nothing. The old ones stay, should a gate that was not stopped still count
 * there. What leases hold counts as spent, as that of every gate which is gone.
 */
export async function carryCounts(archive: Archive, { forms, keys }: Successors): Promise<void> {
  const keyUids = await keySuccessors(archive, keys);
  const carried = new Map<string, Row>();
  for await (const [oldSubject, start, end = null, reserved] of rowsOf(archive, COUNTS)) {
    const subject = successorOf(text(oldSubject), forms, keyUids);
    if (subject === undefined) continue;
    const name = `${integer(start)}/${subject}`;
    // Two old keys of one name: the new one has used what both have.
    const uses = addUses(integer(carried.get(name)?.[3] ?? 0), integer(reserved));
    carried.set(name, [subject, integer(start), optionalInteger(end) ?? null, uses]);
  }
  const rows = [...carried.values()];
  for (let first = 0; first < rows.length; first += PAGE) {
    // One transaction: one after the other.
    // oxlint-disable-next-line no-await-in-loop
    await archive.insert(COUNTS, rows.slice(first, first + PAGE));
  }
}

/** As `quotaSubject` in gate.ts makes them; undefined: nobody is in its place. */
function successorOf(
  subject: string,
  forms: ReadonlyMap<string, string>,
  keys: ReadonlyMap<string, string>,
): string | undefined {
  const [kind, uid = '', round] = subject.split('/');
  const next = kind === 'grant' ? forms.get(uid) : keys.get(uid);
  if (next === undefined) return undefined;
  return kind === 'grant' ? `grant/${next}/${round}` : `key/${next}`;
}

/** UIDs of the new cluster by those of old keys that had an object. */
async function keySuccessors(
  archive: Archive,
  keys: Successors['keys'],
): Promise<ReadonlyMap<string, string>> {
  const successors = new Map<string, string>();
  if (keys.size === 0) return successors;
  for await (const [, uid, namespace, name, phase] of rowsOf(archive, KEY_NAMES)) {
    const next = keys.get(refText({ namespace: text(namespace), name: text(name) }));
    if (next !== undefined && phase === 'Live') successors.set(text(uid), next);
  }
  return successors;
}
