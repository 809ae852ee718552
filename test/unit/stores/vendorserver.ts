/** A vendor for one test: answers on a real loopback port exactly the bytes that a test gives it. */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

/** How a connection is served: gets what arrived so far and writes what it likes. */
export type Script = (socket: Socket, received: string) => void;

/** A running vendor. */
export type VendorServer = {
  readonly port: number;
  /** All bytes that ever arrived, one text per connection. */
  readonly received: string[];
  readonly close: () => Promise<void>;
};

/** Starts a vendor without TLS, or with the certificate that is given. */
export async function startVendor(
  script: Script,
  tls?: { readonly certificatePem: string; readonly privateKeyPem: string },
): Promise<VendorServer> {
  const received: string[] = [];
  const sockets = new Set<Socket>();
  const onSocket = (socket: Socket): void => {
    const index = received.push('') - 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      received[index] += chunk.toString('utf8');
      script(socket, received[index] ?? '');
    });
  };
  const server: Server =
    tls === undefined
      ? createServer(onSocket)
      : createTlsServer({ cert: tls.certificatePem, key: tls.privateKeyPem }, onSocket);
  server.on('tlsClientError', () => undefined);
  const listening = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', listening.resolve);
  await listening.promise;
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    received,
    async close() {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      for (const socket of sockets) socket.destroy();
      await closed.promise;
    },
  };
}

/** A script that gives one complete answer to each request that has arrived as a whole. */
export function answering(...parts: readonly (string | Buffer)[]): Script {
  return (socket, received) => {
    if (!received.includes('\r\n\r\n')) return;
    for (const part of parts) socket.write(part);
  };
}

/** A plain answer with a length. */
export function answer(status: number, body: string, ...headers: readonly string[]): string {
  const lines = [`HTTP/1.1 ${status} Text`, `Content-Length: ${Buffer.byteLength(body)}`];
  return `${[...lines, ...headers].join('\r\n')}\r\n\r\n${body}`;
}
