/**
 * Carries out batches of requests on one ledger file: all writes of a batch in one transaction, one
 * fdatasync for all of them, and no answer before it. Requests are carried out in order, so a read
 * sees what was asked to be written before it.
 */
import type { DatabaseSync } from 'node:sqlite';
import { classify, KeywardError } from '../../kernel/errors.ts';
import { isConstraint, translate } from './failures.ts';
import { BUSY_MS } from './file.ts';
import type { FileWatch } from './guard.ts';
import {
  type Answers,
  type CrashPoint,
  isWrite,
  type Request,
  type WriteRequest,
} from '../requests.ts';
import type { Answer, Failure } from './protocol.ts';
import { answerRead, prepareQueries, type Queries } from './queries.ts';
import { prepare } from './statements.ts';
import { Writer } from './writer.ts';

/** How long a checkpoint may wait for readers while commits wait for it. */
const CHECKPOINT_BUSY_MS = 50;

/** An open file and what watches it; `crashAt` is for tests only. */
type EngineOptions = {
  readonly db: DatabaseSync;
  readonly path: string;
  readonly watch: FileWatch;
  readonly crashAt: CrashPoint | undefined;
};

/** The one that carries out batches; a worker has exactly one. */
export class Engine {
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #watch: FileWatch;
  readonly #queries: Queries;
  readonly #writer: Writer;
  readonly #statements: ReturnType<typeof prepareTransaction>;
  readonly #crashAt: CrashPoint | undefined;
  #crashCount = 0;
  #hasErased = false;

  constructor({ db, path, watch, crashAt }: EngineOptions) {
    this.#db = db;
    this.#path = path;
    this.#watch = watch;
    this.#crashAt = crashAt;
    this.#queries = prepareQueries(db);
    this.#writer = new Writer(db);
    this.#statements = prepareTransaction(db);
  }

  /** One answer per request, in order. Never throws. */
  execute(requests: readonly Request[]): readonly Answer[] {
    try {
      if (requests.some(isWrite)) return this.#transact(requests);
      this.#watch.check();
      return requests.map((request) => this.#answer(request));
    } catch (thrown) {
      if (isConstraint(thrown) && requests.length > 1) {
        // One bad commit must not spoil the others; this is rare enough to pay by going one by one.
        return requests.flatMap((request) => this.execute([request]));
      }
      const failure = fail(thrown, this.#path);
      const isReplaced = failure.reason === 'DatabaseReplaced';
      return requests.map((request) =>
        isReplaced || isWrite(request) ? { failure } : this.#answer(request),
      );
    }
  }

  /** True when erased values may still be in the log; `scrub` when there is time. */
  get hasErased(): boolean {
    return this.#hasErased;
  }

  /** Moves the log into the file and empties it; gives way to readers and then does nothing. */
  scrub(): void {
    const { shortWait, longWait, checkpoint } = this.#statements;
    try {
      this.#watch.check();
      shortWait.get();
      this.#hasErased = checkpoint.get()?.[0] !== 0;
    } catch {
      // The next commit meets the same trouble and reports it.
    } finally {
      longWait.get();
    }
  }

  #transact(requests: readonly Request[]): readonly Answer[] {
    const { begin, commit, rollback } = this.#statements;
    try {
      begin.run();
      const answers = requests.map((request) => this.#answer(request));
      this.#writer.finish();
      const isDoomed = this.#countCrash(requests, answers);
      if (isDoomed && this.#crashAt?.position === 'before') die();
      commit.run();
      if (isDoomed) die();
      // What was written to a file that is not there any more must not be acknowledged.
      this.#watch.check();
      this.#hasErased ||= requests.some((r) => r.type === 'commit' && r.expectedRevision > 0);
      return answers;
    } catch (thrown) {
      // A full disk may have rolled back already.
      if (this.#db.isTransaction) rollback.run();
      this.#writer.reset();
      throw thrown;
    }
  }

  /** Refusals become answers; what SQLite throws in a write spoils the transaction and goes on up. */
  #answer(request: Request): Answer {
    try {
      return {
        value: isWrite(request) ? this.#write(request) : answerRead(this.#queries, request),
      };
    } catch (thrown) {
      if (isWrite(request) && !(thrown instanceof KeywardError)) throw thrown;
      return { failure: fail(thrown, this.#path) };
    }
  }

  #write(request: WriteRequest): Answers[WriteRequest['type']] {
    switch (request.type) {
      case 'commit':
        return this.#writer.commit(request);
      case 'commitDocuments':
        return this.#writer.commitDocuments(request);
      case 'adoptCluster':
        this.#writer.adoptCluster(request.clusterId);
        return null;
      case 'openEpoch':
        this.#writer.openEpoch(request.epoch, request.holder);
        return null;
      case 'rememberVersion':
        this.#writer.rememberVersion(request.version, request.checkValue);
        return null;
      case 'saveStore':
        this.#writer.saveStore(request.row, request.epoch);
        return null;
    }
  }

  #countCrash(requests: readonly Request[], answers: readonly Answer[]): boolean {
    const crashAt = this.#crashAt;
    if (crashAt === undefined) return false;
    const before = this.#crashCount;
    this.#crashCount += requests.filter((request, index) => {
      if (request.type !== 'commit' && request.type !== 'commitDocuments') return false;
      if (crashAt.action !== undefined && crashAt.action !== request.action) return false;
      const answer = answers[index];
      return answer !== undefined && 'value' in answer && isCommitted(answer.value);
    }).length;
    return before < crashAt.nth && this.#crashCount >= crashAt.nth;
  }
}

/** A failure in the shape that crosses threads. */
export function fail(thrown: unknown, path: string): Failure {
  const error = classify(translate(thrown, path));
  const cause = error.cause instanceof Error ? error.cause.message : undefined;
  return { class: error.class, reason: error.reason, message: error.message, cause };
}

function prepareTransaction(db: DatabaseSync) {
  return {
    begin: prepare(db, 'BEGIN IMMEDIATE'),
    commit: prepare(db, 'COMMIT'),
    rollback: prepare(db, 'ROLLBACK'),
    checkpoint: prepare(db, 'PRAGMA wal_checkpoint(TRUNCATE)'),
    shortWait: prepare(db, `PRAGMA busy_timeout = ${CHECKPOINT_BUSY_MS}`),
    longWait: prepare(db, `PRAGMA busy_timeout = ${BUSY_MS}`),
  };
}

function isCommitted(value: Answers[keyof Answers]): boolean {
  return (
    typeof value === 'object' && value !== null && 'type' in value && value.type === 'Committed'
  );
}

/** What a power cut does to a process. */
function die(): void {
  process.kill(process.pid, 'SIGKILL');
}
