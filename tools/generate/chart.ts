/**
 * What the chart takes from elsewhere: kinds, policies and roles, with the few names that a release chooses
 * itself put in as template expressions.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readValues, schemaOf, tablesOf } from './chart-values.ts';

/** Namespace and account in the sources. */
const NAMESPACE = 'keyward-system';
const ACCOUNT = 'keyward-operator';
const ACCOUNT_IN_RULES = `${NAMESPACE}:${ACCOUNT}`;

const LABELS = '{{- include "keyward.labels" $ | nindent 4 }}';
const PLAIN_LABELS = 'labels: {app.kubernetes.io/part-of: keyward}';
const ANNOTATIONS =
  '{{- with include "keyward.annotations" (list $ dict) }}{{ . | nindent 2 }}{{ end }}';

/** Template and source, below the repository; condition under which all of it is rendered. */
type Part = { readonly target: string; readonly text: string; readonly when: string };

/** Path below the repository and text of each generated template, deterministic. */
export function chartTemplates(root: string): ReadonlyMap<string, string> {
  const read = (path: string): string => readFileSync(join(root, path), 'utf8');
  const folder = (path: string): readonly string[] =>
    readdirSync(join(root, path))
      .filter((name) => name.endsWith('.yaml'))
      .toSorted();
  const parts: Part[] = [
    ...folder('crds').map((name) => ({
      target: `crds/${name.replace('keyward.dev_', '')}`,
      text: crd(read(`crds/${name}`)),
      when: '.Values.crds.install',
    })),
    ...folder('deploy/admission').map((name) => ({
      target: `admission/${name}`,
      text: policy(read(`deploy/admission/${name}`)),
      when: '.Values.admissionPolicies.enabled',
    })),
    ...folder('deploy/admission/mutating').map((name) => ({
      target: `admission/mutating/${name}`,
      text: policy(read(`deploy/admission/mutating/${name}`)),
      when: 'include "keyward.mutating" .',
    })),
    ...roles(read),
  ];
  return new Map(
    parts.map(({ target, text, when }) => [
      `charts/keyward/templates/${target}`,
      `{{- /* Written by "npm run generate" from the manifests of the same name; edit those. */}}\n{{- if ${when} }}\n${text}{{- end }}\n`,
    ]),
  );
}

function roles(read: (path: string) => string): readonly Part[] {
  const wide = 'not .Values.watchNamespaces';
  const scoped = '.Values.watchNamespaces';
  const restart = '.Values.rbac.restartWorkloads';
  const part = (source: string, target: string, when: string): Part => ({
    target: `rbac/${target}`,
    text: role(read(`deploy/rbac/${source}`)),
    when: `and .Values.rbac.create ${when}`,
  });
  return [
    part('operator.yaml', 'operator.yaml', `(${wide})`),
    part('namespaced/operator.yaml', 'namespaced.yaml', scoped),
    inEach(part('namespaced/watched.yaml', 'watched.yaml', scoped)),
    part('restart/restart.yaml', 'restart.yaml', `${restart} (${wide})`),
    inEach(part('namespaced/restart/restart.yaml', 'restart-watched.yaml', `${restart} ${scoped}`)),
    part('metrics/metrics.yaml', 'metrics.yaml', '(eq .Values.metrics.auth "Delegated")'),
    {
      target: 'rbac/people.yaml',
      text: people(read('deploy/rbac/people.yaml')),
      when: '.Values.rbac.create',
    },
  ];
}

/** Of a role that every watched namespace gets. */
function inEach({ text, ...part }: Part): Part {
  const here = text.replaceAll(/^ {2}labels:/gm, '  namespace: {{ $namespace }}\n  labels:');
  return {
    ...part,
    text: `{{- range $namespace := .Values.watchNamespaces }}\n---\n${here}{{- end }}\n`,
  };
}

function crd(source: string): string {
  const text = withoutOpening(literal(source));
  const head =
    /^metadata:\n {2}name: (\S+)\n {2}labels:\n {4}app\.kubernetes\.io\/part-of: keyward\n/m;
  return changed(
    text,
    head,
    (_, name) => `metadata:
  name: ${name}
  {{- with include "keyward.crdAnnotations" $ }}{{ . | nindent 2 }}{{ end }}
  labels:
    ${LABELS}
`,
  );
}

