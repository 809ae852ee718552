/**
 * The chart on a real API server, by real Helm: what is rendered is accepted, installed, upgraded and
 * uninstalled. No pod runs here, so hooks are left out (--no-hooks) or the Job is an ordinary object; that
 * it does its work on a node is for npm run e2e, and what its account may do is tried by hand below.
 */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openHelm, type Helm } from '../../control-plane/helm.ts';
import { startControlPlane, type ControlPlane } from '../../control-plane/start.ts';
import { CASES, CHART, FULLNAME, NAMESPACE, RELEASE, render } from '../support/chart.ts';
import { eventually } from '../support/eventually.ts';

const ROOT = join(import.meta.dirname, '../..');
const FIRST_BUILD_MS = 30 * 60_000;
const OPERATOR = `system:serviceaccount:${NAMESPACE}:${FULLNAME}-operator`;

let opened: Awaited<ReturnType<typeof openHelm>>;
let helm: Helm;
let cluster: ControlPlane;
let folder: string;
let end = (): Promise<void> => Promise.resolve();
beforeAll(async () => {
  opened = await openHelm();
  cluster = await startControlPlane();
  helm = (args) => opened.helm(args, cluster.adminKubeconfig);
  folder = await mkdtemp(join(tmpdir(), 'keyward-chart-'));
  end = async () => {
    await cluster.stop();
    await opened.close();
    await rm(folder, { recursive: true });
  };
  for (const name of [NAMESPACE, 'team-a', 'team-b', 'keyward-system', 'elsewhere']) {
    // oxlint-disable-next-line no-await-in-loop
    await cluster.mustKubectl(['create', 'namespace', name]);
  }
}, FIRST_BUILD_MS);
afterAll(() => end());

/** Helm's words, both streams; throws where it fails. */
async function mustHelm(...args: readonly string[]): Promise<string> {
  const { stdout, stderr, code } = await helm(args);
  if (code !== 0) throw new Error(`helm ${args.join(' ')}: ${stderr}`);
  return `${stdout}${stderr}`;
}

const release = [RELEASE, CHART, '--namespace', NAMESPACE, '--set', 'keyJob.asHook=false'];

async function names(...args: readonly string[]): Promise<readonly string[]> {
  const text = await cluster.mustKubectl(['get', ...args, '-o', 'name']);
  return text.split('\n').filter((line) => line !== '');
}

