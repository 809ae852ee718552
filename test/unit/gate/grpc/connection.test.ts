import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Desk } from '../../../../src/gate/grpc/calls.ts';
import { Connection } from '../../../../src/gate/grpc/connection.ts';
import { frame as grpcFrame } from '../../../../src/gate/grpc/framing.ts';
import type { Answer } from '../../../../src/gate/grpc/method.ts';
import { FakeClock } from '../../../support/clock.ts';
import { CALL_HEADERS, frame, framed, headerBlock, KIND, PREFACE } from './peer.ts';

/** A socket on which bytes arrive at once, so that tens of thousands of connections can be tried. */
class FakeSocket extends EventEmitter {
  readonly written: Buffer[] = [];
  destroyed = false;
  writableLength = 0;

  setNoDelay(): void {}
  pause(): void {}
  resume(): void {}
  isPaused(): boolean {
    return false;
  }
  write(bytes: Buffer): boolean {
    if (this.destroyed) throw new Error('written after the end');
    this.written.push(Buffer.from(bytes));
    return true;
  }
  destroySoon(): void {
    this.destroy();
  }
  destroy(): void {
    this.destroyed = true;
  }
}

type Connected = { socket: FakeSocket; desk: Desk; connection: Connection };

function connectTo(answer: Answer | Promise<Answer>): Connected {
  const desk: Desk = {
    methods: new Map([[CALL_HEADERS[':path'], () => answer]]),
    callTimeMs: 1_000,
    callsMax: 8,
    backlog: { bytes: 0 },
    clock: new FakeClock(),
    meter: { failed: () => undefined, broken: () => undefined },
  };
  const socket = new FakeSocket();
  // Has all of a socket that a connection uses.
  const connection = new Connection(socket as unknown as Socket, desk, () => undefined);
  return { socket, desk, connection };
}

type Written = {
  readonly kind: number;
  readonly flags: number;
  readonly id: number;
  readonly content: Buffer;
};

/** Frames that the port has written; throws where they are not well formed. */
function framesOf(socket: FakeSocket): readonly Written[] {
  const bytes = Buffer.concat(socket.written);
  const frames: Written[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    frames.push({
      kind: bytes[at + 3] ?? -1,
      flags: bytes[at + 4] ?? -1,
      id: bytes.readUInt32BE(at + 5),
      content: bytes.subarray(at + 9, end),
    });
    at = end;
  }
  expect(at).toBe(bytes.length);
  return frames;
}

const BLOCK = headerBlock(CALL_HEADERS);
const START = Buffer.concat([Buffer.from(PREFACE), frame(KIND.SETTINGS, 0, 0, Buffer.alloc(0))]);
const callFrames = (id: number): readonly Buffer[] => [
  frame(KIND.HEADERS, 4, id, BLOCK),
  frame(KIND.DATA, 1, id, framed(Buffer.from('ab'))),
];

const id = fc.oneof(fc.constantFrom(0, 1, 2, 3, 5, 7, 9), fc.nat(2 ** 31 - 1));
const anyFrame = fc
  .tuple(fc.nat(11), fc.nat(255), id, fc.uint8Array({ maxLength: 40 }))
  .map(([kind, flags, streamId, content]) => frame(kind, flags, streamId, content));
const likelyFrame = fc.oneof(
  fc
    .tuple(id, fc.constantFrom(0, 1, 4, 5, 12, 13, 36, 37))
    .map(([on, flags]) => frame(KIND.HEADERS, flags, on, BLOCK)),
  fc
    .tuple(id, fc.constantFrom(0, 1, 8, 9))
    .map(([on, flags]) => frame(KIND.DATA, flags, on, framed(Buffer.from('ab')))),
  fc.tuple(id, fc.nat()).map(([on, value]) => {
    const content = Buffer.alloc(4);
    content.writeUInt32BE(value);
    return frame(KIND.WINDOW_UPDATE, 0, on, content);
  }),
  id.map((on) => frame(KIND.RST_STREAM, 0, on, Buffer.alloc(4))),
  fc.tuple(fc.integer({ min: 1, max: 6 }), fc.nat()).map(([name, value]) => {
    const content = Buffer.alloc(6);
    content.writeUInt16BE(name);
    content.writeUInt32BE(value, 2);
    return frame(KIND.SETTINGS, 0, 0, content);
  }),
);
const anyBytes = fc
  .array(fc.oneof(anyFrame, likelyFrame, likelyFrame), { maxLength: 30 })
  .map((frames) => Buffer.concat([START, ...frames]));

