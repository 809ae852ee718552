/** The HTTP server for /livez, /readyz and /metrics; on an address of its own. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Registry } from '../kernel/metrics.ts';
import { createHttpServer } from '../kernel/nodehttp.ts';
import { SECOND_MS } from '../kernel/time.ts';
import { listen } from './listening.ts';

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

/** Listens and answers until closed. Rejects with Terminal AddressUnavailable when it cannot listen. */
export async function serveProbes(options: ProbeOptions): Promise<Probes> {
  const server = createHttpServer(LIMITS, (req, res) => {
    void answer(options, req, res);
  });
  server.maxConnections = CONNECTIONS_MAX;
  const address = await listen(server, options.address, '--metrics-address');
  const closed = Promise.withResolvers<void>();
  server.once('close', () => closed.resolve());
  return {
    address,
    close() {
      server.close();
      server.closeAllConnections();
      return closed.promise;
    },
  };
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