test('every document of every combination is accepted by the API server', async () => {
  const documents = new Set<string>();
  for (const { values } of CASES) {
    // One after the other: each takes a processor.
    // oxlint-disable-next-line no-await-in-loop
    const text = await render(helm, values);
    for (const document of text.split(/^---\n/m)) documents.add(document.trim());
  }
  documents.delete('');
  expect(documents.size).toBeGreaterThan(200);
  const { code, stderr } = await cluster.kubectl(
    [
      'apply',
      '--server-side',
      '--dry-run=server',
      '--validate=strict',
      '--force-conflicts',
      '-f',
      '-',
    ],
    { input: [...documents].join('\n---\n') },
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

describe('what Pod Security calls restricted', () => {
  const workloads = async (values: readonly string[]): Promise<string> => {
    const text = await render(helm, ['namespaceOverride=restricted', ...values]);
    const isWorkload = /^kind: (Job|StatefulSet|Deployment)$/m;
    return text
      .split(/^---\n/m)
      .filter((each) => isWorkload.test(each))
      .join('\n---\n');
  };
  /** The API server accepts a workload whose pods it would refuse, and warns. */
  const warnings = async (input: string): Promise<string> => {
    const args = ['apply', '--server-side', '--dry-run=server', '-f', '-'];
    return (await cluster.kubectl(args, { input })).stderr;
  };
  beforeAll(async () => {
    const warn = 'pod-security.kubernetes.io/warn=restricted';
    await cluster.mustKubectl(['create', 'namespace', 'restricted']);
    await cluster.mustKubectl(['label', 'namespace', 'restricted', warn]);
  });

  test.each([[[]], [['database.type=PostgreSQL', 'database.postgresql.existingSecret=db']]])(
    'holds for every pod %j',
    async (values) => {
      expect(await warnings(await workloads(values))).toBe('');
    },
  );

  test('would be missed if it were not so', async () => {
    const text = await workloads(['securityContext.allowPrivilegeEscalation=true']);
    expect(await warnings(text)).toContain('would violate PodSecurity');
  });
});

describe('a cluster that is not ready for it', () => {
  test.each([
    ['crds.install=false', 'the kinds are not in this cluster: apply those in crds/ first'],
    ['watchNamespaces={nowhere}', 'watchNamespaces has nowhere, and there is no such namespace'],
  ])('is told so, with %s', async (value, sentence) => {
    const { code, stderr } = await helm(['install', ...release, '--set', value]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(sentence) });
    expect(await names('statefulset,service', '-n', NAMESPACE)).toEqual([]);
  });
});

describe('a release', () => {
  test('of an older chart is installed, and says what comes next', async () => {
    const older = join(folder, 'older');
    await cp(CHART, older, { recursive: true });
    const crd = join(older, 'templates/crds/apikeys.yaml');
    const text = await readFile(crd, 'utf8');
    const without = text.replace(/^ {4}selectableFields:\n( {4}- .*\n)+/m, '');
    expect(without).not.toBe(text);
    await writeFile(crd, without);
    const said = await mustHelm('install', RELEASE, older, ...release.slice(2));
    expect(said).toContain(`kubectl rollout status statefulset/${FULLNAME}`);
    expect(await names('statefulset,pvc,job,service', '-n', NAMESPACE)).toEqual(
      expect.arrayContaining([
        `statefulset.apps/${FULLNAME}`,
        `persistentvolumeclaim/${FULLNAME}-data`,
        `service/${FULLNAME}-gate`,
      ]),
    );
  });

  test('is upgraded with its kinds', async () => {
    await mustHelm('upgrade', ...release);
    const fields = await cluster.mustKubectl([
      'get',
      'crd/apikeys.keyward.dev',
      '-o',
      'jsonpath={.spec.versions[0].selectableFields[*].jsonPath}',
    ]);
    expect(fields).toContain('.status.keyId');
  });

  test('that is upgraded to itself changes nothing', async () => {
    const kinds = 'statefulset,service,role,rolebinding,networkpolicy,serviceaccount,pvc';
    const versions = async (): Promise<string> =>
      cluster.mustKubectl([
        'get',
        kinds,
        '-n',
        NAMESPACE,
        '-o',
        'jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.uid} {.metadata.generation}{"\\n"}{end}',
      ]);
    const before = await versions();
    await mustHelm('upgrade', ...release);
    expect(await versions()).toBe(before);
  });

  test('is stopped and started by one value, and keeps the others', async () => {
    const replicas = async (value: string): Promise<string> => {
      const values = ['--reset-then-reuse-values', '--set', `replicaCount=${value}`];
      await mustHelm('upgrade', RELEASE, CHART, '-n', NAMESPACE, ...values);
      const path = 'jsonpath={.spec.replicas}';
      return cluster.mustKubectl(['get', `statefulset/${FULLNAME}`, '-n', NAMESPACE, '-o', path]);
    };
    expect(await replicas('0')).toBe('0');
    expect(await replicas('null')).toBe('1');
    expect(await mustHelm('get', 'values', RELEASE, '-n', NAMESPACE)).toContain('asHook: false');
  });

  test('goes back to older templates without taking the kinds back', async () => {
    await mustHelm('upgrade', ...release, '--set', 'crds.install=false');
    expect(await names('crd')).toHaveLength(7);
    await mustHelm('upgrade', ...release);
  });

  test('is the only one of its cluster', async () => {
    const { code, stderr } = await helm(['install', 'second', CHART, '-n', 'elsewhere']);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining(
        `Keyward is in this cluster already, as release ${RELEASE} in namespace ${NAMESPACE}, and a cluster has one`,
      ),
    });
    expect(await names('all', '-n', 'elsewhere')).toEqual([]);
  });

  test('has policies that know its own operator, and nobody else', async () => {
    const key = {
      apiVersion: 'keyward.dev/v1alpha1',
      kind: 'ApiKey',
      metadata: { name: 'a' },
      spec: {},
    };
    const status = { observedGeneration: 1, conditions: [] };
    const write = async (as: readonly string[]): Promise<string> => {
      const input = await cluster.mustKubectl(['get', 'apikey/a', '-n', 'team-a', '-o', 'json']);
      const changed = { ...(JSON.parse(input) as object), status };
      const { stderr } = await cluster.kubectl(
        ['replace', '--subresource=status', '-f', '-', ...as],
        { input: JSON.stringify(changed) },
      );
      return stderr;
    };
    await eventually(async () => {
      await cluster.mustKubectl(['apply', '-n', 'team-a', '-f', '-'], {
        input: JSON.stringify(key),
      });
    });
    await eventually(async () => {
      expect(await write([])).toContain('only the Keyward operator writes status');
    });
    expect(await write([`--as=${OPERATOR}`])).toBe('');
    expect(await write(['--as=system:serviceaccount:keyward-system:keyward-operator'])).not.toBe(
      '',
    );
    const finalizers = [
      'patch',
      'apikey/a',
      '-n',
      'team-a',
      '--type=merge',
      '-p',
      '{"metadata":{"finalizers":[]}}',
    ];
    await cluster.mustKubectl(['delete', 'apikey/a', '-n', 'team-a', '--wait=false']);
    await cluster.mustKubectl([...finalizers, `--as=${OPERATOR}`]);
  });

  test('has an account that makes the master key once, and the key of gates from it', async () => {
    const kubeconfig = await cluster.kubeconfigFor(NAMESPACE, `${FULLNAME}-keys`);
    const job = async (index: 0 | 1): Promise<string> => {
      const path = `jsonpath={.items[0].spec.template.spec.${index === 0 ? 'initContainers' : 'containers'}[0].args}`;
      const text = await cluster.mustKubectl(['get', 'jobs', '-n', NAMESPACE, '-o', path]);
      const args = JSON.parse(text) as readonly string[];
      const program = join(ROOT, 'src/bin/keyward.ts');
      const all = [program, ...args, '--kubeconfig', kubeconfig];
      return (await promisify(execFile)(process.execPath, all)).stderr;
    };
    const data = (name: string): Promise<string> =>
      cluster.mustKubectl([
        'get',
        `secret/${FULLNAME}-${name}`,
        '-n',
        NAMESPACE,
        '-o',
        'jsonpath={.data}',
      ]);
    expect(await job(0)).toContain(`made Secret ${NAMESPACE}/${FULLNAME}-master-key`);
    expect(await job(1)).toContain('created Secret');
    const before = [await data('master-key'), await data('gate-key')];
    expect(await job(0)).toContain('left as it is');
    expect(await job(1)).toContain('unchanged Secret');
    expect([await data('master-key'), await data('gate-key')]).toEqual(before);
    const { stderr } = await cluster.kubectl(['get', 'secrets', '-n', NAMESPACE], { kubeconfig });
    expect(stderr).toContain('forbidden');
  });

  test('leaves kinds, volume and master key when it is uninstalled, and has said so', async () => {
    const notes = await mustHelm('get', 'notes', RELEASE, '-n', NAMESPACE);
    const said = await mustHelm('uninstall', RELEASE, '-n', NAMESPACE);
    expect(said).toContain('[CustomResourceDefinition] apikeys.keyward.dev');
    expect(said).toContain(`[PersistentVolumeClaim] ${FULLNAME}-data`);
    for (const what of [
      'kubectl get crd',
      `pvc ${FULLNAME}-data`,
      `secret ${FULLNAME}-master-key`,
    ]) {
      expect(notes.slice(notes.indexOf('helm uninstall'))).toContain(what);
    }
    expect(await names('crd')).toHaveLength(7);
    expect(await names('pvc', '-n', NAMESPACE)).toEqual([`persistentvolumeclaim/${FULLNAME}-data`]);
    expect(await names('secrets', '-n', NAMESPACE)).toEqual([
      `secret/${FULLNAME}-gate-key`,
      `secret/${FULLNAME}-master-key`,
    ]);
    expect(await names('validatingadmissionpolicies,mutatingadmissionpolicies')).toEqual([]);
    expect(await names('statefulset,service', '-n', NAMESPACE)).toEqual([]);
  });

  test('is installed again over what it left', async () => {
    const uid = ['get', 'pvc', '-n', NAMESPACE, '-o', 'jsonpath={.items[*].metadata.uid}'];
    const before = await cluster.mustKubectl(uid);
    await mustHelm('install', ...release, '--no-hooks');
    expect(await cluster.mustKubectl(uid)).toBe(before);
    await mustHelm('uninstall', RELEASE, '-n', NAMESPACE, '--no-hooks');
  });
});

