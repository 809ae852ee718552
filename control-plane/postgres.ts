/**
 * A PostgreSQL server of its own on loopback, for tests and the demo: made in about two seconds,
 * killed and started again at will, gone with the process that started it.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFile, chmod, chown, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findDebianProgram, type Unpacked } from './debian.ts';
import { freePort } from './ports.ts';
import { Server } from './server.ts';
import { startWatchdog, type Watchdog } from './watchdog.ts';

const run = promisify(execFile);

/** PostgreSQL refuses to run as root; nobody owns nothing, so it is a good stand-in. */
const NOBODY = 65_534;
const STARTS = 4;
const READY_TRIES = 200;
const READY_PAUSE_MS = 50;

/** How the server shall be; everything absent gives one without TLS that trusts loopback. */
export type PostgresOptions = {
  /** Lines of `postgresql.conf`. */
  readonly settings?: readonly string[];
  /** Whether the disk is waited for. Absent: no; a kill of the process loses nothing even so. */
  readonly durable?: boolean;
  /** Makes it speak TLS; both PEM. */
  readonly certificate?: { readonly certificatePem: string; readonly privateKeyPem: string };
};

/** A running server. */
export interface Postgres {
  readonly host: string;
  readonly port: number;
  /** The superuser `keyward`, and its password. */
  readonly user: string;
  readonly password: string;
  /** Folder of the Unix socket. */
  readonly socketFolder: string;
  readonly dataFolder: string;
  readonly pid: number | undefined;
  /** A URL that Keyward takes; `parameters` such as `schema=one`. */
  url(parameters?: string, database?: string): string;
  /** Runs SQL as the superuser; what psql printed, unaligned and without headers. */
  sql(text: string, database?: string): Promise<string>;
  /** Ends it at once, as a power cut would; `start` brings it back. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Connections stay open and nothing answers, until `thaw`. */
  freeze(): void;
  thaw(): void;
  /** Replaces the lines of `pg_hba.conf` and has them read. */
  allow(lines: readonly string[]): Promise<void>;
  /** Ends it and removes its files. Repeatable. */
  stop(): Promise<void>;
  /** Lets it run on after this process ends. */
  keep(): Promise<void>;
}

/** The server's programs; undefined where there are none and none can be had. */
export function findPostgres(): Promise<Unpacked | undefined> {
  return findDebianProgram({
    program: 'postgres',
    installed: ['/usr/lib/postgresql/15/bin'],
    packages: ['postgresql-15', 'postgresql-client-15', 'libpq5'],
    folder: 'usr/lib/postgresql/15/bin',
  });
}

/** Starts a server and waits until it serves. Fails with the last lines of its log. */
export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  const programs = await findPostgres();
  if (programs === undefined) {
    throw new Error('PostgreSQL 15 is neither installed nor can its packages be downloaded');
  }
  for (let tried = 1; ; tried += 1) {
    const folder = await mkdtemp(join(tmpdir(), 'keyward-postgres-'));
    const watchdog = startWatchdog(folder);
    try {
      return await startIn(folder, { programs, watchdog, options });
    } catch (error) {
      await watchdog.release();
      if (tried === STARTS) throw error;
    }
  }
}

type Start = {
  readonly programs: Unpacked;
  readonly watchdog: Watchdog;
  readonly options: PostgresOptions;
};

