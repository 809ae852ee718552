/** Gate, API, nginx and Envoy as processes of their own, on the configurations that are shipped. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findEnvoy, startEnvoy } from '../../control-plane/envoy.ts';
import { findNginx } from '../../control-plane/gateways.ts';
import { freePort } from '../../control-plane/ports.ts';
import { startNginx } from '../../control-plane/proxies.ts';
import { readShipped } from '../../control-plane/shipped.ts';
import { expect } from '../expect.ts';
import { keyward, startGate, type Program } from '../program.ts';
import type { SetupParts } from '../setup.ts';
import type { Stage } from '../stage.ts';

const API = join(import.meta.dirname, 'api.ts');
const LOOK_AGAIN_MS = 50;
const NGINX_FILE = 'nginx/keyward.conf';
const ENVOY_FILE = 'envoy/http.yaml';

/** The parts that calls go through. */
export interface Chain {
  /** Where to call, by the name of the gateway. */
  readonly addresses: Readonly<Record<'nginx' | 'Envoy', string>>;
  /** The gate that runs now. */
  readonly gate: Program;
  /** Starts a gate at the same place, after the one before has ended. */
  restart(): Promise<void>;
  /** Processes that go on after the demo. */
  readonly pids: readonly number[];
  /** Folders that they leave then. */
  readonly folders: readonly string[];
  /** Lets them go on. */
  keep(): Promise<void>;
  /** Everything that gate and gateways wrote. */
  logs(): Promise<Buffer>;
}

/** Starts all of it; the clean-up ends it. */
export async function openChain(parts: SetupParts, stage: Stage): Promise<Chain> {
  const { cleanup, watchdog, workDir, signal, screen } = parts;
  const gateKeyFile = join(workDir, 'gate-key');
  const ports = { gate: await freePort(), api: await freePort() };
  await deriveKey(stage, gateKeyFile);
  const begin = async (): Promise<Program> => {
    const gate = await startGate({
      database: stage.installation.database,
      gateKeyFile,
      port: ports.gate,
      logFile: join(workDir, 'gate.log'),
    });
    watchdog.watch(gate.pid);
    await gate.untilReady(signal);
    return gate;
  };
  const flags = `--gate-key-file gate-key --http-address 127.0.0.1:${ports.gate}`;
  screen.command(`keyward gate --database ${stage.database.shown} ${flags}`);
  let gate = await begin();
  cleanup.add('the gate', () => gate.stop());
  screen.proof('it is ready: it has read the database, and has no rights in Kubernetes at all');
  const apiPid = await startApi(parts, ports.api);
  const fronts = await startFronts(parts, ports);
  return {
    addresses: fronts.addresses,
    get gate() {
      return gate;
    },
    restart: async () => {
      await gate.stop();
      gate = await begin();
    },
    get pids() {
      return [gate.pid, apiPid, ...fronts.pids];
    },
    folders: fronts.folders,
    keep: fronts.keep,
    logs: async () => Buffer.concat([await readFile(gate.logFile), await fronts.logs()]),
  };
}

async function deriveKey(stage: Stage, file: string): Promise<void> {
  stage.screen.command('keyward keys derive-gate gate-key');
  const { code, stderr } = await keyward(stage.installation, ['keys', 'derive-gate', file]);
  expect('the gate has a key file', code === 0, stderr);
  stage.screen.block(stderr.replace(file, 'gate-key'));
}

async function startApi({ cleanup, watchdog, workDir }: SetupParts, port: number): Promise<number> {
  const log = openSync(join(workDir, 'api.log'), 'a');
  const child = spawn(process.execPath, [API, String(port)], {
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  child.unref();
  const pid = child.pid ?? 0;
  watchdog.watch(pid);
  cleanup.add('the API', async () => {
    child.kill('SIGKILL');
    watchdog.forget(pid);
  });
  while (!(await accepts(port))) await pause(LOOK_AGAIN_MS);
  return pid;
}

async function startFronts(
  { cleanup, screen }: SetupParts,
  ports: { readonly gate: number; readonly api: number },
) {
  const [forNginx, forEnvoy] = [await freePort(), await freePort()];
  const nginxFile = await readShipped(NGINX_FILE, { ...ports, gateway: forNginx });
  const nginx = await startNginx(nginxFile, forNginx);
  cleanup.add('nginx', () => nginx.stop());
  const addresses = {
    nginx: `http://127.0.0.1:${forNginx}`,
    Envoy: `http://127.0.0.1:${forEnvoy}`,
  };
  const version = (await findNginx())?.version;
  screen.proof(`nginx ${version} on deploy/gate/${NGINX_FILE}, at ${addresses.nginx}`);
  if ((await findEnvoy()) === undefined) throw new Error('Envoy cannot be had here');
  const envoyFile = await readShipped(ENVOY_FILE, { ...ports, gateway: forEnvoy });
  const envoy = await startEnvoy(envoyFile, forEnvoy);
  cleanup.add('Envoy', () => envoy.stop());
  screen.proof(`Envoy on deploy/gate/${ENVOY_FILE}, at ${addresses.Envoy}`);
  return {
    addresses,
    pids: [nginx.pid, envoy.pid].filter((pid) => pid !== undefined),
    folders: [nginx.folder, envoy.folder],
    keep: async () => {
      await nginx.keep();
      await envoy.keep();
    },
    logs: async () => {
      const names = (await readdir(nginx.folder)).filter((name) => name.startsWith('log'));
      return Buffer.concat(
        await Promise.all(names.map((name) => readFile(join(nginx.folder, name)))),
      );
    },
  };
}

function accepts(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, '127.0.0.1', () => resolve(true));
  socket.once('error', () => resolve(false));
  return promise.finally(() => socket.destroy());
}
