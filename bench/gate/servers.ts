/** The programs of the gate's bench: gates, nginx, wrk. All of them end with the bench, however it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findDebianProgram, type Unpacked } from '../../control-plane/debian.ts';
import { freePort } from '../../control-plane/ports.ts';
import type { Watchdog } from '../../control-plane/watchdog.ts';
import { cpuSeconds } from '../processes.ts';
import type { KeyDatabase } from './database.ts';

const LOOK_AGAIN_MS = 20;
const START_TIMEOUT_MS = 180_000;
/** Servers and load each have a core, where there are two: they do not take it from each other. */
const SERVER_CORE = '0';
const LOAD_CORE = '1';

/** What runs servers. */
export type Rig = {
  /** Working directory; removed at the end. */
  readonly root: string;
  readonly watchdog: Pick<Watchdog, 'watch' | 'forget'>;
  /** The built program, with its own flags of Node in front. */
  readonly gate: readonly string[];
  readonly gateEnv: Readonly<Record<string, string>>;
  readonly nginx: string;
  readonly wrk: string;
  readonly libraries: string | undefined;
  readonly pinned: boolean;
};

/** A server that is measured. */
export type Server = {
  readonly port: number;
  /** Milliseconds from the start of the process until it answered. */
  readonly startMs: number;
  readonly pid: number;
  /** Processor time of all its processes so far. */
  cpuSeconds(): Promise<number>;
  /** Ends it as an operator of a cluster would. */
  stop(): Promise<void>;
  kill(): Promise<void>;
};

/** A gate, and where it says what it counted. */
export type GateServer = Server & { readonly grpcPort: number; metrics(): Promise<string> };

/** @throws Error where Debian's packages cannot be had */
export async function findPrograms(): Promise<Pick<Rig, 'nginx' | 'wrk' | 'libraries'>> {
  const nginx = await findDebianProgram({
    program: 'nginx',
    installed: ['/usr/sbin'],
    packages: ['nginx'],
    folder: 'usr/sbin',
  });
  const wrk = await findDebianProgram({
    program: 'wrk',
    installed: ['/usr/bin'],
    packages: ['wrk', 'libluajit-5.1-2', 'libluajit-5.1-common'],
    folder: 'usr/bin',
  });
  if (nginx === undefined || wrk === undefined) throw new Error('the bench needs nginx and wrk');
  return {
    nginx: join(nginx.folder, 'nginx'),
    wrk: join(wrk.folder, 'wrk'),
    libraries: joined(nginx, wrk),
  };
}

function joined(...programs: readonly Unpacked[]): string | undefined {
  const folders = programs.flatMap(({ libraries }) => libraries ?? []);
  return folders.length === 0 ? undefined : folders.join(':');
}

/** Starts a gate on the database and waits until it says that it is ready. */
export async function startGate(
  rig: Rig,
  database: KeyDatabase,
  flags: readonly string[] = [],
): Promise<GateServer> {
  const [port, grpcPort, metricsPort] = [await freePort(), await freePort(), await freePort()];
  const began = performance.now();
  const child = start(rig, 'gate', [
    ...rig.gate,
    'gate',
    `--database=${database.url}`,
    `--gate-key-file=${database.masterKeyFile}`,
    `--http-address=127.0.0.1:${port}`,
    `--grpc-address=127.0.0.1:${grpcPort}`,
    `--metrics-address=127.0.0.1:${metricsPort}`,
    ...flags,
  ]);
  const base = `http://127.0.0.1:${metricsPort}`;
  await untilAnswers(rig, child, 'gate', async () => (await fetch(`${base}/readyz`)).ok);
  const server = serverOf(child, port, performance.now() - began);
  return {
    ...server,
    grpcPort,
    cpuSeconds: () => cpuSeconds(server.pid),
    metrics: async () => (await fetch(`${base}/metrics`)).text(),
  };
}

/** Starts the server that shows what Node's own HTTP costs. */
export async function startBare(rig: Rig): Promise<Server> {
  const port = await freePort();
  const began = performance.now();
  const file = join(import.meta.dirname, 'bare.ts');
  const child = start(rig, 'bare', [process.execPath, file, String(port)]);
  await untilAnswers(rig, child, 'bare', async () => {
    await fetch(`http://127.0.0.1:${port}/`);
    return true;
  });
  const server = serverOf(child, port, performance.now() - began);
  return { ...server, cpuSeconds: () => cpuSeconds(server.pid) };
}

