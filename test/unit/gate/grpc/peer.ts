/** A peer of the gRPC port that writes its frames by itself, so that it can write wrong ones. */
import { connect, type Socket } from 'node:net';

/** A frame that the port sent. */
export type Received = {
  readonly kind: number;
  readonly flags: number;
  readonly streamId: number;
  readonly content: Buffer;
};

/** Kinds of frames, by their names in the RFC. */
export const KIND = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

/** What opens each connection. */
export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

/** One frame. */
export function frame(kind: number, flags: number, streamId: number, content: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(content.length, 0, 3);
  head[3] = kind;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, content]);
}

/** Headers without any compression. */
export function headerBlock(headers: Readonly<Record<string, string>>): Buffer {
  const text = (content: string): Buffer =>
    content.length < 127
      ? Buffer.from([content.length, ...Buffer.from(content, 'latin1')])
      : Buffer.from([
          127,
          ((content.length - 127) & 127) | 128,
          (content.length - 127) >> 7,
          ...Buffer.from(content, 'latin1'),
        ]);
  return Buffer.concat(
    Object.entries(headers).flatMap(([name, content]) => [Buffer.of(0), text(name), text(content)]),
  );
}

/** Headers of a call. */
export const CALL_HEADERS = {
  ':method': 'POST',
  ':scheme': 'http',
  ':path': '/envoy.service.auth.v3.Authorization/Check',
  ':authority': 'gate',
  te: 'trailers',
  'content-type': 'application/grpc',
} as const;

/** A message in its frame of gRPC. */
export function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** A connection to the port. */
export class Peer {
  readonly #socket: Socket;
  readonly #frames: Received[] = [];
  #rest = Buffer.alloc(0);
  #isClosed = false;
  #wake: () => void = () => undefined;

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.on('data', (piece) => this.#take(piece));
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      this.#isClosed = true;
      this.#wake();
    });
  }

  /** Sends the preface and settings, each of six bytes. */
  begin(...settings: readonly Uint8Array[]): this {
    return this.write(Buffer.from(PREFACE), frame(KIND.SETTINGS, 0, 0, Buffer.concat(settings)));
  }

  write(...bytes: readonly Uint8Array[]): this {
    this.#socket.write(Buffer.concat(bytes));
    return this;
  }

  /** Stops reading, and goes on. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** The first frame that fits and was not taken before; undefined: the connection closed before it came. */
  async next(fits: (frame: Received) => boolean): Promise<Received | undefined> {
    for (;;) {
      const index = this.#frames.findIndex(fits);
      if (index >= 0) return this.#frames.splice(index, 1)[0];
      if (this.#isClosed) return undefined;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }

  /** Resolves when the port has closed the connection. */
  async closed(): Promise<void> {
    await this.next(() => false);
  }

  /** Waits for the answer to a ping: everything before it was handled. */
  async settle(): Promise<void> {
    const content = Buffer.from('settled?');
    this.write(frame(KIND.PING, 0, 0, content));
    await this.next(({ kind, content: answer }) => kind === KIND.PING && answer.equals(content));
  }

  /** The error code of the GOAWAY that ended the connection. */
  async goAway(): Promise<number | undefined> {
    return (await this.next(({ kind }) => kind === KIND.GOAWAY))?.content.readUInt32BE(4);
  }

  /** The error code of a call's reset. */
  async reset(id: number): Promise<number | undefined> {
    const found = await this.next(
      ({ kind, streamId }) => kind === KIND.RST_STREAM && streamId === id,
    );
    return found?.content.readUInt32BE(0);
  }

  end(): void {
    this.#socket.destroy();
  }

  #take(piece: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, piece]);
    while (this.#rest.length >= 9) {
      const end = 9 + this.#rest.readUIntBE(0, 3);
      if (this.#rest.length < end) break;
      this.#frames.push({
        kind: this.#rest[3] ?? 0,
        flags: this.#rest[4] ?? 0,
        streamId: this.#rest.readUInt32BE(5),
        content: this.#rest.subarray(9, end),
      });
      this.#rest = this.#rest.subarray(end);
    }
    this.#wake();
  }
}
