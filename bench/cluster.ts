/**
 * Control planes of the bench: durable etcd, no controller manager (its reads would be counted as
 * ours), and each run on a copy of the same data, so that the runs of a round begin alike.
 */
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { etcdDataDir } from '../control-plane/etcd.ts';
import { startControlPlane, type ControlPlane } from '../control-plane/start.ts';
import { installKeyward } from '../control-plane/install.ts';
import { waitForKinds, waitForPolicies } from '../control-plane/policyprobe.ts';
import { parseRequests, type Requests } from './counters.ts';

/** Where the operator lives; the admission policies know it by this name. */
export const OPERATOR_NAMESPACE = 'keyward-system';
const OPERATOR = 'keyward-operator';
/** Same rights and same policies as the operator, but a share of its own in priority and fairness. */
const BARE = 'keyward-operator-bare';
const LOADER_NAMESPACE = 'keyward-bench';
const LOADER = 'loader';

/** Namespaces the keys are spread over; the last two groups are for keys that arrive later. */
export const NAMESPACES = {
  load: names('load', 8),
  arrive: names('arrive', 4),
  arriveBare: names('arrive-bare', 4),
  sample: names('sample', 1),
};

/** A running control plane with the accounts of the bench. */
export type Cluster = ControlPlane & {
  readonly operatorKubeconfig: string;
  readonly tokens: { readonly bare: string; readonly loader: string };
  /** Requests that the API server has counted so far. */
  requests(): Promise<Requests>;
  /** Ends it; its data can be copied afterwards. */
  stop(): Promise<void>;
};

/** Makes a data folder with everything but keys in it. @returns path of the folder */
export async function prepareBase(root: string): Promise<string> {
  const workDir = join(root, 'base');
  const controlPlane = await startControlPlane(planeOptions(workDir));
  try {
    const apply = ['apply', '--server-side', '-f'];
    const repository = join(import.meta.dirname, '..');
    await controlPlane.mustKubectl([...apply, join(repository, 'deploy', 'rbac')]);
    await installKeyward(controlPlane);
    await controlPlane.mustKubectl([...apply, join(repository, 'samples', '00-store.yaml')]);
    const list = { apiVersion: 'v1', kind: 'List', items: benchObjects() };
    await controlPlane.mustKubectl([...apply, '-'], { input: JSON.stringify(list) });
  } finally {
    await controlPlane.stop();
  }
  return workDir;
}

/** Starts a control plane on a copy of the data in `source`, in the folder `workDir`. */
export async function startOn(source: string, workDir: string): Promise<Cluster> {
  await rm(workDir, { recursive: true, force: true });
  await mkdir(workDir, { recursive: true });
  await cp(etcdDataDir(source), etcdDataDir(workDir), { recursive: true });
  const controlPlane = await startControlPlane(planeOptions(workDir));
  await waitForPolicies(controlPlane);
  await waitForKinds(controlPlane, 'stamped');
  const tokenFile = async (namespace: string, name: string): Promise<string> => {
    const path = join(workDir, `${name}.token`);
    await writeFile(path, await controlPlane.tokenFor(namespace, name), { mode: 0o600 });
    return path;
  };
  const tokens = {
    bare: await tokenFile(OPERATOR_NAMESPACE, BARE),
    loader: await tokenFile(LOADER_NAMESPACE, LOADER),
  };
  const operatorKubeconfig = await controlPlane.kubeconfigFor(OPERATOR_NAMESPACE, OPERATOR);
  const loaderToken = await readFile(tokens.loader, 'utf8');
  const ca = await readFile(controlPlane.caFile);
  return {
    ...controlPlane,
    operatorKubeconfig,
    tokens,
    requests: async () => parseRequests(await page(`${controlPlane.url}/metrics`, ca, loaderToken)),
  };
}

/** What every command of the bare program is told. */
export function bareFlags(cluster: Cluster): { readonly server: string; readonly ca: string } {
  return { server: cluster.url, ca: cluster.caFile };
}

function planeOptions(workDir: string): Parameters<typeof startControlPlane>[0] {
  return { durable: true, controllerManager: false, workDir };
}

function names(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `bench-${prefix}-${at}`);
}

function benchObjects(): object[] {
  const namespaced = Object.values(NAMESPACES).flat();
  const namespaces = [LOADER_NAMESPACE, ...namespaced].map((name) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name },
  }));
  const keyRules = { apiGroups: ['keyward.dev'], resources: ['apikeys'] };
  return [
    ...namespaces,
    account(OPERATOR_NAMESPACE, BARE),
    account(LOADER_NAMESPACE, LOADER),
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: LOADER_NAMESPACE },
      rules: [
        { ...keyRules, verbs: ['create', 'list', 'watch'] },
        { nonResourceURLs: ['/metrics'], verbs: ['get'] },
      ],
    },
    binding('keyward-bench-bare', OPERATOR, [OPERATOR_NAMESPACE, BARE]),
    binding(LOADER_NAMESPACE, LOADER_NAMESPACE, [LOADER_NAMESPACE, LOADER]),
  ];
}

function account(namespace: string, name: string): object {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } };
}

function binding(name: string, role: string, [namespace, account_]: [string, string]): object {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'ServiceAccount', name: account_, namespace }],
  };
}

function page(url: string, ca: Buffer, token: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const headers = { authorization: `Bearer ${token}` };
  request(url, { ca, headers, agent: false }, (res) => {
    const parts: Buffer[] = [];
    res.on('data', (part: Buffer) => parts.push(part));
    res.once('error', reject);
    res.once('end', () => {
      const text = Buffer.concat(parts).toString();
      return res.statusCode === 200 ? resolve(text) : reject(new Error(`${url}: ${text}`));
    });
  })
    .once('error', reject)
    .end();
  return promise;
}
