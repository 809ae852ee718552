/** What the chart renders, without a cluster. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openHelm, type Helm } from '../../control-plane/helm.ts';
import { leavesOf, readValues } from '../../tools/generate/chart-values.ts';
import { overlayFiles } from '../../tools/generate/overlays.ts';
import { complaintsOf } from '../support/chart.rules.ts';
import {
  CASES,
  CHART,
  FULLNAME,
  NAMESPACE,
  objectsOf,
  render,
  template,
  type Rendered,
} from '../support/chart.ts';

const ROOT = join(import.meta.dirname, '../..');
const FIRST_BUILD_MS = 30 * 60_000;

let helm: Helm;
let end = (): Promise<void> => Promise.resolve();
beforeAll(async () => {
  const opened = await openHelm();
  helm = opened.helm;
  end = () => opened.close();
}, FIRST_BUILD_MS);
afterAll(() => end());

test('helm lint has nothing to say, even when it is strict', async () => {
  const { stdout, code } = await helm(['lint', CHART, '--strict']);
  expect({ code, warnings: stdout.match(/\[(WARNING|ERROR)\].*/g) }).toEqual({
    code: 0,
    warnings: null,
  });
});

describe('every combination', () => {
  test.each(CASES)('keeps the rules: $name', async ({ values }) => {
    expect(complaintsOf(objectsOf(await render(helm, values)))).toEqual([]);
  });

  test('is the same when it is rendered again', async () => {
    expect(await render(helm, [])).toBe(await render(helm, []));
  });
});

test('what is special in YAML reaches the program as it is', async () => {
  const odd = 'X-Odd: #1 "a"';
  const text = await render(helm, ['crds.install=false', `gate.productHeader=${odd}`]);
  expect(JSON.stringify(objectsOf(text))).toContain(
    JSON.stringify(`--product-header=${odd}`).slice(1, -1),
  );
});

test('the operator is told that the database is lost with the pod, exactly where it is', async () => {
  const flag = '- --database-ephemeral\n';
  const persistence = 'database.embedded.persistence.enabled=false';
  const accepted = 'database.embedded.acceptEphemeral=true';
  const postgresql = ['database.type=PostgreSQL', 'database.postgresql.existingSecret=db'];
  expect(await render(helm, [persistence, accepted])).toContain(flag);
  expect(await render(helm, [])).not.toContain(flag);
  expect(await render(helm, [...postgresql, persistence, accepted])).not.toContain(flag);
});

describe('defaults', () => {
  const namesOf = (objects: readonly Rendered[]): readonly string[] =>
    objects
      .filter(({ kind }) => !/^(CustomResource|ClusterRole$|ValidatingAdmission)/.test(kind))
      .map(({ kind, metadata }) => `${kind} ${metadata.name}`)
      .toSorted();

  test('are one pod with a volume on SQLite', async () => {
    expect(namesOf(objectsOf(await render(helm, [])))).toMatchInlineSnapshot(`
      [
        "ClusterRoleBinding keys-keyward-operator",
        "Job keys-keyward-keys",
        "PersistentVolumeClaim keys-keyward-data",
        "Role keys-keyward-keys",
        "Role keys-keyward-operator",
        "RoleBinding keys-keyward-keys",
        "RoleBinding keys-keyward-operator",
        "Service keys-keyward-gate",
        "Service keys-keyward-metrics",
        "ServiceAccount keys-keyward-keys",
        "ServiceAccount keys-keyward-operator",
        "StatefulSet keys-keyward",
      ]
    `);
  });

  test('are several of each on PostgreSQL', async () => {
    const values = ['database.type=PostgreSQL', 'database.postgresql.existingSecret=db'];
    expect(namesOf(objectsOf(await render(helm, values)))).toMatchInlineSnapshot(`
      [
        "ClusterRoleBinding keys-keyward-operator",
        "Deployment keys-keyward-gate",
        "Deployment keys-keyward-operator",
        "Job keys-keyward-keys",
        "PodDisruptionBudget keys-keyward-gate",
        "PodDisruptionBudget keys-keyward-operator",
        "Role keys-keyward-keys",
        "Role keys-keyward-operator",
        "RoleBinding keys-keyward-keys",
        "RoleBinding keys-keyward-operator",
        "Service keys-keyward-gate",
        "Service keys-keyward-gate-metrics",
        "Service keys-keyward-metrics",
        "ServiceAccount keys-keyward-keys",
        "ServiceAccount keys-keyward-operator",
      ]
    `);
  });
});

