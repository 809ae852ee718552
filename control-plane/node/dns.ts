/** Names of Services for pods: CoreDNS as a process of the node, not as a pod, which needs no image. */
import { join } from 'node:path';
import type { ServerCommand } from '../server.ts';
import { NODE_ADDRESS, type Layout } from './layout.ts';
import type { NodePrograms } from './programs.ts';

/** What the names of Services end in. */
export const CLUSTER_DOMAIN = 'cluster.local';

/** It knows the cluster's names and no others: nothing outside can be reached anyway. */
export function corefile(kubeconfig: string): string {
  return `${CLUSTER_DOMAIN}:53 in-addr.arpa:53 {
  bind ${NODE_ADDRESS}
  errors
  kubernetes ${CLUSTER_DOMAIN} in-addr.arpa {
    kubeconfig ${kubeconfig}
  }
}
`;
}

/** How to start CoreDNS. */
export function corednsCommand(layout: Layout, programs: NodePrograms): ServerCommand {
  return {
    name: 'coredns',
    path: programs.coredns,
    args: ['-conf', layout.corefile],
    logFile: join(layout.workDir, 'coredns.log'),
  };
}
