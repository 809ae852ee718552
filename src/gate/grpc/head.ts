/** Pure; what the headers of a gRPC call say, and the headers and trailers of answers, ready for HTTP/2. */
import { parseTimeout } from './framing.ts';
import type { Headers } from './http2/hpack.ts';
import { FAILURES, type Failure } from './statuses.ts';

/** The headers of a call. */
export type Head =
  | {
      readonly type: 'Call';
      readonly path: string;
      /** How long the caller waits; absent: he does not say. */
      readonly timeoutMs?: number;
      /** How many bytes he says that he sends; absent: he does not say. */
      readonly length?: number;
    }
  | Failure
  /** Not gRPC at all. */
  | { readonly type: 'NoGrpc'; readonly status: number }
  /** Not even HTTP/2. */
  | { readonly type: 'Malformed' };

const MALFORMED: Head = { type: 'Malformed' };
const METHOD_NOT_ALLOWED: Head = { type: 'NoGrpc', status: 405 };
const UNSUPPORTED_MEDIA_TYPE: Head = { type: 'NoGrpc', status: 415 };
const CONTENT_TYPE = 'application/grpc';
const ACCEPTED = /^application\/grpc(\+proto)?($|;)/;
const PSEUDO = new Set([':method', ':path', ':scheme', ':authority']);
/** Headers that belong to a connection do not exist in HTTP/2. */
const OF_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/** Judges the headers of a call. */
export function readHead(headers: Headers): Head {
  const found = collect(headers);
  const path = found?.get(':path');
  if (!path || !found?.has(':method') || !found.has(':scheme')) return MALFORMED;
  if (found.get(':method') !== 'POST') return METHOD_NOT_ALLOWED;
  if (!ACCEPTED.test(found.get('content-type') ?? '')) return UNSUPPORTED_MEDIA_TYPE;
  return readGrpcHead(path, found);
}

/** By name, the last of a name; undefined where HTTP/2 does not allow them so. */
function collect(headers: Headers): ReadonlyMap<string, string> | undefined {
  const found = new Map<string, string>();
  let isPastPseudo = false;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    const content = headers[i + 1] ?? '';
    const isPseudo = name.startsWith(':');
    isPastPseudo ||= !isPseudo;
    if (isPseudo && (isPastPseudo || found.has(name) || !PSEUDO.has(name))) return undefined;
    if (isMalformed(name, content)) return undefined;
    found.set(name, content);
  }
  return found;
}

/** Whether these can stand after a message. */
export function areTrailers(headers: Headers): boolean {
  return headers.every(
    (text, i) => i % 2 === 1 || !(text.startsWith(':') || isMalformed(text, '')),
  );
}

function isMalformed(name: string, content: string): boolean {
  if (!/^:?[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) || OF_CONNECTION.has(name)) return true;
  return name === 'te' && content !== '' && content !== 'trailers';
}

function readGrpcHead(path: string, found: ReadonlyMap<string, string>): Head {
  const encoding = found.get('grpc-encoding');
  if (encoding !== undefined && encoding !== 'identity') return FAILURES.Compressed;
  const length = found.get('content-length');
  if (length !== undefined && !/^[0-9]{1,15}$/.test(length)) return MALFORMED;
  const timeout = found.get('grpc-timeout');
  const timeoutMs = timeout === undefined ? undefined : parseTimeout(timeout);
  if (timeout !== undefined && timeoutMs === undefined) return FAILURES.BadTimeout;
  return {
    type: 'Call',
    path,
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(length !== undefined && { length: Number(length) }),
  };
}

/** HPACK's index of `:status: 200`, and of the names that are used. */
const STATUS_200 = Buffer.of(0x88);
const STATUS_NAME = 8;
const CONTENT_TYPE_NAME = 31;

const ANSWER_HEADERS = Buffer.concat([STATUS_200, literal(CONTENT_TYPE_NAME, CONTENT_TYPE)]);

/** What stands before and after the message of an answer. */
export const answerPieces = {
  headers: ANSWER_HEADERS,
  trailers: literal('grpc-status', '0'),
} as const;

/** Headers that are all of an answer: a status of gRPC. */
export function failureHeaders({ status, message }: Failure): Buffer {
  return Buffer.concat([
    ANSWER_HEADERS,
    literal('grpc-status', String(status)),
    literal('grpc-message', message),
  ]);
}

/** Headers that are all of an answer: a status of HTTP. */
export function statusHeaders(status: number): Buffer {
  return literal(STATUS_NAME, String(status));
}

/** A header that the table does not remember; the name as it is or as its index. Short ones only. */
function literal(name: number | string, content: string): Buffer {
  const index =
    typeof name === 'string'
      ? Buffer.concat([Buffer.of(0), text(name)])
      : // Fifteen does not fit into its four bits: the rest follows.
        Buffer.from(name < 15 ? [name] : [15, name - 15]);
  return Buffer.concat([index, text(content)]);
}

/** Up to 126 characters. */
function text(content: string): Buffer {
  return Buffer.concat([Buffer.of(content.length), Buffer.from(content, 'latin1')]);
}
