/** A server that nobody should ever call: it stands where a redirect leads. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Counts what arrives, until it is stopped. */
export async function listenForStrays(): Promise<{
  readonly address: string;
  count(): number;
  stop(): Promise<void>;
}> {
  let arrived = 0;
  const server = createServer((_, res) => {
    arrived += 1;
    res.end('{}');
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  // A server that listens on a port has an address object, never a pipe's name.
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}`,
    count: () => arrived,
    async stop() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}
