/** Documents in a ledger file: compared and written by the writer, read by everybody. */
import type { DatabaseSync } from 'node:sqlite';
import { AUDIT_COLUMNS } from '../audit.ts';
import { DOCUMENT_COLUMNS, DOCUMENT_IDENTITY, type DocumentRow } from '../documentrows.ts';
import { foreign } from '../refusals.ts';
import type { Answers, DocumentRead } from '../requests.ts';
import { integer } from '../rows.ts';
import { prepare } from './statements.ts';

const COLUMNS = DOCUMENT_COLUMNS.join(', ');

/** Writes documents inside a transaction that the engine holds open. */
export class DocumentWriter {
  readonly #statements: ReturnType<typeof prepareWrites>;

  constructor(db: DatabaseSync) {
    this.#statements = prepareWrites(db);
  }

  /**
   * True when each of them has the revision that its commit expects.
   *
   * @throws KeywardError Terminal ForeignDatabase
   */
  areCurrent(documents: readonly DocumentRow[], clusterId: string | undefined): boolean {
    return documents.every((document) => {
      if (document.clusterId !== clusterId) throw foreign(clusterId, document.clusterId);
      const stored = this.#statements.revision.get(document.kind, document.uid);
      return (stored === undefined ? 0 : integer(stored[0])) === document.expectedRevision;
    });
  }

  /** Only after `areCurrent`. */
  write(documents: readonly DocumentRow[], commitNumber: number): void {
    for (const { kind, uid, identity, content, expectedRevision } of documents) {
      if (expectedRevision === 0) this.#statements.add.run(...identity, ...content, commitNumber);
      else this.#statements.change.run(...content, kind, uid);
    }
  }
}

function prepareWrites(db: DatabaseSync) {
  const places = DOCUMENT_IDENTITY.map(() => '?').join(', ');
  return {
    revision: prepare(db, 'SELECT revision FROM documents WHERE kind = ? AND uid = ?'),
    add: prepare(
      db,
      `INSERT INTO documents (${COLUMNS}, first_commit) VALUES (${places}, ?, ?, ?, ?)`,
    ),
    change: prepare(
      db,
      'UPDATE documents SET revision = ?, phase = ?, body = ? WHERE kind = ? AND uid = ?',
    ),
  };
}

/** Compiles the queries for documents and for the audit chain as people read it. */
export function prepareDocuments(db: DatabaseSync) {
  const byUid = prepare(db, `SELECT ${COLUMNS} FROM documents WHERE kind = ? AND uid = ?`);
  const byName = prepare(
    db,
    `SELECT ${COLUMNS} FROM documents WHERE kind = ? AND namespace = ? AND name = ?
       AND phase = 'Live' ORDER BY first_commit DESC LIMIT 1`,
  );
  const page = prepare(
    db,
    `SELECT ${COLUMNS} FROM documents WHERE kind = ? AND uid > ? AND phase = 'Live'
     ORDER BY uid LIMIT ?`,
  );
  const lines = (order: 'ASC' | 'DESC') =>
    prepare(
      db,
      `SELECT ${AUDIT_COLUMNS.join(', ')} FROM audit
       WHERE commit_number < ? AND commit_number > ? AND uid = coalesce(?, uid)
         AND instr(actor, ?) = 1
       ORDER BY commit_number ${order} LIMIT ?`,
    );
  const newestFirst = lines('DESC');
  const oldestFirst = lines('ASC');
  return (request: DocumentRead): Answers[DocumentRead['type']] => {
    switch (request.type) {
      case 'loadDocument':
        return byUid.get(request.kind, request.uid);
      case 'findDocument':
        return byName.get(request.kind, request.namespace, request.name);
      case 'scanDocuments':
        return page.all(request.kind, request.after ?? '', request.limit);
      case 'auditLines': {
        const { before = Number.MAX_SAFE_INTEGER, after, uid, by, limit } = request;
        const found = after === undefined ? newestFirst : oldestFirst;
        return found.all(before, after ?? 0, uid ?? null, by, limit);
      }
    }
  };
}
