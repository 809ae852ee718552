/**
 * The way out to a vendor. One request is one attempt: nothing is repeated, no redirect is followed,
 * and no byte of an answer ever stands in an error.
 *
 * What a failure says about the request: before a connection was there nothing was sent, so
 * `executed` is No; once it was handed to a connection, whatever goes wrong is Unknown.
 */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import type { Clock } from '../kernel/clock.ts';
import { startHttpRequest } from '../kernel/nodehttp.ts';
import { SECOND_MS } from '../kernel/time.ts';
import {
  REQUEST_MAX_MS,
  StoreFailure,
  type VendorHttp,
  type VendorRequest,
  type VendorResponse,
} from './contract.ts';
import { DialFailure, VendorAgent, type Destination, type Resolve } from './dialing.ts';

/** How long things may take. */
type VendorDeadlines = {
  /** From asking DNS to a verified certificate. */
  readonly connectMs: number;
  /** Longest silence after that. */
  readonly idleMs: number;
  /** All of one request. */
  readonly wholeMs: number;
};

/** What the way out needs; absent deadlines are 5, 10 and 15 s. */
export type VendorHttpOptions = {
  readonly destination: Destination;
  readonly clock: Clock;
  readonly resolve: Resolve;
  /** For the User-Agent header. */
  readonly version: string;
  /** Certificates (PEM) to trust beside those of the system and of Node.js. */
  readonly trustedPem?: string;
  readonly deadlines?: Partial<VendorDeadlines>;
};

/** A way out that can be closed; requests in flight end as if their connection broke. */
export type ClosableHttp = VendorHttp & { close(): void };

const DEADLINES: VendorDeadlines = {
  connectMs: 5 * SECOND_MS,
  idleMs: 10 * SECOND_MS,
  wholeMs: REQUEST_MAX_MS,
};

/** Bodies up to this size are read where the request names no other. */
const BODY_BYTES = 1_048_576;
/** No request may ask for more. */
const BODY_BYTES_MAX = 16 * 1_048_576;
const HEAD_BYTES_MAX = 16_384;
/** Headers that decide how the request is framed and sent; drivers have no say in them. */
const RESERVED: ReadonlySet<string> = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'host',
  'transfer-encoding',
  'upgrade',
  'user-agent',
]);

/** A way out to one vendor. Makes no traffic by itself. */
export function createVendorHttp(options: VendorHttpOptions): ClosableHttp {
  const { destination, clock, resolve } = options;
  const deadlines = { ...DEADLINES, ...options.deadlines };
  const { connectMs } = deadlines;
  const trust = trustOf(options.trustedPem);
  const agent = new VendorAgent({ destination, clock, resolve, connectMs, trust });
  return {
    send: (request, signal) => new Exchange(options, deadlines, agent).run(request, signal),
    close: () => agent.destroy(),
  };
}

/** One request and its answer. */
class Exchange {
  readonly #options: VendorHttpOptions;
  readonly #deadlines: VendorDeadlines;
  readonly #agent: VendorAgent;
  readonly #answer = Promise.withResolvers<VendorResponse>();
  readonly #endings: (() => void)[] = [];
  #phase: 'NotSent' | 'Sent' | 'Answering' | 'Over' = 'NotSent';
  #request: ClientRequest | undefined;
  #stopIdleTimer = (): void => undefined;

  constructor(options: VendorHttpOptions, deadlines: VendorDeadlines, agent: VendorAgent) {
    this.#options = options;
    this.#deadlines = deadlines;
    this.#agent = agent;
  }