describe('guard rails', () => {
  test.each([
    ['replicaCount=2', 'two operators on one SQLite file would lose keys'],
    ['gate.replicaCount=2', "the gate lives in the operator's pod"],
    ['gate.autoscaling.enabled=true', "the gate lives in the operator's pod"],
    ['database.embedded.persistence.enabled=false', 'loses every key with the pod'],
    ['database.embedded.acceptEphemeral=true', 'set one of the two'],
    ['database.type=PostgreSQL', 'needs database.postgresql.existingSecret'],
    ['masterKey.create=false', 'needs masterKey.existingSecret'],
    ['serviceMonitor.enabled=true,podMonitor.enabled=true', 'choose one'],
    ['webhook.url=https://hooks.example.com', 'needs webhook.existingSecret'],
    ['gate.tls.clientCertificates=true', 'needs gate.tls.existingSecret'],
    ['serviceAccount.create=false', 'needs serviceAccount.name'],
    ['gate.terminationGracePeriodSeconds=5', 'or calls are cut off'],
    ['gate.drainSeconds=30', 'or calls are cut off'],
    // Of the schema.
    ['nosuchvalue=1', "additional properties 'nosuchvalue' not allowed"],
    ['gate.service.nosuchvalue=1', "additional properties 'nosuchvalue' not allowed"],
    ['database.type=MySQL', "must be one of 'Embedded', 'PostgreSQL'"],
    ['database.embedded.persistence.accessModes={ReadWriteMany}', 'must be one of'],
    ['log.level=loud', 'must be one of'],
    ['fullnameOverride=UPPER', 'does not match pattern'],
  ])('%s is refused with a sentence', async (values, sentence) => {
    const { code, stderr } = await template(helm, [values]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(sentence) });
  });

  test('Kubernetes before 1.31 is refused', async () => {
    const { code, stderr } = await helm(['template', 'a', CHART, '--kube-version', '1.30.9']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('>=1.31') });
  });
});

describe('what comes from elsewhere', () => {
  const sources = (folder: string): readonly Rendered[] =>
    readdirSync(join(ROOT, folder))
      .filter((name) => name.endsWith('.yaml'))
      .flatMap((name) => objectsOf(readFileSync(join(ROOT, folder, name), 'utf8')));
  const find = (objects: readonly Rendered[], kind: string, name: string): Rendered | undefined =>
    objects.find((each) => each.kind === kind && each.metadata.name === name);

  test('kinds are those of crds/, to the last field', async () => {
    const rendered = objectsOf(await render(helm, []));
    for (const crd of sources('crds')) {
      expect(find(rendered, crd.kind, crd.metadata.name)?.['spec']).toEqual(crd['spec']);
    }
  });

  test("policies are those of deploy/admission, with the release's own account", async () => {
    const rendered = objectsOf(await render(helm, ['admissionPolicies.mutating=Always']));
    for (const source of [
      ...sources('deploy/admission'),
      ...sources('deploy/admission/mutating'),
    ]) {
      const expected = JSON.stringify(source['spec']).replaceAll(
        'keyward-system:keyward-operator',
        `${NAMESPACE}:${FULLNAME}-operator`,
      );
      expect(JSON.stringify(find(rendered, source.kind, source.metadata.name)?.['spec'])).toBe(
        expected,
      );
    }
  });

  test.each([
    ['deploy/rbac', []],
    ['deploy/rbac/restart', ['rbac.restartWorkloads=true']],
    ['deploy/rbac/metrics', ['metrics.auth=Delegated']],
    ['deploy/rbac/namespaced', ['watchNamespaces={team-a}']],
    ['deploy/rbac/namespaced/restart', ['watchNamespaces={team-a}', 'rbac.restartWorkloads=true']],
  ])('roles are those of %s', async (folder, values) => {
    const places: Readonly<Record<string, string>> = {
      'keyward-system': NAMESPACE,
      default: 'default',
      here: 'team-a',
    };
    const rendered = objectsOf(await render(helm, values));
    const roles = sources(folder).filter(({ kind }) => kind.endsWith('Role'));
    expect(roles.length).toBeGreaterThan(0);
    for (const { kind, metadata, rules } of roles) {
      const name = metadata.name.replace(/^keyward-operator/, `${FULLNAME}-operator`);
      const namespace = kind === 'Role' ? places[metadata.namespace ?? 'here'] : undefined;
      const found = rendered.find(
        (each) =>
          each.kind === kind &&
          each.metadata.name === name &&
          each.metadata.namespace === namespace,
      );
      expect(found?.['rules']).toEqual(rules);
    }
  });

  test('with secretWatch=None nobody gets the right to list Secrets', async () => {
    for (const scope of [[], ['watchNamespaces={team-a}']]) {
      // Two renders, one after the other.
      // oxlint-disable-next-line no-await-in-loop
      const rendered = await render(helm, ['secretWatch=None', ...scope]);
      const rules = objectsOf(rendered).flatMap(({ rules = [] }) => rules as readonly Rule[]);
      const listing = rules.filter(
        ({ resources = [], verbs }) => resources.includes('secrets') && verbs.includes('list'),
      );
      expect(listing).toEqual([]);
    }
  });
});

