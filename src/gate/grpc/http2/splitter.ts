/**
 * Pure; cuts what arrives on a connection into frames. Headers that come in several frames are put
 * together; what cannot follow each other is refused here.
 */
import {
  ERROR,
  type ErrorCode,
  FLAG,
  FRAME,
  FRAME_BYTES_MAX,
  FRAME_HEAD_BYTES,
  PREFACE,
} from './constants.ts';

/** One frame, or the headers of several. One object serves all frames of a connection. */
export type Frame = {
  kind: number;
  flags: number;
  streamId: number;
  /** A view; valid until the frame was handled. */
  content: Buffer;
};

/** Handles a frame; an answer ends the connection with it. */
type TakeFrame = (frame: Frame) => ErrorCode | undefined;

const BLOCK_BYTES_MAX = 32 * 1_024;
const BLOCK_FRAMES_MAX = 16;
const NOTHING = Buffer.alloc(0);

type Block = { readonly first: number; readonly streamId: number; readonly parts: Buffer[] };

/** The frames of one connection. */
export class FrameSplitter {
  readonly #takeFrame: TakeFrame;
  readonly #frame: Frame = { kind: 0, flags: 0, streamId: 0, content: NOTHING };
  #rest: Buffer = NOTHING;
  #hasBegun = false;
  #hasSettings = false;
  /** Headers whose end has not come. */
  #block: Block | undefined;

  constructor(takeFrame: TakeFrame) {
    this.#takeFrame = takeFrame;
  }

  /** Handles all frames that are complete. An answer ends the connection, and then no more may follow. */
  take(piece: Buffer): ErrorCode | undefined {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    let at = 0;
    if (!this.#hasBegun) {
      const known = bytes.subarray(0, PREFACE.length);
      if (!known.equals(PREFACE.subarray(0, known.length))) return ERROR.Protocol;
      if (bytes.length >= PREFACE.length) {
        this.#hasBegun = true;
        at = PREFACE.length;
      }
    }
    while (this.#hasBegun && bytes.length - at >= FRAME_HEAD_BYTES) {
      const length = bytes.readUIntBE(at, 3);
      if (length > FRAME_BYTES_MAX) return ERROR.FrameSize;
      const end = at + FRAME_HEAD_BYTES + length;
      if (end > bytes.length) break;
      const error = this.#takeOne(bytes, at, end);
      if (error !== undefined) return error;
      at = end;
    }
    this.#rest = at === bytes.length ? NOTHING : bytes.subarray(at);
    return undefined;
  }

  #takeOne(bytes: Buffer, at: number, end: number): ErrorCode | undefined {
    const frame = this.#frame;
    frame.kind = bytes[at + 3] ?? 0;
    frame.flags = bytes[at + 4] ?? 0;
    frame.streamId = bytes.readUInt32BE(at + 5) & 0x7f_ff_ff_ff;
    frame.content = bytes.subarray(at + FRAME_HEAD_BYTES, end);
    // The first frame of a client is always this.
    if (!this.#hasSettings && frame.kind !== FRAME.Settings) return ERROR.Protocol;
    this.#hasSettings = true;
    if (this.#block !== undefined) return this.#continue(this.#block, frame);
    if (frame.kind === FRAME.Continuation) return ERROR.Protocol;
    if (frame.kind !== FRAME.Headers) return this.#takeFrame(frame);
    return this.#takeHeaders(frame);
  }

  #takeHeaders(frame: Frame): ErrorCode | undefined {
    if ((frame.flags & FLAG.EndHeaders) !== 0) return this.#takeFrame(frame);
    // Padding and priority stand in the first frame only; what follows must not be counted with them.
    const content = withoutPadding(frame);
    if (content === undefined) return ERROR.Protocol;
    this.#block = {
      first: frame.flags & ~FLAG.Padded,
      streamId: frame.streamId,
      parts: [Buffer.from(content)],
    };
    return undefined;
  }

  #continue(block: Block, frame: Frame): ErrorCode | undefined {
    if (frame.kind !== FRAME.Continuation || frame.streamId !== block.streamId) {
      return ERROR.Protocol;
    }
    const { parts } = block;
    parts.push(Buffer.from(frame.content));
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    if (size > BLOCK_BYTES_MAX || parts.length > BLOCK_FRAMES_MAX) return ERROR.EnhanceYourCalm;
    if ((frame.flags & FLAG.EndHeaders) === 0) return undefined;
    this.#block = undefined;
    frame.kind = FRAME.Headers;
    frame.flags = block.first | FLAG.EndHeaders;
    frame.content = Buffer.concat(parts);
    return this.#takeFrame(frame);
  }
}

/** The content of DATA or HEADERS; undefined: there is more padding than content. */
export function withoutPadding({ flags, content }: Frame): Buffer | undefined {
  if ((flags & FLAG.Padded) === 0) return content;
  const padding = content[0];
  if (padding === undefined || padding >= content.length) return undefined;
  return content.subarray(1, content.length - padding);
}
