/**
 * What goes out on a connection. Frames are written into one piece of memory after another and leave
 * together: one write for all answers to what arrived together.
 */
import { FLAG, FRAME, FRAME_HEAD_BYTES, type ErrorCode } from './constants.ts';

const PIECE_BYTES = 64 * 1_024;
/** HPACK's word that the writer of headers keeps no table. */
const NO_TABLE = Buffer.of(0x20);

/** Takes frames of one connection. Nothing leaves before `flush`. */
export class Outbox {
  readonly #write: (bytes: Buffer) => void;
  #piece = Buffer.alloc(0);
  /** What has left ends here. */
  #from = 0;
  #to = 0;
  /** What the peer knows of the table of what we send, which we never use. */
  #table: 'Default' | 'ToldNext' | 'Told' = 'Default';

  constructor(write: (bytes: Buffer) => void) {
    this.#write = write;
  }

  /** Any frame. */
  put(kind: number, flags: number, streamId: number, content: Uint8Array): void {
    const at = this.#head(kind, flags, { streamId, length: content.length });
    this.#piece.set(content, at);
  }

  /** HEADERS; `block` is all of them. */
  putHeaders(flags: number, streamId: number, block: Buffer): void {
    if (this.#table !== 'ToldNext') return this.put(FRAME.Headers, flags, streamId, block);
    this.#table = 'Told';
    this.put(FRAME.Headers, flags, streamId, Buffer.concat([NO_TABLE, block]));
  }

  /**
   * For a peer that keeps a smaller table than by default, as soon as its settings are acknowledged. The
   * next headers must begin with the new size (RFC 7541, 4.2), though ours never use the table. Size 0 is
   * within whatever it allows, now and later, so once is enough.
   */
  tellTableNext(): void {
    if (this.#table === 'Default') this.#table = 'ToldNext';
  }

  /** RST_STREAM. */
  putReset(streamId: number, error: ErrorCode): void {
    this.#putNumber(FRAME.ResetStream, streamId, error);
  }

  /** WINDOW_UPDATE; 0: of the connection. */
  putWindow(streamId: number, bytes: number): void {
    this.#putNumber(FRAME.WindowUpdate, streamId, bytes);
  }

  /** GOAWAY. */
  putGoAway(lastStreamId: number, error: ErrorCode): void {
    const at = this.#head(FRAME.GoAway, 0, { streamId: 0, length: 8 });
    this.#piece.writeUInt32BE(lastStreamId, at);
    this.#piece.writeUInt32BE(error, at + 4);
  }

  /** A whole answer: headers, one message that fits into a frame, trailers. */
  putAnswer(
    streamId: number,
    message: Buffer,
    { headers, trailers }: { readonly headers: Buffer; readonly trailers: Buffer },
  ): void {
    this.putHeaders(FLAG.EndHeaders, streamId, headers);
    this.put(FRAME.Data, 0, streamId, message);
    this.putHeaders(FLAG.EndHeaders | FLAG.EndStream, streamId, trailers);
  }

  /** Lets everything leave. */
  flush(): void {
    if (this.#to === this.#from) return;
    const leaving = this.#piece.subarray(this.#from, this.#to);
    this.#from = this.#to;
    this.#write(leaving);
  }

  #putNumber(kind: number, streamId: number, value: number): void {
    const at = this.#head(kind, 0, { streamId, length: 4 });
    this.#piece.writeUInt32BE(value, at);
  }

  /** Writes the head of a frame; where its content goes, for which there is room then. */
  #head(
    kind: number,
    flags: number,
    { streamId, length }: { readonly streamId: number; readonly length: number },
  ): number {
    if (this.#piece.length - this.#to < FRAME_HEAD_BYTES + length) this.#renew();
    const piece = this.#piece;
    const at = this.#to;
    piece[at] = 0;
    piece.writeUInt16BE(length, at + 1);
    piece[at + 3] = kind;
    piece[at + 4] = flags;
    piece.writeUInt32BE(streamId, at + 5);
    this.#to = at + FRAME_HEAD_BYTES + length;
    return at + FRAME_HEAD_BYTES;
  }

  /** Memory that has left may still be on its way, so it is never written again. */
  #renew(): void {
    this.flush();
    this.#piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
    this.#from = 0;
    this.#to = 0;
  }
}
