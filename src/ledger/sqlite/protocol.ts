/**
 * What crosses the border of the worker thread: batches of requests one way, their answers in the
 * same order the other way. One batch is under way at a time; what is asked meanwhile travels
 * together in the next one and becomes one transaction.
 */
import type { ErrorClass } from '../../kernel/errors.ts';
import type { Answers, CrashPoint, Request, UseRequest } from '../requests.ts';

/** A KeywardError without its class; the cause as text, for the log. */
export type Failure = {
  readonly class: ErrorClass;
  readonly reason: string;
  readonly message: string;
  readonly cause: string | undefined;
};

/** What becomes of one request. */
export type Answer = { readonly value: Answers[keyof Answers] } | { readonly failure: Failure };

/** What one of the two workers can be asked. */
export type Asked = Request | UseRequest;

/** From the main thread: a batch, or the wish to end. */
export type ToWorker<R extends Asked = Request> = readonly R[] | 'close';

/** From the worker: how opening went, the answers of a batch, or that the file is closed. */
export type FromWorker =
  | { readonly type: 'opened' }
  | { readonly type: 'refused'; readonly failure: Failure }
  | { readonly type: 'answers'; readonly answers: readonly Answer[] }
  | { readonly type: 'closed' };

/** What the worker of a gate is started with. */
export type UseWorkerOptions = { readonly path: string };

/** What the worker of an operator is started with. */
export type WorkerOptions = UseWorkerOptions & {
  readonly missing: 'Create' | 'Refuse';
  readonly crashAt: CrashPoint | undefined;
};
