/**
 * Carries out batches of what a gate counts: one transaction and one fdatasync for all of a batch, and
 * no answer before it.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { UseRequest } from '../requests.ts';
import { fail } from './engine.ts';
import { isBusy, isConstraint } from './failures.ts';
import { BUSY_MS } from './file.ts';
import type { FileWatch } from './guard.ts';
import type { Answer } from './protocol.ts';
import { prepare } from './statements.ts';
import { UseWriter } from './uses.ts';

/**
 * SQLite has one writer at a time and no queue: who waits looks again after a while. A gate that wrote
 * without a pause would keep the operator out, so it leaves the file alone for so many times as long as
 * it had it,
 */
const REST_FACTOR = 2;
/** at least this long, and at most that. */
const REST_MIN_MS = 2;
const REST_MAX_MS = 100;

/**
 * How often it looks whether the file is free. SQLite by itself looks ever more seldom, up to ten times a
 * second, and beside an operator under load its gaps are shorter than that: callers waited for 0.8 s.
 */
const LOOK_MS = 4;

/** An open file and what watches it. */
type UseEngineOptions = {
  readonly db: DatabaseSync;
  readonly path: string;
  readonly watch: FileWatch;
};

/** The one that carries out batches; a worker has exactly one. */
export class UseEngine {
  readonly #options: UseEngineOptions;
  readonly #writer: UseWriter;
  readonly #statements: ReturnType<typeof prepareTransaction>;
  readonly #idle = new Int32Array(new SharedArrayBuffer(4));
  #restUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: UseEngineOptions) {
    this.#options = options;
    this.#writer = new UseWriter(options.db);
    this.#statements = prepareTransaction(options.db);
    options.db.exec('PRAGMA busy_timeout = 0');
  }

  /** One answer per request, in order. Never throws. */
  execute(requests: readonly UseRequest[]): readonly Answer[] {
    this.#rest();
    try {
      return this.#transact(requests);
    } catch (thrown) {
      if (isConstraint(thrown) && requests.length > 1) {
        // One bad request must not spoil the others.
        return requests.flatMap((request) => this.execute([request]));
      }
      const failure = fail(thrown, this.#options.path);
      return requests.map(() => ({ failure }));
    }
  }

  #transact(requests: readonly UseRequest[]): readonly Answer[] {
    const { db, watch } = this.#options;
    const { commit, rollback } = this.#statements;
    watch.check();
    this.#begin();
    const beganMs = performance.now();
    try {
      const answers = requests.map((request) => ({ value: this.#writer.write(request) }));
      commit.run();
      // What was written to a file that is not there any more must not be acknowledged.
      watch.check();
      return answers;
    } catch (thrown) {
      // A full disk may have rolled back already.
      if (db.isTransaction) rollback.run();
      throw thrown;
    } finally {
      const nowMs = performance.now();
      const restMs = Math.max(REST_MIN_MS, REST_FACTOR * (nowMs - beganMs));
      this.#restUntilMs = nowMs + Math.min(REST_MAX_MS, restMs);
    }
  }

  #begin(): void {
    const untilMs = performance.now() + BUSY_MS;
    for (;;) {
      try {
        return this.#statements.begin.run();
      } catch (thrown) {
        if (!isBusy(thrown) || performance.now() >= untilMs) throw thrown;
        this.#sleep(LOOK_MS);
      }
    }
  }

  #rest(): void {
    const leftMs = this.#restUntilMs - performance.now();
    if (leftMs > 0) this.#sleep(leftMs);
  }

  /** This thread has nothing else to do. */
  #sleep(ms: number): void {
    Atomics.wait(this.#idle, 0, 0, ms);
  }
}

function prepareTransaction(db: DatabaseSync) {
  return {
    begin: prepare(db, 'BEGIN IMMEDIATE'),
    commit: prepare(db, 'COMMIT'),
    rollback: prepare(db, 'ROLLBACK'),
  };
}
