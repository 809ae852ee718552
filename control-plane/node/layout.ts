/** Where a node keeps its files, and its addresses. Pure: everything follows from one folder. */
import { basename, join } from 'node:path';

/** The node's name in the cluster. */
export const NODE_NAME = 'keyward-node';
/** The node's address on a bridge of its own; nothing outside its network namespace has it. */
export const NODE_ADDRESS = '10.89.0.2';
/** Addresses of pods. */
export const POD_SUBNET = '10.244.0.0/24';
/** The image that holds a pod's namespaces open. */
export const PAUSE_IMAGE = 'keyward-pause:1';
/** What the names of all nodes' cgroups begin with; the rest is the name of the work folder. */
export const CGROUP_PREFIX = 'keyward-node-';

/** Folders and files below the work folder. */
export type Layout = {
  readonly workDir: string;
  /** containerd's images, and its mounts. */
  readonly containerdRoot: string;
  readonly containerdState: string;
  readonly containerdSocket: string;
  readonly containerdConfig: string;
  readonly cniConfigFolder: string;
  readonly cniAddresses: string;
  readonly kubeletRoot: string;
  readonly kubeletConfig: string;
  readonly kubeProxyConfig: string;
  readonly corefile: string;
  readonly podLogs: string;
  /** Stand-ins for files of /proc/sys that the kubelet would write. */
  readonly sysctls: string;
  /** Below it lie the cgroups of all containers, in each hierarchy. */
  readonly cgroup: string;
};

/** @param workDir absolute; its name must be unique on the machine, because the cgroup has it too */
export function layoutOf(workDir: string): Layout {
  const at = (...parts: readonly string[]): string => join(workDir, ...parts);
  return {
    workDir,
    containerdRoot: at('containerd', 'root'),
    containerdState: at('containerd', 'state'),
    containerdSocket: at('containerd', 'sock'),
    containerdConfig: at('containerd', 'config.toml'),
    cniConfigFolder: at('cni', 'conf'),
    cniAddresses: at('cni', 'addresses'),
    kubeletRoot: at('kubelet'),
    kubeletConfig: at('kubelet.yaml'),
    kubeProxyConfig: at('kube-proxy.yaml'),
    corefile: at('Corefile'),
    podLogs: at('pod-logs'),
    sysctls: at('sysctl'),
    cgroup: `/${CGROUP_PREFIX}${basename(workDir)}`,
  };
}