// In a cluster of its own: to have the other's kinds deleted took an API server more than two minutes once, for
// reasons that are not ours.
describe('kinds that somebody else installed', () => {
  test('are not taken over silently, and are with --take-ownership', async () => {
    const other = await startControlPlane();
    try {
      const helmThere: Helm = (args) => opened.helm(args, other.adminKubeconfig);
      await other.mustKubectl(['create', 'namespace', NAMESPACE]);
      await other.mustKubectl(['apply', '--server-side', '-f', join(ROOT, 'crds')]);
      expect(await helmThere(['install', ...release])).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('cannot be imported'),
      });
      const forced = ['--take-ownership', '--force-conflicts'];
      for (const args of [
        ['install', ...release, ...forced],
        ['uninstall', RELEASE, '-n', NAMESPACE],
      ]) {
        expect(await helmThere(args)).toMatchObject({ code: 0 });
      }
    } finally {
      await other.stop();
    }
  });
});

describe('deploy/overlays', () => {
  const overlay = (name: string): readonly string[] => [
    '--server-side',
    '--force-conflicts',
    '-k',
    join(ROOT, 'deploy/overlays', name),
  ];

  test.each(['embedded', 'postgresql', 'namespaced'])('%s is accepted', async (name) => {
    const { code, stderr } = await cluster.kubectl(['apply', '--dry-run=server', ...overlay(name)]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test('are applied with kubectl apply -k, and again', async () => {
    await cluster.mustKubectl(['apply', ...overlay('embedded')]);
    await cluster.mustKubectl(['apply', ...overlay('embedded')]);
    expect(await names('statefulset', '-n', 'keyward-system')).toEqual([
      'statefulset.apps/keyward',
    ]);
  });
});
