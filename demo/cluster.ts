/** Where the demo runs: a control plane of its own, or a context of the user's kubeconfig. */
import { spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { accessTo, type Access } from '../control-plane/access.ts';
import { ensureBinary, type Report } from '../control-plane/binaries.ts';
import { startControlPlane } from '../control-plane/start.ts';

/** Where the demo's own objects are; every command without a namespace means this one. */
export const DEMO_NAMESPACE = 'keyward-demo';

/** A cluster to show things on. */
export type Cluster = {
  /** Own: made for this run, so nobody else is there. */
  readonly origin: 'Own' | 'Context';
  /** Its kubeconfig has DEMO_NAMESPACE as default namespace. */
  readonly access: Access;
  /** Processes that were started for it. */
  readonly pids: readonly number[];
  /** Ends what was started for it; nothing for somebody else's cluster. */
  stop(): Promise<void>;
  /** Lets it go on after this process. */
  keep(): Promise<void>;
};

type Kubeconfig = {
  readonly clusters?: readonly { readonly cluster?: { readonly server?: string } }[];
  readonly users?: readonly { readonly name: string }[];
  readonly contexts?: readonly { readonly name: string; readonly context: object }[];
};

/** Builds what is missing, starts a control plane with its files below `workDir`, and waits for it. */
export async function startOwn(workDir: string, report: Report): Promise<Cluster> {
  const plane = await startControlPlane({ workDir: join(workDir, 'control-plane'), report });
  const adminKubeconfig = join(workDir, 'kubeconfig');
  const config = parse(await readFile(plane.adminKubeconfig, 'utf8')) as Kubeconfig;
  await writePrivate(adminKubeconfig, inDemoNamespace(config));
  return {
    origin: 'Own',
    access: accessTo({ ...plane, adminKubeconfig }),
    pids: plane.pids(),
    stop: () => plane.stop(),
    keep: () => plane.keep(),
  };
}

/** The cluster behind a context. @throws Error with kubectl's words when there is no such context */
export async function useContext(name: string, workDir: string, report: Report): Promise<Cluster> {
  const kubectlPath = await findKubectl(report);
  const args = ['config', 'view', '--raw', '--minify', '--flatten', `--context=${name}`];
  const { status, stdout, stderr } = spawnSync(kubectlPath, [...args, '-o', 'json'], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`kubectl does not know context "${name}": ${stderr.trim()}`);
  const config = parse(stdout) as Kubeconfig;
  const adminKubeconfig = join(workDir, 'kubeconfig');
  await mkdir(workDir, { recursive: true });
  await writePrivate(adminKubeconfig, inDemoNamespace(config));
  const url = config.clusters?.[0]?.cluster?.server ?? '';
  const endpoint = { url, caFile: '', adminKubeconfig, workDir, kubectlPath };
  const nothing = (): Promise<void> => Promise.resolve();
  return { origin: 'Context', access: accessTo(endpoint), pids: [], stop: nothing, keep: nothing };
}

/**
 * A kubeconfig for the same server with a service account's token, valid for 24 hours, in place of
 * the administrator's credentials. @returns its path
 */
export async function writeTokenKubeconfig(
  access: Access,
  account: { readonly namespace: string; readonly name: string },
): Promise<string> {
  const token = await access.tokenFor(account.namespace, account.name);
  const config = parse(await readFile(access.adminKubeconfig, 'utf8')) as Kubeconfig;
  const users = (config.users ?? []).map(({ name }) => ({ name, user: { token } }));
  const path = join(access.workDir, `${account.name}.kubeconfig`);
  await writePrivate(path, { ...config, users });
  return path;
}

function inDemoNamespace(config: Kubeconfig): object {
  const contexts = (config.contexts ?? []).map(({ name, context }) => ({
    name,
    context: { ...context, namespace: DEMO_NAMESPACE },
  }));
  return { ...config, contexts };
}

/** Credentials are in it, so nobody else may read it. */
function writePrivate(path: string, content: object): Promise<void> {
  return writeFile(path, stringify(content, { lineWidth: 0 }), { mode: 0o600 });
}

/** The user's own kubectl knows his login plugins; else the one the harness builds. */
function findKubectl(report: Report): Promise<string> {
  const isThere = spawnSync('kubectl', ['version', '--client'], { stdio: 'ignore' }).status === 0;
  return isThere ? Promise.resolve('kubectl') : ensureBinary('kubectl', { report });
}
