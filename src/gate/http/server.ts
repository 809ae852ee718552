/**
 * The listener that gateways and applications ask; on an address of its own. Nothing else is served
 * there. What is not plain HTTP/1 ends the connection with 400, and everything has its bound.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/log.ts';
import type { Registry } from '../../kernel/metrics.ts';
import { createHttpServer } from '../../kernel/nodehttp.ts';
import { SECOND_MS } from '../../kernel/time.ts';
import { listen } from '../../runtime/listening.ts';
import type { Decider } from '../decision.ts';
import type { GatePort } from '../port.ts';
import type { ReadingOptions } from '../reading/reading.ts';
import { BAD_REQUEST, TOO_MANY_HEADERS } from './answers.ts';
import { declaredLength } from './body.ts';
import { Connections } from './connections.ts';
import { Lane, type LaneDeps } from './lane.ts';
import { BODY_BYTES_MAX, DEFAULT_LIMITS, type HttpLimits } from './limits.ts';
import { createHttpMeter, type BadRequest, type HttpMeter } from './metrics.ts';
import { Routes, send } from './routes.ts';
import { openTls, type TlsFiles, type TlsSource } from './tls.ts';
import { endWith } from './wire.ts';

/** Where to listen, how calls are read, and what a process has one of. */
export type HttpOptions = {
  /** HOST:PORT; no host means all addresses, port 0 any free one, IPv6 in brackets. */
  readonly address: string;
  readonly reading: ReadingOptions;
  /** What is absent is as DEFAULT_LIMITS. */
  readonly limits?: Partial<HttpLimits>;
  /** Who reads plain requests of gateways: lanes (see lane.ts; absent means this), or Node's HTTP as all others. */
  readonly parser?: 'Fast' | 'Node' | undefined;
  /** Absent: plain HTTP. */
  readonly tls?: TlsFiles | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Refuses a second listener. */
  readonly registry: Registry;
};

type AnyServer = Server | HttpsServer;

/**
 * Listens and answers until closed. Rejects with Terminal AddressUnavailable when it cannot listen,
 * with TlsFilesUnusable, and with the errors of `compileReading`.
 */
export async function serveHttp(options: HttpOptions, decider: Decider): Promise<GatePort> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const meter = createHttpMeter(options.registry);
  const routes = new Routes({ ...options, decider, meter });
  const tls = options.tls && (await openTls(options.tls, { ...options, report: meter.tls }));
  const server = createServer(limits, tls);
  const laneDeps: LaneDeps = {
    routes,
    limits,
    clock: options.clock,
    onAsked: (socket) => connections.asked(socket),
    onBad: (kind) => meter.bad(kind),
  };
  const event = tls === undefined ? 'connection' : 'secureConnection';
  const lane = options.parser === 'Node' ? undefined : new Lane(server, event, laneDeps);
  const idle = {
    closeIdleConnections() {
      lane?.closeIdle();
      server.closeIdleConnections();
    },
  };
  const connections: Connections = new Connections(
    server,
    { ...idle, max: limits.connections },
    () => meter.bad('TooMany'),
  );
  meter.watch(connections);
  answerAll(server, routes, { limits, meter, connections });
  const address = await listen(server, options.address, '--http-address');
  // Accepting fails where the process has no descriptors left; that passes.
  server.on('error', () => meter.bad('TooMany'));
  const stopFollowing = tls?.follow((material) => {
    if ('setSecureContext' in server) server.setSecureContext(material);
  });
  let closed: Promise<void> | undefined;
  return {
    address,
    reloadTls: async () => tls?.look(),
    close() {
      stopFollowing?.();
      return (closed ??= close({ server, lane }, options.clock, limits.drainTimeMs));
    },
  };
}

function createServer(limits: HttpLimits, tls: TlsSource | undefined): AnyServer {
  const options = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headerTimeMs,
    requestTimeout: limits.requestTimeMs,
    keepAliveTimeout: limits.idleTimeMs,
    connectionsCheckingInterval: Math.min(SECOND_MS, limits.headerTimeMs),
    insecureHTTPParser: false,
    // Most requests have no body: their streams need not be set up.
    optimizeEmptyRequests: true,
  };
  const server =
    tls === undefined
      ? createHttpServer(options)
      : createHttpsServer({
          ...options,
          ...tls.material,
          ...tls.clients,
          handshakeTimeout: limits.headerTimeMs,
        });
  // For whoever asks much and fetches nothing: Node waits for him for ever.
  server.timeout = limits.idleTimeMs;
  // Node would drop further headers silently, and with them what makes a call ambiguous.
  server.maxHeadersCount = 0;
  return server;
}

