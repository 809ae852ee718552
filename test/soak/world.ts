/** A control plane, an operator and a gate as they are installed, each a process of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createMasterKeyFile } from '../../src/bin/masterkey.ts';
import { systemEntropy } from '../../src/kernel/entropy.ts';
import { bundleIn, type Entry } from '../../bench/program.ts';
import { installKeyward } from '../../control-plane/install.ts';
import { freePort } from '../../control-plane/ports.ts';
import { startControlPlane, type ControlPlane } from '../../control-plane/start.ts';
import { eventually } from '../support/eventually.ts';
import { TestApi } from '../support/operator.api.ts';

/** A process that is watched. */
export type Subject = {
  readonly name: 'operator' | 'gate';
  readonly pid: number;
  /** Where its inspector listens. */
  readonly inspectPort: number;
};

/** Everything that runs. */
export type World = {
  readonly controlPlane: ControlPlane;
  readonly api: TestApi;
  readonly subjects: readonly Subject[];
  /** User name of the operator at the API server. */
  readonly operatorUser: string;
  readonly gatePort: number;
  /** The SQLite file; its log and the file of uses lie beside it. */
  readonly databasePath: string;
  readonly namespaces: readonly string[];
  /** Rejects when one of the subjects ends by itself. */
  readonly broken: Promise<never>;
  stop(): Promise<void>;
};

const NAMESPACES = ['soak-0', 'soak-1', 'soak-2', 'soak-3'];
const SYSTEM = 'keyward-system';
const LAST_LINES = 5;
const ACCOUNT = 'keyward-operator';

/** Starts all of it under `root`. */
export async function startWorld(root: string): Promise<World> {
  const program = await bundleIn(root);
  const controlPlane = await startControlPlane({ audit: true });
  const children: ChildProcess[] = [];
  const subjects: Subject[] = [];
  const { promise: broken, reject } = Promise.withResolvers<never>();
  let isStopping = false;
  const stop = async (): Promise<void> => {
    isStopping = true;
    for (const child of children) if (child.exitCode === null) child.kill('SIGTERM');
    const open = children.filter(
      ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
    );
    await Promise.all(open.map((child) => once(child, 'exit')));
    await controlPlane.stop();
  };
  try {
    await prepare(controlPlane);
    const files = join(root, 'installation');
    await mkdir(files);
    const masterKeyFile = join(files, 'master-key');
    await createMasterKeyFile(masterKeyFile, systemEntropy);
    const databasePath = join(files, 'keyward.db');
    const gatePort = await freePort();
    const start = async (name: Subject['name'], args: readonly string[]): Promise<void> => {
      const { subject, child } = await startSubject(program, { name, files, args });
      children.push(child);
      child.once('exit', (code) => {
        const log = join(files, `${name}.log`);
        if (!isStopping) reject(new Error(`the ${name} ended with ${code}:\n${lastLines(log)}`));
      });
      subjects.push(subject);
    };
    await start('operator', [
      `--kubeconfig=${await controlPlane.kubeconfigFor(SYSTEM, ACCOUNT)}`,
      `--database=sqlite://${databasePath}`,
      `--master-key-file=${masterKeyFile}`,
      `--namespace=${SYSTEM}`,
    ]);
    await start('gate', [
      `--database=sqlite://${databasePath}`,
      `--gate-key-file=${masterKeyFile}`,
      `--http-address=127.0.0.1:${gatePort}`,
      '--unlisted=allow',
      // Full before the first look: what a cache takes until then is no leak.
      '--cache-records=1200',
    ]);
    return {
      controlPlane,
      api: await TestApi.open(controlPlane.adminKubeconfig),
      subjects,
      broken,
      operatorUser: `system:serviceaccount:${SYSTEM}:${ACCOUNT}`,
      gatePort,
      databasePath,
      namespaces: NAMESPACES,
      stop,
    };
  } catch (err) {
    await stop();
    throw err;
  }
}

async function prepare(controlPlane: ControlPlane): Promise<void> {
  await installKeyward(controlPlane);
  const apply = ['apply', '--server-side', '-f'];
  const store = join(import.meta.dirname, '..', '..', 'samples', '00-store.yaml');
  await controlPlane.mustKubectl([...apply, store]);
  const items = NAMESPACES.map((name) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name },
  }));
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await controlPlane.mustKubectl([...apply, '-'], { input: list });
}

async function startSubject(
  { entry, nodeFlags, env }: Entry,
  wish: {
    readonly name: Subject['name'];
    readonly files: string;
    readonly args: readonly string[];
  },
): Promise<{ readonly subject: Subject; readonly child: ChildProcess }> {
  const { name, files, args } = wish;
  const [inspectPort, metricsPort] = [await freePort(), await freePort()];
  const log = openSync(join(files, `${name}.log`), 'a');
  const child = spawn(
    process.execPath,
    [
      ...nodeFlags,
      `--inspect=127.0.0.1:${inspectPort}`,
      entry,
      name,
      ...args,
      `--metrics-address=127.0.0.1:${metricsPort}`,
    ],
    { stdio: ['ignore', log, log], env: { ...process.env, ...env } },
  );
  await eventually(async () => {
    if (child.exitCode !== null) return;
    const res = await fetch(`http://127.0.0.1:${metricsPort}/readyz`);
    if (!res.ok) throw new Error(`the ${name} is not ready: ${await res.text()}`);
  });
  if (child.exitCode !== null) throw new Error(`the ${name} ended; see ${files}/${name}.log`);
  return { subject: { name, pid: child.pid ?? -1, inspectPort }, child };
}

function lastLines(path: string): string {
  return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-LAST_LINES).join('\n');
}
