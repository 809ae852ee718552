/**
 * One connection to the API server: one request at a time, deadlines by a single number that the
 * pool's sweep looks at, and an exact answer to "had anything been sent?" when it fails.
 *
 *     Connecting --connected--> Idle --send--> Waiting --first byte--> Answering --end--> Idle
 *          any of them --error, deadline, abort, odd bytes--> Dead
 */
import type { Socket } from 'node:net';
import type { Clock } from '../kernel/clock.ts';
import { type ResponseHead, ResponseParser, type ResponseSink } from './response.ts';

/** How long each part of a call may take, in milliseconds. */
export type Deadlines = {
  readonly connectMs: number;
  /** From sending to the first byte of the answer. */
  readonly firstByteMs: number;
  /** From taking the connection to the last byte; Infinity for streams. */
  readonly wholeMs: number;
  /** Longest pause between two bytes of an answer; Infinity where only `wholeMs` counts. */
  readonly silenceMs: number;
};

/** A complete answer. For a stream that was accepted the body is empty. */
export type HttpResponse = { readonly head: ResponseHead; readonly body: Buffer };

/** How far a request had come when it failed: only NotSent is proof that nothing was done. */
type FailurePhase = 'NotSent' | 'NoAnswer' | 'TornAnswer';

/** The connection failed; never seen outside this folder (failures.ts translates it). */
export class TransportFailure extends Error {
  readonly phase: FailurePhase;
  /**
   * Closed: the other side went away. Deadline, Aborted: we gave up. Malformed: odd bytes.
   * TooLong: more bytes than we take.
   */
  readonly kind: 'Closed' | 'Deadline' | 'Aborted' | 'Malformed' | 'TooLong';

  constructor(phase: FailurePhase, kind: TransportFailure['kind'], cause?: unknown) {
    super(`connection ${kind} (${phase})`, { cause });
    this.name = 'TransportFailure';
    this.phase = phase;
    this.kind = kind;
  }
}

/** A request on its way, and who waits for it. */
export type Exchange = {
  /** Head and body as one piece, so that one write sends it. */
  readonly text: string;
  readonly deadlines: Deadlines;
  /** Present for streams: gets the body of a 200 answer piece by piece; throwing ends the stream. */
  readonly onChunk?: ((chunk: Buffer) => void) | undefined;
  readonly onDone: (response: HttpResponse) => void;
  readonly onFailed: (failure: Error) => void;
};

/** A list page of 500 large objects is about 10 MiB; whoever lists asks for fewer when this is not enough. */
const BODY_MIB_MAX = 64;

class AnswerTooLongError extends Error {}

const EMPTY = Buffer.alloc(0);

/** One socket; used by Pool, which hands it out, and Transport, which sends on it. */
export class Connection implements ResponseSink {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #onFree: (connection: Connection) => void;
  readonly #parser = new ResponseParser(this);
  #state: 'Connecting' | 'Idle' | 'Waiting' | 'Answering' | 'Dead' = 'Connecting';
  #exchange: Exchange | undefined;
  #startedMs = 0;
  #dueMs = Infinity;
  #head: ResponseHead | undefined;
  #body: Buffer[] = [];
  #bodyBytes = 0;
  /** Requests sent so far. */
  uses = 0;
  idleSinceMs = 0;

