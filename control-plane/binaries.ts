/**
 * Where the control plane's programs come from: a folder the user names, the cache, else the Go
 * compiler. Called by whoever starts a server or kubectl.
 */
import { access, constants, mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { build } from './build.ts';
import { withLock } from './lock.ts';

/** The Kubernetes version that tests, demo and bench run against. */
export const KUBERNETES_VERSION = 'v1.37.2';
/** The etcd version beside it. */
export const ETCD_VERSION = 'v3.7.3';
/** The Helm that the chart is rendered, checked and installed with. */
export const HELM_VERSION = 'v4.3.1';
/** The CoreDNS that names Services for pods of a real node. */
export const COREDNS_VERSION = 'v1.15.0';

/** What every control plane here needs. */
export type ControlPlaneProgram = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kubectl';
/** What a node needs beside it; built only when somebody asks for a node. */
export type NodeProgram = 'kubelet' | 'kube-scheduler' | 'kube-proxy' | 'coredns';
/** A program that is built from a Go module; helm only where the chart is tested. */
export type BinaryName = ControlPlaneProgram | NodeProgram | 'helm';

/** Environment variables by name, as in process.env. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Receives one line of progress, without a line end. */
export type Report = (line: string) => void;

/** Progress to standard error, where it does not mix with a program's output. */
export const reportToStderr: Report = (line) => {
  process.stderr.write(`${line}\n`);
};

/**
 * The folder for what is costly to make again: `KEYWARD_CACHE`, else `keyward` under
 * `XDG_CACHE_HOME`, else under `~/.cache`. Outside the checkout, so that fresh clones share it.
 */
export function cacheFolder(env: Environment, home: string): string {
  if (env['KEYWARD_CACHE']) return env['KEYWARD_CACHE'];
  return join(env['XDG_CACHE_HOME'] || join(home, '.cache'), 'keyward');
}

/** Where the cache keeps a program; the folder names its version. */
export function cachedPath(name: BinaryName, env: Environment, home: string): string {
  return join(cacheFolder(env, home), 'control-plane', versionFolder(name), name);
}

function versionFolder(name: BinaryName): string {
  if (name === 'etcd') return `etcd-${ETCD_VERSION}`;
  if (name === 'coredns') return `coredns-${COREDNS_VERSION}`;
  return name === 'helm' ? `helm-${HELM_VERSION}` : `kubernetes-${KUBERNETES_VERSION}`;
}

/** Paths at which a program is looked for, best first: the user's own folder, then the cache. */
export function candidatePaths(name: BinaryName, env: Environment, home: string): string[] {
  const cached = cachedPath(name, env, home);
  const assets = env['KUBEBUILDER_ASSETS'];
  return assets ? [join(assets, name), cached] : [cached];
}

/** Where to look and where to say what is going on. */
export type LookupOptions = {
  readonly env?: Environment;
  readonly home?: string;
  readonly report?: Report;
};

/** The program's path, or undefined when it would have to be built. */
export async function findBinary(
  name: BinaryName,
  options: LookupOptions = {},
): Promise<string | undefined> {
  for (const path of candidatePaths(name, options.env ?? process.env, options.home ?? homedir())) {
    if (await isExecutable(path)) return path;
  }
  return undefined;
}

/**
 * The program's path; builds it into the cache where it is missing. Minutes when the compiler's own
 * cache is cold. Two processes never build at the same time.
 */
export async function ensureBinary(name: BinaryName, options: LookupOptions = {}): Promise<string> {
  const found = await findBinary(name, options);
  if (found !== undefined) return found;
  const { env = process.env, home = homedir(), report = reportToStderr } = options;
  const target = cachedPath(name, env, home);
  await mkdir(join(target, '..'), { recursive: true });
  const make = async (): Promise<string> => {
    // Whoever held the lock before may have built it meanwhile.
    if (!(await isExecutable(target))) await build(name, target, { env, report });
    return target;
  };
  return withLock(join(target, '..', 'build.lock'), make, (pid) =>
    report(`waiting for process ${pid}, which is building the control plane`),
  );
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
