/** Something at the gate's ports that is no gate: it listens, and answers as broken programs do. */
import { createServer as createHttp2Server } from 'node:http2';
import { createServer, type Server, type Socket } from 'node:net';

/** How it is broken. */
export type Fault =
  /** Takes calls and never answers. */
  | 'Silent'
  /** Ends connections as soon as something arrives. */
  | 'Reset'
  /** Ends them in order without a byte. */
  | 'Empty'
  /** Answers, but neither HTTP nor HTTP/2. */
  | 'Garbage'
  /** Begins an answer that says yes, and breaks off before the end of its headers. */
  | 'Torn'
  /** Answers 500 to everything. */
  | 'Error';

/** Listens at both ports of a gate until closed. */
export async function startBroken(
  fault: Fault,
  ports: readonly [http: number, grpc: number],
): Promise<{ close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const [http, grpc] = ports;
  const servers = [
    tcp((socket) => answerHttp1(fault, socket)),
    fault === 'Error' ? failingHttp2() : tcp((socket) => answerHttp2(fault, socket)),
  ];
  for (const [at, server] of servers.entries()) {
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => sockets.delete(socket));
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject);
    server.listen(at === 0 ? http : grpc, '127.0.0.1', resolve);
    await promise;
  }
  return {
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map(closed));
    },
  };
}

function tcp(onCall: (socket: Socket) => void): Server {
  return createServer((socket) => {
    socket.once('data', () => onCall(socket));
  });
}

const TORN = 'HTTP/1.1 200 OK\r\nX-Keyward-Key-Id: somebody\r\nContent-';

function answerHttp1(fault: Fault, socket: Socket): void {
  if (fault === 'Silent') return;
  if (fault === 'Reset') return void socket.resetAndDestroy();
  if (fault === 'Empty') return void socket.end();
  if (fault === 'Error') {
    return void socket.end('HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n');
  }
  socket.end(fault === 'Torn' ? TORN : Buffer.from([0, 255, 2, 200, 13, 10, 13, 10]));
}

/** SETTINGS, and the beginning of HEADERS of stream 1 that announce more than comes. */
const TORN_HTTP2 = Buffer.from('00000004000000000000002001040000000188', 'hex');

function answerHttp2(fault: Fault, socket: Socket): void {
  if (fault === 'Torn') return void socket.end(TORN_HTTP2);
  answerHttp1(fault, socket);
}

function failingHttp2(): Server {
  return createHttp2Server((_, res) => void res.writeHead(500).end());
}

function closed(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  return promise;
}
