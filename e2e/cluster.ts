/** The first step: a control plane and a node, and the images that its pods use. */
import { mkdir, readFile, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kubeconfigText } from '../control-plane/kubeconfig.ts';
import { snapshotterOn } from '../control-plane/node/containerd.ts';
import { layoutOf, NODE_ADDRESS, NODE_NAME } from '../control-plane/node/layout.ts';
import { API_SERVER_ARGS, startNode, type ClusterNode } from '../control-plane/node/node.ts';
import { carry } from '../control-plane/node/window.ts';
import { startControlPlane, type ControlPlane } from '../control-plane/start.ts';
import { startWatchdog } from '../control-plane/watchdog.ts';
import { clientCertificate } from '../control-plane/credentials.ts';
import type { Screen } from '../demo/screen.ts';
import { writeWorkloadImages } from './images.ts';
import { outsideKubeconfig, windowPath, type Settings } from './settings.ts';
import { Stage } from './stage.ts';

const ADMIN = { commonName: 'keyward-admin', organizations: ['system:masters'] };

/** Starts everything. Its end is the enclosure's, so nothing here needs an orderly one. */
export async function openCluster(
  settings: Settings,
  screen: Screen,
  signal: AbortSignal,
): Promise<Stage> {
  const controlPlane = await openControlPlane(settings, screen);
  const startMs = performance.now();
  const node = await openNode(settings, controlPlane);
  const stage = new Stage({ screen, access: controlPlane, node, settings, signal });
  stage.figures.time('node: containerd and kubelet to Ready', performance.now() - startMs);
  await stage.kubectl('get', 'nodes', '-o', 'wide');
  screen.proof(`node ${NODE_NAME} is Ready, in namespaces of its own`);
  await importImages(stage);
  return stage;
}

async function openControlPlane(settings: Settings, screen: Screen): Promise<ControlPlane> {
  const workDir = join(settings.workDir, 'control-plane');
  const report = (line: string): void => screen.progress(line);
  const controlPlane = await startControlPlane({ workDir, report, extraArgs: API_SERVER_ARGS });
  const { hostname, port } = new URL(controlPlane.url);
  await carry({ path: windowPath(settings.workDir) }, { port: Number(port), host: hostname });
  await writeOutsideKubeconfig(settings, controlPlane);
  screen.proof(`etcd, kube-apiserver and all controllers, at ${NODE_ADDRESS}:${port}`);
  return controlPlane;
}

async function writeOutsideKubeconfig(settings: Settings, controlPlane: ControlPlane) {
  const certificate = await clientCertificate(controlPlane.workDir, ADMIN, Date.now());
  const caPem = await readFile(controlPlane.caFile, 'utf8');
  const url = `https://127.0.0.1:${settings.outsidePort}`;
  const text = kubeconfigText({ url, caPem, certificate });
  await writeFile(outsideKubeconfig(settings.workDir), text, { mode: 0o600 });
}

async function openNode(settings: Settings, access: ControlPlane): Promise<ClusterNode> {
  const { type } = await statfs(settings.workDir);
  return startNode({
    layout: layoutOf(settings.workDir),
    programs: settings.programs,
    access,
    watchdog: startWatchdog(undefined),
    snapshotter: snapshotterOn(type),
  });
}

/** No registry can be reached: whatever a pod names must be known to containerd already. */
async function importImages(stage: Stage): Promise<void> {
  const { settings, node, screen, figures } = stage;
  const folder = join(settings.workDir, 'images');
  await mkdir(folder, { recursive: true });
  const startMs = performance.now();
  await node.importImage(settings.imageTar);
  figures.size(`image keyward:${settings.version}`, (await stat(settings.imageTar)).size);
  figures.time('image imported', performance.now() - startMs);
  for (const tar of await writeWorkloadImages(settings, folder)) await node.importImage(tar);
  screen.proof(`images known to containerd: keyward:${settings.version}, busybox, nginx, pause`);
}
