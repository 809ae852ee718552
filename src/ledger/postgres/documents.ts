/** Documents in PostgreSQL: what a batch makes of them, and how they are read. */
import { AUDIT_COLUMNS } from '../audit.ts';
import {
  DOCUMENT_COLUMNS,
  DOCUMENT_CONTENT,
  DOCUMENT_IDENTITY,
  documentKey,
  type DocumentRow,
} from '../documentrows.ts';
import type { Answers, DocumentRead } from '../requests.ts';
import { integer, type Row, text, type Value } from '../rows.ts';
import type { Connection } from './connection.ts';
import type { Qualify } from './names.ts';

const COLUMNS = DOCUMENT_COLUMNS.join(', ');

/** Revisions of the documents that a batch names; those that are not there have none. */
export type StoredDocuments = ReadonlyMap<string, number>;

/** A document that the batch changes, as it is left behind. */
export type DocumentDraft = {
  readonly row: DocumentRow;
  readonly isNew: boolean;
  readonly firstCommit: number;
};

/** The documents of a batch; each commit sees what those before it left. Pure. */
export class DocumentDrafts {
  readonly #stored: StoredDocuments;
  readonly #drafts = new Map<string, DocumentDraft>();

  constructor(stored: StoredDocuments) {
    this.#stored = stored;
  }

  /** True when each of them has the revision that its commit expects. */
  areCurrent(documents: readonly DocumentRow[]): boolean {
    return documents.every((document) => {
      const name = documentKey(document);
      const before = this.#drafts.get(name)?.row.expectedRevision;
      const revision = before === undefined ? (this.#stored.get(name) ?? 0) : before + 1;
      return revision === document.expectedRevision;
    });
  }

  /** Only after `areCurrent`. */
  write(documents: readonly DocumentRow[], commitNumber: number): void {
    for (const row of documents) {
      const name = documentKey(row);
      const before = this.#drafts.get(name);
      const isNew = before?.isNew ?? !this.#stored.has(name);
      const firstCommit = before?.firstCommit ?? commitNumber;
      this.#drafts.set(name, { row, isNew, firstCommit });
    }
  }

  /** What is left to be written. */
  result(): readonly DocumentDraft[] {
    return [...this.#drafts.values()];
  }
}

/** Columns and rows of drafts, those to insert and those to update. */
export function rowsOfDocuments(drafts: readonly DocumentDraft[]) {
  const added = drafts.filter(({ isNew }) => isNew);
  const changed = drafts.filter(({ isNew }) => !isNew);
  return {
    insert: {
      columns: [...DOCUMENT_COLUMNS, 'first_commit'],
      rows: added.map(({ row, firstCommit }): Row => [
        ...row.identity,
        ...row.content,
        firstCommit,
      ]),
    },
    update: {
      columns: { by: DOCUMENT_IDENTITY.slice(0, 2), set: DOCUMENT_CONTENT },
      rows: changed.map(({ row }): Row => [...row.identity.slice(0, 2), ...row.content]),
    },
  };
}

/** Reads the revisions of documents; asks nothing for none. */
export async function readRevisions(
  connection: Connection,
  qualify: Qualify,
  documents: readonly DocumentRow[],
): Promise<StoredDocuments> {
  if (documents.length === 0) return new Map();
  const rows = await connection.query(
    qualify(
      `SELECT d.kind, d.uid, d.revision FROM {schema}.documents d
       JOIN (SELECT DISTINCT * FROM unnest($1::text[], $2::text[]) AS each (kind, uid)) asked
         ON d.kind = asked.kind AND d.uid = asked.uid`,
    ),
    [documents.map(({ kind }) => kind), documents.map(({ uid }) => uid)],
  );
  return new Map(
    rows.map(([kind, uid, revision]) => [`${text(kind)}/${text(uid)}`, integer(revision)]),
  );
}

/** The answer to a request for documents, or for the audit chain as people read it. */
export async function readDocuments(
  { connection, qualify }: { readonly connection: Connection; readonly qualify: Qualify },
  request: DocumentRead,
): Promise<Answers[DocumentRead['type']]> {
  const select = `SELECT ${COLUMNS} FROM {schema}.documents WHERE kind = $1`;
  const ask = (sql: string, values: readonly Value[]): Promise<readonly Row[]> =>
    connection.query(qualify(sql), values);
  switch (request.type) {
    case 'loadDocument':
      return (await ask(`${select} AND uid = $2`, [request.kind, request.uid]))[0];
    case 'findDocument': {
      const { kind, namespace, name } = request;
      const newest = `${select} AND namespace = $2 AND name = $3 AND phase = 'Live'
        ORDER BY first_commit DESC LIMIT 1`;
      return (await ask(newest, [kind, namespace, name]))[0];
    }
    case 'scanDocuments': {
      const { kind, after = '', limit } = request;
      const page = `${select} AND uid > $2 AND phase = 'Live' ORDER BY uid LIMIT $3`;
      return ask(page, [kind, after, limit]);
    }
    case 'auditLines': {
      const { before = Number.MAX_SAFE_INTEGER, after, uid, by, limit } = request;
      const lines = `SELECT ${AUDIT_COLUMNS.join(', ')} FROM {schema}.audit
        WHERE commit_number < $1 AND commit_number > $2 AND uid = coalesce($3, uid)
          AND strpos(actor, $4) = 1
        ORDER BY commit_number ${after === undefined ? 'DESC' : 'ASC'} LIMIT $5`;
      return ask(lines, [before, after ?? 0, uid ?? null, by, limit]);
    }
  }
}
