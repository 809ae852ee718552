/** The main thread's side of the ledger's worker: batches out, answers in, and a clear end. */
import { setImmediate, setTimeout } from 'node:timers';
import { Worker } from 'node:worker_threads';
import { KeywardError } from '../../kernel/errors.ts';
import type { Answers, Request, UseRequest } from '../requests.ts';
import type {
  Answer,
  Asked,
  Failure,
  FromWorker,
  ToWorker,
  UseWorkerOptions,
  WorkerOptions,
} from './protocol.ts';

/** Bounds the work of one transaction, and with it the wait of whoever asks next. */
const BATCH_MAX = 512;

/**
 * How long requests gather, counted from when the last batch left; the first one after a pause
 * leaves at once. A batch costs some 300 us of CPU (two wake-ups and an fsync) whatever is in it:
 * at 300 keys a second, 4 ms saved 0.3 ms per key, and add at most that to each of its steps.
 */
const GATHER_MS = 4;

/**
 * How long while more work waits in line than can be done at once: what comes first then waits for
 * its turn far longer than this, and what comes last is through sooner, because less is spent.
 */
const GATHER_BACKLOG_MS = 40;

/** So much company is enough: what a batch costs by itself is then little for each of its requests. */
const GATHER_ENOUGH = 24;

/** How requests are gathered into batches. */
export type Gathering = {
  /** Absent: 4 ms; 0 for tests that ask one by one. */
  readonly gatherMs?: number | undefined;
  /** True while work waits in line, so that a longer wait for company costs nobody anything. */
  readonly isBacklogged?: (() => boolean) | undefined;
};

type Waiting<R> = {
  readonly request: R;
  readonly resolve: (value: Answers[keyof Answers]) => void;
  readonly reject: (reason: KeywardError) => void;
};

/**
 * A worker that answers requests. While it works on one batch the next one gathers, so load makes
 * batches larger instead of queues longer.
 */
export class LedgerThread<R extends Asked = Request> {
  readonly #worker: Worker;
  readonly #path: string;
  /** What follows when it has died. */
  readonly #remedy: string;
  readonly #gatherMs: number;
  readonly #isBacklogged: () => boolean;
  readonly #opened = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();
  #gathering: Waiting<R>[] = [];
  #underWay: readonly Waiting<R>[] = [];
  /** The batch that is about to leave: at the end of this turn, or when its time has come. */
  #departure: { readonly isNow: boolean; readonly cancel: () => void } | undefined;
  #sentAtMs = Number.NEGATIVE_INFINITY;
  #ended: KeywardError | undefined;

