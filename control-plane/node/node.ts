/**
 * A node for a control plane that runs in the same enclosure: containerd, kubelet, kube-proxy,
 * kube-scheduler and CoreDNS. Everything ends with the enclosure.
 */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Access } from '../access.ts';
import { Server, type ServerCommand } from '../server.ts';
import type { Watchdog } from '../watchdog.ts';
import { writeConfigs, writeNodeKubeconfigs } from './configs.ts';
import { corednsCommand, corefile } from './dns.ts';
import { containerdCommand, environmentOf, type Snapshotter } from './containerd.ts';
import { writeImage } from './image.ts';
import { kubeletCommand, kubeProxyCommand, kubeSchedulerCommand } from './kubelet.ts';
import { librariesOf } from './libraries.ts';
import { NODE_ADDRESS, NODE_NAME, PAUSE_IMAGE, type Layout } from './layout.ts';
import type { NodePrograms } from './programs.ts';

const run = promisify(execFile);
const LOOK_AGAIN_MS = 200;
const READY_TIMEOUT_MS = 120_000;
/** What `sleep` counts up to. */
const FOREVER_SECONDS = '2147483647';
const LOG_LINES = 12;

/** What the API server must be told so that pods and the node reach it, and it the kubelet. */
export const API_SERVER_ARGS: readonly string[] = [
  '--bind-address=0.0.0.0',
  `--advertise-address=${NODE_ADDRESS}`,
  // The Service `kubernetes` gets an endpoint.
  '--endpoint-reconciler-type=lease',
  '--kubelet-preferred-address-types=InternalIP',
];

/** What a node is made of. */
export type NodeOptions = {
  readonly layout: Layout;
  readonly programs: NodePrograms;
  /** The control plane, started with `API_SERVER_ARGS`. */
  readonly access: Access;
  readonly watchdog: Watchdog;
  readonly snapshotter: Snapshotter;
};

/** A node that is Ready. */
export interface ClusterNode {
  /** Makes the images of a tar in the layout of `docker save` known to containerd. */
  importImage(tarFile: string): Promise<void>;
  /** Gives an image that is known a second name. */
  tagImage(name: string, newName: string): Promise<void>;
  /** The process of a running container, as the enclosure counts. @param containerId as in status */
  processOf(containerId: string): Promise<number>;
}

/** Starts it and waits until the cluster calls it Ready. @throws Error with the last log lines */
export async function startNode(options: NodeOptions): Promise<ClusterNode> {
  const { layout, programs, watchdog, access } = options;
  await writeConfigs(layout, programs, options.snapshotter);
  const servers: Server[] = [];
  const begin = (command: ServerCommand): void => {
    const server = new Server(command, watchdog);
    server.start();
    servers.push(server);
  };
  begin(containerdCommand(layout, programs));
  const node = nodeWith(options);
  await until('an answer of containerd', servers, () => isAnswering(options));
  await node.importImage(await pauseImage(options));
  const kubeconfigs = await writeNodeKubeconfigs(layout, access);
  begin(kubeletCommand(layout, programs, kubeconfigs.kubelet));
  begin(kubeProxyCommand(layout, programs));
  await writeFile(layout.corefile, corefile(access.adminKubeconfig));
  begin(corednsCommand(layout, programs));
  begin(kubeSchedulerCommand(layout, programs, kubeconfigs['kube-scheduler']));
  const ready = `{.status.conditions[?(@.type=="Ready")].status}`;
  const look = ['get', 'node', NODE_NAME, '-o', `jsonpath=${ready}`];
  await until('a node that is Ready', servers, async () => {
    return (await access.kubectl(look)).stdout === 'True';
  });
  return node;
}

function nodeWith(options: NodeOptions): ClusterNode {
  return {
    importImage: async (tarFile) => {
      await ctr(options, 'images', 'import', '--snapshotter', options.snapshotter, tarFile);
    },
    tagImage: async (name, newName) => {
      await ctr(
        options,
        'images',
        'tag',
        '--force',
        await fullName(options, name),
        await fullName(options, newName),
      );
    },
    processOf: async (containerId) => {
      const id = containerId.replace('containerd://', '');
      const { stdout } = await ctr(options, 'tasks', 'ls');
      const line = stdout.split('\n').find((row) => row.startsWith(id));
      const pid = Number(line?.split(/\s+/)[1]);
      if (!Number.isInteger(pid)) throw new Error(`container ${id} does not run`);
      return pid;
    },
  };
}

/** containerd files a short name below the host it stands for; the pause image shows which. */
async function fullName(options: NodeOptions, name: string): Promise<string> {
  const { stdout } = await ctr(options, 'images', 'ls', '-q');
  const pause = stdout.split('\n').find((line) => line.endsWith(PAUSE_IMAGE)) ?? PAUSE_IMAGE;
  return pause.replace(PAUSE_IMAGE, name);
}

function isAnswering(options: NodeOptions): Promise<boolean> {
  return ctr(options, 'version').then(
    () => true,
    () => false,
  );
}

async function pauseImage({ layout, programs }: NodeOptions): Promise<string> {
  const target = join(layout.workDir, 'pause.tar');
  const content = {
    name: PAUSE_IMAGE,
    files: { '/bin/busybox': programs.busybox, ...(await librariesOf(programs.busybox)) },
    entrypoint: ['/bin/busybox', 'sleep', FOREVER_SECONDS],
  };
  await writeImage(content, target);
  return target;
}

function ctr({ layout, programs }: NodeOptions, ...args: readonly string[]) {
  // Images and containers of the kubelet are in this namespace of containerd's.
  const flags = ['--address', layout.containerdSocket, '--namespace', 'k8s.io'];
  const env = { ...process.env, ...environmentOf(programs) };
  return run(programs.ctr, [...flags, ...args], { env });
}

async function until(what: string, servers: readonly Server[], isSo: () => Promise<boolean>) {
  const endMs = performance.now() + READY_TIMEOUT_MS;
  while (!(await isSo())) {
    const gone = servers.find((server) => !server.isRunning);
    if (gone !== undefined || performance.now() > endMs) {
      const shown = gone ?? servers.at(-1);
      const words = await shown?.lastWords(LOG_LINES);
      throw new Error(`no ${what.replace(/^an? /, '')}; last lines of ${shown?.name}:\n${words}`);
    }
    await pause(LOOK_AGAIN_MS);
  }
}
