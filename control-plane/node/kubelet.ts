/** The kubelet, kube-proxy and kube-scheduler of a node: what they are told. */
import { join } from 'node:path';
import type { ServerCommand } from '../server.ts';
import { environmentOf } from './containerd.ts';
import { CLUSTER_DOMAIN } from './dns.ts';
import { NODE_ADDRESS, NODE_NAME, POD_SUBNET, type Layout } from './layout.ts';
import type { NodePrograms } from './programs.ts';

/** How often pods are looked at again; a changed Secret is in its file after that. Default: 1 min. */
const SYNC_FREQUENCY = '5s';

/**
 * The kubelet's configuration, as JSON, which is YAML too. Containers go below one cgroup of ours,
 * so that nothing of the machine's is touched and everything can be found again. Its own port asks
 * for no credentials: only the namespace can reach it.
 */
export function kubeletConfig(layout: Layout): string {
  return json({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    containerRuntimeEndpoint: `unix://${layout.containerdSocket}`,
    address: '0.0.0.0',
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    cgroupDriver: 'cgroupfs',
    cgroupRoot: layout.cgroup,
    cgroupsPerQOS: true,
    enforceNodeAllocatable: [],
    failCgroupV1: false,
    failSwapOn: false,
    oomScoreAdj: 0,
    makeIPTablesUtilChains: false,
    resolvConf: '',
    clusterDNS: [NODE_ADDRESS],
    clusterDomain: CLUSTER_DOMAIN,
    syncFrequency: SYNC_FREQUENCY,
    podLogsDir: layout.podLogs,
    volumePluginDir: join(layout.kubeletRoot, 'plugins'),
    localStorageCapacityIsolation: false,
    evictionHard: { 'memory.available': '50Mi', 'nodefs.available': '1%' },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
  });
}

/** @param kubeconfig of `system:node:NAME` in `system:nodes` */
export function kubeletCommand(
  layout: Layout,
  programs: NodePrograms,
  kubeconfig: string,
): ServerCommand {
  return {
    name: 'kubelet',
    path: programs.kubelet,
    args: [
      `--config=${layout.kubeletConfig}`,
      `--kubeconfig=${kubeconfig}`,
      `--root-dir=${layout.kubeletRoot}`,
      `--cert-dir=${join(layout.kubeletRoot, 'pki')}`,
      `--hostname-override=${NODE_NAME}`,
      `--node-ip=${NODE_ADDRESS}`,
    ],
    logFile: join(layout.workDir, 'kubelet.log'),
    env: environmentOf(programs),
  };
}

/** kube-proxy by nftables. Conntrack's size is the machine's and is left alone. */
export function kubeProxyConfig(kubeconfig: string): string {
  return json({
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    clientConnection: { kubeconfig },
    hostnameOverride: NODE_NAME,
    clusterCIDR: POD_SUBNET,
    bindAddress: NODE_ADDRESS,
    healthzBindAddress: '',
    metricsBindAddress: '127.0.0.1:10249',
    oomScoreAdj: 0,
    conntrack: { maxPerCore: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  });
}

/** How to start kube-proxy; it finds `nft` by the environment. */
export function kubeProxyCommand(layout: Layout, programs: NodePrograms): ServerCommand {
  return {
    name: 'kube-proxy',
    path: programs['kube-proxy'],
    args: [`--config=${layout.kubeProxyConfig}`],
    logFile: join(layout.workDir, 'kube-proxy.log'),
    env: environmentOf(programs),
  };
}

/** How to start kube-scheduler: alone, so without leader election, and without a port. */
export function kubeSchedulerCommand(
  layout: Layout,
  programs: NodePrograms,
  kubeconfig: string,
): ServerCommand {
  return {
    name: 'kube-scheduler',
    path: programs['kube-scheduler'],
    args: [
      `--kubeconfig=${kubeconfig}`,
      `--authentication-kubeconfig=${kubeconfig}`,
      `--authorization-kubeconfig=${kubeconfig}`,
      '--leader-elect=false',
      '--bind-address=127.0.0.1',
      `--cert-dir=${layout.workDir}`,
    ],
    logFile: join(layout.workDir, 'kube-scheduler.log'),
  };
}

function json(config: object): string {
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
