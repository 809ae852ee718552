/**
 * Decides a batch of commits: each one sees what those before it did, and what all of them leave
 * behind is written at once. Pure: it compares with what was read under the database's lock.
 */
import { KeywardError } from '../../kernel/errors.ts';
import { chainRow } from '../audit.ts';
import type { DocumentRow } from '../documentrows.ts';
import { fenced, foreign } from '../refusals.ts';
import type {
  Answers,
  Audited,
  AuditedRequest,
  CommitRequest,
  DocumentsRequest,
} from '../requests.ts';
import {
  AT,
  CREDENTIAL_CONTENT,
  type CredentialRows,
  integer,
  nameOf,
  type Row,
  text,
} from '../rows.ts';
import { countedStore, type KeyCounts } from '../keycounts.ts';
import { type DocumentDraft, DocumentDrafts } from './documents.ts';
import type { Head, Stored } from './stored.ts';

/** A credential that the batch touches. */
export type CredentialDraft = {
  readonly sequence: number;
  readonly isNew: boolean;
  readonly epoch: number;
  /** What to write; undefined: it only ends. */
  readonly rows: CredentialRows | undefined;
  /** When it ended; undefined: it did not. */
  readonly endedAtMs: number | undefined;
};

/** A key that the batch changes, as it is left behind. */
export type KeyDraft = {
  readonly id: number;
  readonly isNew: boolean;
  readonly identity: Row;
  content: Row;
  revision: number;
  endedAtMs: number | null;
  /** Names of the credentials that are not Deleted, with their sequences. */
  open: ReadonlyMap<string, number>;
  readonly credentials: Map<string, CredentialDraft>;
};

/** What a batch comes to. */
export type Decision = {
  /** One per commit, in order. */
  readonly answers: readonly (Answers['commit'] | KeywardError)[];
  readonly keys: readonly KeyDraft[];
  readonly documents: readonly DocumentDraft[];
  /** Rows of uid, request id and cluster id. */
  readonly spent: readonly Row[];
  /** Rows of lookup, key, sequence and cluster id. */
  readonly imports: readonly Row[];
  /** Rows of AUDIT_COLUMNS. */
  readonly audit: readonly Row[];
  readonly commitCounter: number;
  /** Time of the newest commit; 0: nothing is committed. */
  readonly atMs: number;
};

/** Decides `commits` in order; `keyCounts` is kept up to date as if all of it were committed. */
export function decide(
  commits: readonly AuditedRequest[],
  known: { readonly head: Head; readonly stored: Stored; readonly keyCounts: KeyCounts },
): Decision {
  const draft = new Draft(known);
  const answers = commits.map((commit) => draft.apply(commit));
  return { answers, ...draft.result() };
}

class Draft {
  readonly #head: Head;
  readonly #stored: Stored;
  readonly #keyCounts: KeyCounts;
  readonly #keys = new Map<string, KeyDraft>();
  readonly #documents: DocumentDrafts;
  readonly #spent = new Map<string, Row>();
  readonly #imports = new Map<string, Row>();
  readonly #audit: Row[] = [];
  #hash: Uint8Array;
  #atMs = 0;

  constructor({ head, stored, keyCounts }: Parameters<typeof decide>[1]) {
    this.#head = head;
    this.#stored = stored;
    this.#documents = new DocumentDrafts(stored.documents);
    this.#keyCounts = keyCounts;
    this.#hash = head.hash;
  }

