/** The etcd of one control plane: a single member on loopback. */
import { join } from 'node:path';
import type { ServerCommand } from './server.ts';

/** Where etcd listens and how careful it is. */
export type EtcdSettings = {
  readonly path: string;
  readonly workDir: string;
  readonly clientPort: number;
  readonly peerPort: number;
  /** Whether each write waits for the disk: bench yes, tests no. */
  readonly durability: 'durable' | 'fast';
};

/** The folder with etcd's data, below the control plane's own. */
export function etcdDataDir(workDir: string): string {
  return join(workDir, 'etcd');
}

/** How to start etcd. Its quota is 8 GiB, so that 100 000 keys and their history fit. */
export function etcdCommand(settings: EtcdSettings): ServerCommand {
  const clientUrl = `http://127.0.0.1:${settings.clientPort}`;
  const peerUrl = `http://127.0.0.1:${settings.peerPort}`;
  return {
    name: 'etcd',
    path: settings.path,
    logFile: join(settings.workDir, 'etcd.log'),
    args: [
      '--name=keyward',
      `--data-dir=${etcdDataDir(settings.workDir)}`,
      `--listen-client-urls=${clientUrl}`,
      `--advertise-client-urls=${clientUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=keyward=${peerUrl}`,
      '--quota-backend-bytes=8589934592',
      '--log-level=warn',
      ...(settings.durability === 'fast' ? ['--unsafe-no-fsync'] : []),
    ],
  };
}