test('whatever frames arrive, nothing is thrown, each answer is well formed, and nothing stays behind', () => {
  const answer = grpcFrame(Buffer.from('yes'));
  fc.assert(
    fc.property(anyBytes, fc.array(fc.nat(400), { maxLength: 5 }), (bytes, cuts) => {
      const { socket, desk, connection } = connectTo(answer);
      let from = 0;
      for (const cut of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
        if (cut > from) socket.emit('data', bytes.subarray(from, cut));
        from = Math.max(from, cut);
      }
      framesOf(socket);
      connection.destroy();
      expect(desk.backlog.bytes).toBe(0);
    }),
    { numRuns: 20_000 },
  );
});

test('a call after any that went wrong is answered, unless the connection was ended', () => {
  const answer = grpcFrame(Buffer.from('yes'));
  fc.assert(
    fc.property(fc.array(likelyFrame, { maxLength: 12 }), (frames) => {
      const { socket } = connectTo(answer);
      socket.emit('data', Buffer.concat([START, ...frames]));
      if (socket.destroyed) return;
      const last = 2 ** 31 - 1;
      const windows = [0, last].map((on) =>
        frame(KIND.WINDOW_UPDATE, 0, on, Buffer.from([0, 0, 1, 0])),
      );
      socket.emit('data', Buffer.concat([...callFrames(last), ...windows]));
      const found = framesOf(socket).filter(
        (each) => each.id === last || each.kind === KIND.GOAWAY,
      );
      expect(found.length).toBeGreaterThan(0);
    }),
    { numRuns: 5_000 },
  );
});

test('how bytes are cut on their way does not matter', () => {
  const bytes = Buffer.concat([START, ...callFrames(1), ...callFrames(3)]);
  const whole = connectTo(grpcFrame(Buffer.from('yes'))).socket;
  whole.emit('data', bytes);
  for (const step of [1, 2, 3, 7, 50]) {
    const { socket } = connectTo(grpcFrame(Buffer.from('yes')));
    for (let at = 0; at < bytes.length; at += step) {
      socket.emit('data', bytes.subarray(at, at + step));
    }
    expect(Buffer.concat(socket.written)).toEqual(Buffer.concat(whole.written));
  }
});

test('answers to calls that arrive together leave in one write', () => {
  const { socket } = connectTo(grpcFrame(Buffer.from('yes')));
  socket.emit('data', START);
  const before = socket.written.length;
  socket.emit('data', Buffer.concat([1, 3, 5, 7].flatMap(callFrames)));
  expect(socket.written).toHaveLength(before + 1);
  expect(framesOf(socket).filter(({ kind }) => kind === KIND.DATA)).toHaveLength(4);
});

/** SETTINGS with sizes of the table for headers, in their order. */
function tableSizes(...sizes: readonly number[]): Buffer {
  const content = Buffer.alloc(6 * sizes.length);
  for (const [index, size] of sizes.entries()) {
    content.writeUInt16BE(1, index * 6);
    content.writeUInt32BE(size, index * 6 + 2);
  }
  return frame(KIND.SETTINGS, 0, 0, content);
}

/** Whether each block of headers that was written begins with the word that there is no table. */
function toldNoTable(socket: FakeSocket): readonly boolean[] {
  const blocks = framesOf(socket).filter(({ kind }) => kind === KIND.HEADERS);
  return blocks.map(({ content }) => content[0] === 0x20);
}

test.each([
  ['one byte less than by default', [[4_095]], true],
  ['nothing', [[0]], true],
  ['nothing and then the default, in the same frame', [[0, 4_096]], true],
  ['nothing and then the default', [[0], [4_096]], true],
  ['what it holds by default', [[4_096]], false],
  ['more than by default', [[65_536]], false],
] as const)(
  'a peer whose table for headers holds %s is told of ours once, as soon as it must be',
  (_, settings, isTold) => {
    const { socket } = connectTo(grpcFrame(Buffer.from('yes')));
    const sizes = settings.map((each) => tableSizes(...each));
    socket.emit('data', Buffer.concat([START, ...sizes, ...[1, 3].flatMap(callFrames)]));
    expect(toldNoTable(socket)).toEqual([isTold, false, false, false]);
    socket.emit('data', Buffer.concat([tableSizes(0), ...callFrames(5), ...callFrames(7)]));
    expect(toldNoTable(socket).slice(4)).toEqual([!isTold, false, false, false]);
  },
);

