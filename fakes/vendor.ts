/**
 * The shared part of every fake vendor: a real HTTP server on loopback whose state can outlive it,
 * and which can be told to misbehave (fakes/delivery.ts), from the same process or over HTTP
 * (fakes/control.ts). A vendor's folder adds accounts, routing and the wire format.
 */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type {
  FakeAccount,
  FakeCall,
  FakeControl,
  Fault,
  FaultRule,
  PageShift,
  StrangerAct,
  VendorCredential,
} from '../kit/fake.ts';
import { systemClock, type Clock } from '../src/kernel/clock.ts';
import type { Entropy } from '../src/kernel/entropy.ts';
import { control, CONTROL_PATH } from './control.ts';
import { deliver, send } from './delivery.ts';
import { Holds } from './holds.ts';

/** Beyond it a request is answered 413. */
const BODY_BYTES_MAX = 1_048_576;

/** A request as it arrived. */
export type FakeRequest = {
  readonly method: string;
  /** Path and query exactly as sent: what signatures cover. */
  readonly path: string;
  /** The path without the query. */
  readonly pathname: string;
  readonly query: URLSearchParams;
  /** By lower-case name; repeated headers are joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** An answer; a body that is no string is sent as JSON. */
export type FakeAnswer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
};

/** What a request asks for. `run` carries it out, checks of signature and rights included. */
export type Routed = {
  /** `create`, `read`, `list`, `update`, `regenerate`, `delete`; more where the vendor has more. */
  readonly operation: string;
  readonly id?: string;
  run(): FakeAnswer | Promise<FakeAnswer>;
};

/** How a fake is made. */
export type FakeOptions = {
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** State is read from it at the beginning and written to it after every change. */
  readonly stateFile?: string;
  readonly clock?: Clock;
  readonly entropy?: Entropy;
};

type CountedRule = { readonly rule: FaultRule; seen: number };

/**
 * A fake vendor. `State` is plain JSON: all that a restart keeps. A subclass hands its first state to
 * the constructor and from then on works on `this.state`.
 */
export abstract class FakeVendor<State> implements FakeControl {
  abstract readonly accounts: readonly FakeAccount[];
  listLagMs = 0;
  pageShift: readonly PageShift[] = [];
  clockOffsetMs = 0;
  readonly holds = new Holds();
  protected state: State;
  protected readonly clock: Clock;
  protected readonly entropy: Entropy;
  readonly #stateFile: string | undefined;
  readonly #server: Server;
  #port: number;
  #rules: CountedRule[] = [];
  #calls: FakeCall[] = [];

