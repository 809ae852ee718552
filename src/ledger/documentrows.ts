/**
 * Documents as rows and back, in the manner of rows.ts. Pure. The body is JSON text, in which every
 * character that a database might refuse or change (U+0000, half a surrogate pair) is escaped.
 */
import { KeywardError } from '../kernel/errors.ts';
import type { DocumentHead } from './document.ts';
import type { DocumentChange, DocumentKind, Documents } from './documents.ts';
import { integer, type Row, rowCorrupt, text } from './rows.ts';

/** Columns of `documents` that never change. */
export const DOCUMENT_IDENTITY = ['kind', 'uid', 'cluster_id', 'namespace', 'name'] as const;
/** Columns of `documents` that each commit writes. */
export const DOCUMENT_CONTENT = ['revision', 'phase', 'body'] as const;
/** Columns as `decodeDocument` reads them. */
export const DOCUMENT_COLUMNS = [...DOCUMENT_IDENTITY, ...DOCUMENT_CONTENT] as const;

/** A document as it is written. */
export type DocumentRow = {
  readonly kind: DocumentKind;
  readonly uid: string;
  readonly clusterId: string;
  readonly identity: Row;
  readonly content: Row;
  readonly expectedRevision: number;
};

/**
 * The rows of documents that change together.
 *
 * @throws KeywardError Bug when one of them is named twice, so that its revision would be compared
 * with a state that is never stored
 */
export function encodeDocuments(changes: readonly DocumentChange[]): readonly DocumentRow[] {
  const rows = changes.map(encodeDocument);
  if (new Set(rows.map(documentKey)).size === rows.length) return rows;
  throw bug('a commit changes the same document twice');
}

/**
 * As `encodeDocuments`, of a commit that has no key to be about.
 *
 * @throws KeywardError Bug as well when there is none
 */
export function encodeSomeDocuments(changes: readonly DocumentChange[]): readonly DocumentRow[] {
  if (changes.length > 0) return encodeDocuments(changes);
  throw bug('a commit of documents names none');
}

function encodeDocument({ kind, document, expectedRevision }: DocumentChange): DocumentRow {
  const { clusterId, uid, namespace, name, revision: _, phase, ...body } = document;
  return {
    kind,
    uid,
    clusterId,
    identity: [kind, uid, clusterId, namespace, name],
    content: [expectedRevision + 1, phase, JSON.stringify(body)],
    expectedRevision,
  };
}

/** Tells documents apart within one database. */
export function documentKey({ kind, uid }: Pick<DocumentRow, 'kind' | 'uid'>): string {
  return `${kind}/${uid}`;
}

/**
 * The document of a row of DOCUMENT_COLUMNS, which was asked for by its kind.
 *
 * @throws KeywardError Terminal RowCorrupt when a column does not hold what the schema says
 */
export function decodeDocument<K extends DocumentKind>(row: Row): Documents[K] {
  const [kind, uid, clusterId, namespace, name, revision, phase, body] = row;
  const head: DocumentHead = {
    clusterId: text(clusterId),
    uid: text(uid),
    namespace: text(namespace),
    name: text(name),
    revision: integer(revision),
    // A CHECK constraint of the schema enforces these words.
    phase: text(phase) as DocumentHead['phase'],
  };
  // Written by `encodeDocument` from the same type, which the kind in the row names.
  return { ...parseBody(text(body), `${text(kind)} ${head.uid}`), ...head } as Documents[K];
}

function parseBody(json: string, whose: string): object {
  try {
    // What `encodeDocument` wrote is an object.
    return JSON.parse(json) as object;
  } catch (cause) {
    throw rowCorrupt(`the document of ${whose}`, cause);
  }
}

/** False for text that no database holds, so that nothing is found under it. */
export function isStorable(name: string): boolean {
  return !name.includes('\0') && name.isWellFormed();
}

function bug(message: string): KeywardError {
  return new KeywardError('Bug', { reason: 'IllegalCommit', message });
}
