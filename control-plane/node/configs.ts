/** Writes what the node's programs read before they start. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Access } from '../access.ts';
import type { Subject } from '../certificates.ts';
import { clientCertificate } from '../credentials.ts';
import { kubeconfigText } from '../kubeconfig.ts';
import { cniConfig, containerdConfig, type Snapshotter } from './containerd.ts';
import { kubeletConfig, kubeProxyConfig } from './kubelet.ts';
import { NODE_NAME, type Layout } from './layout.ts';
import type { NodePrograms } from './programs.ts';

/** Who the programs are at the API server, with no more rights than in any cluster. */
const SUBJECTS = {
  kubelet: { commonName: `system:node:${NODE_NAME}`, organizations: ['system:nodes'] },
  'kube-proxy': { commonName: 'system:kube-proxy' },
  'kube-scheduler': { commonName: 'system:kube-scheduler' },
} as const satisfies Record<string, Subject>;

/** Kubeconfig files, by the program that uses them. */
export type NodeKubeconfigs = Readonly<Record<keyof typeof SUBJECTS, string>>;

/** The files that containerd, its plugins and the kubelet read. */
export async function writeConfigs(
  layout: Layout,
  programs: NodePrograms,
  snapshotter: Snapshotter,
): Promise<void> {
  for (const folder of [layout.containerdRoot, layout.cniConfigFolder, layout.kubeletRoot]) {
    await mkdir(folder, { recursive: true });
  }
  await writeFile(layout.containerdConfig, containerdConfig(layout, programs, snapshotter));
  await writeFile(join(layout.cniConfigFolder, '10-keyward.conflist'), cniConfig(layout));
  await writeFile(layout.kubeletConfig, kubeletConfig(layout));
}

/** The programs' kubeconfigs, and the configuration of kube-proxy, which names its own. */
export async function writeNodeKubeconfigs(
  layout: Layout,
  access: Access,
): Promise<NodeKubeconfigs> {
  const files = {
    kubelet: await writeKubeconfig(access, 'kubelet'),
    'kube-proxy': await writeKubeconfig(access, 'kube-proxy'),
    'kube-scheduler': await writeKubeconfig(access, 'kube-scheduler'),
  };
  await writeFile(layout.kubeProxyConfig, kubeProxyConfig(files['kube-proxy']));
  return files;
}

async function writeKubeconfig(access: Access, name: keyof typeof SUBJECTS): Promise<string> {
  const certificate = await clientCertificate(access.workDir, SUBJECTS[name], Date.now());
  const caPem = await readFile(access.caFile, 'utf8');
  const path = join(access.workDir, `${name}.kubeconfig`);
  await writeFile(path, kubeconfigText({ url: access.url, caPem, certificate }), { mode: 0o600 });
  return path;
}