type Bounds = {
  readonly limits: HttpLimits;
  readonly meter: HttpMeter;
  readonly connections: Connections;
};

function answerAll(server: AnyServer, routes: Routes, bounds: Bounds): void {
  const { limits, meter, connections } = bounds;
  /** What has had its last answer; the rest of its bytes may make no sense either. */
  const told = new WeakSet<Duplex>();
  const answer = (req: IncomingMessage, res: ServerResponse): void => {
    // Nobody waits for it: he was told that there would be no more.
    if (told.has(req.socket)) return;
    connections.asked(req.socket);
    const length = declaredLength(req);
    if (length === 'Doubtful' || req.httpVersionMajor !== 1) {
      meter.bad('Malformed');
      told.add(req.socket);
      return send(res, BAD_REQUEST);
    }
    // Node cannot refuse them without hiding some.
    if (req.rawHeaders.length > 2 * limits.headers) {
      meter.bad('TooLarge');
      told.add(req.socket);
      return send(res, TOO_MANY_HEADERS);
    }
    // A short body that nobody reads is skipped by Node; a long one is not worth the time.
    if (length > BODY_BYTES_MAX) res.shouldKeepAlive = false;
    if (!res.shouldKeepAlive) told.add(req.socket);
    routes.handle(req, res);
  };
  server.on('request', answer);
  // Whoever waits for a go before he sends his body may send it all the same.
  server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => {
    res.shouldKeepAlive = false;
    answer(req, res);
  });
  server.on('checkExpectation', (_req: IncomingMessage, res: ServerResponse) => {
    meter.bad('Malformed');
    send(res, BAD_REQUEST);
  });
  const broken = new WeakSet<Duplex>();
  const breakOff = (error: NodeJS.ErrnoException | undefined, socket: Duplex): void => {
    if (broken.has(socket)) return;
    broken.add(socket);
    const isTold = told.has(socket);
    told.add(socket);
    if (!isTold) meter.bad(KINDS[error?.code ?? ''] ?? 'Malformed');
    // Answers that are at hand for what came before it leave first.
    setImmediate(() => endBadly(error?.code, socket, isTold));
  };
  server.on('clientError', breakOff);
  // Node lets go of the connection here, and would end it with answers still in hand.
  server.on('connect', (_req: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => socket.destroy());
    breakOff(undefined, socket);
  });
  server.on('tlsClientError', () => meter.bad('TlsHandshake'));
}

const KINDS: Readonly<Record<string, BadRequest>> = {
  HPE_HEADER_OVERFLOW: 'TooLarge',
  ERR_HTTP_REQUEST_TIMEOUT: 'TooSlow',
};
const STATUS_LINES: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** The last answer on a connection whose bytes make no sense; they are not repeated anywhere. */
function endBadly(code: string | undefined, socket: Duplex, isTold: boolean): void {
  if (!socket.writable || code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const line = STATUS_LINES[code ?? ''] ?? '400 Bad Request';
  const last = `HTTP/1.1 ${line}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
  endWith(socket, isTold ? '' : last);
}

const LOOK_MS = 50;

/** Connections become idle one by one, as their answers leave; Node closes those of the start only. */
function close(
  { server, lane }: { readonly server: AnyServer; readonly lane: Lane | undefined },
  clock: Clock,
  drainTimeMs: number,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const endMs = clock.monotonicMs() + drainTimeMs;
  let cancel = (): void => undefined;
  const look = (): void => {
    if (clock.monotonicMs() >= endMs) {
      lane?.closeAll();
      return server.closeAllConnections();
    }
    lane?.closeIdle();
    server.closeIdleConnections();
    cancel = clock.after(LOOK_MS, look);
  };
  server.close(() => {
    cancel();
    resolve();
  });
  lane?.close();
  look();
  return promise;
}
