/**
 * How many connections there may be, and who has to go when there are more. Whoever connects and says
 * nothing must not keep out those who do: the oldest connection that has not asked anything goes first,
 * then all that are idle; only if everybody is at work the new one is turned away.
 */
import type { Server, Socket } from 'node:net';

/** One more for each eight. */
const SPARE_SHARE = 8;

/** Bound, and how connections are ended that wait for nothing. */
type Room = { readonly max: number; closeIdleConnections(): void };

/** The connections of one server. */
export class Connections {
  readonly #room: Room;
  readonly #dropped: () => void;
  /** That never sent a whole request, oldest first, by the client's address and port. */
  readonly #silent = new Map<string, Socket>();
  /** That did. Under TLS these are others than the sockets that carry them. */
  readonly #asked = new WeakSet<Socket>();
  #count = 0;

  /** Watches the server. @param dropped called for each connection that had to go */
  constructor(server: Server, room: Room, dropped: () => void) {
    this.#room = room;
    this.#dropped = dropped;
    server.on('connection', (socket: Socket) => this.#enter(socket));
  }

  /** Open connections. */
  get count(): number {
    return this.#count;
  }

  /** Has to be told of each request. */
  asked(socket: Socket): void {
    if (this.#asked.has(socket)) return;
    this.#asked.add(socket);
    this.#silent.delete(nameOf(socket));
  }

  #enter(socket: Socket): void {
    if (this.#count >= this.#room.max && !this.#makeRoom()) {
      this.#dropped();
      socket.destroy();
      return;
    }
    const name = nameOf(socket);
    this.#count += 1;
    this.#silent.set(name, socket);
    socket.once('close', () => {
      this.#count -= 1;
      if (this.#silent.get(name) === socket) this.#silent.delete(name);
    });
  }

  /** Whether there will be room: what is ended here is gone a moment later. */
  #makeRoom(): boolean {
    const oldest = this.#silent.entries().next().value;
    if (oldest !== undefined) {
      this.#silent.delete(oldest[0]);
      this.#dropped();
      oldest[1].destroy();
      return true;
    }
    // Nobody can tell whether any are idle before they are gone, so a few more may come in meanwhile.
    if (this.#count >= this.#room.max + Math.ceil(this.#room.max / SPARE_SHARE)) return false;
    this.#room.closeIdleConnections();
    return true;
  }
}

function nameOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
