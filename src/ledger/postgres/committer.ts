/**
 * Carries out batches of commits, each in one transaction of two round trips: what has to be known
 * is asked for together with BEGIN, what is written is sent together with COMMIT. A lock on the one
 * row of `meta` puts all writers, other processes included, into one order.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { KeywardError } from '../../kernel/errors.ts';
import { terminal, unavailable } from '../refusals.ts';
import type { AuditedRequest, CrashPoint } from '../requests.ts';
import { PURGE_EVERY } from '../tombstones.ts';
import { KeyCounts } from '../keycounts.ts';
import { decide, type Decision } from './batch.ts';
import type { Connection } from './connection.ts';
import { Crash } from './crash.ts';
import { isContention, isRefusal, translate } from './failures.ts';
import type { Qualify } from './names.ts';
import { wasCommitted } from './outcome.ts';
import type { Pool } from './pool.ts';
import { countKeys, type Head, LOCK_HEAD, readHead, readStored } from './stored.ts';
import { begin, finish, OutcomeUnknownError, transact } from './transaction.ts';
import { purgesAt, type Statement, writesOf } from './writes.ts';

/** How often a transaction that lost against another one is repeated, and how long it waits. */
const RETRIES_MAX = 10;
const RETRY_FIRST_MS = 5;
const RETRY_LAST_MS = 500;

/** Where the database is and which one it has to be. */
export type CommitterOptions = {
  readonly pool: Pool;
  readonly qualify: Qualify;
  readonly databaseId: string;
  readonly incarnation: string;
  readonly crashAt: CrashPoint | undefined;
};

type Answers = Decision['answers'];

/** Serves one batch at a time; see the file comment. */
export class Committer {
  readonly #options: CommitterOptions;
  readonly #keyCounts = new KeyCounts();
  readonly #crash: Crash;
  /**
   * Commits that are known to be in the database; nobody else wrote while it stands there. Never falls: a
   * database that counts less has lost some.
   */
  #counter = 0;
  #purgedAt = Number.NEGATIVE_INFINITY;

  constructor(options: CommitterOptions) {
    this.#options = options;
    this.#crash = new Crash(options.crashAt);
  }

