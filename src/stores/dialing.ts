/**
 * Connections to one vendor. Names are resolved here, every address is checked, and exactly the
 * checked addresses are connected to, so that a name which answers differently the second time
 * gains nothing. A request is handed a connection only when the vendor's certificate was verified:
 * what fails before that was not sent, for certain.
 */
import { lookup } from 'node:dns/promises';
import { connect as connectTcp, type LookupFunction, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, type SecureContext } from 'node:tls';
import type { Clock } from '../kernel/clock.ts';
import { HttpAgent } from '../kernel/nodehttp.ts';
import { parseAddress } from '../terms/cidr.ts';
import { isAllowed, type Reach } from './addresses.ts';

/** An address as DNS gave it. */
type Resolved = { readonly address: string; readonly family: number };

/** All addresses of a host name; rejects when there are none. */
export type Resolve = (host: string) => Promise<readonly Resolved[]>;

/** The machine's own resolver, `/etc/hosts` included. */
export const systemResolve: Resolve = (host) => lookup(host, { all: true });

/** A vendor's origin that the administrator allows; `endpoints.ts` makes these. */
export type Destination = {
  /** Scheme, host and port; whatever else a URL has is not looked at. */
  readonly origin: URL;
  readonly reach: Reach;
};

/** What connections are made with. */
type DialingOptions = {
  readonly destination: Destination;
  readonly resolve: Resolve;
  readonly clock: Clock;
  /** From asking DNS to a verified certificate. */
  readonly connectMs: number;
  /** Whom to trust; asked when the first connection is made, because reading the roots is dear. */
  readonly trust: () => SecureContext | undefined;
};

/** No connection came about. Nothing was sent. `message` is safe to show. */
export class DialFailure extends Error {}

/** A kept connection is closed before servers usually close theirs, so that no request meets that. */
const IDLE_MS = 2_000;
const KEPT_MAX = 2;

/** Keeps a few connections of one destination. */
export class VendorAgent extends HttpAgent {
  readonly #options: DialingOptions;

  constructor(options: DialingOptions) {
    super({ keepAlive: true, maxFreeSockets: KEPT_MAX, scheduling: 'lifo', timeout: IDLE_MS });
    this.#options = options;
  }

  /** Called by node:http when a request needs a new connection. */
  override createConnection(_: unknown, done?: OnConnection): undefined {
    if (done !== undefined) void connectFor(this.#options, done);
  }
}

type OnConnection = (error: Error | null, socket: Duplex) => void;

async function connectFor(options: DialingOptions, done: OnConnection): Promise<void> {
  let socket: Socket;
  try {
    socket = await dial(options);
  } catch (error) {
    // The type has no place for "no socket"; node:http looks at the error first.
    (done as (error: unknown) => void)(error);
    return;
  }
  done(null, socket);
}

/** @throws DialFailure */
async function dial(options: DialingOptions): Promise<Socket> {
  const { destination, clock, connectMs } = options;
  const timeout = Promise.withResolvers<never>();
  const cancel = clock.after(connectMs, () =>
    timeout.reject(new DialFailure(`${destination.origin.host} could not be reached in time`)),
  );
  // The race may be over before the timer is; then nobody else looks at this rejection.
  timeout.promise.catch(() => undefined);
  try {
    const addresses = await Promise.race([checkedAddresses(options), timeout.promise]);
    const socket = open(options, addresses);
    const ready = whenReady(socket, destination);
    try {
      await Promise.race([ready, timeout.promise]);
    } catch (error) {
      socket.destroy();
      throw error;
    }
    return socket;
  } finally {
    cancel();
  }
}

/** @throws DialFailure when the name is unknown, or one of its addresses may not be connected to */
async function checkedAddresses(options: DialingOptions): Promise<readonly Resolved[]> {
  const { origin, reach } = options.destination;
  const name = hostOf(origin);
  const found = await resolve(options, name);
  if (found.length === 0) throw new DialFailure(`the name ${name} has no address`);
  // One bad address among good ones is no accident worth guessing about.
  if (found.every(({ address }) => isAllowed(address, reach))) return found;
  const wanted = reach === 'Public' ? 'a public address' : 'a loopback address';
  throw new DialFailure(`${name} resolves to something other than ${wanted}; not connecting`);
}

async function resolve({ resolve: ask }: DialingOptions, name: string): ReturnType<Resolve> {
  // Node connects to a literal address without asking anybody, so nobody else is asked here.
  const literal = parseAddress(name);
  if (literal !== undefined) return [{ address: name, family: literal.family }];
  try {
    return await ask(name);
  } catch {
    throw new DialFailure(`the name ${name} cannot be resolved`);
  }
}

function open({ destination, trust }: DialingOptions, addresses: readonly Resolved[]): Socket {
  const { origin } = destination;
  const isPlain = origin.protocol === 'http:';
  const host = hostOf(origin);
  const target = {
    host,
    port: Number(origin.port === '' ? (isPlain ? 80 : 443) : origin.port),
    lookup: answering(addresses),
    autoSelectFamily: true,
  };
  if (isPlain) return connectTcp(target);
  const secureContext = trust();
  return connectTls({
    ...target,
    // Literal addresses must not be sent as a name.
    ...(parseAddress(host) === undefined ? { servername: host } : {}),
    ...(secureContext === undefined ? {} : { secureContext }),
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
  });
}

/** Answers what was found and checked, whatever name is asked for. */
function answering(addresses: readonly Resolved[]): LookupFunction {
  return (_, options, done) => {
    const [first] = addresses;
    if (options.all === true || first === undefined) done(null, [...addresses]);
    else done(null, first.address, first.family);
  };
}

function whenReady(socket: Socket, { origin }: Destination): Promise<void> {
  const { promise, resolve: ready, reject } = Promise.withResolvers<void>();
  const onError = (error: NodeJS.ErrnoException): void =>
    reject(new DialFailure(`${origin.host} cannot be reached${errorCode(error)}`));
  const onClose = (): void => reject(new DialFailure(`${origin.host} closed the connection`));
  // Between here and the request that gets the socket nobody else listens.
  socket.on('error', () => undefined);
  socket.once('error', onError);
  socket.once('close', onClose);
  socket.once(origin.protocol === 'http:' ? 'connect' : 'secureConnect', () => {
    socket.removeListener('error', onError);
    socket.removeListener('close', onClose);
    ready();
  });
  return promise;
}

/** Node's own constants, such as ECONNREFUSED or CERT_HAS_EXPIRED; nothing that a server wrote. */
function errorCode({ code }: NodeJS.ErrnoException): string {
  return code !== undefined && /^[A-Z0-9_]{1,60}$/.test(code) ? ` (${code})` : '';
}

function hostOf({ hostname }: URL): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}
