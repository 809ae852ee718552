/**
 * Starts a control plane of its own: etcd, kube-apiserver and kube-controller-manager on loopback,
 * ready in 4 to 8 seconds. Called by the tests' set-up, the demo, the bench and cli.ts; several may
 * run at once.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accessTo, type Access } from './access.ts';
import { apiServerCommand, type ApiServerOptions } from './apiserver.ts';
import { ensureBinary, reportToStderr, type ControlPlaneProgram, type Report } from './binaries.ts';
import { controllerManagerCommand } from './controllermanager.ts';
import { writeCredentials } from './credentials.ts';
import { etcdCommand, etcdDataDir } from './etcd.ts';
import { freePort } from './ports.ts';
import { waitForDefaultAccount, waitForReady } from './ready.ts';
import { Server } from './server.ts';
import { startWatchdog, type Watchdog } from './watchdog.ts';

/** What kind of control plane is wanted; everything absent gives the one that tests share. */
export type ControlPlaneOptions = ApiServerOptions & {
  /** Whether etcd waits for the disk. Absent: no, which is right for everything but a bench. */
  readonly durable?: boolean;
  /** Absent: yes. Without it no garbage collection, no namespace deletion, no default accounts. */
  readonly controllerManager?: boolean;
  /** Whether the API server writes an audit log (metadata of each request). Absent: no. */
  readonly audit?: boolean;
  /** Folder for all files, kept at the end. Absent: a temporary one that `stop` removes. */
  readonly workDir?: string;
  /** Where progress goes. Absent: standard error. */
  readonly report?: Report;
};

/** The API server's process, for tests of what happens when it misbehaves. */
export interface ApiServerProcess {
  readonly pid: number | undefined;
  /** Orderly end and start on the same port; resolves when it is ready again. */
  restart(): Promise<void>;
  /** Ends it at once; `start` brings it back. */
  kill(): Promise<void>;
  /** Starts it after `kill`; resolves when it is ready. */
  start(): Promise<void>;
  /** Connections stay open and nothing answers, until `thaw`. */
  freeze(): void;
  thaw(): void;
}

/** A running control plane, and the right to end it. */
export interface ControlPlane extends Access {
  readonly apiserver: ApiServerProcess;
  /** Path of the audit log, one JSON object per line; undefined unless `audit` was asked for. */
  readonly auditLog: string | undefined;
  /** Folder of etcd's data; reading it finds everything that was ever written and not compacted. */
  readonly etcdDataDir: string;
  /** Process ids of what runs now. */
  pids(): readonly number[];
  /** Ends all of it and removes the temporary folder. Repeatable. */
  stop(): Promise<void>;
  /** Lets it run on after this process ends; `stop` no longer does anything. */
  keep(): Promise<void>;
}

/** Another program took a port between our look and its server's start. */
class PortTakenError extends Error {}

const STARTS = 4;

/**
 * Starts one and waits until it is ready. Builds missing programs first. It ends with this process,
 * however that ends, unless `keep` was called. Fails with the last lines of the log of the server
 * that did not come up.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const binaries = await locate(options.report ?? reportToStderr);
  for (let tried = 1; ; tried += 1) {
    try {
      return await startOnce(options, binaries);
    } catch (err) {
      if (!(err instanceof PortTakenError) || tried === STARTS) throw err;
    }
  }
}

type Binaries = Readonly<Record<ControlPlaneProgram, string>>;

/** One after the other: they share the compiler's cache, and the big one fills it for the rest. */
async function locate(report: Report): Promise<Binaries> {
  const options = { report };
  return {
    etcd: await ensureBinary('etcd', options),
    'kube-apiserver': await ensureBinary('kube-apiserver', options),
    'kube-controller-manager': await ensureBinary('kube-controller-manager', options),
    kubectl: await ensureBinary('kubectl', options),
  };
}

type Parts = {
  readonly access: Access;
  readonly servers: { readonly etcd: Server; readonly api: Server; readonly manager: Server };
  readonly watchdog: Watchdog;
  readonly auditLog: string | undefined;
  readonly ownFolder: string | undefined;
};

