/** The HTTP server for /livez, /readyz and /metrics; on an address of its own. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KeywardError } from '../kernel/errors.ts';
import type { Registry } from '../kernel/metrics.ts';
import { createHttpServer } from '../kernel/nodehttp.ts';
import { SECOND_MS } from '../kernel/time.ts';

/** Probes and scrapes are tiny and few; what exceeds this is neither. */
const LIMITS = {
  maxHeaderSize: 8 * 1_024,
  headersTimeout: 5 * SECOND_MS,
  requestTimeout: 10 * SECOND_MS,
  keepAliveTimeout: 5 * SECOND_MS,
  connectionsCheckingInterval: 5 * SECOND_MS,
};
const CONNECTIONS_MAX = 64;

/** One named question of a probe. */
export type Check = {
  /** Lower case, as it appears in `?verbose`. */
  readonly name: string;
  /** What is wrong, for anybody to read; undefined when all is well. Must be quick and not throw. */
  readonly failing: () => string | undefined;
};

/** Where to listen and what to answer. */
export type ProbeOptions = {
  /** HOST:PORT; no host means all addresses, port 0 any free one, IPv6 in brackets. */
  readonly address: string;
  readonly registry: Registry;
  /** A failure here restarts the process, so only what a restart can heal. */
  readonly live: readonly Check[];
  readonly ready: readonly Check[];
};

/** A running server. */
export type Probes = {
  /** Where it really listens, HOST:PORT. */
  readonly address: string;
  /** Closes at once, open connections included. May be repeated. */
  close(): Promise<void>;
};

type Address = { readonly host: string | undefined; readonly port: number };

/** Host and port of HOST:PORT. Terminal InvalidAddress when the text is anything else. */
export function parseAddress(text: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) {
    throw new KeywardError('Terminal', {
      reason: 'InvalidAddress',
      message: `address '${text}' is not HOST:PORT`,
    });
  }
  const host = match[1] ?? match[2];
  return { host: host === '' ? undefined : host, port };
}

const WHY_NOT: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there',
  EACCES: 'this user may not use that port',
  EADDRNOTAVAIL: 'this machine does not have that address',
  ENOTFOUND: 'there is no host of that name',
};

/** Why a server cannot listen at `address`, and which flag names another one: Terminal AddressUnavailable. */
export function addressUnavailable(address: string, flag: string, cause: unknown): KeywardError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return new KeywardError('Terminal', {
    reason: 'AddressUnavailable',
    message: `cannot listen on '${address}': ${WHY_NOT[code] ?? (code || 'unknown why')}; ${flag} takes another address`,
    cause,
  });
}

/** Listens and answers until closed. Rejects with Terminal AddressUnavailable when it cannot listen. */
export async function serveProbes(options: ProbeOptions): Promise<Probes> {
  const server = createHttpServer(LIMITS, (req, res) => {
    void answer(options, req, res);
  });
  server.maxConnections = CONNECTIONS_MAX;
  const at = await listen(server, options.address);
  const closed = Promise.withResolvers<void>();
  server.once('close', () => closed.resolve());
  return {
    address: at.family === 'IPv6' ? `[${at.address}]:${at.port}` : `${at.address}:${at.port}`,
    close() {
      server.close();
      server.closeAllConnections();
      return closed.promise;
    },
  };
}

async function listen(server: Server, text: string): Promise<AddressInfo> {
  const { host, port } = parseAddress(text);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ port, ...(host !== undefined && { host }) }, resolve);
  try {
    await promise;
  } catch (cause) {
    throw addressUnavailable(text, '--metrics-address', cause);
  }
  server.removeListener('error', reject);
  // A socket error of a single client ends its connection; the server itself has no further ones.
  const at = server.address();
  if (at === null || typeof at === 'string') throw new Error('listening without an address');
  return at;
}

async function answer(
  options: ProbeOptions,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  // The base only completes the relative target; nothing of it is used.
  const target = URL.parse(req.url ?? '', 'http://probes');
  if (req.method !== 'GET') {
    res.setHeader('Allow', 'GET');
    return send(res, 405, 'only GET\n');
  }
  if (target?.pathname === '/livez') return probe(res, 'livez', options.live, target);
  if (target?.pathname === '/readyz') return probe(res, 'readyz', options.ready, target);
  if (target?.pathname === '/metrics') return scrape(res, options.registry);
  return send(res, 404, 'not found\n');
}

/** In the form of the API server's own probes. Failing checks are listed even without `?verbose`. */
function probe(res: ServerResponse, name: string, checks: readonly Check[], target: URL): void {
  const answers = checks.map((check) => ({ name: check.name, wrong: check.failing() }));
  const isFine = answers.every(({ wrong }) => wrong === undefined);
  if (isFine && !target.searchParams.has('verbose')) return send(res, 200, 'ok\n');
  const lines = answers.map(({ name: check, wrong }) =>
    wrong === undefined ? `[+]${check} ok` : `[-]${check} failed: ${wrong}`,
  );
  lines.push(`${name} check ${isFine ? 'passed' : 'failed'}`, '');
  send(res, isFine ? 200 : 503, lines.join('\n'));
}

async function scrape(res: ServerResponse, registry: Registry): Promise<void> {
  try {
    const text = await registry.metrics();
    res.setHeader('Content-Type', registry.contentType);
    send(res, 200, text);
  } catch {
    // A collector that throws is a bug, yet the process and its probes must go on.
    send(res, 500, 'the metrics could not be collected\n');
  }
}

function send(res: ServerResponse, status: number, body: string): void {
  if (!res.hasHeader('Content-Type')) res.setHeader('Content-Type', 'text/plain; charset=utf-8');
  res.setHeader('Cache-Control', 'no-store');
  res.setHeader('X-Content-Type-Options', 'nosniff');
  res.writeHead(status).end(body);
}
