/**
 * One connection of the gRPC port: HTTP/2 as far as a server needs it that is never asked to push
 * anything. What breaks its rules ends the connection, and the peer is told why.
 */
import type { Socket } from 'node:net';
import { Calls, STREAM_WINDOW_BYTES, type Desk } from './calls.ts';
import {
  DEFAULT_TABLE_BYTES,
  DEFAULT_WINDOW_BYTES,
  ERROR,
  type ErrorCode,
  FLAG,
  FRAME,
  FRAME_BYTES_MAX,
  SETTING,
  STREAM_ID_MAX,
} from './http2/constants.ts';
import { HeaderDecoder } from './http2/hpack.ts';
import { Outbox } from './http2/outbox.ts';
import { FrameSplitter, withoutPadding, type Frame } from './http2/splitter.ts';

/** Room for several messages of the largest size at once. */
const WINDOW_BYTES = 1_024 * 1_024;
const HEADER_LIST_BYTES = 16 * 1_024;
/** Answers that wait because the peer does not read them. */
const UNREAD_BYTES_MAX = 4 * 1_024 * 1_024;
const SETTING_BYTES = 6;
/** There are a dozen; each may be about all open calls, so thousands in one frame would cost seconds. */
const SETTINGS_MAX = 32;
const PRIORITY_BYTES = 5;
const FRAME_BYTES_LIMIT = 2 ** 24 - 1;
const NOTHING = Buffer.alloc(0);
/** Contents of our pings, by which their answers are known. */
const STILL_THERE = Buffer.from('keyward?', 'latin1');
const GOODBYE = Buffer.from('keyward.', 'latin1');

/** One connection. */
export class Connection {
  readonly #socket: Socket;
  readonly #outbox: Outbox;
  readonly #calls: Calls;
  readonly #desk: Desk;
  readonly #decoder = new HeaderDecoder();
  readonly #splitter = new FrameSplitter((frame) => this.#take(frame));
  /** Bytes of calls since the window was last opened. */
  #received = 0;
  #isTaking = false;
  #isFlushing = false;
  #isOver = false;
  #isPingOpen = false;
  /** Set when the peer knows that no more calls are taken. */
  #isLeaving = false;
  #hasAsked = false;
  readonly #onAsked: () => void;