async function startOnce(options: ControlPlaneOptions, binaries: Binaries): Promise<ControlPlane> {
  const parts = await prepare(options, binaries);
  const { access, servers } = parts;
  const withManager = options.controllerManager ?? true;
  const running = [servers.etcd, servers.api];
  const stillAlive = (): Promise<void> => assertAlive(running);
  try {
    for (const server of running) server.start();
    await waitForReady(access, stillAlive);
    if (withManager) {
      // It gives up when the API server is not well within ten seconds, which a busy machine needs.
      running.push(servers.manager);
      servers.manager.start();
      await waitForDefaultAccount(access, stillAlive);
    }
  } catch (err) {
    await stopAll(parts);
    throw err;
  }
  return controlPlaneOf(parts);
}

async function prepare(options: ControlPlaneOptions, binaries: Binaries): Promise<Parts> {
  const [port, clientPort, peerPort] = await Promise.all([freePort(), freePort(), freePort()]);
  const ownFolder =
    options.workDir === undefined ? await mkdtemp(join(tmpdir(), 'keyward-cp-')) : undefined;
  const workDir = options.workDir ?? ownFolder ?? '';
  await mkdir(workDir, { recursive: true });
  const url = `https://127.0.0.1:${port}`;
  const credentials = await writeCredentials(workDir, url, Date.now());
  const { caFile, adminKubeconfig } = credentials;
  const auditLog = options.audit === true ? join(workDir, 'audit.log') : undefined;
  const watchdog = startWatchdog(ownFolder);
  const durability = options.durable === true ? 'durable' : 'fast';
  const etcd = etcdCommand({ path: binaries.etcd, workDir, clientPort, peerPort, durability });
  const api = apiServerCommand({
    ...options,
    path: binaries['kube-apiserver'],
    workDir,
    port,
    etcdPort: clientPort,
    credentials,
    auditLog,
  });
  const manager = controllerManagerCommand({
    path: binaries['kube-controller-manager'],
    workDir,
    credentials,
  });
  return {
    access: accessTo({ url, caFile, adminKubeconfig, workDir, kubectlPath: binaries.kubectl }),
    servers: {
      etcd: new Server(etcd, watchdog),
      api: new Server(api, watchdog),
      manager: new Server(manager, watchdog),
    },
    watchdog,
    auditLog,
    ownFolder,
  };
}

/** A server that ended while the control plane was coming up will not come up any more. */
async function assertAlive(servers: readonly Server[]): Promise<void> {
  for (const server of servers) {
    if (server.isRunning) continue;
    const words = await server.lastWords(12);
    const message = `${server.name} ended while starting; its last lines:\n${words}`;
    throw words.includes('address already in use')
      ? new PortTakenError(message)
      : new Error(message);
  }
}

function controlPlaneOf(parts: Parts): ControlPlane {
  const { access, servers, watchdog } = parts;
  const all = Object.values(servers);
  let isOver = false;
  const once = async (end: () => Promise<void>): Promise<void> => {
    if (isOver) return;
    isOver = true;
    await end();
  };
  return {
    ...access,
    apiserver: apiServerProcess(access, servers.api),
    auditLog: parts.auditLog,
    etcdDataDir: etcdDataDir(access.workDir),
    pids: () => all.flatMap((server) => server.pid ?? []),
    stop: () => once(() => stopAll(parts)),
    keep: () => once(() => watchdog.keep()),
  };
}

function apiServerProcess(access: Access, server: Server): ApiServerProcess {
  const start = async (): Promise<void> => {
    server.start();
    await waitForReady(access, () => assertAlive([server]));
  };
  return {
    get pid() {
      return server.pid;
    },
    start,
    restart: async () => {
      await server.stop();
      await start();
    },
    kill: () => server.kill(),
    freeze: () => server.freeze(),
    thaw: () => server.thaw(),
  };
}

/** Nothing in it is worth an orderly end: whoever wants the data again uses a folder of his own. */
async function stopAll(parts: Parts): Promise<void> {
  const { etcd, api, manager } = parts.servers;
  await Promise.all([manager.kill(), api.kill()]);
  await (parts.ownFolder === undefined ? etcd.stop() : etcd.kill());
  await parts.watchdog.release();
  if (parts.ownFolder !== undefined) await rm(parts.ownFolder, { recursive: true, force: true });
}