function policy(source: string): string {
  const text = literal(source).replaceAll(
    ACCOUNT_IN_RULES,
    '{{ include "keyward.accountPattern" $ }}',
  );
  return labelled(text);
}

function role(source: string): string {
  const documents = withoutOpening(literal(source)).split(/^---\n/m);
  return labelled(documents.map((document) => secretWatch(named(document))).join('---\n'));
}

/** Names of the objects and of the account; those within rules are of objects that have no other. */
function named(document: string): string {
  return document
    .replaceAll(
      /^( {2}name: )keyward-operator(-\w+)?$/gm,
      (_, field: string, suffix = '') =>
        `${field}{{ include "keyward.fullname" $ }}-operator${String(suffix)}`,
    )
    .replace(
      /^subjects:\n- kind: ServiceAccount\n {2}name: .*$/m,
      'subjects:\n- kind: ServiceAccount\n  name: {{ include "keyward.account" $ }}',
    )
    .replaceAll(
      new RegExp(`^( {2}namespace: )${NAMESPACE}$`, 'gm'),
      '$1{{ include "keyward.namespace" $ }}',
    );
}

const SECRET_WATCH =
  /(?:^#.*\n)+^- apiGroups: \[""\]\n {2}resources: \[secrets\]\n {2}verbs: \[list, watch\]\n/m;

/** The right to follow Secrets, only where it is used. */
function secretWatch(document: string): string {
  return document.replace(
    SECRET_WATCH,
    (rule) => `{{- if eq $.Values.secretWatch "Metadata" }}\n${rule}{{- end }}\n`,
  );
}

/** Roles for people keep their names, which the documentation tells; who gets them by himself is a choice. */
function people(source: string): string {
  const text = literal(source)
    .replaceAll(
      /^ {4}rbac\.authorization\.k8s\.io\/aggregate-to-(\w+): "true"\n/gm,
      (line, to: string) => `    {{- if $.Values.rbac.aggregate.${to} }}\n${line}    {{- end }}\n`,
    )
    .replaceAll(
      /^ {2}labels:\n {4}app\.kubernetes\.io\/part-of: keyward\n/gm,
      `  ${ANNOTATIONS}\n  labels:\n    ${LABELS}\n`,
    )
    .split(/^---\n/m)
    .map((document) =>
      document.includes('servicebinding.io/controller')
        ? `{{- if $.Values.rbac.serviceBinding }}\n---\n${document}{{- end }}\n`
        : `---\n${document}`,
    );
  return labelled(text.join(''));
}

function labelled(text: string): string {
  const result = text.replaceAll(`  ${PLAIN_LABELS}\n`, `  ${ANNOTATIONS}\n  labels: ${LABELS}\n`);
  if (result.includes(NAMESPACE)) throw new Error(`a manifest still has ${NAMESPACE} in it`);
  return result;
}

/** What Helm would take for an expression, as text. */
function literal(text: string): string {
  return text.replaceAll('{{', '{{ "{{" }}');
}

/** The remarks above a source are for those who edit it. */
function withoutOpening(text: string): string {
  return text.replace(/^(#.*\n)+(---\n)?/, '');
}

function changed(
  text: string,
  pattern: RegExp,
  replacement: (match: string, group: string) => string,
): string {
  if (!pattern.test(text)) throw new Error(`a manifest does not have ${pattern.source}`);
  return text.replace(pattern, replacement);
}

/** Path and text of what follows from the chart's values.yaml and from package.json. */
export function chartFiles(root: string): ReadonlyMap<string, string> {
  const read = (path: string): string => readFileSync(join(root, path), 'utf8');
  const sections = readValues(read('charts/keyward/values.yaml'));
  const { version } = JSON.parse(read('package.json')) as { version: string };
  return new Map([
    ['charts/keyward/values.schema.json', schemaOf(sections)],
    [
      'charts/keyward/README.md',
      changed(
        read('charts/keyward/README.md'),
        /(<!-- values -->\n)[^]*(?=<!-- end of values -->)/,
        (_, opening) => `${opening}\n${tablesOf(sections)}\n`,
      ),
    ],
    [
      'charts/keyward/Chart.yaml',
      read('charts/keyward/Chart.yaml').replaceAll(
        /^(version|appVersion): .*$/gm,
        (_, field: string) => `${field}: ${version}`,
      ),
    ],
  ]);
}
