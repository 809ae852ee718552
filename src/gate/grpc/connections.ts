/**
 * The connections of the port: peers that went away without a word are found by pings, calls that never
 * end are ended, and closing tells every peer first, so that it sends new calls elsewhere.
 */
import type { Socket } from 'node:net';
import type { Clock } from '../../kernel/clock.ts';
import { SECOND_MS } from '../../kernel/time.ts';
import type { Desk } from './calls.ts';
import { Connection } from './connection.ts';
import type { GrpcLimits } from './limits.ts';

const SWEEP_MS = SECOND_MS;

/** The open connections of a port. */
export interface Connections {
  readonly size: number;
  /** @param onAsked called when the peer opens its first call */
  add(socket: Socket, onAsked: () => void): void;
  /** Ends those that have had calls and have none now. */
  closeIdle(): void;
  /** Lets calls end, up to the bound, and then closes every connection. */
  close(): Promise<void>;
}

/** None yet. */
export function createConnections(desk: Desk, limits: GrpcLimits): Connections {
  const { clock } = desk;
  const open = new Map<Socket, Connection>();
  const empty = Promise.withResolvers<void>();
  let isClosing = false;
  const stopPings = repeat(clock, limits.pingTimeMs, () => {
    for (const connection of open.values()) connection.ping();
  });
  const stopSweeps = repeat(clock, Math.min(SWEEP_MS, limits.callTimeMs), () => {
    const beforeMs = clock.monotonicMs() - limits.callTimeMs;
    for (const connection of open.values()) connection.sweep(beforeMs);
  });
  return {
    get size() {
      return open.size;
    },
    add(socket, onAsked) {
      const connection = new Connection(socket, desk, onAsked);
      open.set(socket, connection);
      socket.once('close', () => {
        open.delete(socket);
        if (isClosing && open.size === 0) empty.resolve();
      });
      if (isClosing) connection.leave();
    },
    closeIdle() {
      for (const connection of open.values()) if (connection.isIdle) connection.destroy();
    },
    async close() {
      isClosing = true;
      for (const connection of open.values()) connection.leave();
      const cancel = clock.after(limits.drainTimeMs, () => {
        for (const connection of open.values()) connection.destroy();
      });
      if (open.size > 0) await empty.promise;
      cancel();
      stopPings();
      stopSweeps();
    },
  };
}

/** Calls `act` again and again; returns what ends it. */
function repeat(clock: Clock, everyMs: number, act: () => void): () => void {
  let cancel = (): void => undefined;
  const again = (): void => {
    cancel = clock.after(everyMs, () => {
      act();
      again();
    });
  };
  again();
  return () => cancel();
}
