/**
 * Stands between an operator and the API server and does to calls what the test says. Plain HTTP
 * towards the operator, so it needs no certificate; the operator's own token goes through.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Agent, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { parse, stringify } from 'yaml';

/** What happens to a call. Lost: it is carried out, and the connection breaks before the answer. */
export type Fate =
  | { readonly type: 'Pass' }
  | { readonly type: 'Lost' }
  | { readonly type: 'Answer'; readonly code: number; readonly headers?: Record<string, string> };

/** A call, as far as fates depend on it. */
export type Call = {
  readonly method: string;
  readonly path: string;
  /** The header Accept: in which form the answer is asked for. */
  readonly accept: string;
};

/** A listening proxy. */
export type ApiProxy = {
  /** Kubeconfig like the one given, with this proxy as its server. */
  readonly kubeconfig: string;
  /** Decides about each call from now on. */
  decide(fate: (call: Call) => Fate): void;
  close(): Promise<void>;
};

/** Starts one in front of the server of `kubeconfig`; the new kubeconfig is written beside it. */
export async function startApiProxy(kubeconfig: string): Promise<ApiProxy> {
  // The harness writes these files itself, always of this shape.
  const config = parse(await readFile(kubeconfig, 'utf8')) as {
    clusters: [{ cluster: { server: string; 'certificate-authority-data'?: string } }];
  };
  const { cluster } = config.clusters[0];
  const target = new URL(cluster.server);
  const ca = Buffer.from(cluster['certificate-authority-data'] ?? '', 'base64');
  const agent = new Agent({ keepAlive: true, ca });
  let decide: (call: Call) => Fate = () => ({ type: 'Pass' });
  const server = createServer((req, res) => {
    const { method = '', url: path = '', headers } = req;
    const call = { method, path, accept: headers.accept ?? '' };
    const fate = decide(call);
    if (fate.type === 'Answer') return refuse(req, res, fate);
    forward({ req, res, target, agent, isLost: fate.type === 'Lost' });
  });
  const port = await listen(server);
  config.clusters[0].cluster = { server: `http://127.0.0.1:${port}` };
  const path = `${kubeconfig}.${port}`;
  await writeFile(path, stringify(config), { mode: 0o600 });
  return {
    kubeconfig: path,
    decide: (fate) => {
      decide = fate;
    },
    close: async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      server.closeAllConnections();
      agent.destroy();
      await promise;
    },
  };
}

type Forwarding = {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly target: URL;
  readonly agent: Agent;
  readonly isLost: boolean;
};

function forward({ req, res, target, agent, isLost }: Forwarding): void {
  const { method, headers } = req;
  const upstream = request(new URL(req.url ?? '', target), {
    method: method ?? 'GET',
    headers: { ...headers, host: target.host },
    agent,
  });
  upstream.once('response', (answer) => {
    if (isLost) {
      answer.resume();
      answer.once('end', () => res.destroy());
      return;
    }
    res.writeHead(answer.statusCode ?? 502, answer.headers);
    // Ends the answer when the server dies in the middle of it, as a watch must notice.
    pipeline(answer, res, () => res.destroy());
  });
  upstream.once('error', () => res.destroy());
  res.once('close', () => upstream.destroy());
  req.pipe(upstream);
}

/** A Status as the API server sends it; the request is read first, so the connection lives on. */
function refuse(
  req: IncomingMessage,
  res: ServerResponse,
  fate: Extract<Fate, { type: 'Answer' }>,
): void {
  const { code, headers = {} } = fate;
  const reason = code === 429 ? 'TooManyRequests' : 'InternalError';
  const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message: '' };
  req.resume();
  req.once('end', () => {
    res.writeHead(code, { 'content-type': 'application/json', ...headers });
    res.end(JSON.stringify(status));
  });
}

async function listen(server: Server): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  // Listening on TCP, so the address has a port.
  return (server.address() as AddressInfo).port;
}