  /**
   * @param connectedEvent 'secureConnect' for TLS: before it the server is not verified, so nothing
   *   may be written
   * @param onFree called when the connection can be used again, and when it is dead
   */
  constructor(
    socket: Socket,
    connectedEvent: 'connect' | 'secureConnect',
    clock: Clock,
    onFree: (connection: Connection) => void,
  ) {
    this.#socket = socket;
    this.#clock = clock;
    this.#onFree = onFree;
    socket.setNoDelay(true);
    socket.once(connectedEvent, () => this.#connected());
    socket.on('error', (error) => this.#fail('Closed', error));
    socket.on('end', () => this.#fail('Closed'));
    socket.on('close', () => this.#fail('Closed'));
  }

  get alive(): boolean {
    return this.#state !== 'Dead';
  }

  /** Sends a request. The connection must be new or idle. */
  send(exchange: Exchange): void {
    this.#exchange = exchange;
    this.#startedMs = this.#clock.monotonicMs();
    if (this.#state === 'Connecting') {
      this.#dueMs = this.#startedMs + exchange.deadlines.connectMs;
      return;
    }
    this.#write(exchange);
  }

  /** Gives up what is under way, if it is still this exchange. */
  abort(exchange: Exchange, reason: unknown): void {
    if (this.#exchange === exchange) this.#fail('Aborted', reason);
  }

  /** Ends the connection; a request on it fails as Aborted. May be repeated. */
  destroy(): void {
    this.#fail('Aborted');
  }

  /** Looks at the deadline; the pool calls it a few times per second. */
  check(nowMs: number): void {
    if (nowMs >= this.#dueMs) this.#fail('Deadline');
  }

  /** Takes what the socket has read; the chunk is a view that is used again afterwards. */
  received(chunk: Buffer): void {
    const exchange = this.#exchange;
    if (exchange === undefined) {
      // An answer that nobody asked for, such as a proxy's time-out page on an idle connection.
      this.#fail('Malformed');
      return;
    }
    this.#state = 'Answering';
    this.#dueMs = this.#startedMs + exchange.deadlines.wholeMs;
    if (exchange.deadlines.silenceMs !== Infinity) {
      const silentByMs = this.#clock.monotonicMs() + exchange.deadlines.silenceMs;
      this.#dueMs = Math.min(this.#dueMs, silentByMs);
    }
    try {
      this.#parser.push(chunk);
    } catch (error) {
      this.#fail(error instanceof AnswerTooLongError ? 'TooLong' : 'Malformed', error);
    }
  }

  onHead(head: ResponseHead): void {
    this.#head = head;
  }

  onBody(chunk: Buffer): void {
    const onChunk = this.#exchange?.onChunk;
    if (onChunk !== undefined && this.#head?.status === 200) {
      onChunk(chunk);
      return;
    }
    this.#bodyBytes += chunk.length;
    if (this.#bodyBytes > BODY_MIB_MAX * 1024 * 1024) {
      throw new AnswerTooLongError(`answer longer than ${BODY_MIB_MAX} MiB`);
    }
    this.#body.push(Buffer.from(chunk));
  }

  onEnd(): void {
    const exchange = this.#exchange;
    const head = this.#head;
    if (exchange === undefined || head === undefined) return;
    const body = this.#takeBody();
    this.#exchange = undefined;
    this.#dueMs = Infinity;
    this.#parser.reset();
    if (head.keepAlive) {
      this.#state = 'Idle';
      this.idleSinceMs = this.#clock.monotonicMs();
      this.#onFree(this);
    } else {
      this.#fail('Closed');
    }
    exchange.onDone({ head, body });
  }

  #connected(): void {
    if (this.#state !== 'Connecting') return;
    this.#state = 'Idle';
    if (this.#exchange !== undefined) this.#write(this.#exchange);
  }

  #write(exchange: Exchange): void {
    // A socket that is known to be closed proves that nothing was sent.
    if (!this.#socket.writable || this.#socket.readableEnded) {
      this.#fail('Closed');
      return;
    }
    const { firstByteMs, wholeMs } = exchange.deadlines;
    const nowMs = this.uses === 0 ? this.#clock.monotonicMs() : this.#startedMs;
    this.#dueMs = Math.min(nowMs + firstByteMs, this.#startedMs + wholeMs);
    this.#state = 'Waiting';
    this.uses += 1;
    this.#socket.write(exchange.text, 'utf8');
  }

  #takeBody(): Buffer {
    const [only] = this.#body;
    const body = this.#body.length > 1 ? Buffer.concat(this.#body) : (only ?? EMPTY);
    this.#body = [];
    this.#bodyBytes = 0;
    this.#head = undefined;
    return body;
  }

  #fail(kind: TransportFailure['kind'], cause?: unknown): void {
    if (this.#state === 'Dead') return;
    const phase = this.#phase();
    const exchange = this.#exchange;
    this.#state = 'Dead';
    this.#dueMs = Infinity;
    this.#exchange = undefined;
    this.#body = [];
    this.#socket.destroy();
    this.#onFree(this);
    exchange?.onFailed(new TransportFailure(phase, kind, cause));
  }

  #phase(): FailurePhase {
    if (this.#state === 'Answering') return 'TornAnswer';
    return this.#state === 'Waiting' ? 'NoAnswer' : 'NotSent';
  }
}
