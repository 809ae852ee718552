/** A TCP proxy on loopback that can stop passing on: connections stay open and nothing answers. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A running proxy. */
export type PausingProxy = {
  readonly port: number;
  /** How many were ever made. */
  readonly connections: number;
  pause(): void;
  resume(): void;
  close(): Promise<void>;
};

/** Starts one to the server at `target`. */
export async function startPausingProxy(target: number): Promise<PausingProxy> {
  const sockets = new Set<Socket>();
  let isPaused = false;
  let connections = 0;
  const server = createServer((client) => {
    connections += 1;
    const upstream = connect(target, '127.0.0.1');
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => void other.write(chunk));
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      if (isPaused) socket.pause();
    }
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const { port } = server.address() as AddressInfo;
  return {
    port,
    get connections() {
      return connections;
    },
    pause: () => {
      isPaused = true;
      for (const socket of sockets) socket.pause();
    },
    resume: () => {
      isPaused = false;
      for (const socket of sockets) socket.resume();
    },
    close: async () => {
      const closed = Promise.withResolvers<void>();
      for (const socket of sockets) socket.destroy();
      server.close(() => closed.resolve());
      await closed.promise;
    },
  };
}