  /** @param onAsked called when the peer opens its first call */
  constructor(socket: Socket, desk: Desk, onAsked: () => void) {
    this.#socket = socket;
    this.#desk = desk;
    this.#onAsked = onAsked;
    this.#outbox = new Outbox((bytes) => this.#write(bytes));
    this.#calls = new Calls(this.#outbox, desk, () => this.#flushLater());
    socket.setNoDelay(true);
    socket.on('data', (piece: Buffer) => this.#receive(piece));
    socket.on('error', ignore);
    socket.on('end', () => this.#drop());
    socket.on('close', () => this.#drop());
    this.#outbox.put(FRAME.Settings, 0, 0, settings(desk.callsMax));
    this.#outbox.putWindow(0, WINDOW_BYTES - DEFAULT_WINDOW_BYTES);
    this.#outbox.flush();
  }

  /** Asks whether the peer is still there. One that has not answered the last time is dropped. */
  ping(): void {
    if (this.#isPingOpen) return this.#drop();
    this.#isPingOpen = true;
    this.#outbox.put(FRAME.Ping, 0, 0, STILL_THERE);
    this.#outbox.flush();
  }

  /** Ends calls that began before and whose peer does not go on. */
  sweep(beforeMs: number): void {
    this.#calls.sweep(beforeMs);
    this.#outbox.flush();
  }

  /**
   * In two steps: the first tells the peer to open no more calls, the second, when the peer has seen the
   * first, ends the connection after the calls that are open by then. In one step, calls that are on
   * their way would be lost, and a lost call is a no to somebody.
   */
  leave(): void {
    this.#outbox.putGoAway(STREAM_ID_MAX, ERROR.None);
    this.#outbox.put(FRAME.Ping, 0, 0, GOODBYE);
    this.#outbox.flush();
  }

  /** Whether it has had calls, and has none now. */
  get isIdle(): boolean {
    return this.#hasAsked && this.#calls.size === 0;
  }

  /** Ends at once. */
  destroy(): void {
    this.#drop();
  }

  #receive(piece: Buffer): void {
    if (this.#isOver) return;
    this.#isTaking = true;
    const error = this.#splitter.take(piece);
    this.#isTaking = false;
    if (error !== undefined) this.#fail(error);
    else this.#flush();
  }

  #take(frame: Frame): ErrorCode | undefined {
    switch (frame.kind) {
      case FRAME.Data:
        return this.#takeData(frame);
      case FRAME.Headers:
        return this.#takeHeaders(frame);
      case FRAME.Priority:
        return this.#takePriority(frame);
      case FRAME.ResetStream:
        if (frame.content.length !== 4) return ERROR.FrameSize;
        return frame.streamId === 0 ? ERROR.Protocol : this.#calls.takeReset(frame.streamId);
      case FRAME.Settings:
        return this.#takeSettings(frame);
      case FRAME.PushPromise:
        return ERROR.Protocol;
      case FRAME.Ping:
        return this.#takePing(frame);
      case FRAME.GoAway:
        if (frame.streamId !== 0) return ERROR.Protocol;
        return frame.content.length < 8 ? ERROR.FrameSize : undefined;
      case FRAME.WindowUpdate:
        return this.#takeWindow(frame);
      default:
        // Kinds that nobody knows are passed over.
        return undefined;
    }
  }

  #takeData(frame: Frame): ErrorCode | undefined {
    if (frame.streamId === 0) return ERROR.Protocol;
    const bytes = frame.content.length;
    const piece = withoutPadding(frame);
    if (piece === undefined) return ERROR.Protocol;
    this.#received += bytes;
    if (this.#received > WINDOW_BYTES) return ERROR.FlowControl;
    if (this.#received > WINDOW_BYTES / 2) {
      this.#outbox.putWindow(0, this.#received);
      this.#received = 0;
    }
    return this.#calls.takeData(frame.streamId, piece, bytes, frame.flags);
  }

  #takeHeaders(frame: Frame): ErrorCode | undefined {
    const { streamId, flags } = frame;
    if (streamId % 2 === 0) return ERROR.Protocol;
    let block = withoutPadding(frame);
    if (block === undefined) return ERROR.Protocol;
    const hasPriority = (flags & FLAG.Priority) !== 0;
    if (hasPriority && block.length < PRIORITY_BYTES) return ERROR.FrameSize;
    const dependsOn = hasPriority ? dependencyOf(block) : 0;
    if (hasPriority) block = block.subarray(PRIORITY_BYTES);
    const headers = this.#decoder.decode(block);
    if (headers === undefined) return ERROR.Compression;
    if (dependsOn === streamId) return this.#calls.refuse(streamId, ERROR.Protocol);
    if (this.#isLeaving && streamId > this.#calls.lastId) {
      return this.#calls.refuse(streamId, ERROR.RefusedStream);
    }
    const error = this.#calls.takeHeaders(streamId, headers, flags);
    if (!this.#hasAsked && this.#calls.size > 0) {
      this.#hasAsked = true;
      this.#onAsked();
    }
    return error;
  }

  /** Nobody goes by priorities any more, but they have a form. */
  #takePriority({ streamId, content }: Frame): ErrorCode | undefined {
    if (streamId === 0) return ERROR.Protocol;
    if (content.length !== PRIORITY_BYTES) return ERROR.FrameSize;
    return dependencyOf(content) === streamId
      ? this.#calls.refuse(streamId, ERROR.Protocol)
      : undefined;
  }

  #takeSettings({ streamId, flags, content }: Frame): ErrorCode | undefined {
    if (streamId !== 0) return ERROR.Protocol;
    if ((flags & FLAG.Ack) !== 0) return content.length === 0 ? undefined : ERROR.FrameSize;
    if (content.length % SETTING_BYTES !== 0) return ERROR.FrameSize;
    if (content.length > SETTINGS_MAX * SETTING_BYTES) return ERROR.EnhanceYourCalm;
    let hasLessTable = false;
    for (let at = 0; at < content.length; at += SETTING_BYTES) {
      const name = content.readUInt16BE(at);
      const value = content.readUInt32BE(at + 2);
      const error = this.#takeSetting(name, value);
      if (error !== undefined) return error;
      hasLessTable ||= name === SETTING.HeaderTableSize && value < DEFAULT_TABLE_BYTES;
    }
    this.#outbox.put(FRAME.Settings, FLAG.Ack, 0, NOTHING);
    // Only now: a new window may have let headers go, and those before the ACK do not count.
    if (hasLessTable) this.#outbox.tellTableNext();
    return undefined;
  }