type Rule = { readonly resources?: readonly string[]; readonly verbs: readonly string[] };

test('every value is used by a template', () => {
  const templates = readdirSync(join(CHART, 'templates'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(yaml|tpl|txt)$/.test(name))
    .map((name) => readFileSync(join(CHART, 'templates', name), 'utf8'))
    .join('\n');
  const unused = readValues(readFileSync(join(CHART, 'values.yaml'), 'utf8'))
    .flatMap(({ values }) => values.flatMap(leavesOf))
    .filter(({ key }) => !new RegExp(`\\.${key}\\b`).test(templates));
  expect(unused.map(({ path }) => path)).toEqual([]);
});

describe('notes', () => {
  const notes = async (...values: readonly string[]): Promise<string> => {
    const sets = values.flatMap((value) => ['--set', value]);
    const where = ['install', 'keys', CHART, '-n', NAMESPACE, '--dry-run=client'];
    const { stdout } = await helm([...where, ...sets]);
    return stdout.slice(stdout.indexOf('\nNOTES:'));
  };

  test('give the next commands with the names of the release, and warn about nothing by default', async () => {
    const text = await notes();
    expect(text).toContain(`kubectl rollout status statefulset/${FULLNAME} -n ${NAMESPACE}`);
    expect(text).toContain(`kubectl get secret ${FULLNAME}-master-key -n ${NAMESPACE}`);
    expect(text).toContain(`http://${FULLNAME}-gate.${NAMESPACE}.svc:8180`);
    expect(text).not.toContain('Look at this first');
  });

  test.each([
    [
      'database.embedded.persistence.enabled=false,database.embedded.acceptEphemeral=true',
      'lost with the pod',
    ],
    ['database.embedded.persistence.retain=false', 'helm uninstall deletes the database'],
    ['crds.keep=false', 'helm uninstall deletes the kinds'],
    ['admissionPolicies.enabled=false', 'applications are not approved'],
    [
      'database.type=PostgreSQL,database.postgresql.existingSecret=db',
      "Gates use the operator's account",
    ],
    ['gate.unlisted=Allow', 'any good key gets through'],
    [`watchNamespaces={${NAMESPACE}}`, 'beside the master key'],
    ['replicaCount=0', 'nothing runs'],
    ['image.tag=latest', 'not the same image tomorrow'],
  ])('%s is warned about', async (values, sentence) => {
    expect(await notes(values)).toContain(sentence);
  });
});

test('the overlays for kustomize are what the chart renders; else run: npm run overlays', async () => {
  for (const [path, text] of await overlayFiles(helm)) {
    expect({ path, text: readFileSync(join(ROOT, path), 'utf8') }).toEqual({ path, text });
  }
});
