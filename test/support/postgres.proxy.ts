/** A proxy in front of PostgreSQL that loses the question or the answer of a COMMIT. */
import { createServer, connect, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** Question: COMMIT never reaches the server. Answer: it does, and nobody hears of it. */
export type Loss = 'Question' | 'Answer';

/** A running proxy. */
export type CommitProxy = {
  readonly port: number;
  /** Loses the next COMMIT on whichever connection it comes. */
  lose(what: Loss): void;
  /** How many were lost. */
  readonly lost: number;
  close(): Promise<void>;
};

/** Starts a proxy to the server at `target`. */
export async function startCommitProxy(target: number): Promise<CommitProxy> {
  let next: Loss | undefined;
  let lost = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
    }
    let isDeaf = false;
    client.on('data', (chunk) => {
      if (next !== undefined && chunk.includes('COMMIT\0')) {
        lost += 1;
        isDeaf = true;
        const isAnswer = next === 'Answer';
        next = undefined;
        if (isAnswer) upstream.write(chunk);
        // The server ends the transaction of a client that is gone; first it finishes what it has.
        if (isAnswer) upstream.end();
        else upstream.destroy();
        client.destroy();
        return;
      }
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (!isDeaf) client.write(chunk);
    });
    client.on('close', () => {
      if (!isDeaf) upstream.destroy();
    });
    upstream.on('close', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  // A TCP server has this kind of address.
  const { port } = server.address() as AddressInfo;
  return {
    port,
    lose: (what) => {
      next = what;
    },
    get lost() {
      return lost;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
