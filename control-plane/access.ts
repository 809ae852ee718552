/**
 * What one does with a control plane that runs: kubectl, and kubeconfigs of service accounts. Works
 * the same in the process that started it and in one that only knows its endpoint.
 */
import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kubeconfigText } from './kubeconfig.ts';
import { outcomeOf, type Outcome } from './outcome.ts';

/** Where a control plane is; plain data that can be written to a file and handed to a process. */
export type Endpoint = {
  readonly url: string;
  readonly caFile: string;
  /** Path of a kubeconfig in `system:masters`; operators under test never use it. */
  readonly adminKubeconfig: string;
  /** Folder for logs, credentials and kubeconfigs. */
  readonly workDir: string;
  readonly kubectlPath: string;
};

/** How kubectl is called; without a kubeconfig as the administrator. */
export type KubectlOptions = {
  readonly kubeconfig?: string;
  /** What kubectl reads from standard input, as with `apply -f -`. */
  readonly input?: string;
  readonly signal?: AbortSignal;
};

/** A control plane and what can be done with it. */
export interface Access extends Endpoint {
  /** Runs kubectl to its end. A failure of kubectl is an outcome, not an error. */
  kubectl(args: readonly string[], options?: KubectlOptions): Promise<Outcome>;
  /** As `kubectl`, but answers the standard output and throws with kubectl's words on failure. */
  mustKubectl(args: readonly string[], options?: KubectlOptions): Promise<string>;
  /**
   * Path of a kubeconfig with a token of the service account, valid for 24 hours. Namespace and
   * account are created where they are missing; the account has no rights but those it is given.
   * Repeatable: the same path, a fresh token.
   */
  kubeconfigFor(namespace: string, name: string): Promise<string>;
  /** A fresh 24-hour token of an existing service account. */
  tokenFor(namespace: string, name: string): Promise<string>;
}

/** What can be done with the control plane at `endpoint`. */
export function accessTo(endpoint: Endpoint): Access {
  const kubectl: Access['kubectl'] = (args, options = {}) => runKubectl(endpoint, args, options);
  const mustKubectl: Access['mustKubectl'] = async (args, options) => {
    const { stdout, stderr, code } = await kubectl(args, options);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} failed with ${code}: ${stderr}`);
    return stdout;
  };
  const tokenFor: Access['tokenFor'] = async (namespace, name) =>
    (await mustKubectl(['create', 'token', name, '-n', namespace, '--duration=24h'])).trim();
  const kubeconfigFor: Access['kubeconfigFor'] = async (namespace, name) => {
    await mustKubectl(['apply', '--server-side', '-f', '-'], {
      input: JSON.stringify(accountList(namespace, name)),
    });
    const token = await tokenFor(namespace, name);
    const caPem = await readFile(endpoint.caFile, 'utf8');
    const folder = join(endpoint.workDir, 'kubeconfigs');
    await mkdir(folder, { recursive: true });
    const path = join(folder, `${namespace}.${name}.kubeconfig`);
    const text = kubeconfigText({ url: endpoint.url, caPem, token, namespace });
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  return { ...endpoint, kubectl, mustKubectl, kubeconfigFor, tokenFor };
}

function accountList(namespace: string, name: string): object {
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
    ],
  };
}

function runKubectl(
  endpoint: Endpoint,
  args: readonly string[],
  options: KubectlOptions,
): Promise<Outcome> {
  const child = spawn(
    endpoint.kubectlPath,
    [
      `--kubeconfig=${options.kubeconfig ?? endpoint.adminKubeconfig}`,
      // The usual cache is kept by host and port, and the next control plane may get this port.
      `--cache-dir=${join(endpoint.workDir, 'kubectl-cache')}`,
      ...args,
    ],
    { stdio: 'pipe', ...(options.signal && { signal: options.signal }) },
  );
  return outcomeOf(child, options.input);
}
