/**
 * What stands between one operator and its two servers: forwards everything until it is frozen, and
 * what was on its way then arrives after the thaw, as late as a network can deliver it.
 */
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import type { Journal, Write } from './journal.ts';

/** Held: it arrives later. Cut: it never does. */
export type Frost = 'Held' | 'Cut';

/** Which call of the operator the frost falls at. */
export type Aim = { readonly nth: number; readonly position: 'before' | 'after' };

const COUNTED = /\/(apikeys|secrets|deployments)(\/|\?|$)/;
const DRY_RUN = /[?&]dryRun=/;
/** Questions, which change nothing. */
const ASKED = /\/(subjectaccessreviews|selfsubjectrulesreviews|tokenreviews)(\?|$)/;

/** See the file comment; for the API server. */
export class ApiProxy {
  readonly #server = createHttpServer((req, res) => this.#receive(req, res));
  readonly #target: URL;
  readonly #agent: Agent;
  readonly #journal: Journal;
  readonly #sender: () => string;
  #frost: Frost | undefined;
  #thawed = Promise.withResolvers<void>();
  #aim: (Aim & { left: number; readonly onStrike: () => void }) | undefined;

  /** @param sender name of the process that is behind it now */
  constructor(at: { server: URL; ca: string; journal: Journal; sender: () => string }) {
    this.#target = at.server;
    this.#agent = new Agent({ keepAlive: true, ca: at.ca, maxSockets: 64 });
    this.#journal = at.journal;
    this.#sender = at.sender;
    this.#server.requestTimeout = 0;
  }

  /** Listens on a free loopback port and answers its URL. */
  async listen(): Promise<string> {
    return `http://127.0.0.1:${await listening(this.#server)}`;
  }

  /** The nth write about keys from now on is struck. */
  arm(aim: Aim, onStrike: () => void): void {
    this.#aim = { ...aim, left: aim.nth, onStrike };
  }

  disarm(): void {
    this.#aim = undefined;
  }

  freeze(frost: Frost): void {
    this.#frost = frost;
    this.#thawed = Promise.withResolvers<void>();
    if (frost === 'Cut') this.#server.closeAllConnections();
  }

  thaw(): void {
    this.#frost = undefined;
    this.#thawed.resolve();
  }

  close(): void {
    this.thaw();
    this.#server.closeAllConnections();
    this.#server.close();
    this.#agent.destroy();
  }

  #receive(req: IncomingMessage, res: ServerResponse): void {
    const parts: Buffer[] = [];
    req.on('data', (part: Buffer) => parts.push(part));
    req.on('error', () => res.destroy());
    req.on('end', () => void this.#pass(req, res, Buffer.concat(parts)));
  }

  async #pass(req: IncomingMessage, res: ServerResponse, body: Buffer): Promise<void> {
    const { method = 'GET', url = '/' } = req;
    const isWrite = method !== 'GET' && !DRY_RUN.test(url) && !ASKED.test(url);
    const write = isWrite ? this.#journal.arrived(this.#sender(), method, url, body) : undefined;
    const struck = isWrite && COUNTED.test(url) ? this.#strikes() : undefined;
    if (struck !== undefined && struck.position === 'before') struck.onStrike();
    await this.#whileFrozen(res, write);
    if (res.destroyed && write === undefined) return;
    this.#forward(req, res, {
      body,
      write,
      onAnswer: struck?.position === 'after' ? struck.onStrike : undefined,
    });
  }

  #strikes(): (Aim & { readonly onStrike: () => void }) | undefined {
    const aim = this.#aim;
    if (aim === undefined) return undefined;
    aim.left -= 1;
    if (aim.left > 0) return undefined;
    this.#aim = undefined;
    return aim;
  }

  async #whileFrozen(res: ServerResponse, write: Write | undefined): Promise<void> {
    if (this.#frost === 'Cut') res.destroy();
    if (this.#frost !== 'Held') return;
    if (write !== undefined) write.wasHeld = true;
    await this.#thawed.promise;
  }

  #forward(
    req: IncomingMessage,
    res: ServerResponse,
    how: { body: Buffer; write: Write | undefined; onAnswer: (() => void) | undefined },
  ): void {
    const { body, write, onAnswer } = how;
    const { hostname: host, port, host: name } = this.#target;
    const headers = { ...req.headers, host: name };
    const upstream = httpsRequest(
      { host, port, path: req.url, method: req.method, headers, agent: this.#agent },
      (answer) => {
        if (write !== undefined) this.#journal.answered(write, answer.statusCode ?? 0);
        onAnswer?.();
        void this.#answer(answer, res);
      },
    );
    upstream.on('error', () => res.destroy());
    // A write that is on its way arrives, whatever became of its sender.
    if (write === undefined) res.on('close', () => upstream.destroy());
    upstream.end(body);
  }

  async #answer(answer: IncomingMessage, res: ServerResponse): Promise<void> {
    answer.on('error', () => res.destroy());
    await this.#whileFrozen(res, undefined);
    if (res.destroyed) {
      answer.resume();
      return;
    }
    res.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(res);
  }
}

/** See the file comment; for the database. */
export class DatabaseProxy {
  readonly #sockets = new Set<Socket>();
  readonly #port: number;
  #isFrozen = false;
  readonly #server = createTcpServer((client) => this.#accept(client));

  constructor(port: number) {
    this.#port = port;
  }

  async listen(): Promise<number> {
    return await listening(this.#server);
  }

  freeze(): void {
    this.#isFrozen = true;
    for (const socket of this.#sockets) socket.pause();
  }

  thaw(): void {
    this.#isFrozen = false;
    for (const socket of this.#sockets) socket.resume();
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #accept(client: Socket): void {
    const upstream = connect(this.#port, '127.0.0.1');
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.add(from);
      from.on('error', () => undefined);
      from.on('data', (chunk) => to.write(chunk));
      // What was read before the end still goes out.
      from.on('end', () => to.end());
      from.on('close', () => this.#sockets.delete(from));
      if (this.#isFrozen) from.pause();
    }
  }
}

async function listening(server: {
  listen: (port: number, host: string, act: () => void) => unknown;
  address: () => unknown;
}): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  // A TCP server that listens has an AddressInfo.
  return (server.address() as AddressInfo).port;
}