/** Starts an nginx of one worker with these blocks inside `http`. `PORT` stands for its port. */
export async function startNginx(rig: Rig, name: string, http: string): Promise<Server> {
  const port = await freePort();
  const folder = join(rig.root, `nginx-${name}-${port}`);
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'nginx.conf');
  await writeFile(file, configuration(folder, http.replaceAll('PORT', String(port))));
  const began = performance.now();
  const child = start(rig, name, [rig.nginx, '-p', folder, '-c', file]);
  await untilAnswers(rig, child, name, async () => {
    await fetch(`http://127.0.0.1:${port}/`);
    return true;
  });
  const server = serverOf(child, port, performance.now() - began);
  return { ...server, cpuSeconds: () => familySeconds(server.pid) };
}

function configuration(folder: string, http: string): string {
  return `daemon off;
worker_processes 1;
user root;
pid ${folder}/pid;
error_log ${folder}/error.log crit;
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
${http}
}
`;
}

/** Runs wrk against the server; requests that were answered, and those that were not let in. */
export async function runWrk(
  rig: Rig,
  server: Server,
  run: {
    readonly path: string;
    readonly valuesFile: string;
    readonly headers: string;
    readonly seconds: number;
    readonly connections: number;
  },
): Promise<{ readonly requests: number; readonly refused: number; readonly seconds: number }> {
  const script = join(rig.root, 'load.lua');
  await writeFile(script, LUA);
  const args = [
    '-t1',
    `-c${run.connections}`,
    `-d${run.seconds}s`,
    `-s${script}`,
    `http://127.0.0.1:${server.port}${run.path}`,
  ];
  const command = rig.pinned ? ['taskset', '-c', LOAD_CORE, rig.wrk] : [rig.wrk];
  const child = spawn(command[0] ?? '', [...command.slice(1), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...environment(rig), VALUES: run.valuesFile, HEADERS: run.headers },
  });
  const text = await textOf(child);
  const [, requests, refused, micros] = /^figures (\d+) (\d+) (\d+)$/m.exec(text) ?? [];
  if (requests === undefined) throw new Error(`wrk said:\n${text}`);
  return {
    requests: Number(requests),
    refused: Number(refused),
    seconds: Number(micros) / 1e6,
  };
}

/** HEADERS: name=value, separated by "|". Each request presents the next value, from a random one on. */
const LUA = `
local requests, at = {}, 0
function init(args)
  local headers = {}
  for name, value in string.gmatch(os.getenv("HEADERS") or "", "([^=|]+)=([^|]*)") do
    headers[name] = value
  end
  for value in io.lines(os.getenv("VALUES")) do
    headers["X-API-Key"] = value
    requests[#requests + 1] = wrk.format("GET", nil, headers)
  end
  math.randomseed(os.time())
  at = math.random(#requests)
end
function request()
  at = at % #requests + 1
  return requests[at]
end
function done(summary)
  local refused = summary.errors.status + summary.errors.connect + summary.errors.read
    + summary.errors.write + summary.errors.timeout
  print(string.format("figures %d %d %d", summary.requests, refused, summary.duration))
end
`;

function start(rig: Rig, name: string, command: readonly string[]): ChildProcess {
  const log = openSync(join(rig.root, `${name}.log`), 'a');
  const pinned = rig.pinned ? ['taskset', '-c', SERVER_CORE, ...command] : [...command];
  const child = spawn(pinned[0] ?? '', pinned.slice(1), {
    stdio: ['ignore', log, log],
    env: { ...environment(rig), ...rig.gateEnv },
  });
  closeSync(log);
  const pid = child.pid ?? 0;
  rig.watchdog.watch(pid);
  child.once('exit', () => rig.watchdog.forget(pid));
  return child;
}

function environment({ libraries }: Rig): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ...(libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries }),
  };
}

function serverOf(child: ChildProcess, port: number, startMs: number) {
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await ended;
  };
  return {
    port,
    startMs,
    pid: child.pid ?? 0,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

async function untilAnswers(
  rig: Rig,
  child: ChildProcess,
  name: string,
  isUp: () => Promise<boolean>,
): Promise<void> {
  const endMs = performance.now() + START_TIMEOUT_MS;
  while (!(await isUp().catch(() => false))) {
    if (child.exitCode !== null || performance.now() > endMs) {
      const words = (await readFile(join(rig.root, `${name}.log`), 'utf8')).split('\n').slice(-8);
      throw new Error(`${name} did not start:\n${words.join('\n')}`);
    }
    await pause(LOOK_AGAIN_MS);
  }
}

/** Of a process and its children. */
async function familySeconds(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8')),
  );
  const children = lists.flatMap((list) => list.split(' ').filter((text) => text.trim() !== ''));
  const all = await Promise.all([pid, ...children.map(Number)].map(cpuSeconds));
  return all.reduce((sum, each) => sum + each, 0);
}

async function textOf(child: ChildProcess): Promise<string> {
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve());
  });
  return text;
}
