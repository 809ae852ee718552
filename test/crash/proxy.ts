/**
 * What stands between the operator and the API server: forwards everything, counts the operator's
 * mutating calls, and at the chosen one kills the operator before or after the server has acted.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';

/** Before: the server never saw the call. After: it acted, and the answer is lost. Torn: half of it arrives. */
export type Position = 'before' | 'after' | 'torn';

/** Which mutating call of the operator ends it; calls are counted from 1. */
export type Strike = { readonly nth: number; readonly position: Position };

/** One mutating call of the operator, without names that differ between runs. */
export type Call = { readonly verb: string; readonly resource: string };

export type ProxyOptions = {
  readonly server: URL;
  readonly ca: string;
  /** Ends the operator at once; called synchronously. */
  readonly kill: () => void;
};

/** Calls that carry the life of a key; leases, events and stores are left in peace. */
const COUNTED = /\/(apikeys|secrets)(\/|\?|$)/;

/** A proxy for one operator at a time; it outlives the operator's restarts. */
export class FaultProxy {
  readonly #options: ProxyOptions;
  readonly #agent: Agent;
  readonly #server: Server;
  readonly #calls: Call[] = [];
  /** Bodies of Secret writes, whether they arrived or not: every value that ever left the operator. */
  readonly #secretBodies: string[] = [];
  #strike: Strike | undefined;
  #lastWriteMs = 0;

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#agent = new Agent({ keepAlive: true, ca: options.ca, maxSockets: 64 });
    this.#server = createServer((req, res) => this.#handle(req, res));
    this.#server.requestTimeout = 0;
  }

  get calls(): readonly Call[] {
    return this.#calls;
  }

  get secretBodies(): readonly string[] {
    return this.#secretBodies;
  }

  /** When the operator last wrote; by performance.now(). */
  get lastWriteMs(): number {
    return this.#lastWriteMs;
  }

  /** True when the strike was asked for and has not fallen. */
  get isArmed(): boolean {
    return this.#strike !== undefined;
  }

  arm(strike: Strike | undefined): void {
    this.#strike = strike;
  }

  /** Listens on a free loopback port and answers its URL. */
  async listen(): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.listen(0, '127.0.0.1', resolve);
    await promise;
    // A TCP server that listens has an AddressInfo.
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
    this.#agent.destroy();
  }

  #handle(req: IncomingMessage, res: ServerResponse): void {
    const { method = 'GET', url = '/' } = req;
    if (method === 'GET') {
      this.#forward(req, res, undefined);
      return;
    }
    const parts: Buffer[] = [];
    req.on('data', (part: Buffer) => parts.push(part));
    req.on('end', () => this.#mutate(req, res, { method, url, body: Buffer.concat(parts) }));
  }

  #mutate(
    req: IncomingMessage,
    res: ServerResponse,
    call: { readonly method: string; readonly url: string; readonly body: Buffer },
  ): void {
    const match = COUNTED.exec(call.url);
    if (match === null) {
      this.#forward(req, res, call.body);
      return;
    }
    this.#lastWriteMs = performance.now();
    const resource = (match[1] ?? '') + (/\/status(\?|$)/.test(call.url) ? '/status' : '');
    this.#calls.push({ verb: call.method, resource });
    if (resource === 'secrets' && call.method !== 'DELETE') {
      this.#secretBodies.push(call.body.toString());
    }
    const strike = this.#strike;
    if (strike?.nth !== this.#calls.length) {
      this.#forward(req, res, call.body);
      return;
    }
    this.#strike = undefined;
    if (strike.position === 'before') {
      this.#options.kill();
      res.destroy();
      return;
    }
    this.#forward(req, res, call.body, strike.position);
  }

  #forward(
    req: IncomingMessage,
    res: ServerResponse,
    body: Buffer | undefined,
    lose?: 'after' | 'torn',
  ): void {
    const { server } = this.#options;
    const headers = { ...req.headers, host: server.host };
    const upstream = httpsRequest(
      {
        host: server.hostname,
        port: server.port,
        path: req.url,
        method: req.method,
        headers,
        agent: this.#agent,
      },
      (answer) => {
        if (lose !== undefined) {
          this.#lose(answer, res, lose);
          return;
        }
        res.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(res);
        answer.on('error', () => res.destroy());
      },
    );
    upstream.on('error', () => res.destroy());
    res.on('close', () => upstream.destroy());
    upstream.end(body);
  }

  /** The server has acted once its whole answer is here. */
  #lose(answer: IncomingMessage, res: ServerResponse, how: 'after' | 'torn'): void {
    const parts: Buffer[] = [];
    answer.on('data', (part: Buffer) => parts.push(part));
    answer.on('end', () => {
      if (how === 'torn') {
        const whole = Buffer.concat(parts);
        res.writeHead(answer.statusCode ?? 502, answer.headers);
        res.write(whole.subarray(0, whole.length / 2));
      }
      this.#options.kill();
      res.destroy();
    });
  }
}
