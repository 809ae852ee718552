/**
 * How long the image's programs take to start and how much memory they hold at rest, each run from the
 * image's own files. The operator is measured against a real API server, where one has been built.
 */
import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { findBinary, type BinaryName } from '../../control-plane/binaries.ts';
import { installKeyward } from '../../control-plane/install.ts';
import { startControlPlane } from '../../control-plane/start.ts';
import { startWatchdog, type Watchdog } from '../../control-plane/watchdog.ts';
import type { Image } from './image.ts';
import { layOut, mayEnter, type Rooted } from './rooted.ts';
import { ImageServer, type Memory } from './server.ts';

const run = promisify(execFile);

const STARTS = 5;
/** Memory of a start is given back by then. */
const REST_MS = 15_000;
const NEEDED: readonly BinaryName[] = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kubectl',
];

/** A server's figures. */
export type ServerFigures = {
  readonly name: 'operator' | 'gate';
  readonly liveMs: number;
  readonly readyMs: number;
  /** Processor time until then. */
  readonly processorMs: number;
  readonly memory: Memory;
};

/** What was measured, and in sentences what was left out. */
export type Figures = {
  /** Best of a few runs of `keyward version`. */
  readonly startMs: number;
  readonly servers: readonly ServerFigures[];
  readonly leftOut: readonly string[];
};

/** @throws Error when a program of the image does not run */
export async function measure(image: Image): Promise<Figures> {
  const folder = await mkdtemp(join(tmpdir(), 'keyward-image-'));
  // Servers must not outlive us, however we end.
  const watchdog = startWatchdog(folder);
  try {
    await chmod(folder, 0o755);
    const rooted = await layOut(image, folder);
    await chmod(rooted.data, 0o777);
    const startMs = await bestStart(rooted);
    const leftOut = mayEnter()
      ? []
      : ['without root the programs ran beside the other files of this machine'];
    const found = await Promise.all(NEEDED.map((name) => findBinary(name)));
    if (found.includes(undefined)) {
      const how = 'node control-plane/cli.ts build makes one';
      return { startMs, servers: [], leftOut: [...leftOut, `servers: no API server; ${how}`] };
    }
    return { startMs, servers: await measureServers(rooted, watchdog), leftOut };
  } finally {
    await watchdog.release();
  }
}

async function bestStart(rooted: Rooted): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < STARTS; n += 1) {
    const startedMs = performance.now();
    await keyward(rooted, ['version']);
    times.push(performance.now() - startedMs);
  }
  return Math.min(...times);
}

async function keyward(rooted: Rooted, args: readonly string[]): Promise<void> {
  const [file, ...rest] = rooted.command(args);
  await run(file, rest, { env: { ...rooted.environment, PATH: process.env['PATH'] } });
}

/** Both at once, as in the pod of an installation on SQLite. */
async function measureServers(
  rooted: Rooted,
  watchdog: Watchdog,
): Promise<readonly ServerFigures[]> {
  const controlPlane = await startControlPlane();
  const servers: ImageServer[] = [];
  try {
    await installKeyward(controlPlane);
    const kubeconfig = await controlPlane.kubeconfigFor('keyward-system', 'keyward-operator');
    await copyFile(kubeconfig, join(rooted.data, 'kubeconfig'));
    await chmod(join(rooted.data, 'kubeconfig'), 0o644);
    const database = `--database=sqlite://${rooted.inData('keyward.db')}`;
    const masterKey = rooted.inData('master-key');
    const gateKey = rooted.inData('gate-key');
    await keyward(rooted, ['master-key', 'create', masterKey]);
    await keyward(rooted, ['keys', 'derive-gate', gateKey, `--master-key-file=${masterKey}`]);
    const operator = await ImageServer.start({ rooted, watchdog }, [
      'operator',
      `--kubeconfig=${rooted.inData('kubeconfig')}`,
      database,
      `--master-key-file=${masterKey}`,
    ]);
    servers.push(operator);
    const first = await watchStart(operator);
    const gate = await ImageServer.start({ rooted, watchdog }, [
      'gate',
      database,
      `--gate-key-file=${gateKey}`,
      '--http-address=127.0.0.1:0',
      '--grpc-address=127.0.0.1:0',
    ]);
    servers.push(gate);
    const second = await watchStart(gate);
    await pause(REST_MS);
    return [
      { name: 'operator', ...first, memory: await operator.memory() },
      { name: 'gate', ...second, memory: await gate.memory() },
    ];
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    await controlPlane.stop();
  }
}

async function watchStart(server: ImageServer): Promise<Omit<ServerFigures, 'name' | 'memory'>> {
  const liveMs = await server.untilOk('livez');
  const readyMs = await server.untilOk('readyz');
  return { liveMs, readyMs, processorMs: await server.processorMs() };
}
