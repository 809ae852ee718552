/**
 * Every way in which a call to the API server can fail, as a KeywardError. The only place that knows
 * status codes and the server's Status objects.
 */
import type { Resource } from '../api/meta.ts';
import { type ErrorDetails, KeywardError } from '../kernel/errors.ts';
import { systemCode } from '../kernel/files.ts';
import { type HttpResponse, TransportFailure } from './connection.ts';
import { secretRefusal } from './secretrefusals.ts';

/** What was being done, for messages: "cannot <verb> <Kind> <object>". */
export type Call = {
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'replace' | 'patch' | 'delete' | 'reach';
  readonly resource: Resource;
  /** `namespace/name`, or the namespace for lists; '' for all. */
  readonly object: string;
};

/** The parts of metav1.Status that are used. */
type Status = {
  /** False: what answered knows nothing of objects; something in between, say. */
  readonly isOfServer: boolean;
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly causes: readonly string[];
  readonly causeFields: readonly string[];
  /** Object that the answer speaks of; tells a missing object from a missing path. */
  readonly name: string;
  readonly kind: string;
  readonly retryAfterMs: number | undefined;
};

const WRITES: ReadonlySet<Call['verb']> = new Set(['create', 'replace', 'patch', 'delete']);
/** Server text is for people: what is longer than a condition can hold is of no use to them. */
const SERVER_TEXT_MAX = 512;
/** Refusals that may end without a change of what was asked. */
const PASSING_CODES: ReadonlySet<number> = new Set([401, 404, 408, 410, 425, 429]);
/** Codes whose texts speak about the object and not about the server's insides. */
const QUOTED_CODES: ReadonlySet<number> = new Set([403, 404, 409, 422]);
/** How an API server begins to tell what a policy of the cluster says, whatever code that has chosen. */
const DENIED_BY_POLICY = /^admission webhook "/;
/**
 * API servers ask for seconds. A proxy before one may ask for hours while it is being worked on, and is
 * done long before: nobody would look again.
 */
const RETRY_AFTER_SECONDS_MAX = 60;

/** Reason of a read whose answer is longer than what we take; a list can be asked for in smaller pages. */
export const ANSWER_TOO_LONG = 'AnswerTooLong';

/** A failed connection, deadline or abort. Anything else is passed through as it is. */
export function translateTransport(failure: unknown, call: Call): Error {
  if (failure instanceof KeywardError) return failure;
  if (!(failure instanceof TransportFailure)) return unexpected(failure, call);
  if (WRITES.has(call.verb) && failure.phase !== 'NotSent') {
    return transient('OutcomeUnknown', text(call, 'no complete answer came back'), failure);
  }
  const [reason, why] = transportReason(failure);
  return transient(reason, text(call, why), failure);
}

function transportReason(failure: TransportFailure): [string, string] {
  if (failure.kind === 'Aborted') return ['Aborted', 'the call was given up'];
  if (failure.kind === 'Deadline') return ['Timeout', 'the API server did not answer in time'];
  if (failure.kind === 'Malformed') return ['UnexpectedAnswer', 'the answer was malformed'];
  if (failure.kind === 'TooLong') return [ANSWER_TOO_LONG, 'the answer was too long'];
  return ['ServerUnreachable', `the API server cannot be reached${codeText(failure.cause)}`];
}

/** Node's own constants, such as ECONNREFUSED or CERT_HAS_EXPIRED; nothing that a server wrote. */
function codeText(cause: unknown): string {
  const code = systemCode(cause);
  return code !== undefined && /^[A-Z0-9_]{1,60}$/.test(code) ? ` (${code})` : '';
}

function unexpected(cause: unknown, call: Call): Error {
  const message = text(call, 'the call ended with an unexpected error');
  return new KeywardError('Bug', { reason: 'InternalError', message, cause });
}

/** An answer of 2xx that could not be understood. A write may have been carried out. */
export function unreadable(call: Call, cause?: unknown): KeywardError {
  const reason = WRITES.has(call.verb) ? 'OutcomeUnknown' : 'UnexpectedAnswer';
  return transient(reason, text(call, 'the answer was no object'), cause);
}

/** An answer outside 2xx. */
export function translateResponse(response: HttpResponse, call: Call): KeywardError {
  return translateStatus(parseStatus(response), call);
}

/** A Status, from an answer or from inside a watch stream. */
export function translateStatus(status: Status, call: Call): KeywardError {
  const { code } = status;
  const details = { reason: reasonOf(status, call), message: text(call, describe(status, call)) };
  if (code === 409) return new KeywardError('Conflict', details);
  // A precondition on the UID in a merge patch is answered as if the UID were an edited field.
  if (code === 422 && status.causeFields.includes('metadata.uid')) {
    return new KeywardError('Conflict', { ...details, reason: 'Conflict' });
  }
  const isRefusal = status.isOfServer && code >= 400 && code < 500;
  if (isRefusal && !PASSING_CODES.has(code)) {
    return new KeywardError('Terminal', refusedSecret(status, call) ?? details);
  }
  return new KeywardError('Transient', {
    ...details,
    ...(status.retryAfterMs === undefined ? {} : { retryAfterMs: status.retryAfterMs }),
  });
}