  #takeSetting(name: number, value: number): ErrorCode | undefined {
    switch (name) {
      case SETTING.EnablePush:
        return value > 1 ? ERROR.Protocol : undefined;
      case SETTING.InitialWindowSize:
        return this.#calls.takeInitialWindow(value);
      case SETTING.MaxFrameSize:
        return value < FRAME_BYTES_MAX || value > FRAME_BYTES_LIMIT ? ERROR.Protocol : undefined;
      default:
        // We push nothing, and keep no table for what we send; see `#takeSettings`.
        return undefined;
    }
  }

  #takePing({ streamId, flags, content }: Frame): ErrorCode | undefined {
    if (streamId !== 0) return ERROR.Protocol;
    if (content.length !== 8) return ERROR.FrameSize;
    if ((flags & FLAG.Ack) === 0) this.#outbox.put(FRAME.Ping, FLAG.Ack, 0, content);
    else if (content.equals(STILL_THERE)) this.#isPingOpen = false;
    else if (content.equals(GOODBYE) && !this.#isLeaving) {
      this.#isLeaving = true;
      this.#outbox.putGoAway(this.#calls.lastId, ERROR.None);
    }
    return undefined;
  }

  #takeWindow({ streamId, content }: Frame): ErrorCode | undefined {
    if (content.length !== 4) return ERROR.FrameSize;
    const bytes = content.readUInt32BE(0) & 0x7f_ff_ff_ff;
    return streamId === 0
      ? this.#calls.takeConnectionWindow(bytes)
      : this.#calls.takeWindow(streamId, bytes);
  }

  /** Answers that came later leave together, too. */
  #flushLater(): void {
    if (this.#isFlushing || this.#isTaking) return;
    this.#isFlushing = true;
    queueMicrotask(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#isOver) return;
    this.#outbox.flush();
    if (this.#isLeaving && this.#calls.size === 0) this.#finish();
  }

  #write(bytes: Buffer): void {
    const socket = this.#socket;
    if (this.#isOver || socket.destroyed || socket.write(bytes)) return;
    if (socket.writableLength > UNREAD_BYTES_MAX) return this.#drop();
    if (socket.isPaused()) return;
    // A peer that does not read is not listened to.
    socket.pause();
    socket.once('drain', () => socket.resume());
  }

  #fail(error: ErrorCode): void {
    this.#desk.meter.broken(error);
    this.#outbox.putGoAway(this.#calls.lastId, error);
    this.#outbox.flush();
    this.#finish();
  }

  /** Ends when what was written has left. */
  #finish(): void {
    this.#isOver = true;
    this.#calls.clear();
    this.#socket.destroySoon();
  }

  #drop(): void {
    this.#isOver = true;
    this.#calls.clear();
    this.#socket.destroy();
  }
}

function settings(callsMax: number): Buffer {
  const values = [
    [SETTING.MaxConcurrentStreams, callsMax],
    [SETTING.InitialWindowSize, STREAM_WINDOW_BYTES],
    [SETTING.MaxHeaderListSize, HEADER_LIST_BYTES],
  ] as const;
  const content = Buffer.alloc(values.length * SETTING_BYTES);
  for (const [index, [name, value]] of values.entries()) {
    content.writeUInt16BE(name, index * SETTING_BYTES);
    content.writeUInt32BE(value, index * SETTING_BYTES + 2);
  }
  return content;
}

function dependencyOf(priority: Buffer): number {
  return priority.readUInt32BE(0) & 0x7f_ff_ff_ff;
}

function ignore(): void {
  // Its 'close' follows, and that is all that matters.
}