  constructor(options: FakeOptions, first: State) {
    this.clock = options.clock ?? systemClock;
    this.entropy = options.entropy ?? randomBytes;
    this.#stateFile = options.stateFile;
    this.#port = options.port ?? 0;
    this.state = readState<State>(options.stateFile) ?? first;
    this.#server = createServer((req, res) => {
      this.#serve(req, res).catch((err: unknown) => {
        console.error('a fake vendor failed', err);
        res.destroy();
      });
    });
  }

  /** Says which call a request is. Reads nothing but the request; unknown paths are routed too. */
  protected abstract route(request: FakeRequest): Routed;

  /** Carries out what a stranger does; answers the id. @throws when there is none of that id */
  protected abstract perform(act: StrangerAct): string;

  abstract credentials(): readonly VendorCredential[];

  get address(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get calls(): readonly FakeCall[] {
    return this.#calls;
  }

  get rules(): readonly FaultRule[] {
    return this.#rules.map(({ rule }) => rule);
  }

  /** The vendor's idea of the time. */
  nowMs(): number {
    return this.clock.nowMs() + this.clockOffsetMs;
  }

  async start(): Promise<this> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject).listen(this.#port, '127.0.0.1', resolve);
    await promise;
    // A server that listens on a port has an address object, never a pipe's name.
    this.#port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  /** Cuts open connections; the port is free when it resolves. */
  async stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeAllConnections();
    await promise;
  }

  inject(rule: FaultRule): void {
    this.#rules.push({ rule, seen: 0 });
  }

  clear(): void {
    this.#rules = [];
    this.#calls = [];
    this.listLagMs = 0;
    this.pageShift = [];
    this.clockOffsetMs = 0;
    this.holds.releaseAll();
  }

  forgetCalls(): void {
    this.#calls = [];
  }

  act(act: StrangerAct): string {
    const id = this.perform(act);
    this.#save();
    return id;
  }

  /** For lists: whether something created then shows by now. */
  protected isListed(createdMs: number): boolean {
    return this.nowMs() - createdMs >= this.listLagMs;
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    // The vendor's own clock, which a test may have moved.
    res.setHeader('date', new Date(this.nowMs()).toUTCString());
    const body = await readBody(req);
    if (body === undefined) return send(res, { status: 413 });
    const request = requestOf(req, body);
    if (request.pathname.startsWith(CONTROL_PATH)) {
      return send(res, await control(this, request));
    }
    const routed = this.route(request);
    const fault = this.#fault(routed.operation);
    this.#log(request, routed, fault);
    const hold = this.holds.take(routed.operation);
    if ((await hold?.arrive('Before')) === 'Cut') return void res.destroy();
    await deliver(fault, res, {
      clock: this.clock,
      handle: async () => {
        // Routed anew each time: a call that a middlebox repeats is another call to the vendor.
        const answer = await this.route(request).run();
        if (routed.operation === 'list') this.#shift();
        this.#save();
        if ((await hold?.arrive('After')) === 'Cut') res.destroy();
        return answer;
      },
      secrets: () => [
        JSON.stringify(request.headers),
        request.body,
        JSON.stringify(this.credentials()),
        JSON.stringify(this.accounts),
      ],
    });
  }

  #fault(operation: string): Fault | undefined {
    let met: Fault | undefined;
    for (const counted of this.#rules) {
      const { rule } = counted;
      if (rule.operation !== '*' && rule.operation !== operation) continue;
      counted.seen += 1;
      const nth = rule.nth ?? 1;
      if (counted.seen >= nth && counted.seen < nth + (rule.times ?? 1)) met ??= rule.fault;
    }
    return met;
  }

  #log(request: FakeRequest, { operation, id }: Routed, fault: Fault | undefined): void {
    this.#calls.push({
      operation,
      ...(id === undefined ? {} : { id }),
      method: request.method,
      path: request.path,
      atMs: this.clock.nowMs(),
      headersDigest: createHash('sha256').update(JSON.stringify(request.headers)).digest('hex'),
      ...(fault === undefined ? {} : { fault: fault.kind }),
    });
  }

  #shift(): void {
    const [shift, ...rest] = this.pageShift;
    this.pageShift = rest;
    if (shift === 'Create') this.perform({ act: 'Create' });
    if (shift !== 'Delete') return;
    const [account] = this.accounts;
    const first = this.credentials().find(({ accountId }) => accountId === account?.id);
    if (first !== undefined) this.perform({ act: 'Delete', id: first.id });
  }

  /** Another file first, then a rename: a kill in between leaves the old state or the new one. */
  #save(): void {
    if (this.#stateFile === undefined) return;
    const unfinished = `${this.#stateFile}.new`;
    writeFileSync(unfinished, JSON.stringify(this.state, undefined, 2));
    renameSync(unfinished, this.#stateFile);
  }
}

function readState<State>(file: string | undefined): State | undefined {
  if (file === undefined || !existsSync(file)) return undefined;
  // The file was written by the same class; a fake does not defend itself against its own file.
  return JSON.parse(readFileSync(file, 'utf8')) as State;
}

async function readBody(req: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of req) {
    bytes += (chunk as Buffer).length;
    if (bytes <= BODY_BYTES_MAX) chunks.push(chunk as Buffer);
  }
  return bytes > BODY_BYTES_MAX ? undefined : Buffer.concat(chunks).toString('utf8');
}

function requestOf(req: IncomingMessage, body: string): FakeRequest {
  const path = req.url ?? '/';
  const [pathname = '/', query = ''] = path.split(/\?(.*)/s);
  const headers = Object.entries(req.headers).map(
    ([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')] as const,
  );
  return {
    method: req.method ?? 'GET',
    path,
    pathname,
    query: new URLSearchParams(query),
    headers: Object.fromEntries(headers),
    body,
  };
}
