/**
 * Binds a database to another cluster: the one it belonged to was lost, and its objects were applied anew
 * under other UIDs. What becomes of each form and client is decided by whoever calls.
 *
 * All of it is one transaction. Killed in the middle nothing has happened, and it is run again.
 */
import { refText } from '../api/meta.ts';
import { type Archive, rowsOf, type TableView } from './archive.ts';
import { appendEntries, type NewEntry, replaceMeta } from './archivechain.ts';
import { DOCUMENT_COLUMNS, decodeDocument, encodeDocuments } from './documentrows.ts';
import type { DocumentHead } from './document.ts';
import type { ClientRecord, DocumentChange } from './documents.ts';
import type { FormRecord } from './form.ts';
import { closeForm } from './formchanges.ts';
import { carryCounts } from './rebindcounts.ts';
import { unused, type Restoration } from './restore.ts';
import { integer, type Row, text } from './rows.ts';

/** What a database knows of the cluster that it belongs to. */
export type BoundDatabase = {
  readonly clusterId: string;
  /** When it was last written. */
  readonly lastMs: number | undefined;
  /** Live forms and clients, by namespace and name. */
  readonly forms: readonly FormRecord[];
  readonly clients: readonly ClientRecord[];
  /** Types of stores at vendors by UID. */
  readonly storeTypes: ReadonlyMap<string, string>;
  /** Keys that are not ended yet, and the objects of which are gone. */
  readonly keys: number;
  /** UIDs of those that were revoked. */
  readonly revokedKeys: ReadonlySet<string>;
};

/** A live document of the old cluster, and the one in its place; undefined: it ends without. */
export type Succession =
  | {
      readonly kind: 'Form';
      readonly old: FormRecord;
      readonly next: FormRecord | undefined;
      /** Why there is none; empty: there is. */
      readonly because: string;
    }
  | {
      readonly kind: 'Client';
      readonly old: ClientRecord;
      readonly next: ClientRecord | undefined;
    };

/** To which cluster, and what becomes of each live form and client. */
type Rebinding = Restoration & {
  readonly clusterId: string;
  readonly successions: readonly Succession[];
  /** UIDs of the ApiKeys of that cluster by their refs as text. */
  readonly keyUids: ReadonlyMap<string, string>;
};

/** Bodies may be large. */
const DOCUMENT_ROWS = 50;
const DOCUMENT_KEYS = { name: 'documents', by: ['kind', 'uid'] } as const;
const DOCUMENTS: TableView = {
  ...DOCUMENT_KEYS,
  columns: [...DOCUMENT_COLUMNS, 'first_commit'],
  pageRows: DOCUMENT_ROWS,
};
const AUDIT_TIMES: TableView = { name: 'audit', by: ['commit_number'], columns: ['at'] };
/** Everything that is compared with the cluster of a commit, or tells whose it is. */
const BOUND_TABLES = ['keys', 'credentials', 'imports', 'rotation_requests', 'stores', 'documents'];

/** Reads what has to be decided about. @throws KeywardError Terminal DatabaseUnused */
export async function readBound(archive: Archive): Promise<BoundDatabase> {
  const { clusterId, commitCounter } = await archive.meta();
  if (clusterId === undefined) throw unused(archive);
  const forms: FormRecord[] = [];
  const clients: ClientRecord[] = [];
  for await (const row of rowsOf(archive, DOCUMENTS)) {
    const [kind, phase] = [row[0], row[6]];
    if (phase !== 'Live') continue;
    if (kind === 'Form') forms.push(decodeDocument<'Form'>(row));
    if (kind === 'Client') clients.push(decodeDocument<'Client'>(row));
  }
  const storeTypes = new Map<string, string>();
  const stores: TableView = { name: 'stores', by: ['store_uid'], columns: ['store_uid', 'type'] };
  for await (const [uid, type] of rowsOf(archive, stores)) {
    storeTypes.set(text(uid), text(type));
  }
  const [newest] = await archive.page(AUDIT_TIMES, [commitCounter - 1]);
  return {
    clusterId,
    lastMs: newest === undefined ? undefined : integer(newest[0]),
    forms: forms.toSorted(byName),
    clients: clients.toSorted(byName),
    storeTypes,
    ...(await readKeys(archive)),
  };
}

/**
 * Carries it out and commits. The epoch moves on too: should an operator of the old cluster still be there,
 * its next commit ends it.
 */
