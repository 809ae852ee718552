/**
 * Where requests wait for each other. Writes are carried out in the order in which they were asked
 * for, one batch at a time, and what is asked for meanwhile becomes the next batch. A read sees every
 * write that was asked for before it; loads do not wait for writes of other keys.
 */
import { setImmediate } from 'node:timers';
import { KeywardError } from '../../kernel/errors.ts';
import { terminal } from '../refusals.ts';
import {
  type Answers,
  isWrite,
  type ReadRequest,
  type Request,
  type WriteRequest,
} from '../requests.ts';
import { AT } from '../rows.ts';
import { type Administration, administer } from './administer.ts';
import { Committer, type CommitterOptions } from './committer.ts';
import { translate } from './failures.ts';
import { Loads } from './loads.ts';
import { answerRead } from './queries.ts';

/** Bounds the work of one transaction, and with it the wait of whoever asks next. */
const BATCH_MAX = 256;

type Answer = Answers[keyof Answers];

type Waiting = {
  readonly request: WriteRequest;
  readonly settled: Promise<void>;
  readonly settle: (outcome: Answer | KeywardError) => void;
};

/** Answers requests, in the order that the file comment promises. */
export class Engine {
  readonly #options: CommitterOptions;
  readonly #committer: Committer;
  readonly #loads: Loads;
  readonly #waiting = new Set<Waiting>();
  readonly #reading = new Set<Promise<unknown>>();
  #queue: Waiting[] = [];
  #isBusy = false;
  #isClosed = false;

  constructor(options: CommitterOptions) {
    this.#options = options;
    this.#committer = new Committer(options);
    this.#loads = new Loads(options);
  }

  /** Asks; rejects with a KeywardError. */
  async ask<T extends Request['type']>(
    request: Extract<Request, { type: T }>,
  ): Promise<Answers[T]> {
    if (this.#isClosed) {
      throw terminal('LedgerClosed', `database "${this.#options.pool.label}" was closed`);
    }
    const answer: Promise<Answer> = isWrite(request) ? this.#write(request) : this.#read(request);
    // Each request is answered in its own type; see `Answers`.
    return (await answer) as Answers[T];
  }

  /** Waits for what was asked, then closes the connections. May be repeated. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled([
      ...[...this.#waiting].map(({ settled }) => settled),
      ...this.#reading,
    ]);
    this.#options.pool.close();
  }

  async #read(request: ReadRequest): Promise<Answer> {
    const work = this.#readAfterWrites(request);
    this.#reading.add(work);
    try {
      return await work;
    } catch (thrown) {
      throw translate(thrown, this.#options.pool.label);
    } finally {
      this.#reading.delete(work);
    }
  }

  async #readAfterWrites(request: ReadRequest): Promise<Answer> {
    const before = [...this.#waiting].filter((write) => concerns(write.request, request));
    if (before.length > 0) await Promise.all(before.map(({ settled }) => settled));
    if (request.type === 'load') return this.#loads.load(request);
    const { pool, qualify } = this.#options;
    return pool.use((connection) => answerRead({ connection, qualify }, request));
  }

  #write(request: WriteRequest): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const { promise: settled, resolve: end } = Promise.withResolvers<void>();
    const settle = (outcome: Answer | KeywardError): void => {
      if (outcome instanceof KeywardError) reject(outcome);
      else resolve(outcome);
      this.#waiting.delete(waiting);
      end();
    };
    const waiting: Waiting = { request, settled, settle };
    this.#waiting.add(waiting);
    this.#queue.push(waiting);
    this.#schedule();
    return promise;
  }

  #schedule(): void {
    if (this.#isBusy || this.#queue.length === 0) return;
    this.#isBusy = true;
    // Not before the end of this turn of the event loop: what else is asked in it travels along.
    setImmediate(() => void this.#carryOut());
  }

  async #carryOut(): Promise<void> {
    const batch = this.#nextBatch();
    const [first] = batch;
    if (first !== undefined && isAdministration(first.request)) {
      first.settle(await this.#administer(first.request));
    } else {
      const commits = batch.map(({ request }) => request).filter((each) => !isAdministration(each));
      const answers = await this.#committer.execute(commits);
      batch.forEach(({ settle }, index) => {
        const answer = answers[index];
        if (answer !== undefined) settle(answer);
      });
    }
    this.#isBusy = false;
    this.#schedule();
  }

  /** Commits up to the next write of another kind, or one of these alone. */
  #nextBatch(): readonly Waiting[] {
    const end = this.#queue.findIndex(({ request }) => isAdministration(request));
    const commits = end === -1 ? this.#queue.length : end;
    return this.#queue.splice(0, Math.max(1, Math.min(commits, BATCH_MAX)));
  }

  async #administer(request: Administration): Promise<null | KeywardError> {
    try {
      return await this.#committer.withRetries(() => administer(this.#options, request));
    } catch (thrown) {
      return translate(thrown, this.#options.pool.label);
    }
  }
}

function isAdministration(request: WriteRequest): request is Administration {
  return request.type !== 'commit' && request.type !== 'commitDocuments';
}

/** Whether a read may see something else before the write than after it. */
function concerns(write: WriteRequest, read: ReadRequest): boolean {
  if (isAdministration(write)) return true;
  switch (read.type) {
    case 'load': {
      if (write.type !== 'commit') return false;
      const { identity } = write.rows;
      const hasName =
        identity[AT.namespace] === read.namespace && identity[AT.namespace + 1] === read.name;
      return hasName || identity[AT.uid] === read.uid;
    }
    case 'loadDocument':
    case 'findDocument':
    case 'scanDocuments':
      return write.documents.some(({ kind }) => kind === read.kind);
    default:
      return true;
  }
}