async function startIn(folder: string, { programs, watchdog, options }: Start): Promise<Postgres> {
  const uid = process.getuid?.() === 0 ? NOBODY : undefined;
  const as = uid === undefined ? {} : { uid, gid: uid };
  const env = programs.libraries === undefined ? {} : { LD_LIBRARY_PATH: programs.libraries };
  const password = randomBytes(12).toString('hex');
  const dataFolder = join(folder, 'data');
  const socketFolder = join(folder, 'socket');
  const passwordFile = join(folder, 'password');
  await mkdir(socketFolder);
  await writeFile(passwordFile, password);
  if (uid !== undefined) {
    for (const path of [folder, socketFolder, passwordFile]) await chown(path, uid, uid);
  }
  await chmod(folder, 0o755);
  await run(
    join(programs.folder, 'initdb'),
    [
      `--pgdata=${dataFolder}`,
      '--username=keyward',
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C.UTF-8',
      '--no-sync',
    ],
    { ...as, cwd: folder, env: { ...process.env, ...env } },
  );
  const port = await freePort();
  await appendFile(
    join(dataFolder, 'postgresql.conf'),
    [
      `port = ${port}`,
      `listen_addresses = '127.0.0.1'`,
      `unix_socket_directories = '${socketFolder}'`,
      `shared_buffers = 32MB`,
      ...(options.durable === true ? [] : ['fsync = off']),
      ...(options.certificate === undefined
        ? []
        : await writeCertificate(dataFolder, options.certificate, uid)),
      ...(options.settings ?? []),
      '',
    ].join('\n'),
  );
  const server = new Server(
    {
      name: 'postgres',
      path: join(programs.folder, 'postgres'),
      args: ['-D', dataFolder],
      logFile: join(folder, 'log'),
      // Smart shutdown waits for clients; this is the fast one.
      stopSignal: 'SIGINT',
      env,
      ...(uid === undefined ? {} : { uid }),
    },
    watchdog,
  );
  const sql = async (text: string, database = 'postgres'): Promise<string> => {
    const at = ['-h', '127.0.0.1', '-p', String(port), '-U', 'keyward', '-d', database];
    const { stdout } = await run(
      join(programs.folder, 'psql'),
      [...at, '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-c', text],
      { env: { ...process.env, ...env, PGPASSWORD: password } },
    );
    return stdout.trimEnd();
  };
  const start = async (): Promise<void> => {
    server.start();
    await waitUntilReady(server, sql);
  };
  await start();
  await sql('CREATE DATABASE keyward');
  return {
    host: '127.0.0.1',
    port,
    user: 'keyward',
    password,
    socketFolder,
    dataFolder,
    get pid() {
      return server.pid;
    },
    url: (parameters = '', database = 'keyward') =>
      `postgres://keyward:${password}@127.0.0.1:${port}/${database}?sslmode=disable${parameters === '' ? '' : `&${parameters}`}`,
    sql,
    kill: () => killAll(server),
    start,
    freeze: () => server.freeze(),
    thaw: () => server.thaw(),
    allow: async (lines) => {
      await writeFile(join(dataFolder, 'pg_hba.conf'), `${lines.join('\n')}\n`);
      await sql('SELECT pg_reload_conf()');
    },
    stop: async () => {
      await server.stop();
      await watchdog.release();
    },
    keep: () => watchdog.keep(),
  };
}

/** Each server process is in a group of its own, and would finish what it does without the first. */
async function killAll(server: Server): Promise<void> {
  const { pid } = server;
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const ended = server.kill();
  for (const child of children.split(' ').filter((text) => text !== '')) {
    try {
      process.kill(Number(child), 'SIGKILL');
    } catch {
      // It was gone already.
    }
  }
  await ended;
}

async function writeCertificate(
  dataFolder: string,
  { certificatePem, privateKeyPem }: NonNullable<PostgresOptions['certificate']>,
  uid: number | undefined,
): Promise<readonly string[]> {
  const certificate = join(dataFolder, 'server.crt');
  const key = join(dataFolder, 'server.key');
  await writeFile(certificate, certificatePem);
  await writeFile(key, privateKeyPem, { mode: 0o600 });
  if (uid !== undefined) for (const path of [certificate, key]) await chown(path, uid, uid);
  return ['ssl = on'];
}

async function waitUntilReady(
  server: Server,
  sql: (text: string) => Promise<string>,
): Promise<void> {
  for (let tried = 0; tried < READY_TRIES; tried += 1) {
    const isReady = await sql('SELECT 1').then(
      () => true,
      () => false,
    );
    if (isReady) return;
    if (!server.isRunning) break;
    await new Promise((resolve) => setTimeout(resolve, READY_PAUSE_MS));
  }
  throw new Error(`PostgreSQL did not come up:\n${await server.lastWords(20)}`);
}
