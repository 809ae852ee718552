/**
 * The listener that gateways and applications ask; on an address of its own. Nothing else is served
 * there. What is not plain HTTP/1.1 ends the connection with 400, and everything has its bound.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { KeywardError } from '../../kernel/errors.ts';
import { createHttpServer } from '../../kernel/nodehttp.ts';
import { parseAddress } from '../../runtime/probes.ts';
import type { Decider } from '../decision.ts';
import type { ReadingOptions } from '../reading/reading.ts';
import { DEFAULT_LIMITS, type HttpLimits } from './limits.ts';
import { createRoutes, type Handler } from './routes.ts';

/** Where to listen and how calls are read. */
export type HttpOptions = {
  /** HOST:PORT; no host means all addresses, port 0 any free one, IPv6 in brackets. */
  readonly address: string;
  readonly reading: ReadingOptions;
  /** What is absent is as DEFAULT_LIMITS. */
  readonly limits?: Partial<HttpLimits>;
};

/** A running listener. */
export type HttpGate = {
  /** Where it really listens, HOST:PORT. */
  readonly address: string;
  /** Takes no more requests, waits for answers that are on their way up to the bound. Repeatable. */
  close(): Promise<void>;
};

/**
 * Listens and answers until closed. Rejects with Terminal AddressUnavailable when it cannot listen, and
 * with the errors of `compileReading`.
 */
export async function serveHttp(options: HttpOptions, decider: Decider): Promise<HttpGate> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const handle = createRoutes(options.reading, decider);
  const server = createHttpServer(serverOptions(limits), bounded(limits, handle));
  harden(server, limits);
  const address = await listen(server, options.address);
  let closed: Promise<void> | undefined;
  return {
    address,
    close: () => (closed ??= close(server, limits.drainTimeMs)),
  };
}

function serverOptions(limits: HttpLimits) {
  return {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headerTimeMs,
    requestTimeout: limits.requestTimeMs,
    keepAliveTimeout: limits.idleTimeMs,
    connectionsCheckingInterval: Math.min(1_000, limits.headerTimeMs),
    insecureHTTPParser: false,
    // Most requests have no body: their streams need not be set up.
    optimizeEmptyRequests: true,
  };
}

function harden(server: Server, limits: HttpLimits): void {
  server.maxConnections = limits.connections;
  // Node would drop further headers silently, and with them what makes a call ambiguous.
  server.maxHeadersCount = 0;
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => endBadly(error, socket));
}

/** Refuses calls with too many headers, which Node cannot without hiding some. */
function bounded(limits: HttpLimits, handle: Handler) {
  return (req: IncomingMessage, res: ServerResponse): void => {
    if (req.rawHeaders.length > 2 * limits.headers) {
      res.sendDate = false;
      res.writeHead(431, ['Connection', 'close', 'Content-Length', '0']).end();
      return;
    }
    handle(req, res);
  };
}

const STATUS_LINES: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** The last answer on a connection whose bytes make no sense; they are not repeated anywhere. */
function endBadly(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const line = STATUS_LINES[error.code ?? ''] ?? '400 Bad Request';
  socket.end(`HTTP/1.1 ${line}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () =>
    socket.destroy(),
  );
}

async function listen(server: Server, text: string): Promise<string> {
  const { host, port } = parseAddress(text);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ port, ...(host !== undefined && { host }) }, resolve);
  try {
    await promise;
  } catch (cause) {
    throw new KeywardError('Terminal', {
      reason: 'AddressUnavailable',
      message: `cannot listen on '${text}'`,
      cause,
    });
  }
  server.removeListener('error', reject);
  // Listening on a port, so it has an address of this form.
  const at = server.address() as AddressInfo;
  return at.family === 'IPv6' ? `[${at.address}]:${at.port}` : `${at.address}:${at.port}`;
}

function close(server: Server, drainTimeMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(() => server.closeAllConnections(), drainTimeMs);
  server.close(() => {
    clearTimeout(timer);
    resolve();
  });
  return promise;
}
