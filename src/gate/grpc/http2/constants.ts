/** Pure; numbers of HTTP/2 (RFC 9113). */

/** Kinds of frames. */
export const FRAME = {
  Data: 0,
  Headers: 1,
  Priority: 2,
  ResetStream: 3,
  Settings: 4,
  PushPromise: 5,
  Ping: 6,
  GoAway: 7,
  WindowUpdate: 8,
  Continuation: 9,
} as const;

/** Flags of frames; some share a number, because their frames differ. */
export const FLAG = {
  EndStream: 0x1,
  Ack: 0x1,
  EndHeaders: 0x4,
  Padded: 0x8,
  Priority: 0x20,
} as const;

/** Why a stream or a connection ends. */
export const ERROR = {
  None: 0,
  Protocol: 1,
  Internal: 2,
  FlowControl: 3,
  StreamClosed: 5,
  FrameSize: 6,
  RefusedStream: 7,
  Cancel: 8,
  Compression: 9,
  EnhanceYourCalm: 11,
} as const;

/** One of ERROR. */
export type ErrorCode = (typeof ERROR)[keyof typeof ERROR];

/** Settings. */
export const SETTING = {
  HeaderTableSize: 1,
  EnablePush: 2,
  MaxConcurrentStreams: 3,
  InitialWindowSize: 4,
  MaxFrameSize: 5,
  MaxHeaderListSize: 6,
} as const;

/** What either side lets the other remember of headers where nobody said anything. */
export const DEFAULT_TABLE_BYTES = 4_096;
/** What a client sends first. */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
/** Bytes before the content of a frame. */
export const FRAME_HEAD_BYTES = 9;
/** Longest content of a frame where nobody allowed more; we never do. */
export const FRAME_BYTES_MAX = 16_384;
/** Window of a stream and of a connection where nobody said anything. */
export const DEFAULT_WINDOW_BYTES = 65_535;
/** No window may become larger. */
export const WINDOW_BYTES_MAX = 2 ** 31 - 1;
/** The highest number of a stream. */
export const STREAM_ID_MAX = 2 ** 31 - 1;
