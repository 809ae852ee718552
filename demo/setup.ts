/** The first steps: a cluster, Keyward in it, and the operator. They make the stage for the rest. */
import { join } from 'node:path';
import { installKeyward } from '../control-plane/install.ts';
import type { Watchdog } from '../control-plane/watchdog.ts';
import type { Cleanup } from './cleanup.ts';
import {
  DEMO_NAMESPACE,
  startOwn,
  useContext,
  writeTokenKubeconfig,
  type Cluster,
} from './cluster.ts';
import { createDatabase } from './database.ts';
import { expect } from './expect.ts';
import type { Flags } from './flags.ts';
import { openGate } from './gate.ts';
import { openChain } from './gate/chain.ts';
import { OPERATOR_FLAGS, startOperator, type Installation, type Program } from './program.ts';
import type { Screen } from './screen.ts';
import { Stage } from './stage.ts';
import type { Timeline } from './timeline.ts';
import { DIALECTS, type Dialect } from './vendor/dialect.ts';
import { startVendor, type VendorProcess } from './vendor/process.ts';
import { Vendor } from './vendor/vendor.ts';

/** Quotas are looked at often enough to be seen in status. */
const GATE_FLAGS = ['--quota-reread-seconds=1'];
const ACCOUNT = { namespace: 'keyward-system', name: 'keyward-operator' };
const MANIFESTS = ['crds', 'deploy/rbac', 'deploy/admission'];
const ROOT = join(import.meta.dirname, '..');

/** What the set-up works with. */
export type SetupParts = {
  readonly flags: Flags;
  readonly screen: Screen;
  readonly timeline: Timeline;
  readonly cleanup: Cleanup;
  /** Ends the operator when this process dies, and removes `workDir`. */
  readonly watchdog: Watchdog;
  readonly workDir: string;
  readonly signal: AbortSignal;
  /** Called when there is something that must be ended in order. */
  readonly onCluster: () => void;
  /** Told as soon as it runs, so that a failure can show its log. */
  readonly onOperator: (operator: Program) => void;
};

/** Goes from nothing to a running operator. */
export async function setUp(parts: SetupParts): Promise<Stage> {
  const { timeline, flags } = parts;
  const cluster = await timeline.step(
    flags.context === undefined ? 'A Kubernetes control plane of its own' : 'Your cluster',
    'control plane',
    () => openCluster(parts),
  );
  await timeline.step('Install: kinds, roles and admission policies', 'installed', () =>
    install(parts, cluster),
  );
  const vendor = await openVendor(parts);
  const stage = await timeline.step('The operator, a process of its own', 'operator started', () =>
    runOperator(parts, cluster, vendor),
  );
  if (!flags.gateways) return stage;
  const title = 'The gate, a process of its own, and gateways before a small API';
  stage.chain = await timeline.step(title, 'gate, nginx, Envoy', () => openChain(parts, stage));
  return stage;
}

async function openVendor(parts: SetupParts): Promise<Vendor | undefined> {
  const { timeline, flags, screen, signal } = parts;
  if (flags.vendor === undefined) return undefined;
  const dialect = DIALECTS[flags.vendor];
  return timeline.step(`The vendor: a fake ${dialect.title}`, 'fake vendor', async () => {
    const process = await runVendor(parts, dialect);
    const vendor = new Vendor(dialect, process, screen, signal);
    screen.proof(`it serves the vendor's interface at ${vendor.endpoint}`);
    screen.say(
      'It checks signatures, clock and rights as the vendor documents them, and forgets everything when it ends. Nothing of this demo leaves the machine.',
    );
    return vendor;
  });
}

async function runVendor(parts: SetupParts, dialect: Dialect): Promise<VendorProcess> {
  const { workDir, watchdog, cleanup, signal, screen } = parts;
  screen.command(`npm run fake -- ${dialect.name}`);
  const process = await startVendor(dialect.name, join(workDir, 'vendor.log'));
  watchdog.watch(process.pid);
  cleanup.add('the fake vendor', async () => {
    await process.stop();
    watchdog.forget(process.pid);
  });
  await process.untilReady(signal);
  return process;
}

async function openCluster(parts: SetupParts): Promise<Cluster> {
  const { flags, screen, workDir, cleanup } = parts;
  const report = (line: string): void => screen.progress(line);
  if (flags.context === undefined) screen.progress('starting etcd, kube-apiserver, controllers');
  const cluster = await (flags.context === undefined
    ? startOwn(workDir, report)
    : useContext(flags.context, workDir, report));
  cleanup.add('the control plane', () => cluster.stop());
  parts.onCluster();
  const { access } = cluster;
  const { gitVersion } = JSON.parse(await access.mustKubectl(['get', '--raw', '/version'])) as {
    readonly gitVersion: string;
  };
  if (cluster.origin === 'Context') await refuseIfInstalled(cluster);
  screen.proof(`kube-apiserver ${gitVersion} at ${access.url}`);
  return cluster;
}

