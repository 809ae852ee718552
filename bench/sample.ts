/**
 * Learns from one key that the operator issued what its two writes look like, so that the bare
 * client sends bodies of the same shape and size; and what an operator without keys costs.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { NAMESPACES, startOn, type Cluster } from './cluster.ts';
import { startOperator, type Program } from './operator.ts';
import { cpuSeconds, memory } from './processes.ts';

/** What one key taught. */
export type Sample = {
  /** Files with the bodies; the key's name, namespace, UID and version stand in double braces. */
  readonly secretFile: string;
  readonly statusFile: string;
  /** Processor time and memory of an operator that has started and issued this one key. */
  readonly startCpuSeconds: number;
  readonly startMiB: number;
};

/** As the loader calls them, so that all names are equally long. */
const NAME = 'key-000000';
const SETTLE_MS = 3_000;

type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly type?: string;
  readonly metadata: Readonly<Record<string, unknown>> & { readonly uid: string };
  readonly data?: unknown;
  readonly status?: unknown;
};

/** Runs the operator once on a copy of `base`. Files go to `root`. */
export async function takeSample(base: string, root: string, program: Program): Promise<Sample> {
  const cluster = await startOn(base, join(root, 'sample'));
  try {
    const operator = await startOperator(cluster, program, 'operator');
    try {
      await operator.untilReady();
      const objects = await issueOne(cluster);
      await pause(SETTLE_MS);
      const startCpuSeconds = await cpuSeconds(operator.pid);
      const { residentMiB } = await memory(operator.pid);
      return { ...(await writeBodies(root, objects)), startCpuSeconds, startMiB: residentMiB };
    } finally {
      await operator.stop();
    }
  } finally {
    await cluster.stop();
  }
}

type Issued = { readonly secret: Manifest; readonly apiKey: Manifest };

async function issueOne(cluster: Cluster): Promise<Issued> {
  const [namespace = ''] = NAMESPACES.sample;
  const manifest = {
    apiVersion: 'keyward.dev/v1alpha1',
    kind: 'ApiKey',
    metadata: { name: NAME, namespace },
    spec: {},
  };
  await cluster.mustKubectl(['create', '-f', '-'], { input: JSON.stringify(manifest) });
  const target = ['-n', namespace, `apikey/${NAME}`];
  await cluster.mustKubectl(['wait', ...target, '--for=condition=Ready', '--timeout=30s']);
  const read = async (what: string): Promise<Manifest> => {
    const text = await cluster.mustKubectl(['get', '-n', namespace, what, '-o', 'json']);
    // The API server answers for the shape of its own objects.
    return JSON.parse(text) as Manifest;
  };
  return { secret: await read(`secret/${NAME}`), apiKey: await read(`apikey/${NAME}`) };
}

async function writeBodies(
  root: string,
  { secret, apiKey }: Issued,
): Promise<Omit<Sample, 'startCpuSeconds' | 'startMiB'>> {
  const target = { name: '{{NAME}}', namespace: '{{NAMESPACE}}' };
  const { labels, annotations, ownerReferences } = secret.metadata;
  const secretBody = {
    apiVersion: secret.apiVersion,
    kind: secret.kind,
    metadata: { ...target, labels, annotations, ownerReferences },
    type: secret.type,
    data: secret.data,
  };
  const statusBody = {
    apiVersion: apiKey.apiVersion,
    kind: apiKey.kind,
    metadata: { ...target, uid: '{{UID}}', resourceVersion: '{{VERSION}}' },
    status: apiKey.status,
  };
  const template = (body: object): string =>
    JSON.stringify(body).replaceAll(apiKey.metadata.uid, '{{UID}}').replaceAll(NAME, '{{NAME}}');
  const write = async (name: string, body: object): Promise<string> => {
    const path = join(root, `${name}.json`);
    await writeFile(path, template(body), { mode: 0o600 });
    return path;
  };
  return {
    secretFile: await write('secret', secretBody),
    statusFile: await write('status', statusBody),
  };
}
