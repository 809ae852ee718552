/**
 * The calls that are open on one connection, from their headers to the trailers of their answers. The
 * peer is not believed: whatever it sends, it gets a status or a reset, and nothing stays behind.
 */
import type { Clock } from '../../kernel/clock.ts';
import {
  answerPieces,
  failureHeaders,
  readHead,
  statusHeaders,
  areTrailers,
  type Head,
} from './head.ts';
import {
  DEFAULT_WINDOW_BYTES,
  ERROR,
  type ErrorCode,
  FLAG,
  FRAME,
  FRAME_BYTES_MAX,
  WINDOW_BYTES_MAX,
} from './http2/constants.ts';
import type { Headers } from './http2/hpack.ts';
import type { Outbox } from './http2/outbox.ts';
import { unframe } from './framing.ts';
import type { Answer, Method } from './method.ts';
import type { GrpcMeter } from './metrics.ts';
import { Receipt, type Backlog } from './receipt.ts';
import { FAILURES } from './statuses.ts';

/** What all connections of a port share. */
export type Desk = {
  /** By path. */
  readonly methods: ReadonlyMap<string, Method>;
  /** Longest time for an answer, where the caller does not want it sooner. */
  readonly callTimeMs: number;
  /** Calls that one connection may have open. */
  readonly callsMax: number;
  readonly backlog: Backlog;
  readonly clock: Clock;
  readonly meter: GrpcMeter;
};

type OpenCall = {
  readonly id: number;
  readonly method: Method;
  readonly timeoutMs: number;
  readonly sinceMs: number;
  /** What the peer said that it sends; undefined: nothing. */
  readonly length: number | undefined;
  readonly receipt: Receipt;
  state: 'Receiving' | 'Deciding' | 'Sending' | 'Closed';
  /** Bytes that the peer may still send. */
  receiveWindow: number;
  /** Bytes that the peer wants at most; may be negative. */
  sendWindow: number;
  /** What of the answer has not been sent. */
  rest: Buffer;
};

/** A message of the largest size fits without asking for leave, padding included. */
export const STREAM_WINDOW_BYTES = 256 * 1_024;
/** A peer that opens calls only to drop them, or to have them dropped: what they asked goes on all the same. */
const RESETS_MAX = 1_000;
const NOTHING = Buffer.alloc(0);

/** The calls of a connection. */
export class Calls {
  readonly #outbox: Outbox;
  readonly #desk: Desk;
  /** Called when something is to be sent that nothing on this connection has led to. */
  readonly #flushLater: () => void;
  /** The oldest first. */
  readonly #open = new Map<number, OpenCall>();
  readonly #sending = new Set<OpenCall>();
  #lastId = 0;
  #resets = 0;
  #sendWindow = DEFAULT_WINDOW_BYTES;
  #initialWindow = DEFAULT_WINDOW_BYTES;
  /** The last headers and what they say: nearly always the next ones are the same array. */
  #headers: Headers | undefined;
  #head: Head = { type: 'Malformed' };

  constructor(outbox: Outbox, desk: Desk, flushLater: () => void) {
    this.#outbox = outbox;
    this.#desk = desk;
    this.#flushLater = flushLater;
  }

  get size(): number {
    return this.#open.size;
  }

  /** The newest call that there ever was. */
  get lastId(): number {
    return this.#lastId;
  }

