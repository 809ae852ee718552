/** The kube-controller-manager of one control plane: garbage collection, namespaces, accounts. */
import { join } from 'node:path';
import type { Credentials } from './credentials.ts';
import type { ServerCommand } from './server.ts';

/** What the controller manager works with. */
export type ControllerManagerSettings = {
  readonly path: string;
  readonly workDir: string;
  readonly credentials: Credentials;
};

/** How to start it: alone, so without leader election, and without a port of its own. */
export function controllerManagerCommand(settings: ControllerManagerSettings): ServerCommand {
  const { credentials, workDir } = settings;
  return {
    name: 'kube-controller-manager',
    path: settings.path,
    logFile: join(workDir, 'kube-controller-manager.log'),
    args: [
      `--kubeconfig=${credentials.adminKubeconfig}`,
      '--leader-elect=false',
      '--secure-port=0',
      `--cert-dir=${workDir}`,
      `--service-account-private-key-file=${credentials.tokenKeyFile}`,
      `--root-ca-file=${credentials.caFile}`,
    ],
  };
}
