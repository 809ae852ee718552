/** The HTTP server for /livez, /readyz and /metrics; on an address of its own. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Exposition } from '../kernel/exposition.ts';
import type { Registry } from '../kernel/metrics.ts';
import { createHttpServer } from '../kernel/nodehttp.ts';
import { SECOND_MS } from '../kernel/time.ts';
import { listen } from './listening.ts';
import type { Admission, Admit } from './scrapeauth.ts';

/** Probes and scrapes are tiny and few; what exceeds this is neither. */
const LIMITS = {
  maxHeaderSize: 8 * 1_024,
  headersTimeout: 5 * SECOND_MS,
  requestTimeout: 10 * SECOND_MS,
  keepAliveTimeout: 5 * SECOND_MS,
  connectionsCheckingInterval: 5 * SECOND_MS,
};
const CONNECTIONS_MAX = 64;
/** Scrapes at the same time, as each of them collects everything. */
const SCRAPES_MAX = 8;
/** A reader that takes nothing for so long is gone. */
const READER_MS = 30 * SECOND_MS;

/** One named question of a probe. */
export type Check = {
  /** Lower case, as it appears in `?verbose`. */
  readonly name: string;
  /** What is wrong, for anybody to read; undefined when all is well. Must be quick and not throw. */
  readonly failing: () => string | undefined;
};

/** Where to listen and what to answer. */
type ProbeOptions = {
  /** HOST:PORT; no host means all addresses, port 0 any free one, IPv6 in brackets. */
  readonly address: string;
  readonly registry: Registry;
  /** What is scraped beside the registry. */
  readonly expositions?: readonly Exposition[];
  /** Who may scrape; absent: whoever reaches the address. */
  readonly admit?: Admit;
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
  const scraper = new Scraper(options);
  const server = createHttpServer(LIMITS, (req, res) => {
    void answer(options, scraper, req, res);
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
  scraper: Scraper,
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
  if (target?.pathname === '/metrics') return scraper.answer(req, res);
  return send(res, 404, 'not found\n');
}

/**
 * In the form of the API server's own probes: `?verbose` lists all checks, `?exclude=NAME` leaves one
 * out and may be repeated. Failing checks are listed in any case.
 */
function probe(res: ServerResponse, name: string, checks: readonly Check[], target: URL): void {
  const excluded = new Set(target.searchParams.getAll('exclude'));
  const answers = checks.map((check) => {
    if (excluded.has(check.name)) return { isFine: true, line: `[+]${check.name} excluded: ok` };
    const wrong = check.failing();
    return wrong === undefined
      ? { isFine: true, line: `[+]${check.name} ok` }
      : { isFine: false, line: `[-]${check.name} failed: ${wrong}` };
  });
  const isFine = answers.every((each) => each.isFine);
  if (isFine && !target.searchParams.has('verbose')) return send(res, 200, 'ok\n');
  const lines = answers.map(({ line }) => line);
  // A name that is excluded and does not exist is a mistake in somebody's manifest.
  const unknown = [...excluded].filter((each) => checks.every((check) => check.name !== each));
  if (unknown.length > 0)
    lines.push('warn: some checks cannot be excluded: there are none of that name');
  lines.push(`${name} check ${isFine ? 'passed' : 'failed'}`, '');
  send(res, isFine ? 200 : 503, lines.join('\n'));
}

const REFUSED: Readonly<Record<Exclude<Admission, 'Allowed'>, { status: number; body: string }>> = {
  Unauthenticated: { status: 401, body: 'a bearer token of the cluster is required\n' },
  Forbidden: { status: 403, body: 'this user may not get the path /metrics\n' },
  TooMany: { status: 429, body: 'too many tokens were tried\n' },
  Unavailable: { status: 503, body: 'the API server cannot be asked who may read this\n' },
};

/** Answers /metrics. */
class Scraper {
  readonly #options: ProbeOptions;
  #running = 0;

  constructor(options: ProbeOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (this.#running === SCRAPES_MAX) return send(res, 503, 'too many scrapes at the same time\n');
    this.#running += 1;
    try {
      const admission = await this.#options.admit?.(req.headers.authorization);
      if (admission === undefined || admission === 'Allowed') return await this.#scrape(res);
      const { status, body } = REFUSED[admission];
      if (status === 401) res.setHeader('WWW-Authenticate', 'Bearer realm="metrics"');
      send(res, status, body);
    } catch {
      // A collector that throws is a bug, yet the process and its probes must go on.
      if (res.headersSent) res.destroy();
      else send(res, 500, 'the metrics could not be collected\n');
    } finally {
      this.#running -= 1;
    }
  }

  async #scrape(res: ServerResponse): Promise<void> {
    const { registry, expositions = [] } = this.#options;
    const text = await registry.metrics();
    writeHead(res, 200, registry.contentType);
    res.setTimeout(READER_MS, () => res.destroy());
    await pipeline(inTurns(text, expositions), res);
  }
}

/** In pieces, so that the work of the process has its turns and a slow reader holds one piece only. */
async function* inTurns(text: string, expositions: readonly Exposition[]): AsyncIterable<string> {
  yield text;
  for (const exposition of expositions) {
    for (const piece of exposition.pieces()) {
      // One piece after the other is what this loop is for.
      // oxlint-disable-next-line no-await-in-loop
      await new Promise((resolve) => setImmediate(resolve));
      if (piece !== '') yield piece;
    }
  }
}

function send(res: ServerResponse, status: number, body: string): void {
  writeHead(res, status, 'text/plain; charset=utf-8');
  res.end(body);
}

function writeHead(res: ServerResponse, status: number, contentType: string): void {
  res.setHeader('Content-Type', contentType);
  res.setHeader('Cache-Control', 'no-store');
  res.setHeader('X-Content-Type-Options', 'nosniff');
  res.writeHead(status);
}