  /** HEADERS: a new call, or the end of one. */
  takeHeaders(id: number, headers: Headers, flags: number): ErrorCode | undefined {
    const isLast = (flags & FLAG.EndStream) !== 0;
    if (id <= this.#lastId) return this.#takeTrailers(id, headers, isLast);
    this.#lastId = id;
    if (this.#open.size >= this.#desk.callsMax) {
      this.#outbox.putReset(id, ERROR.RefusedStream);
      return undefined;
    }
    if (headers !== this.#headers) {
      this.#head = readHead(headers);
      this.#headers = headers;
    }
    this.#begin(id, this.#head, isLast);
    return undefined;
  }

  /** DATA. `bytes` counts padding too. */
  takeData(id: number, piece: Buffer, bytes: number, flags: number): ErrorCode | undefined {
    const call = this.#open.get(id);
    if (call?.state !== 'Receiving') {
      return id > this.#lastId ? ERROR.Protocol : this.#spoil(call, id, ERROR.StreamClosed);
    }
    call.receiveWindow -= bytes;
    if (call.receiveWindow < 0) return this.#spoil(call, id, ERROR.FlowControl);
    const isLast = (flags & FLAG.EndStream) !== 0;
    const failure = call.receipt.take(piece, isLast ? 'Last' : 'NotLast');
    if (failure !== undefined) this.#reply(call, failure);
    else if (isLast) this.#decide(call);
    return undefined;
  }

  /** RST_STREAM. */
  takeReset(id: number): ErrorCode | undefined {
    if (id > this.#lastId) return ERROR.Protocol;
    const call = this.#open.get(id);
    if (call === undefined) return undefined;
    this.#close(call);
    return this.#countReset();
  }

  /** WINDOW_UPDATE of a call. */
  takeWindow(id: number, bytes: number): ErrorCode | undefined {
    if (id > this.#lastId) return ERROR.Protocol;
    const call = this.#open.get(id);
    if (bytes === 0) return this.#spoil(call, id, ERROR.Protocol);
    if (call === undefined) return undefined;
    if (call.sendWindow + bytes > WINDOW_BYTES_MAX) return this.#spoil(call, id, ERROR.FlowControl);
    call.sendWindow += bytes;
    if (call.state === 'Sending') this.#send(call);
    return undefined;
  }

  /** WINDOW_UPDATE of the connection. */
  takeConnectionWindow(bytes: number): ErrorCode | undefined {
    if (bytes === 0) return ERROR.Protocol;
    this.#sendWindow += bytes;
    if (this.#sendWindow > WINDOW_BYTES_MAX) return ERROR.FlowControl;
    for (const call of this.#sending) this.#send(call);
    return undefined;
  }

  /** The setting for windows of calls, which holds for open ones too. */
  takeInitialWindow(bytes: number): ErrorCode | undefined {
    if (bytes > WINDOW_BYTES_MAX) return ERROR.FlowControl;
    const more = bytes - this.#initialWindow;
    this.#initialWindow = bytes;
    for (const call of this.#open.values()) {
      call.sendWindow += more;
      if (call.sendWindow > WINDOW_BYTES_MAX) return ERROR.FlowControl;
    }
    for (const call of this.#sending) this.#send(call);
    return undefined;
  }

  /** Ends a call, be it known or not. */
  refuse(id: number, error: ErrorCode): ErrorCode | undefined {
    this.#lastId = Math.max(this.#lastId, id);
    return this.#spoil(this.#open.get(id), id, error);
  }

  /** Ends calls that began before and whose peer neither ends nor takes what it is to. */
  sweep(beforeMs: number): void {
    for (const call of this.#open.values()) {
      if (call.sinceMs > beforeMs) return;
      if (call.state !== 'Deciding') this.#end(call, call.id, ERROR.Cancel);
    }
  }

  /** Forgets all calls; the connection is gone. */
  clear(): void {
    for (const call of this.#open.values()) this.#close(call);
  }

  #takeTrailers(id: number, headers: Headers, isLast: boolean): ErrorCode | undefined {
    const call = this.#open.get(id);
    // Sent before the peer saw that we had ended the call; HPACK is in step, for they have been read. Of
    // calls that are over nobody knows any more who ended them, so those of all are passed over.
    if (call === undefined) return undefined;
    if (call.state !== 'Receiving') return ERROR.StreamClosed;
    if (!isLast || !areTrailers(headers)) return this.#spoil(call, id, ERROR.Protocol);
    call.receipt.take(NOTHING, 'Last');
    this.#decide(call);
    return undefined;
  }

  #begin(id: number, head: Head, isLast: boolean): void {
    if (head.type === 'Malformed') return this.#outbox.putReset(id, ERROR.Protocol);
    const method = head.type === 'Call' ? this.#desk.methods.get(head.path) : undefined;
    if (head.type !== 'Call' || method === undefined) {
      const failure = head.type === 'Failure' ? head : FAILURES.UnknownMethod;
      this.#desk.meter.failed(head.type === 'NoGrpc' ? head.type : failure.reason);
      const content = head.type === 'NoGrpc' ? statusHeaders(head.status) : failureHeaders(failure);
      this.#outbox.putHeaders(FLAG.EndHeaders | FLAG.EndStream, id, content);
      // Whoever sends on is told to stop.
      if (!isLast) this.#outbox.putReset(id, ERROR.None);
      return;
    }
    const call: OpenCall = {
      id,
      method,
      timeoutMs: Math.min(head.timeoutMs ?? this.#desk.callTimeMs, this.#desk.callTimeMs),
      sinceMs: this.#desk.clock.monotonicMs(),
      length: head.length,
      receipt: new Receipt(this.#desk.backlog),
      state: 'Receiving',
      receiveWindow: STREAM_WINDOW_BYTES,
      sendWindow: this.#initialWindow,
      rest: NOTHING,
    };
    this.#open.set(id, call);
    if (isLast) this.#decide(call);
  }

  #decide(call: OpenCall): void {
    call.state = 'Deciding';
    const bytes = call.receipt.finish();
    if (call.length !== undefined && call.length !== bytes.length) {
      return this.#end(call, call.id, ERROR.Protocol);
    }
    const message = unframe(bytes);
    if (!(message instanceof Uint8Array)) return this.#reply(call, message);
    const answer = call.method(message);
    if (answer instanceof Promise) void this.#replyLater(call, answer);
    else this.#reply(call, answer);
  }

  async #replyLater(call: OpenCall, answer: Promise<Answer>): Promise<void> {
    const cancel = this.#desk.clock.after(call.timeoutMs, () => {
      this.#reply(call, FAILURES.TooLate);
      this.#flushLater();
    });
    const known = await answer;
    cancel();
    this.#reply(call, known);
    this.#flushLater();
  }

  #reply(call: OpenCall, answer: Answer): void {
    if (call.state === 'Closed' || call.state === 'Sending') return;
    const outbox = this.#outbox;
    if (!(answer instanceof Uint8Array)) {
      this.#desk.meter.failed(answer.reason);
      outbox.putHeaders(FLAG.EndHeaders | FLAG.EndStream, call.id, failureHeaders(answer));
      if (call.state === 'Receiving') outbox.putReset(call.id, ERROR.None);
      return this.#close(call);
    }
    const bytes = answer.length;
    if (bytes > FRAME_BYTES_MAX || bytes > call.sendWindow || bytes > this.#sendWindow) {
      outbox.putHeaders(FLAG.EndHeaders, call.id, answerPieces.headers);
      call.state = 'Sending';
      call.rest = answer;
      this.#sending.add(call);
      return this.#send(call);
    }
    this.#sendWindow -= bytes;
    outbox.putAnswer(call.id, answer, answerPieces);
    this.#close(call);
    if (this.#resets > 0) this.#resets -= 1;
  }

  /** As much as the peer wants. */
  #send(call: OpenCall): void {
    while (call.rest.length > 0) {
      const bytes = Math.min(call.rest.length, FRAME_BYTES_MAX, call.sendWindow, this.#sendWindow);
      if (bytes <= 0) return;
      this.#outbox.put(FRAME.Data, 0, call.id, call.rest.subarray(0, bytes));
      call.rest = call.rest.subarray(bytes);
      call.sendWindow -= bytes;
      this.#sendWindow -= bytes;
    }
    const flags = FLAG.EndHeaders | FLAG.EndStream;
    this.#outbox.putHeaders(flags, call.id, answerPieces.trailers);
    this.#close(call);
  }

  /** Ends a call by the fault of its peer, which counts as if the peer had dropped it. */
  #spoil(call: OpenCall | undefined, id: number, error: ErrorCode): ErrorCode | undefined {
    this.#end(call, id, error);
    return call === undefined ? undefined : this.#countReset();
  }

  #countReset(): ErrorCode | undefined {
    this.#resets += 1;
    return this.#resets > RESETS_MAX ? ERROR.EnhanceYourCalm : undefined;
  }

  /** Ends a call with a reset; also one that is not known any more. */
  #end(call: OpenCall | undefined, id: number, error: ErrorCode): void {
    this.#outbox.putReset(id, error);
    if (call !== undefined) this.#close(call);
  }

  #close(call: OpenCall): void {
    call.state = 'Closed';
    call.receipt.clear();
    call.rest = NOTHING;
    this.#open.delete(call.id);
    this.#sending.delete(call);
  }
}