export async function rebindArchive(archive: Archive, rebinding: Rebinding): Promise<void> {
  const { actor, atMs, incarnation, clusterId, successions } = rebinding;
  const { clusterId: from, commitCounter: after, epoch } = await archive.meta();
  if (from === undefined) throw unused(archive);
  const first: NewEntry = { action: 'ClusterRebound', uid: '', facts: { from, to: clusterId } };
  const entries = [first, ...successions.map(entryOf)];
  await appendEntries(archive, entries, { clusterId, actor, atMs, after });
  // The entry about the whole is number `after` + 1.
  await succeed(archive, rebinding, after + 2);
  await carryCounts(archive, {
    forms: new Map(successions.flatMap(({ old, next }) => (next ? [[old.uid, next.uid]] : []))),
    keys: rebinding.keyUids,
  });
  for (const table of BOUND_TABLES) {
    // One transaction: one after the other.
    // oxlint-disable-next-line no-await-in-loop
    await archive.setCluster(table, clusterId);
  }
  await replaceMeta(archive, {
    cluster_id: clusterId,
    commit_counter: after + entries.length,
    epoch: epoch + 1,
    incarnation,
  });
  await archive.commit();
}

/** Old documents end, those in their place begin; `first` is the number of the first one's entry. */
async function succeed(
  archive: Archive,
  { successions, atMs }: Pick<Rebinding, 'successions' | 'atMs'>,
  first: number,
): Promise<void> {
  const begun = await readBegun(archive);
  const rows = successions.flatMap((succession, index) => {
    const { kind, old } = succession;
    const ended = rowOf(endingOf(succession, atMs), begun.get(`${kind}/${old.uid}`) ?? first);
    const next = beginningOf(succession);
    return next === undefined ? [ended] : [ended, rowOf(next, first + index)];
  });
  await archive.remove(
    DOCUMENTS,
    successions.map(({ kind, old }) => [kind, old.uid]),
  );
  for (let start = 0; start < rows.length; start += DOCUMENT_ROWS) {
    // One transaction: one after the other.
    // oxlint-disable-next-line no-await-in-loop
    await archive.insert(DOCUMENTS, rows.slice(start, start + DOCUMENT_ROWS));
  }
}

function rowOf(change: DocumentChange, firstCommit: number): Row {
  const [row] = encodeDocuments([change]);
  return [...(row?.identity ?? []), ...(row?.content ?? []), firstCommit];
}

function endingOf(succession: Succession, atMs: number): DocumentChange {
  if (succession.kind === 'Form') {
    const { kind, old } = succession;
    return { kind, document: closeForm(old, atMs), expectedRevision: old.revision };
  }
  const { kind, old } = succession;
  return { kind, document: { ...old, phase: 'Ended' }, expectedRevision: old.revision };
}

function beginningOf({ kind, next }: Succession): DocumentChange | undefined {
  // The kinds of both are the same, which the compiler loses when it takes them apart.
  return next && ({ kind, document: next, expectedRevision: 0 } as DocumentChange);
}

function entryOf(succession: Succession): NewEntry {
  const { old, next } = succession;
  const { namespace, name } = old;
  const uids = next === undefined ? { from: old.uid } : { from: old.uid, to: next.uid };
  const uid = next?.uid ?? old.uid;
  if (succession.kind === 'Client') {
    const action = next === undefined ? 'ClientEnded' : 'ClientCarriedOver';
    return {
      action,
      uid,
      facts: { namespace, client: name, state: succession.old.state, ...uids },
    };
  }
  const { grant, ended } = succession.old;
  const granted = grant === undefined ? {} : { round: grant.round, hash: grant.hash };
  const facts = { namespace, application: name, ...granted, ...uids };
  if (next !== undefined) return { action: 'GrantCarriedOver', uid, facts };
  const isOver = grant === undefined || ended !== undefined;
  const because = { because: 'ClusterRebuilt', why: succession.because };
  return { action: isOver ? 'FormEnded' : 'GrantEnded', uid, facts: { ...facts, ...because } };
}

/** The commits that began each document. */
async function readBegun(archive: Archive): Promise<ReadonlyMap<string, number>> {
  const begun = new Map<string, number>();
  const columns = ['kind', 'uid', 'first_commit'];
  for await (const [kind, uid, commit] of rowsOf(archive, { ...DOCUMENT_KEYS, columns })) {
    begun.set(`${text(kind)}/${text(uid)}`, integer(commit));
  }
  return begun;
}

async function readKeys(archive: Archive): Promise<Pick<BoundDatabase, 'keys' | 'revokedKeys'>> {
  let keys = 0;
  const revokedKeys = new Set<string>();
  const columns = ['id', 'uid', 'phase', 'state'];
  for await (const [, uid, phase, state] of rowsOf(archive, {
    name: 'keys',
    by: ['id'],
    columns,
  })) {
    if (phase === 'Live' || phase === 'Ending') keys += 1;
    if (state === 'Revoked') revokedKeys.add(text(uid));
  }
  return { keys, revokedKeys };
}

function byName(a: DocumentHead, b: DocumentHead): number {
  return refText(a) < refText(b) ? -1 : 1;
}
