/** PgBouncer in transaction mode in front of a PostgreSQL, for tests of what a pooler does to us. */
import { chown, mkdtemp, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findDebianProgram, type Unpacked } from './debian.ts';
import { freePort } from './ports.ts';
import type { Postgres } from './postgres.ts';
import { Server } from './server.ts';
import { startWatchdog } from './watchdog.ts';

const NOBODY = 65_534;
const READY_TRIES = 100;
const READY_PAUSE_MS = 50;

/** A running pooler. */
export interface PgBouncer {
  readonly port: number;
  /** A URL that Keyward takes; `parameters` such as `schema=one`. */
  url(parameters: string): string;
  stop(): Promise<void>;
}

/** The pooler's program; undefined where there is none and none can be had. */
export function findPgBouncer(): Promise<Unpacked | undefined> {
  return findDebianProgram({
    program: 'pgbouncer',
    installed: ['/usr/sbin'],
    packages: ['pgbouncer', 'libc-ares2', 'libevent-2.1-7'],
    folder: 'usr/sbin',
  });
}

/** Starts a pooler that shares `serverConnections` among all its clients. */
export async function startPgBouncer(
  server: Postgres,
  serverConnections: number,
): Promise<PgBouncer> {
  const programs = await findPgBouncer();
  if (programs === undefined) throw new Error('PgBouncer cannot be had here');
  const uid = process.getuid?.() === 0 ? NOBODY : undefined;
  const folder = await mkdtemp(join(tmpdir(), 'keyward-pgbouncer-'));
  const watchdog = startWatchdog(folder);
  const port = await freePort();
  const settingsFile = join(folder, 'pgbouncer.ini');
  const { host, user, password } = server;
  await writeFile(
    settingsFile,
    [
      '[databases]',
      `keyward = host=${host} port=${server.port} user=${user} password=${password}`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = any',
      'pool_mode = transaction',
      `default_pool_size = ${serverConnections}`,
      'server_round_robin = 1',
      '',
    ].join('\n'),
  );
  if (uid !== undefined) for (const path of [folder, settingsFile]) await chown(path, uid, uid);
  const pooler = new Server(
    {
      name: 'pgbouncer',
      path: join(programs.folder, 'pgbouncer'),
      args: [settingsFile],
      logFile: join(folder, 'log'),
      stopSignal: 'SIGINT',
      ...(programs.libraries === undefined ? {} : { env: { LD_LIBRARY_PATH: programs.libraries } }),
      ...(uid === undefined ? {} : { uid }),
    },
    watchdog,
  );
  pooler.start();
  for (let tried = 0; !(await accepts(port)); tried += 1) {
    if (tried === READY_TRIES || !pooler.isRunning) {
      throw new Error(`PgBouncer did not come up:\n${await pooler.lastWords(20)}`);
    }
    await pause(READY_PAUSE_MS);
  }
  return {
    port,
    url: (parameters) =>
      `postgres://${user}:unused@127.0.0.1:${port}/keyward?sslmode=disable&${parameters}`,
    stop: async () => {
      await pooler.stop();
      await watchdog.release();
    },
  };
}

function accepts(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, '127.0.0.1', () => resolve(true));
  socket.once('error', () => resolve(false));
  return promise.finally(() => socket.destroy());
}
