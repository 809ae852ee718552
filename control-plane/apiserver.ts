/** The kube-apiserver of one control plane. */
import { join } from 'node:path';
import type { Credentials } from './credentials.ts';
import type { ServerCommand } from './server.ts';

/** What a test may ask of the API server. */
export type ApiServerOptions = {
  /** Behave like an older version, such as `1.35`; absent means the binary's own. */
  readonly emulatedVersion?: string;
  /** Feature gates by name, such as `{ WatchList: false }`. */
  readonly featureGates?: Readonly<Record<string, boolean>>;
  /** Further flags, appended last. */
  readonly extraArgs?: readonly string[];
};

/** Where the API server listens and what it works with. */
export type ApiServerSettings = ApiServerOptions & {
  readonly path: string;
  readonly workDir: string;
  readonly port: number;
  readonly etcdPort: number;
  readonly credentials: Credentials;
  /** File for one JSON line per request; undefined keeps no audit log. */
  readonly auditLog: string | undefined;
};

/**
 * How to start the API server. No endpoint reconciler, because that refuses a loopback address; all
 * else as in a cluster: RBAC, and priority and fairness.
 */
export function apiServerCommand(settings: ApiServerSettings): ServerCommand {
  const { credentials, workDir } = settings;
  return {
    name: 'kube-apiserver',
    path: settings.path,
    logFile: join(workDir, 'kube-apiserver.log'),
    args: [
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      '--endpoint-reconciler-type=none',
      `--secure-port=${settings.port}`,
      `--etcd-servers=http://127.0.0.1:${settings.etcdPort}`,
      `--cert-dir=${workDir}`,
      `--client-ca-file=${credentials.caFile}`,
      `--tls-cert-file=${credentials.serverCertificateFile}`,
      `--tls-private-key-file=${credentials.serverKeyFile}`,
      `--service-account-issuer=https://127.0.0.1:${settings.port}`,
      `--service-account-key-file=${credentials.tokenPublicKeyFile}`,
      `--service-account-signing-key-file=${credentials.tokenKeyFile}`,
      '--service-cluster-ip-range=10.0.0.0/24',
      '--authorization-mode=Node,RBAC',
      '--allow-privileged=true',
      ...optionalArgs(settings),
    ],
  };
}

function optionalArgs(settings: ApiServerSettings): readonly string[] {
  const gates = Object.entries(settings.featureGates ?? {});
  const { auditLog, credentials } = settings;
  return [
    ...(settings.emulatedVersion === undefined
      ? []
      : [`--emulated-version=${settings.emulatedVersion}`]),
    ...(gates.length === 0
      ? []
      : [`--feature-gates=${gates.map(([name, on]) => `${name}=${on}`).join(',')}`]),
    ...(auditLog === undefined
      ? []
      : [`--audit-log-path=${auditLog}`, `--audit-policy-file=${credentials.auditPolicyFile}`]),
    ...(settings.extraArgs ?? []),
  ];
}