  result(): Omit<Decision, 'answers'> {
    return {
      keys: [...this.#keys.values()],
      documents: this.#documents.result(),
      spent: [...this.#spent.values()],
      imports: [...this.#imports.values()],
      audit: this.#audit,
      commitCounter: this.#head.commitCounter + this.#audit.length,
      atMs: this.#atMs,
    };
  }

  apply(request: AuditedRequest): Decision['answers'][number] {
    const refusal = this.#refusal(request);
    if (refusal !== undefined) return refusal;
    return request.type === 'commit' ? this.#applyKey(request) : this.#applyDocuments(request);
  }

  #refusal(request: AuditedRequest): KeywardError | undefined {
    const { epoch, clusterId } = this.#head;
    if (request.epoch !== epoch || epoch === 0) return fenced(request.epoch, epoch);
    const clusters = request.documents.map((document) => document.clusterId);
    if (request.type === 'commit') clusters.unshift(text(request.rows.identity[0]));
    const other = clusters.find((each) => each !== clusterId);
    return other === undefined ? undefined : foreign(clusterId, other);
  }

  #applyDocuments(request: DocumentsRequest): Answers['commitDocuments'] {
    const { documents, atMs } = request;
    if (!this.#documents.areCurrent(documents)) return { type: 'Stale' };
    this.#writeDocuments(documents);
    this.#chain(documents[0]?.uid ?? '', request);
    this.#atMs = Math.max(this.#atMs, atMs);
    return { type: 'Committed' };
  }

  /** Before the commit is counted. */
  #writeDocuments(documents: readonly DocumentRow[]): void {
    this.#documents.write(documents, this.#head.commitCounter + this.#audit.length + 1);
  }

  #applyKey(request: CommitRequest): Decision['answers'][number] {
    const { identity, content } = request.rows;
    const before = this.#find(text(identity[AT.uid]));
    if ((before?.revision ?? 0) !== request.expectedRevision) return { type: 'Stale' };
    if (!this.#documents.areCurrent(request.documents)) return { type: 'Stale' };
    if (this.#isSpent(request)) return { type: 'RequestSpent' };
    if (this.#isImported(request)) return { type: 'ValueKnown' };
    if (this.#isAccountBusy(request)) return { type: 'AccountBusy' };
    if (this.#revives(request)) return revived();
    const storeBefore =
      before === undefined ? undefined : countedStore(before.storeUid, before.phase);
    const storeAfter = countedStore(content[AT.storeUid], content[AT.phase]);
    const namespace = text(identity[AT.namespace]);
    if (storeBefore === undefined && storeAfter !== undefined) {
      const limit = this.#keyCounts.exceeded(storeAfter, namespace, request);
      if (limit !== undefined) return { type: 'LimitExceeded', limit };
    }
    this.#keyCounts.move(namespace, storeBefore, storeAfter);
    this.#change(request);
    return { type: 'Committed' };
  }

  #find(
    uid: string,
  ): { readonly revision: number; readonly phase: Row[0]; readonly storeUid: Row[0] } | undefined {
    const draft = this.#keys.get(uid);
    if (draft === undefined) return this.#stored.keys.get(uid);
    const { revision, content } = draft;
    return {
      revision,
      phase: content[AT.phase] ?? null,
      storeUid: content[AT.storeUid] ?? null,
    };
  }

  #isSpent({ spendRequestId, rows }: CommitRequest): boolean {
    if (spendRequestId === undefined) return false;
    const name = `${text(rows.identity[AT.uid])}/${spendRequestId}`;
    return this.#spent.has(name) || this.#stored.spent.has(name);
  }

  #isImported({ imports }: CommitRequest): boolean {
    const known = (lookup: string): boolean =>
      this.#imports.has(lookup) || this.#stored.imported.has(lookup);
    return imports?.lookups.some(known) === true;
  }

  /** What the batch changed counts as it left it, everything else as it is stored. */
  #isAccountBusy({ exclusiveAccount: account, rows }: CommitRequest): boolean {
    if (account === undefined) return false;
    const uid = text(rows.identity[AT.uid]);
    const stored = [...(this.#stored.creating.get(account) ?? [])];
    if (stored.some((other) => other !== uid && !this.#keys.has(other))) return true;
    return [...this.#keys].some(
      ([other, key]) =>
        other !== uid && [...key.credentials.values()].some((each) => isCreating(each, account)),
    );
  }

  /** The database itself refuses what ended in an earlier batch: its token is taken for ever. */
  #revives({ rows }: CommitRequest): boolean {
    const credentials = this.#keys.get(text(rows.identity[AT.uid]))?.credentials;
    return rows.credentials.some(
      ({ identity }) => credentials?.get(nameOf(identity))?.endedAtMs !== undefined,
    );
  }

  #change(request: CommitRequest): void {
    const { rows, atMs, spendRequestId } = request;
    const uid = text(rows.identity[AT.uid]);
    this.#writeDocuments(request.documents);
    this.#chain(uid, request);
    const key = this.#keys.get(uid) ?? this.#begin(uid, request);
    this.#keys.set(uid, key);
    key.content = rows.content;
    key.revision = request.expectedRevision + 1;
    key.endedAtMs = rows.content[AT.phase] === 'Ended' ? atMs : null;
    changeCredentials(key, request);
    if (spendRequestId !== undefined) {
      const clusterId = text(rows.identity[0]);
      this.#spent.set(`${uid}/${spendRequestId}`, [uid, spendRequestId, clusterId]);
    }
    for (const lookup of request.imports?.lookups ?? []) {
      const sequence = request.imports?.sequence ?? 0;
      this.#imports.set(lookup, [lookup, key.id, sequence, text(rows.identity[0])]);
    }
    this.#atMs = Math.max(this.#atMs, atMs);
  }

  #begin(uid: string, { rows }: CommitRequest): KeyDraft {
    const stored = this.#stored.keys.get(uid);
    return {
      id: stored?.id ?? this.#head.commitCounter + this.#audit.length,
      isNew: stored === undefined,
      identity: rows.identity,
      content: rows.content,
      revision: 0,
      endedAtMs: null,
      open: stored?.open ?? new Map(),
      credentials: new Map(),
    };
  }

  #chain(uid: string, { atMs, actor, action, facts }: Audited): void {
    const clusterId = this.#head.clusterId ?? '';
    const commitNumber = this.#head.commitCounter + this.#audit.length + 1;
    const entry = { commitNumber, clusterId, atMs, actor, action, uid, facts };
    const { row, hash } = chainRow(this.#hash, entry);
    this.#audit.push(row);
    this.#hash = hash;
  }
}

/** Those that the record leaves out end; one that is not known under both of its names is new. */
function changeCredentials(key: KeyDraft, { rows, epoch, atMs }: CommitRequest): void {
  const gone = new Map(key.open);
  const open = new Map<string, number>();
  for (const credential of rows.credentials) {
    const name = nameOf(credential.identity);
    const sequence = integer(credential.identity[AT.sequence]);
    const isKnown = gone.delete(name);
    const isNew = !isKnown || key.credentials.get(name)?.isNew === true;
    open.set(name, sequence);
    key.credentials.set(name, { sequence, isNew, epoch, rows: credential, endedAtMs: undefined });
  }
  for (const [name, sequence] of gone) {
    const before = key.credentials.get(name);
    const isNew = before?.isNew === true;
    key.credentials.set(name, { sequence, isNew, epoch, rows: before?.rows, endedAtMs: atMs });
  }
  key.open = open;
}

function isCreating({ rows, endedAtMs }: CredentialDraft, account: string): boolean {
  if (rows === undefined || endedAtMs !== undefined) return false;
  const at = (column: (typeof CREDENTIAL_CONTENT)[number]) =>
    rows.content[CREDENTIAL_CONTENT.indexOf(column)];
  return (
    at('remote_account') === account &&
    at('remote_id') === null &&
    at('create_begun') !== null &&
    (at('state') === 'Intent' || at('state') === 'Disabled')
  );
}

function revived(): KeywardError {
  return new KeywardError('Bug', {
    reason: 'ConstraintViolated',
    message: 'the database refused a commit that revives a credential',
  });
}