/** The demo rotates, deletes and ends keys; next to real ones it has no business. */
async function refuseIfInstalled({ access }: Cluster): Promise<void> {
  const names = ['crd/apikeys.keyward.dev', `namespace/${ACCOUNT.namespace}`];
  const args = ['get', ...names, `namespace/${DEMO_NAMESPACE}`, '--ignore-not-found', '-o', 'name'];
  const found = (await access.mustKubectl(args)).trim();
  expect('a cluster without Keyward; remove what is there or choose another', found === '', found);
}

async function install(parts: SetupParts, cluster: Cluster): Promise<void> {
  const { screen, cleanup } = parts;
  const { access } = cluster;
  const api = await access.mustKubectl(['get', '--raw', '/apis/admissionregistration.k8s.io/v1']);
  const canMutate = api.includes('"mutatingadmissionpolicies"');
  const folders = canMutate ? [...MANIFESTS, 'deploy/admission/mutating'] : MANIFESTS;
  for (const folder of folders) screen.command(`kubectl apply --server-side -f ${folder}/`);
  if (cluster.origin === 'Context') {
    const files = folders.toReversed().flatMap((folder) => ['-f', join(ROOT, folder)]);
    cleanup.add('what was installed', async () => {
      await access.mustKubectl(['delete', '--ignore-not-found', '--timeout=120s', ...files]);
    });
  }
  await installKeyward(access, { mutatingPolicies: canMutate ? 'apply' : 'leave out' });
  await access.mustKubectl(['create', 'namespace', DEMO_NAMESPACE]);
  const kinds = await access.mustKubectl(['api-resources', '--api-group=keyward.dev']);
  screen.command('kubectl api-resources --api-group=keyward.dev');
  screen.block(kinds);
  screen.proof('the kinds are served and the policies are in force');
  if (!canMutate) {
    screen.say('This API server has no mutating policies, so the operator adds finalizers itself.');
  }
}

async function runOperator(
  parts: SetupParts,
  cluster: Cluster,
  vendor: Vendor | undefined,
): Promise<Stage> {
  const { screen, workDir, cleanup, watchdog, signal, onOperator } = parts;
  const { access } = cluster;
  const database = await createDatabase(parts);
  const installation: Installation = {
    database: database.url,
    masterKeyFile: join(workDir, 'master-key'),
  };
  const kubeconfig = await writeTokenKubeconfig(access, ACCOUNT);
  const logFile = join(workDir, 'operator.log');
  const files = `--kubeconfig … --database ${database.shown} --master-key-file …`;
  const moreFlags = [...flagsFor(vendor), ...(parts.flags.gateways ? GATE_FLAGS : [])];
  screen.command(`keyward operator ${[files, ...OPERATOR_FLAGS, ...moreFlags].join(' ')}`);
  const operator = await startOperator({ ...installation, kubeconfig, logFile, moreFlags });
  watchdog.watch(operator.pid);
  onOperator(operator);
  cleanup.add('the operator', async () => {
    await operator.stop();
    watchdog.forget(operator.pid);
  });
  if (cluster.origin === 'Context') cleanup.add('the demo objects', () => removeObjects(cluster));
  await operator.untilReady(signal);
  const whoami = ['auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}'];
  const username = await access.mustKubectl(whoami, { kubeconfig });
  const expected = `system:serviceaccount:${ACCOUNT.namespace}:${ACCOUNT.name}`;
  expect(`the operator is ${expected}`, username === expected, username);
  screen.proof(`it runs as ${username}`);
  screen.proof('it leads, its caches are full, its database is open');
  screen.say(
    'For the demo it made itself a master key, and takes a Secret for lost after 2 seconds instead of 30.' +
      (vendor === undefined
        ? ''
        : " It looks at the vendor's copies every 2 seconds, not every 10 minutes."),
  );
  const gate = await openGate(installation);
  cleanup.add('the database', () => gate.close());
  const { forms } = parts.flags;
  return new Stage({
    screen,
    cluster,
    operator,
    installation,
    database,
    gate,
    vendor,
    forms,
    signal,
  });
}

/** The administrator says where stores may be; drift is looked for often enough to be seen. */
function flagsFor(vendor: Vendor | undefined): readonly string[] {
  if (vendor === undefined) return [];
  const { host } = new URL(vendor.endpoint);
  return [`--endpoint-hosts=${vendor.dialect.type}=${host}`, '--remote-check-seconds=2'];
}

/** While the operator runs: it ends the keys and takes its finalizers off. */
async function removeObjects({ access }: Cluster): Promise<void> {
  const options = ['--ignore-not-found', '--timeout=120s'];
  await access.mustKubectl(['delete', 'namespace', DEMO_NAMESPACE, ...options]);
  await access.mustKubectl(['delete', 'clusterkeystores', 'default', ...options]);
}
