/**
 * A control plane for developers: `node control-plane/cli.ts up` starts one, prints how to reach it
 * and ends it on Ctrl-C. See USAGE.
 */
import { rm } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { readOrExplain } from '../tools/flags.ts';
import { ensureBinary, type BinaryName } from './binaries.ts';
import { startControlPlane, type ControlPlaneOptions } from './start.ts';
import { writeState } from './state.ts';

const USAGE = `usage: node control-plane/cli.ts up [options]     start one, Ctrl-C ends it
       node control-plane/cli.ts build [NAME]    build or find the programs, print their paths

  --state FILE              tell other processes about it in FILE
  --durable                 etcd waits for the disk
  --audit                   keep an audit log
  --emulated-version V      behave like an older Kubernetes, such as 1.35
  --feature-gate NAME=BOOL  may be repeated
  --work-dir DIR            keep all files in DIR
`;

const PROGRAMS: readonly BinaryName[] = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kubectl',
];
/** Only by name: a control plane works without them. */
const MORE_PROGRAMS: readonly BinaryName[] = [
  'kubelet',
  'kube-scheduler',
  'kube-proxy',
  'coredns',
  'helm',
];

const { values, positionals } = readOrExplain(USAGE, () =>
  parseArgs({
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      state: { type: 'string' },
      durable: { type: 'boolean', default: false },
      audit: { type: 'boolean', default: false },
      'emulated-version': { type: 'string' },
      'feature-gate': { type: 'string', multiple: true, default: [] },
      'work-dir': { type: 'string' },
    },
  }),
);

const [command, program] = positionals;
if (values.help) process.stdout.write(USAGE);
else if (command === 'up') await up();
else if (command === 'build') await buildAll(program);
else {
  process.stderr.write(USAGE);
  process.exitCode = 2;
}

async function up(): Promise<void> {
  const controlPlane = await startControlPlane(wanted());
  if (values.state !== undefined) await writeState(values.state, controlPlane);
  console.log(`the control plane is ready at ${controlPlane.url}; Ctrl-C ends it`);
  console.log(`export KUBECONFIG=${controlPlane.adminKubeconfig}`);
  console.log(`kubectl is ${controlPlane.kubectlPath}`);
  await interrupted();
  await controlPlane.stop();
  if (values.state !== undefined) await rm(values.state, { force: true });
}

function wanted(): ControlPlaneOptions {
  const gates = values['feature-gate'].map((text): [string, boolean] => {
    const [name = '', value] = text.split('=');
    return [name, value === 'true'];
  });
  const emulatedVersion = values['emulated-version'];
  const workDir = values['work-dir'];
  return {
    durable: values.durable,
    audit: values.audit,
    featureGates: Object.fromEntries(gates),
    ...(emulatedVersion !== undefined && { emulatedVersion }),
    ...(workDir !== undefined && { workDir }),
  };
}

function interrupted(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  // Signals alone do not keep the process alive.
  const awake = setInterval(() => undefined, 60_000);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      clearInterval(awake);
      resolve();
    });
  }
  return promise;
}

async function buildAll(only: string | undefined): Promise<void> {
  const names =
    only === undefined ? PROGRAMS : [...PROGRAMS, ...MORE_PROGRAMS].filter((name) => name === only);
  for (const name of names) console.log(await ensureBinary(name));
}
