/**
 * What stands between the operator and the API server: forwards everything, counts the operator's
 * mutating calls, and strikes at the chosen one, before or after the server has acted.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Position } from './plans.ts';

/** One mutating call of the operator, without names that differ between runs. */
export type Call = { readonly verb: string; readonly resource: string };

export type ProxyOptions = {
  readonly server: URL;
  readonly ca: string;
  /** A fault falls; called before the operator can notice anything. */
  readonly onStrike: () => void;
};

type Aim = { readonly atCall: number; readonly position: Position };

/** Who writes a Lease says so in it. */
const HOLDER = /"holderIdentity":"operator-(\d+)"/;
/** Calls that carry the life of a key; leases, events and stores are left in peace. */
const COUNTED = /\/(apikeys|apikeyapplications|apikeyreviews|apiclients|secrets)(\/|\?|$)/;
/** Forged forms and reviews, of which the operator wants to see that they are refused. */
const DRY_RUN = /[?&]dryRun=/;

/** A proxy for one operator at a time; it outlives the operator's restarts. */
export class FaultProxy {
  readonly #options: ProxyOptions;
  readonly #agent: Agent;
  readonly #server: Server;
  readonly #calls: Call[] = [];
  /** Bodies of Secret writes, whether they arrived or not: every value that ever left the operator. */
  readonly #secretBodies: string[] = [];
  readonly #secretWritesMs: number[] = [];
  #aim: Aim | undefined;
  #lastWriteMs = 0;
  #leader: number | undefined;

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

  /** When each of them was sent; wall clock. */
  get secretWritesMs(): readonly number[] {
    return this.#secretWritesMs;
  }

  /** When the operator last wrote; by performance.now(). */
  get lastWriteMs(): number {
    return this.#lastWriteMs;
  }

  /** Number of the operator that wrote the Lease last; undefined: there is none. */
  get leader(): number | undefined {
    return this.#leader;
  }

  /** The nth mutating call from now on is met. */
  arm(nth: number, position: Position): void {
    this.#aim = { atCall: this.#calls.length + nth, position };
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
    const match = DRY_RUN.test(call.url) ? null : COUNTED.exec(call.url);
    if (match === null) {
      const [, leader] = HOLDER.exec(call.body.toString()) ?? [];
      if (leader !== undefined) this.#leader = Number(leader);
      this.#forward(req, res, call.body);
      return;
    }
    this.#lastWriteMs = performance.now();
    const resource = (match[1] ?? '') + (/\/status(\?|$)/.test(call.url) ? '/status' : '');
    this.#calls.push({ verb: call.method, resource });
    if (resource === 'secrets' && call.method !== 'DELETE') {
      this.#secretBodies.push(call.body.toString());
      this.#secretWritesMs.push(Date.now());
    }
    const aim = this.#aim;
    if (aim?.atCall !== this.#calls.length) {
      this.#forward(req, res, call.body);
      return;
    }
    this.#aim = undefined;
    if (aim.position === 'before') {
      this.#options.onStrike();
      res.destroy();
      return;
    }
    this.#forward(req, res, call.body, aim.position === 'torn' ? 'Half' : 'Nothing');
  }

  #forward(
    req: IncomingMessage,
    res: ServerResponse,
    body: Buffer | undefined,
    left?: 'Nothing' | 'Half',
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
        if (left !== undefined) {
          this.#lose(answer, res, left);
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
  #lose(answer: IncomingMessage, res: ServerResponse, left: 'Nothing' | 'Half'): void {
    const parts: Buffer[] = [];
    answer.on('data', (part: Buffer) => parts.push(part));
    answer.on('end', () => {
      if (left === 'Half') {
        const whole = Buffer.concat(parts);
        res.writeHead(answer.statusCode ?? 502, answer.headers);
        res.write(whole.subarray(0, whole.length / 2));
      }
      this.#options.onStrike();
      res.destroy();
    });
  }
}
