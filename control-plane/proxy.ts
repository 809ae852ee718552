/** One real gateway as a process: started, waited for, ended. Called by what starts gateways. */
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Server, type ServerCommand } from './server.ts';
import type { Watchdog } from './watchdog.ts';

const READY_TRIES = 200;
const READY_PAUSE_MS = 50;

/** A running gateway. */
export interface Proxy {
  readonly pid: number | undefined;
  /** Where its files are. Everything that it logs lies in `log*` there. */
  readonly folder: string;
  /** The last lines of what it said. */
  lastWords(lines: number): Promise<string>;
  /** Ends it and removes its files. */
  stop(): Promise<void>;
  /** Lets it run on after this process ends. */
  keep(): Promise<void>;
}

/**
 * Starts the program and waits until it accepts connections at the port. Fails with the last lines of
 * its log. The folder is the program's own and goes with the watchdog.
 */
export async function startProxy(
  program: ServerCommand,
  {
    folder,
    port,
    watchdog,
  }: { readonly folder: string; readonly port: number; readonly watchdog: Watchdog },
): Promise<Proxy> {
  const server = new Server(program, watchdog);
  const stop = async (): Promise<void> => {
    await server.stop();
    await watchdog.release();
  };
  server.start();
  for (let tried = 0; !(await accepts(port)); tried += 1) {
    if (tried === READY_TRIES || !server.isRunning) {
      const words = await server.lastWords(20);
      await stop();
      throw new Error(`${program.name} did not come up:\n${words}`);
    }
    await pause(READY_PAUSE_MS);
  }
  return {
    get pid() {
      return server.pid;
    },
    folder,
    lastWords: (lines) => server.lastWords(lines),
    stop,
    keep: () => watchdog.keep(),
  };
}

function accepts(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, '127.0.0.1', () => resolve(true));
  socket.once('error', () => resolve(false));
  return promise.finally(() => socket.destroy());
}
