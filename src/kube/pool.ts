/**
 * The connections to the API server: idle ones are used again, newest first, so that few stay warm;
 * one timer looks after the deadlines of all of them.
 */
import { connect as connectPlain, isIP, type SocketConstructorOpts } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import type { Clock } from '../kernel/clock.ts';
import type { Server, TlsMaterial } from './access.ts';
import { Connection } from './connection.ts';

/**
 * Idle connections are dropped well before the API server does it at 90 s: a request on a
 * connection that the server is just closing has an unknown outcome.
 */
const IDLE_MS = 60_000;
/** Precision of all deadlines. One sweep costs microseconds; timers per call would cost more. */
const SWEEP_MS = 250;
/** What one socket can hand over at once; TLS records have 16 KiB at most. */
const INPUT_BYTES = 64 * 1024;

/** `onread` of a socket, which TLS sockets take as well. */
type Input = Pick<SocketConstructorOpts, 'onread'>;

/** The sockets of one process to one API server. */
export class Pool {
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #all = new Set<Connection>();
  #idle: Connection[] = [];
  #material: TlsMaterial | undefined;
  #context: SecureContext | undefined;
  #session: Buffer | undefined;
  #cancelSweep: (() => void) | undefined;
  #closed = false;
  /**
   * All sockets read into the same buffer, because each takes what it has read before the next one
   * reads. A buffer for each read would be most of what the collector has to look at.
   */
  readonly #input = Buffer.alloc(INPUT_BYTES);

  constructor(server: Server, clock: Clock) {
    this.#server = server;
    this.#clock = clock;
  }

  /** Open connections, streams included. */
  get size(): number {
    return this.#all.size;
  }

  /** An idle connection, else a new one; connections of an older identity are not used again. */
  take(material: TlsMaterial): Connection {
    this.#adopt(material);
    return this.#idle.pop() ?? this.takeFresh(material);
  }

  /** A new connection, for when kept ones turned out to be dead. */
  takeFresh(material: TlsMaterial): Connection {
    this.#adopt(material);
    return this.#open(material, (freed) => this.#freed(freed, material));
  }

  /** A connection of its own, for a stream; it is not used again afterwards. */
  takeDedicated(material: TlsMaterial): Connection {
    this.#adopt(material);
    return this.#open(material, (freed) => {
      this.#all.delete(freed);
      freed.destroy();
    });
  }

  /** Ends all connections; requests on them fail. The pool is of no use afterwards. */
  close(): void {
    this.#closed = true;
    this.#cancelSweep?.();
    for (const connection of this.#all) connection.destroy();
  }

  #adopt(material: TlsMaterial): void {
    if (this.#closed) throw new Error('the pool is closed');
    if (material === this.#material) return;
    const stale = this.#idle;
    this.#material = material;
    this.#session = undefined;
    this.#context = this.#server.secure
      ? createSecureContext({ ca: material.ca, cert: material.cert, key: material.privatePem })
      : undefined;
    this.#idle = [];
    for (const connection of stale) connection.destroy();
  }

  #open(material: TlsMaterial, onFree: (connection: Connection) => void): Connection {
    const { host, port } = this.#server;
    let connection: Connection | undefined;
    const callback = (size: number): boolean => {
      connection?.received(this.#input.subarray(0, size));
      return true;
    };
    const input = { onread: { buffer: this.#input, callback } };
    const socket = this.#server.secure
      ? this.#connectTls(material, input)
      : connectPlain({ host, port, keepAlive: true, ...input });
    const event = this.#server.secure ? 'secureConnect' : 'connect';
    connection = new Connection(socket, event, this.#clock, onFree);
    this.#all.add(connection);
    this.#cancelSweep ??= this.#clock.after(SWEEP_MS, () => this.#sweep());
    return connection;
  }

  #connectTls(material: TlsMaterial, input: Input): ReturnType<typeof connectTls> {
    const { host, port, serverName } = this.#server;
    // An IP address is verified as such; it must not be sent as a server name.
    const name = serverName ?? (isIP(host) === 0 ? host : undefined);
    const socket = connectTls({
      ...input,
      host,
      port,
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: material.verification === 'Verify',
      ...(name === undefined ? {} : { servername: name }),
      ...(this.#context === undefined ? {} : { secureContext: this.#context }),
      ...(this.#session === undefined ? {} : { session: this.#session }),
    });
    socket.setKeepAlive(true, 30_000);
    socket.on('session', (session) => {
      if (material === this.#material) this.#session = session;
    });
    return socket;
  }

  #freed(connection: Connection, material: TlsMaterial): void {
    if (connection.alive && material === this.#material) {
      this.#idle.push(connection);
      return;
    }
    this.#all.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    connection.destroy();
  }

  #sweep(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const connection of this.#all) connection.check(nowMs);
    const expired = this.#idle.filter((connection) => nowMs - connection.idleSinceMs >= IDLE_MS);
    for (const connection of expired) connection.destroy();
    this.#cancelSweep =
      this.#all.size === 0 || this.#closed
        ? undefined
        : this.#clock.after(SWEEP_MS, () => this.#sweep());
  }
}
