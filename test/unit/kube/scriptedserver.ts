/** A server on loopback that answers requests as a script says, down to single bytes. */
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import type { Access, Identity } from '../../../src/kube/access.ts';
import { settle } from '../../support/clock.ts';

/** A request as it arrived. */
export type Seen = {
  readonly method: string;
  readonly path: string;
  readonly head: string;
  readonly body: string;
  /** Number of the connection, from 1. */
  readonly connection: number;
};

/** Ways to answer one request. */
export type Reply = {
  readonly socket: Socket;
  raw(text: string): void;
  /** A JSON answer with a length. */
  json(status: number, value: unknown, headers?: string): void;
  /** The head of an endless chunked answer. */
  openStream(): void;
  /** Frames of a watch, as one chunk. */
  frames(...frames: readonly object[]): void;
  endStream(): void;
};

export type Script = (seen: Seen, reply: Reply) => void;

export class ScriptedServer {
  readonly seen: Seen[] = [];
  readonly sockets = new Set<Socket>();
  connections = 0;
  script: Script;
  readonly #net: NetServer;

  private constructor(script: Script) {
    this.script = script;
    this.#net = createServer((socket) => this.#serve(socket));
  }

  static async start(script: Script): Promise<ScriptedServer> {
    const server = new ScriptedServer(script);
    const { promise, resolve } = Promise.withResolvers<void>();
    server.#net.listen(0, '127.0.0.1', resolve);
    await promise;
    return server;
  }

  get port(): number {
    const address = this.#net.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** An access without TLS; `authorization` is asked each time, so that tests can rotate it. */
  access(authorization: () => string = () => 'Bearer one', renew?: () => void): Access {
    const tls = { verification: 'Verify' } as const;
    let identity: Identity = { authorization: authorization(), tls };
    return {
      server: { host: '127.0.0.1', port: this.port, secure: false, basePath: '' },
      identity: () => identity,
      renew: () => {
        renew?.();
        identity = { authorization: authorization(), tls };
        return Promise.resolve();
      },
    };
  }

  /** Resolves when so many requests have arrived. */
  async requests(count: number): Promise<void> {
    await until(() => this.seen.length >= count);
  }

  dropConnections(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.dropConnections();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#net.close(() => resolve());
    await promise;
  }

  #serve(socket: Socket): void {
    this.connections += 1;
    const connection = this.connections;
    let pending = '';
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      pending += chunk.toString('utf8');
      const end = pending.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = pending.slice(0, end);
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      const body = pending.slice(end + 4);
      if (Buffer.byteLength(body) < length) return;
      pending = '';
      const [method = '', path = ''] = head.split(' ');
      const seen: Seen = { method, path, head, body, connection };
      this.seen.push(seen);
      this.script(seen, replyOn(socket));
    });
  }
}

function replyOn(socket: Socket): Reply {
  const chunk = (text: string): void => {
    if (!socket.destroyed) {
      socket.write(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
    }
  };
  return {
    socket,
    raw: (text) => void socket.write(text),
    json: (status, value, headers = '') => {
      const body = JSON.stringify(value);
      const length = Buffer.byteLength(body);
      socket.write(
        `HTTP/1.1 ${status} X\r\nContent-Type: application/json\r\n${headers}Content-Length: ${length}\r\n\r\n${body}`,
      );
    },
    openStream: () =>
      void socket.write(
        'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
      ),
    frames: (...frames) => chunk(frames.map((frame) => `${JSON.stringify(frame)}\n`).join('')),
    endStream: () => void socket.write('0\r\n\r\n'),
  };
}

/** Lets the event loop turn until `isTrue`; the test's own time limit ends it. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) {
    // Turning the loop until something arrives is the point.
    // oxlint-disable-next-line no-await-in-loop
    await settle();
  }
}
