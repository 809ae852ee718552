/**
 * HTTP/1.1 to the API server over our own sockets. Half the processor time of a call would be
 * spent in `node:https`, and the time per call is what bounds the whole operator.
 */
import type { Clock } from '../kernel/clock.ts';
import type { Access, Identity, Impersonation } from './access.ts';
import {
  type Connection,
  type Deadlines,
  type Exchange,
  type HttpResponse,
  TransportFailure,
} from './connection.ts';
import { Pool } from './pool.ts';

/** The methods that Kubernetes' verbs use. */
export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One request; everything in it must already be fit for the wire. */
export type HttpRequest = {
  readonly method: HttpMethod;
  /** Path and query, already encoded, starting with a slash. */
  readonly path: string;
  readonly accept: string;
  /** Required with a body. */
  readonly contentType?: string;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
  /** Makes it a stream on a connection of its own; gets the body of a 200 answer in pieces. */
  readonly onChunk?: (chunk: Buffer) => void;
  /** Streams only: longest silence before the stream counts as dead. */
  readonly silenceMs?: number;
};

/** Which server, as whom, by which clock; absent deadlines are 5, 15 and 30 s. */
export type TransportOptions = {
  readonly access: Access;
  readonly clock: Clock;
  /** For the User-Agent header. */
  readonly version: string;
  readonly deadlines?: Partial<Deadlines>;
};

/** A repetition must not meet the next dead connection of the same pool. */
type Wanted = 'AnyConnection' | 'NewConnection';

/** Connect 5 s, first byte 15 s, all 30 s: below the 60 s after which the API server gives up. */
const DEFAULTS: Deadlines = {
  connectMs: 5_000,
  firstByteMs: 15_000,
  wholeMs: 30_000,
  silenceMs: Infinity,
};

/** Requests and streams to one API server; the caller limits how many are in flight. */
export class Transport {
  readonly #access: Access;
  readonly #version: string;
  readonly #deadlines: Deadlines;
  readonly #pool: Pool;
  #identity: Identity | undefined;
  #sharedLines = '';

  constructor(options: TransportOptions) {
    this.#access = options.access;
    this.#version = options.version;
    this.#deadlines = { ...DEFAULTS, ...options.deadlines };
    this.#pool = new Pool(options.access.server, options.clock);
  }

  /** `host:port` for metrics. */
  get host(): string {
    return hostText(this.#access);
  }

  /** Connections that are open now, streams included. */
  get connections(): number {
    return this.#pool.size;
  }

  /**
   * Sends one request and resolves with the answer, whatever its status.
   *
   * Repeated only when a kept connection turned out to be dead: always when nothing had been sent,
   * and once for a GET when no byte of an answer had come.
   *
   * Rejects with a TransportFailure; when `onChunk` threw, that is its cause.
   */
  async send(request: HttpRequest): Promise<HttpResponse> {
    try {
      return await this.#attempt(request, 'AnyConnection');
    } catch (failure) {
      if (!(failure instanceof DeadConnection)) throw failure;
      if (failure.phase === 'NotSent' || request.method === 'GET') {
        return await this.#attempt(request, 'NewConnection');
      }
      throw failure;
    }
  }

  /** Reads the credentials again, after a 401. */
  renewCredentials(): Promise<void> {
    return this.#access.renew();
  }

  /** Ends all connections and streams. */
  close(): void {
    this.#pool.close();
  }

  #attempt(request: HttpRequest, wanted: Wanted): Promise<HttpResponse> {
    const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>();
    const { signal } = request;
    if (signal?.aborted === true) {
      reject(new TransportFailure('NotSent', 'Aborted', signal.reason));
      return promise;
    }
    const identity = this.#access.identity();
    const connection = this.#connection(request, wanted, identity);
    const reused = connection.uses > 0;
    const onAbort = (): void => connection.abort(exchange, signal?.reason);
    const exchange: Exchange = {
      text: this.#encode(request, identity),
      deadlines: this.#deadlinesOf(request),
      onChunk: request.onChunk,
      onDone: (response) => {
        signal?.removeEventListener('abort', onAbort);
        resolve(response);
      },
      onFailed: (failure) => {
        signal?.removeEventListener('abort', onAbort);
        reject(reused ? asDead(failure) : failure);
      },
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    connection.send(exchange);
    return promise;
  }

  #connection(request: HttpRequest, wanted: Wanted, identity: Identity): Connection {
    if (request.onChunk !== undefined) return this.#pool.takeDedicated(identity.tls);
    return wanted === 'AnyConnection'
      ? this.#pool.take(identity.tls)
      : this.#pool.takeFresh(identity.tls);
  }

  #deadlinesOf(request: HttpRequest): Deadlines {
    if (request.onChunk === undefined) return this.#deadlines;
    const silenceMs = request.silenceMs ?? Infinity;
    return { ...this.#deadlines, wholeMs: Infinity, silenceMs };
  }

  #encode(request: HttpRequest, identity: Identity): string {
    if (identity !== this.#identity) {
      this.#identity = identity;
      this.#sharedLines = sharedLines(this.#access, this.#version, identity);
    }
    const { method, path, accept, body } = request;
    const start = `${method} ${this.#access.server.basePath}${path} HTTP/1.1\r\n`;
    const head = `${start}${this.#sharedLines}Accept: ${accept}\r\n`;
    if (body === undefined) return `${head}\r\n`;
    const size = Buffer.byteLength(body, 'utf8');
    return `${head}Content-Type: ${request.contentType}\r\nContent-Length: ${size}\r\n\r\n${body}`;
  }
}

/** A connection that had served before was closed under the request; no byte of an answer came. */
class DeadConnection extends TransportFailure {}

function asDead(failure: Error): Error {
  if (!(failure instanceof TransportFailure)) return failure;
  if (failure.kind !== 'Closed' || failure.phase === 'TornAnswer') return failure;
  return new DeadConnection(failure.phase, failure.kind, failure.cause);
}

function hostText(access: Access): string {
  const { host, port } = access.server;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function sharedLines(access: Access, version: string, { authorization }: Identity): string {
  const headers: (readonly [string, string])[] = [
    ['Host', hostText(access)],
    ['User-Agent', `keyward/${version}`],
    ...(authorization === undefined ? [] : [['Authorization', authorization] as const]),
    ...(access.impersonation === undefined ? [] : impersonationHeaders(access.impersonation)),
  ];
  return headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
}

/** As the Kubernetes documentation on user impersonation has them. */
function impersonationHeaders(impersonation: Impersonation): (readonly [string, string])[] {
  const { user, uid, groups, extra } = impersonation;
  return [
    ['Impersonate-User', user],
    ...(uid === undefined ? [] : [['Impersonate-Uid', uid] as const]),
    ...groups.map((group) => ['Impersonate-Group', group] as const),
    // The name is part of a header's name, so what may not stand there is escaped.
    ...extra.map(
      ([name, value]) => [`Impersonate-Extra-${encodeURIComponent(name)}`, value] as const,
    ),
  ];
}