  private constructor(
    worker: Worker,
    { path, remedy, gathering }: { path: string; remedy: string; gathering: Gathering },
  ) {
    this.#worker = worker;
    this.#path = path;
    this.#remedy = remedy;
    this.#gatherMs = gathering.gatherMs ?? GATHER_MS;
    this.#isBacklogged = gathering.isBacklogged ?? (() => false);
    worker.on('message', (message: FromWorker) => this.#receive(message));
    worker.on('error', (thrown) => this.#end(this.#died(thrown)));
    worker.on('exit', () => {
      this.#end(this.#died());
      this.#closed.resolve();
    });
  }

  /**
   * Starts the operator's worker; resolves when the file is open.
   *
   * @throws KeywardError what the worker refused the file with
   */
  static start(options: WorkerOptions, gathering: Gathering = {}): Promise<LedgerThread> {
    const remedy = 'the process has to be restarted';
    return LedgerThread.#open(startWorker('worker', options), { ...options, remedy, gathering });
  }

  /** Starts the worker of a gate, as `start`. */
  static startUses(options: UseWorkerOptions): Promise<LedgerThread<UseRequest>> {
    const remedy = 'the gate opens it anew';
    const worker = startWorker('useworker', options);
    return LedgerThread.#open<UseRequest>(worker, { ...options, remedy, gathering: {} });
  }

  static async #open<R extends Asked>(
    worker: Worker,
    options: { path: string; remedy: string; gathering: Gathering },
  ): Promise<LedgerThread<R>> {
    const thread = new LedgerThread<R>(worker, options);
    await thread.#opened.promise;
    // From here on the process may end while nothing is asked.
    thread.#worker.unref();
    return thread;
  }

  /** Why nothing can be asked any more; undefined while that is possible. */
  get failure(): KeywardError | undefined {
    return this.#ended;
  }

  /** Asks; rejects with a KeywardError. */
  ask<T extends R['type']>(request: Extract<R, { type: T }>): Promise<Answers[T]> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      // The worker answers each request in its own type; see `Answers`.
      const accept = (value: Answers[keyof Answers]): void => resolve(value as Answers[T]);
      this.#gathering.push({ request, resolve: accept, reject });
      this.#schedule();
    });
  }

  /** Waits for what was asked, then closes the file and ends the thread. May be repeated. */
  async close(): Promise<void> {
    while (this.#gathering.length + this.#underWay.length > 0) {
      await new Promise<void>((resolve) => setTimeout(resolve, 1));
    }
    if (this.#ended === undefined) {
      this.#ended = new KeywardError('Terminal', {
        reason: 'LedgerClosed',
        message: `database "${this.#path}" was closed`,
      });
      this.#worker.ref();
      this.#post('close');
    }
    await this.#closed.promise;
  }

  #schedule(): void {
    if (this.#underWay.length > 0 || this.#gathering.length === 0) return;
    const waitMs = this.#gathering.length < GATHER_ENOUGH ? this.#waitMs() : 0;
    const isNow = waitMs <= 0;
    if (this.#departure !== undefined) {
      if (!isNow || this.#departure.isNow) return;
      this.#departure.cancel();
    }
    // Not before the end of this turn of the event loop: what else is asked in it travels along.
    const send = (): void => this.#send();
    const timer = isNow ? setImmediate(send) : setTimeout(send, waitMs);
    this.#departure = { isNow, cancel: () => timer[Symbol.dispose]() };
  }

  #waitMs(): number {
    const gatherMs = this.#isBacklogged() ? GATHER_BACKLOG_MS : this.#gatherMs;
    return this.#sentAtMs + gatherMs - performance.now();
  }

  #send(): void {
    this.#departure = undefined;
    if (this.#ended !== undefined || this.#gathering.length === 0) return;
    this.#sentAtMs = performance.now();
    this.#underWay = this.#gathering.slice(0, BATCH_MAX);
    this.#gathering = this.#gathering.slice(BATCH_MAX);
    this.#worker.ref();
    this.#post(this.#underWay.map((waiting) => waiting.request));
  }

  #post(message: ToWorker<R>): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case 'opened':
        return this.#opened.resolve();
      case 'refused':
        return this.#end(revive(message.failure));
      case 'answers':
        return this.#settle(message.answers);
      case 'closed':
        return undefined;
    }
  }

  #settle(answers: readonly Answer[]): void {
    const settled = this.#underWay;
    this.#underWay = [];
    this.#worker.unref();
    settled.forEach(({ resolve, reject }, index) => {
      const answer = answers[index];
      if (answer === undefined) return reject(this.#died());
      return 'value' in answer ? resolve(answer.value) : reject(revive(answer.failure));
    });
    this.#schedule();
  }

  #end(error: KeywardError): void {
    this.#ended ??= error;
    this.#opened.reject(error);
    const left = [...this.#underWay, ...this.#gathering];
    this.#underWay = [];
    this.#gathering = [];
    for (const { reject } of left) reject(error);
  }

  #died(cause?: unknown): KeywardError {
    return new KeywardError('Terminal', {
      reason: 'LedgerStopped',
      message: `the thread that keeps database "${this.#path}" ended; ${this.#remedy}`,
      cause,
    });
  }
}

/**
 * As source the worker is a file beside this one; the bundle has it as an entry of its own,
 * `ledger-worker.js` for example, in the same folder as the code that starts it.
 */
function startWorker(
  name: 'worker' | 'useworker',
  options: WorkerOptions | UseWorkerOptions,
): Worker {
  const file = import.meta.url.endsWith('.ts') ? `./${name}.ts` : `./ledger-${name}.js`;
  return new Worker(new URL(file, import.meta.url), { workerData: options, name: 'ledger' });
}

function revive(failure: Failure): KeywardError {
  const { reason, message, cause } = failure;
  return new KeywardError(failure.class, { reason, message, cause });
}