  async run(request: VendorRequest, signal: AbortSignal): Promise<VendorResponse> {
    if (signal.aborted) throw this.#failure('Unavailable', 'the request was given up');
    this.#limit(signal);
    try {
      this.#start(request);
      return await this.#answer.promise;
    } finally {
      this.#phase = 'Over';
      for (const end of this.#endings) end();
      this.#stopIdleTimer();
    }
  }

  #limit(signal: AbortSignal): void {
    const { wholeMs } = this.#deadlines;
    const onAbort = (): void => this.#fail('Unavailable', 'the request was given up');
    signal.addEventListener('abort', onAbort, { once: true });
    this.#endings.push(
      () => signal.removeEventListener('abort', onAbort),
      this.#options.clock.after(wholeMs, () =>
        this.#fail('Unavailable', `there was no complete answer within ${wholeMs} ms`),
      ),
    );
  }

  #start(request: VendorRequest): void {
    const started = this.#open(request);
    this.#request = started;
    started.once('socket', () => {
      if (this.#phase === 'NotSent') this.#phase = 'Sent';
      this.#heard();
    });
    started.once('response', (message) => this.#read(message, request));
    started.on('error', (error) => this.#broken(error));
    // An end without an answer; 'error' came before it where there was one.
    started.once('close', () => {
      if (this.#phase !== 'Answering') this.#fail('Unavailable', 'the connection was closed');
    });
    started.end(request.body);
  }

  #open(request: VendorRequest): ClientRequest {
    const { destination, version } = this.#options;
    const { origin } = destination;
    const { method, path, headers, body } = request;
    try {
      return startHttpRequest({
        agent: this.#agent,
        method,
        path,
        headers: {
          ...Object.fromEntries(
            Object.entries(headers).filter(([name]) => !RESERVED.has(name.toLowerCase())),
          ),
          host: origin.host,
          'accept-encoding': 'identity',
          'user-agent': `keyward/${version}`,
          ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body, 'utf8') }),
        },
        maxHeaderSize: HEAD_BYTES_MAX,
        setDefaultHeaders: true,
        setHost: false,
      });
    } catch {
      // Its text quotes the header's name, and the value may be a credential with a line end in it.
      throw this.#failure('Refused', 'the request has characters that HTTP does not allow');
    }
  }

  #read(message: IncomingMessage, request: VendorRequest): void {
    if (this.#phase === 'Over') return;
    this.#phase = 'Answering';
    message.on('error', (error) => this.#broken(error));
    const max = Math.min(request.responseMaxBytes ?? BODY_BYTES, BODY_BYTES_MAX);
    const problem = headProblem(message, max);
    if (problem !== undefined) return this.#fail('Garbled', problem);
    const chunks: Buffer[] = [];
    let size = 0;
    message.on('data', (chunk: Buffer) => {
      this.#heard();
      size += chunk.length;
      if (size > max) this.#fail('Garbled', tooBig(max));
      else chunks.push(chunk);
    });
    message.once('end', () => {
      if (message.complete) this.#finish(message, chunks);
    });
    message.once('close', () => this.#fail('Garbled', 'the answer was cut off'));
  }

  #finish(message: IncomingMessage, chunks: readonly Buffer[]): void {
    const body = utf8(chunks);
    if (body === undefined) return this.#fail('Garbled', 'the answer is not UTF-8 text');
    this.#phase = 'Over';
    this.#answer.resolve({
      status: message.statusCode ?? 0,
      headers: headersOf(message),
      body,
    });
  }

  /** Something arrived, or is about to be waited for. */
  #heard(): void {
    if (this.#phase === 'Over') return;
    const { idleMs } = this.#deadlines;
    this.#stopIdleTimer();
    this.#stopIdleTimer = this.#options.clock.after(idleMs, () =>
      this.#fail('Unavailable', `nothing was heard for ${idleMs} ms`),
    );
  }

  #broken(error: NodeJS.ErrnoException): void {
    if (error instanceof DialFailure) return this.#fail('Unavailable', error.message);
    if (error.code?.startsWith('HPE_') === true) {
      return this.#fail('Garbled', `the answer is no HTTP that can be read (${error.code})`);
    }
    if (this.#phase === 'Answering') return this.#fail('Garbled', 'the answer was cut off');
    return this.#fail('Unavailable', 'the connection broke before an answer came');
  }

  #fail(kind: 'Unavailable' | 'Garbled', why: string): void {
    if (this.#phase === 'Over') return;
    const failure = this.#failure(kind, why);
    this.#phase = 'Over';
    this.#answer.reject(failure);
    this.#request?.destroy();
  }

  #failure(kind: 'Unavailable' | 'Garbled' | 'Refused', why: string): StoreFailure {
    return new StoreFailure(kind, {
      message: `${this.#options.destination.origin.host}: ${why}`,
      executed: this.#phase === 'NotSent' ? 'No' : 'Unknown',
    });
  }
}

/** What is wrong with an answer before its body was read. */
function headProblem(message: IncomingMessage, maxBytes: number): string | undefined {
  const { statusCode = 0, headers } = message;
  if (statusCode >= 300 && statusCode < 400) {
    return `the answer was a redirect (${statusCode}), which is never followed`;
  }
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    return 'the answer is compressed, which nobody asked for';
  }
  const length = Number(headers['content-length'] ?? 0);
  return length > maxBytes ? tooBig(maxBytes) : undefined;
}

function tooBig(maxBytes: number): string {
  return `the answer is larger than ${maxBytes} bytes`;
}

function headersOf(message: IncomingMessage): Readonly<Record<string, string>> {
  const entries = Object.entries(message.headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value] as const],
  );
  return Object.fromEntries(entries);
}

function utf8(chunks: readonly Buffer[]): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    return undefined;
  }
}

/** Made when it is first needed, once: some hundred certificates are parsed for it. */
function trustOf(trustedPem: string | undefined): () => SecureContext {
  let context: SecureContext | undefined;
  return () => {
    context ??= createSecureContext({
      ca: [
        ...new Set([...getCACertificates('default'), ...getCACertificates('system')]),
        ...(trustedPem === undefined ? [] : [trustedPem]),
      ],
      minVersion: 'TLSv1.2',
    });
    return context;
  };
}
