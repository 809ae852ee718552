/** The API behind a gateway: answers what it was asked, and remembers it. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A call that came through. */
export type Arrival = {
  readonly method: string;
  readonly target: string;
  /** Names in small letters, each with its values. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
};

/** A running API. */
export interface EchoApi {
  readonly port: number;
  /** Everything that came through since the last `forget`. */
  readonly arrivals: readonly Arrival[];
  forget(): void;
  close(): Promise<void>;
}

/** Starts one on a free port. It takes any path and method; `/status/418` answers with that. */
export async function startEchoApi(): Promise<EchoApi> {
  const arrivals: Arrival[] = [];
  const server = createServer((req, res) => {
    const arrival = arrivalOf(req);
    arrivals.push(arrival);
    req.resume();
    const status = arrival.target.startsWith('/status/')
      ? Number(arrival.target.slice(8, 11))
      : 200;
    res.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(arrival));
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const { port } = server.address() as AddressInfo;
  return {
    port,
    arrivals,
    forget: () => void arrivals.splice(0),
    close: async () => {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
    },
  };
}

function arrivalOf(req: IncomingMessage): Arrival {
  const headers: Record<string, string[]> = {};
  for (let at = 0; at < req.rawHeaders.length; at += 2) {
    const name = (req.rawHeaders[at] ?? '').toLowerCase();
    (headers[name] ??= []).push(req.rawHeaders[at + 1] ?? '');
  }
  return { method: req.method ?? '', target: req.url ?? '', headers };
}