  /** One answer per commit, in order: its result, or why it failed. Never throws. */
  async execute(commits: readonly AuditedRequest[]): Promise<Answers> {
    try {
      return await this.withRetries(() => this.#transact(commits));
    } catch (thrown) {
      this.#keyCounts.forget();
      if (isRefusal(thrown) && commits.length > 1) {
        // One bad commit must not spoil the others; halves find it in few steps.
        const middle = Math.ceil(commits.length / 2);
        const first = await this.execute(commits.slice(0, middle));
        return [...first, ...(await this.execute(commits.slice(middle)))];
      }
      const failure = translate(thrown, this.#options.pool.label);
      return commits.map(() => failure);
    }
  }

  /**
   * Runs `work` again while it loses against other writers. After a COMMIT whose answer was lost it
   * is found out what became of it; `work` returns what to answer then.
   */
  async withRetries<T>(work: () => Promise<Attempt<T>>): Promise<T> {
    for (let tried = 0; ; tried += 1) {
      try {
        // One attempt after the other is what this loop is for.
        // oxlint-disable-next-line no-await-in-loop
        const { finished, batchId, answer, counter = 0 } = await work();
        // oxlint-disable-next-line no-await-in-loop
        if (finished || (await wasCommitted(this.#options, batchId))) {
          this.#counter = Math.max(this.#counter, counter);
          return answer;
        }
      } catch (thrown) {
        if (!isContention(thrown)) throw thrown;
        if (tried === RETRIES_MAX) throw thrown;
        const atMostMs = Math.min(RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** tried);
        // oxlint-disable-next-line no-await-in-loop
        await pause(Math.random() * atMostMs);
      }
      if (tried === RETRIES_MAX) {
        throw unavailable(this.#options.pool.label, 'its connections break in every commit');
      }
    }
  }

  #transact(commits: readonly AuditedRequest[]): Promise<Attempt<Answers>> {
    const { pool, qualify } = this.#options;
    return pool.use((connection) =>
      transact(connection, async () => {
        const [rows, stored] = await Promise.all([
          begin(connection, 'SERIALIZABLE', LOCK_HEAD.map(qualify)),
          readStored(connection, qualify, commits),
        ]);
        const head = readHead(rows);
        await this.#check(head, connection, commits);
        const decision = decide(commits, { head, stored, keyCounts: this.#keyCounts });
        return this.#finish(connection, decision, commits);
      }),
    );
  }

  async #finish(
    connection: Connection,
    decision: Decision,
    commits: readonly AuditedRequest[],
  ): Promise<Attempt<Answers>> {
    const { answers, audit, commitCounter, atMs } = decision;
    const batchId = randomBytes(16).toString('hex');
    if (audit.length === 0) {
      await connection.query('ROLLBACK');
      return { finished: true, batchId, answer: answers };
    }
    const isPurging = commitCounter - this.#purgedAt >= PURGE_EVERY;
    const purges = isPurging ? purgesAt(atMs, commitCounter) : [];
    const isDoomed = this.#crash.counts(commits, answers);
    if (isDoomed) this.#crash.strike('before');
    const finished = await send(connection, this.#options.qualify, [
      ...writesOf(decision, batchId),
      ...purges,
    ]);
    // Where the outcome is unknown, keys are counted anew. The commits that were seen stay known: a
    // failover is what loses both the answer and them.
    if (!finished) this.#keyCounts.forget();
    if (isPurging) this.#purgedAt = commitCounter;
    if (isDoomed) this.#crash.strike('after');
    return { finished, batchId, answer: answers, counter: commitCounter };
  }

  /** Is it still the database that was opened, and does nobody know more about it than we do? */
  async #check(
    head: Head,
    connection: Connection,
    commits: readonly AuditedRequest[],
  ): Promise<void> {
    const { pool, qualify } = this.#options;
    checkSame(head, { ...this.#options, label: pool.label, counter: this.#counter });
    if (head.commitCounter !== this.#counter) this.#keyCounts.forget();
    this.#counter = head.commitCounter;
    const isLimited = commits.some(
      (commit) =>
        commit.type === 'commit' &&
        (commit.maxKeys !== undefined || commit.maxKeysPerNamespace !== undefined),
    );
    if (!isLimited || !this.#keyCounts.isForgotten) return;
    this.#keyCounts.fill(await countKeys(connection, qualify));
  }
}

/** How one attempt ended; not finished: nobody knows whether `batchId` was committed. */
export type Attempt<T> = {
  readonly finished: boolean;
  readonly batchId: string;
  readonly answer: T;
  /** How many commits the database counts if it was committed; absent: as many as before. */
  readonly counter?: number;
};

/**
 * Sends the last statements of a transaction; false when the outcome is not known.
 *
 * @throws what the server refused: nothing was committed
 */
export async function send(
  connection: Connection,
  qualify: Qualify,
  statements: readonly Statement[],
): Promise<boolean> {
  try {
    await finish(
      connection,
      statements.map(
        ({ sql, parameters }) =>
          () =>
            connection.query(qualify(sql), parameters),
      ),
    );
    return true;
  } catch (thrown) {
    if (!(thrown instanceof OutcomeUnknownError)) throw thrown;
    connection.close();
    return false;
  }
}

/**
 * Refuses a database that was exchanged under us: another one, or an older copy of ours that a
 * failover or a restore brought up.
 *
 * @throws KeywardError Terminal DatabaseReplaced or DatabaseOutdated
 */
export function checkSame(
  head: Pick<Head, 'databaseId' | 'incarnation' | 'commitCounter'>,
  was: {
    readonly databaseId: string;
    readonly incarnation: string;
    readonly label: string;
    readonly counter: number;
  },
): void {
  if (head.databaseId !== was.databaseId || head.incarnation !== was.incarnation) {
    throw terminal(
      'DatabaseReplaced',
      `database "${was.label}" was replaced or restored while it was open; start again`,
    );
  }
  if (head.commitCounter >= was.counter) return;
  throw new KeywardError('Terminal', {
    reason: 'DatabaseOutdated',
    message: `database "${was.label}" has lost commits while it was open: ${head.commitCounter} where ${was.counter} were seen; restore a newer copy, or run: keyward restore`,
  });
}
