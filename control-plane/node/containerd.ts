/** The container runtime of a node: containerd's configuration and command, and the pods' network. */
import { dirname, join } from 'node:path';
import type { ServerCommand } from '../server.ts';
import { NODE_NAME, PAUSE_IMAGE, POD_SUBNET, type Layout } from './layout.ts';
import type { NodePrograms } from './programs.ts';

/** How containers get their root: `native` copies it where overlays cannot be stacked. */
export type Snapshotter = 'overlayfs' | 'native';

/** What statfs calls an overlay: `OVERLAYFS_SUPER_MAGIC` of linux/magic.h. */
const OVERLAY = 0x79_4c_76_30;

/** @param fileSystem type of the one that the work folder is on, as statfs numbers them */
export function snapshotterOn(fileSystem: number): Snapshotter {
  return fileSystem === OVERLAY ? 'native' : 'overlayfs';
}

/**
 * containerd's configuration. `restrict_oom_score_adj` lets it run without CAP_SYS_RESOURCE, which a
 * machine inside another one lacks.
 */
export function containerdConfig(
  layout: Layout,
  programs: NodePrograms,
  snapshotter: Snapshotter,
): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
root = ${JSON.stringify(layout.containerdRoot)}
state = ${JSON.stringify(layout.containerdState)}

[grpc]
  address = ${JSON.stringify(layout.containerdSocket)}

[plugins."io.containerd.internal.v1.opt"]
  path = ${JSON.stringify(join(layout.workDir, 'opt'))}

[${cri}]
  sandbox_image = "${PAUSE_IMAGE}"
  restrict_oom_score_adj = true

[${cri}.containerd]
  snapshotter = "${snapshotter}"

[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[${cri}.containerd.runtimes.runc.options]
  BinaryName = ${JSON.stringify(programs.runc)}
  SystemdCgroup = false

[${cri}.cni]
  bin_dir = ${JSON.stringify(programs.cniFolder)}
  conf_dir = ${JSON.stringify(layout.cniConfigFolder)}
`;
}

/** A bridge that all pods hang on, with the node as their gateway. Goes into the CNI folder. */
export function cniConfig(layout: Layout): string {
  const addresses = {
    type: 'host-local',
    ranges: [[{ subnet: POD_SUBNET }]],
    dataDir: layout.cniAddresses,
  };
  const bridge = {
    type: 'bridge',
    bridge: 'pods0',
    isDefaultGateway: true,
    // A pod reaches itself by way of a Service.
    hairpinMode: true,
    ipam: addresses,
  };
  return JSON.stringify({ cniVersion: '1.0.0', name: NODE_NAME, plugins: [bridge] }, undefined, 2);
}

/** How to start containerd; the shims and runc find their libraries by the environment. */
export function containerdCommand(layout: Layout, programs: NodePrograms): ServerCommand {
  return {
    name: 'containerd',
    path: programs.containerd,
    args: [`--config=${layout.containerdConfig}`],
    logFile: join(layout.workDir, 'containerd.log'),
    env: environmentOf(programs),
  };
}

/** Variables under which the unpacked programs find one another. */
export function environmentOf(programs: NodePrograms): Readonly<Record<string, string>> {
  const folders = [programs.containerd, programs.runc, programs.nft].map((path) => dirname(path));
  const path = [...folders, '/usr/sbin', '/usr/bin', '/sbin', '/bin'].join(':');
  return { PATH: path, LD_LIBRARY_PATH: programs.libraries.join(':') };
}
