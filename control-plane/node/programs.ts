/**
 * The programs of a node: those of Kubernetes are built, the rest is unpacked from Debian's packages.
 * An installed containerd is passed over, because its configuration would be another one.
 */
import { join } from 'node:path';
import { ensureBinary, type NodeProgram, type Report } from '../binaries.ts';
import { findDebianProgram, type DebianProgram, type Unpacked } from '../debian.ts';

/** Paths of programs, and of folders that hold several. */
export type NodePrograms = Readonly<Record<NodeProgram, string>> & {
  readonly containerd: string;
  /** containerd's own client; it imports images. */
  readonly ctr: string;
  readonly runc: string;
  /** Sets up the network, and is what most containers run. */
  readonly busybox: string;
  /** For kube-proxy. */
  readonly nft: string;
  /** The folder of the CNI plugins. */
  readonly cniFolder: string;
  /** Libraries of the unpacked programs, for LD_LIBRARY_PATH. */
  readonly libraries: readonly string[];
};

type Package = Omit<DebianProgram, 'installed'>;

const CONTAINERD: Package = {
  program: 'containerd',
  packages: ['containerd'],
  folder: 'usr/bin',
};
const RUNC: Package = { program: 'runc', packages: ['runc', 'libseccomp2'], folder: 'usr/sbin' };
// Not the static one: it could not look up names without the C library beside it.
const BUSYBOX: Package = { program: 'busybox', packages: ['busybox'], folder: 'bin' };
const CNI: Package = {
  program: 'host-local',
  packages: ['containernetworking-plugins'],
  folder: 'usr/lib/cni',
};
const NFT: Package = {
  program: 'nft',
  packages: ['nftables', 'libnftables1', 'libnftnl11', 'libmnl0', 'libjansson4', 'libedit2'],
  folder: 'usr/sbin',
};

/**
 * Finds, builds or unpacks all of them: minutes the first time, nothing later.
 *
 * @throws Error with one sentence when a package cannot be had
 */
export async function findNodePrograms(report: Report): Promise<NodePrograms> {
  const options = { report };
  const built = {
    kubelet: await ensureBinary('kubelet', options),
    'kube-scheduler': await ensureBinary('kube-scheduler', options),
    'kube-proxy': await ensureBinary('kube-proxy', options),
    coredns: await ensureBinary('coredns', options),
  };
  const containerd = await unpacked(CONTAINERD);
  const runc = await unpacked(RUNC);
  const busybox = await unpacked(BUSYBOX);
  const cni = await unpacked(CNI);
  const nft = await unpacked(NFT);
  return {
    ...built,
    containerd: join(containerd.folder, 'containerd'),
    ctr: join(containerd.folder, 'ctr'),
    runc: join(runc.folder, 'runc'),
    busybox: join(busybox.folder, 'busybox'),
    nft: join(nft.folder, 'nft'),
    cniFolder: cni.folder,
    libraries: [runc.libraries, nft.libraries].filter((folder) => folder !== undefined),
  };
}

async function unpacked(wanted: Package): Promise<Unpacked> {
  const answer = await findDebianProgram({ ...wanted, installed: 'Ignored' });
  if (answer !== undefined) return answer;
  const packages = wanted.packages.join(', ');
  throw new Error(`a node needs the Debian packages ${packages}, and they could not be fetched`);
}
