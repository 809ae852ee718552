/**
 * npm run overlays: renders deploy/base and deploy/overlays from the chart, for those who use kustomize. With
 * --check nothing is written, and files that would change make it fail. npm run generate does it as well where
 * Helm was built already.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { openHelm, type Helm } from '../../control-plane/helm.ts';

const ROOT = join(import.meta.dirname, '../..');
const NAMESPACE = 'keyward-system';

/** An installation as people choose it: the folder and what the chart is told. */
const OVERLAYS: Readonly<Record<string, readonly string[]>> = {
  embedded: [],
  postgresql: [
    'database.type=PostgreSQL',
    'database.postgresql.existingSecret=keyward-database',
    'database.postgresql.gate.existingSecret=keyward-gate-database',
  ],
  namespaced: ['watchNamespaces={team-a}'],
};

/** Files that only kustomize has; nothing of Helm's is left in them. */
const COMMON = [
  'keyJob.asHook=false',
  'crds.keep=false',
  'database.embedded.persistence.retain=false',
];

const ORIGIN = '# Rendered from charts/keyward by "npm run overlays"; edit the chart.\n';

const NAMESPACE_TEXT = `${ORIGIN}apiVersion: v1
kind: Namespace
metadata:
  name: ${NAMESPACE}
  labels:
    app.kubernetes.io/part-of: keyward
    pod-security.kubernetes.io/enforce: restricted
`;

/** Path below the repository and text of each file, deterministic. */
export async function overlayFiles(helm: Helm): Promise<ReadonlyMap<string, string>> {
  const rendered = new Map<string, readonly string[]>();
  for (const [name, values] of Object.entries(OVERLAYS)) {
    // One after the other: there are three.
    // oxlint-disable-next-line no-await-in-loop
    rendered.set(name, documentsOf(await render(helm, [...COMMON, ...values])));
  }
  const [first = [], ...others] = rendered.values();
  const isShared = (text: string): boolean => others.every((texts) => texts.includes(text));
  const shared = first.filter(isShared);
  const base = byFile(shared);
  const files = new Map<string, string>([
    ['deploy/base/namespace.yaml', NAMESPACE_TEXT],
    ['deploy/base/kustomization.yaml', kustomization(['namespace.yaml', ...base.keys()])],
    ...[...base].map(([name, texts]) => [`deploy/base/${name}`, manifest(texts)] as const),
  ]);
  for (const [name, texts] of rendered) {
    const folder = `deploy/overlays/${name}`;
    files.set(`${folder}/keyward.yaml`, manifest(texts.filter((text) => !isShared(text))));
    files.set(`${folder}/kustomization.yaml`, kustomization(['../../base', 'keyward.yaml']));
  }
  return files;
}

async function render(helm: Helm, values: readonly string[]): Promise<string> {
  const sets = values.flatMap((value) => ['--set', value]);
  const where = [join(ROOT, 'charts/keyward'), '--namespace', NAMESPACE];
  const { stdout, stderr, code } = await helm(['template', 'keyward', ...where, ...sets]);
  if (code !== 0) throw new Error(`helm template failed: ${stderr}`);
  return stdout;
}

/** Without what Helm notes for itself. */
function documentsOf(text: string): readonly string[] {
  return text
    .split(/^---\n/m)
    .map((document) =>
      document
        .replaceAll(/^# Source: .*\n/gm, '')
        .replaceAll(/^ +(helm\.sh\/chart|app\.kubernetes\.io\/managed-by): .*\n/gm, '')
        .trim(),
    )
    .filter((document) => document !== '');
}

/** What all overlays have: kinds, policies, and the rest, by the kind of object. */
function byFile(documents: readonly string[]): ReadonlyMap<string, readonly string[]> {
  return Map.groupBy(documents, (document) => {
    // Parser: what Helm renders is an object with a kind.
    const { kind } = parse(document) as { readonly kind: string };
    if (kind === 'CustomResourceDefinition') return 'crds.yaml';
    return kind.startsWith('ValidatingAdmissionPolicy') ? 'admission.yaml' : 'accounts.yaml';
  });
}

function kustomization(resources: readonly string[]): string {
  return `${ORIGIN}apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
${resources.map((each) => `- ${each}\n`).join('')}`;
}

function manifest(documents: readonly string[]): string {
  return `${ORIGIN}${documents.map((text) => `---\n${text}\n`).join('')}`;
}

async function main(): Promise<void> {
  const opened = await openHelm();
  try {
    const isCheck = process.argv.includes('--check');
    for (const [path, text] of await overlayFiles(opened.helm)) {
      const file = join(ROOT, path);
      if (existsSync(file) && readFileSync(file, 'utf8') === text) continue;
      console.log(`${isCheck ? 'out of date' : 'wrote'} ${path}`);
      if (isCheck) process.exitCode = 1;
      else {
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, text);
      }
    }
  } finally {
    await opened.close();
  }
}

if (import.meta.main) await main();