/** True when the answer says that exactly this object is not there, and not that a path is not. */
export function isAbsent(response: HttpResponse, name: string): boolean {
  if (response.head.status !== 404) return false;
  const status = parseStatus(response);
  return status.reason === 'NotFound' && status.name === name;
}

/** The Status of an answer; what is not JSON gives only the code. */
function parseStatus(response: HttpResponse): Status {
  const { head, body } = response;
  const parsed = head.contentType.startsWith('application/json') ? parseJson(body) : undefined;
  const status = readStatus(parsed, head.status);
  return { ...status, retryAfterMs: parseRetryAfter(head.retryAfter) ?? status.retryAfterMs };
}

/** Reads a metav1.Status out of a parsed value; anything missing is empty. */
export function readStatus(value: unknown, fallbackCode: number): Status {
  const status = fields(value);
  const details = fields(status['details']);
  const causes = (Array.isArray(details['causes']) ? details['causes'] : []).map(fields);
  const seconds = details['retryAfterSeconds'];
  return {
    isOfServer: status['kind'] === 'Status',
    code: typeof status['code'] === 'number' ? status['code'] : fallbackCode,
    reason: string(status['reason']),
    message: string(status['message']),
    causes: causes.map((cause) => string(cause['reason'])),
    causeFields: causes.map((cause) => string(cause['field'])),
    name: string(details['name']),
    kind: string(details['kind']),
    retryAfterMs: typeof seconds === 'number' && seconds > 0 ? pauseOf(seconds) : undefined,
  };
}

function reasonOf(status: Status, call: Call): string {
  switch (status.code) {
    case 401:
      return 'Unauthorized';
    case 403:
      // Nothing to repair in our rights: the namespace is going.
      return status.causes.includes('NamespaceTerminating') ? 'NamespaceTerminating' : 'Forbidden';
    case 404:
      return 'NotFound';
    case 409:
      return status.reason === 'AlreadyExists' ? 'AlreadyExists' : 'Conflict';
    case 410:
      return 'Expired';
    case 422:
      return 'Invalid';
    case 429:
      return 'TooManyRequests';
    case 503:
      return 'ServiceUnavailable';
    default:
      return otherReason(status, call);
  }
}

function otherReason({ code, reason, isOfServer }: Status, { verb }: Call): string {
  // 500, 502 and 504 also stand for a write whose commit was not confirmed in time.
  if (code >= 500) return WRITES.has(verb) ? 'OutcomeUnknown' : 'ServerError';
  if (reason !== '') return reason;
  // Webhooks that refuse often give no reason, and the server passes that on.
  return isOfServer && code === 400 ? 'BadRequest' : 'UnexpectedAnswer';
}

/** Undefined: no Secret was to be written, or its namespace is going. */
function refusedSecret(status: Status, call: Call): ErrorDetails | undefined {
  const isWrite = call.resource.kind === 'Secret' && WRITES.has(call.verb);
  if (!isWrite || reasonOf(status, call) === 'NamespaceTerminating') return undefined;
  const { reason, why } = secretRefusal(status);
  return { reason, message: text(call, why) };
}

function describe(status: Status, call: Call): string {
  const { code, message } = status;
  const isForPeople = QUOTED_CODES.has(code) || DENIED_BY_POLICY.test(message);
  if (!isForPeople || message === '' || call.resource.kind === 'Secret')
    return `the API server answered ${code}${hint(code)}`;
  const cut = message.length > SERVER_TEXT_MAX ? `${message.slice(0, SERVER_TEXT_MAX)}…` : message;
  return `the API server answered ${code}: ${cut}`;
}

function hint(code: number): string {
  if (code === 403) return ' (not allowed)';
  return code === 409 ? ' (it was changed or exists already)' : '';
}

/** Seconds or a date; dates are of no use to a clock that may be wrong, and API servers send none. */
function parseRetryAfter(value: string | undefined): number | undefined {
  return value !== undefined && /^\d+$/.test(value) ? pauseOf(Number(value)) : undefined;
}

function pauseOf(seconds: number): number {
  return Math.min(seconds, RETRY_AFTER_SECONDS_MAX) * 1_000;
}

function text(call: Call, why: string): string {
  const object = call.object === '' ? '' : ` ${call.object}`;
  return `cannot ${call.verb} ${call.resource.kind}${object}: ${why}`;
}

function transient(reason: string, message: string, cause?: unknown): KeywardError {
  return new KeywardError('Transient', {
    reason,
    message,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The value in JSON bytes; undefined when they are none. */
export function parseJson(body: Buffer): unknown {
  try {
    // JSON text has a value of any shape; callers look at it field by field.
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  // Parser: any object may be looked into by name; each value is checked where it is used.
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function string(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