test('headers that leave before a smaller table is acknowledged do not tell of ours, the first after it do', () => {
  const { socket } = connectTo(grpcFrame(Buffer.from('yes')));
  const window = (bytes: number) => Buffer.from([0, 4, 0, 0, 0, bytes]);
  const noWindow = frame(KIND.SETTINGS, 0, 0, window(0));
  socket.emit('data', Buffer.concat([START, noWindow, ...callFrames(1)]));
  const both = Buffer.concat([Buffer.from([0, 1, 0, 0, 0, 0]), window(100)]);
  socket.emit('data', Buffer.concat([frame(KIND.SETTINGS, 0, 0, both), ...callFrames(3)]));
  expect(toldNoTable(socket)).toEqual([false, false, true, false]);
});

const { 'content-type': contentType, ...OTHER_HEADERS } = CALL_HEADERS;
/** Trailers with a header that is to be remembered, and the headers of a call that refer to it. */
const TRAILERS = Buffer.concat([
  Buffer.of(0x40),
  headerBlock({ 'content-type': contentType }).subarray(1),
]);
const BLOCK_AFTER_TRAILERS = Buffer.concat([headerBlock(OTHER_HEADERS), Buffer.of(0xbe)]);
const begun = frame(KIND.HEADERS, 4, 1, BLOCK);

test.each([
  ['because it never ended', [begun]],
  ['for its headers', [frame(KIND.HEADERS, 4, 1, headerBlock({ te: 'trailers' }))]],
  ['for its method', [frame(KIND.HEADERS, 4, 1, headerBlock({ ...CALL_HEADERS, ':path': '/' }))]],
  ['for its message', [begun, frame(KIND.DATA, 0, 1, Buffer.alloc(5, 0xff))]],
  ['for its window', [begun, frame(KIND.WINDOW_UPDATE, 0, 1, Buffer.alloc(4))]],
  [
    'because it waits for itself',
    [begun, frame(KIND.PRIORITY, 0, 1, Buffer.from([0, 0, 0, 1, 0]))],
  ],
] as const)(
  'trailers of a call that was reset %s are read and passed over, however often, and others go on',
  (_, frames) => {
    const { socket, connection } = connectTo(grpcFrame(Buffer.from('yes')));
    socket.emit('data', Buffer.concat([START, ...frames]));
    connection.sweep(Infinity);
    expect(framesOf(socket).at(-1)).toMatchObject({ kind: KIND.RST_STREAM, id: 1 });
    const before = framesOf(socket).length;
    const late = Array.from({ length: 2_000 }, () => frame(KIND.HEADERS, 5, 1, TRAILERS));
    socket.emit('data', Buffer.concat(late));
    expect(framesOf(socket)).toHaveLength(before);
    const [, data] = callFrames(3);
    socket.emit('data', Buffer.concat([frame(KIND.HEADERS, 4, 3, BLOCK_AFTER_TRAILERS), data!]));
    expect(framesOf(socket).slice(before)).toMatchObject([
      { kind: KIND.HEADERS, id: 3 },
      { kind: KIND.DATA, id: 3 },
      { kind: KIND.HEADERS, id: 3 },
    ]);
  },
);

test.each(['is decided about', 'is answered'])(
  'trailers of a call that its peer has ended, while it %s, end the connection',
  (state) => {
    const answer = grpcFrame(Buffer.from('yes'));
    const { socket } = connectTo(
      state === 'is answered' ? answer : Promise.withResolvers<Buffer>().promise,
    );
    const noWindow = frame(KIND.SETTINGS, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0]));
    socket.emit('data', Buffer.concat([START, noWindow, ...callFrames(1)]));
    expect(socket.destroyed).toBe(false);
    socket.emit('data', frame(KIND.HEADERS, 5, 1, TRAILERS));
    const last = framesOf(socket).at(-1);
    expect(last?.kind).toBe(KIND.GOAWAY);
    expect(last?.content.readUInt32BE(4)).toBe(5);
    expect(socket.destroyed).toBe(true);
  },
);
