/** What ships beside the code: samples and sizes. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { ClusterKeyStoreSpec as KeyStoreSpec } from '../../src/api/generated/clusterkeystore.ts';
import { problemsOf } from '../../src/terms/completeness.ts';
import type { FormSpec } from '../../src/terms/form.ts';
import { freshNamespace, sharedControlPlane } from '../support/controlplane.ts';
import { accepted, API, outcome, policiesInForce, senderTo } from './crds.apiserver.ts';

const access = sharedControlPlane();
const send = senderTo(access);
const ROOT = join(import.meta.dirname, '../..');
let namespace = '';

/** As far as it is looked at; our own files. */
type Form = FormSpec & Readonly<Record<string, unknown>>;
type Sample = {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: Form;
};

/** Manifests below a folder, relative to it. */
function filesIn(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml'))
    .toSorted();
}

beforeAll(async () => {
  namespace = await freshNamespace(access, 'crds');
  await policiesInForce(send, namespace);
});

it('every sample is accepted as it stands', async () => {
  const args = ['apply', '--server-side', '--dry-run=server', '--validate=strict', '-n', namespace];
  // samples/gitops has namespaces of its own and is applied for real in test/integration/operator/gitops.test.ts.
  const files = filesIn('samples').filter((name) => !name.startsWith('gitops/'));
  const said = await access.mustKubectl([
    ...args,
    ...files.flatMap((name) => ['-f', join(ROOT, 'samples', name)]),
  ]);
  expect(said.trim().split('\n').length).toBeGreaterThanOrEqual(11);
});

it('every object in the samples has a comment of one line before it that says what it shows', () => {
  const documents = filesIn('samples').flatMap((name) =>
    readFileSync(join(ROOT, 'samples', name), 'utf8').split('---\n'),
  );
  for (const text of documents) expect(text).toMatch(/^# [^\n]+\.\napiVersion: /);
});

describe.each(['visitseoul', 'digirunner'])('the forms of %s', (system) => {
  const objects = readdirSync(join(ROOT, 'samples', system))
    .toSorted()
    .flatMap((name) => parseAllDocuments(readFileSync(join(ROOT, 'samples', system, name), 'utf8')))
    .map((document) => document.toJS() as Sample);
  const forms = objects.filter(({ kind }) => kind === 'ApiKeyApplication');
  const store = objects.find(({ kind }) => kind === 'ClusterKeyStore')?.spec as unknown;
  const products = objects.filter(({ kind }) => kind === 'ApiProduct');

  it('R7 R8 R9 R102 R105 R109 R113 R114 R118 say all that the store of the sample requires, but for drafts', () => {
    expect(forms.length).toBeGreaterThan(0);
    for (const { metadata, spec } of forms) {
      const found = problems(spec, store as KeyStoreSpec, products);
      const isDraft = spec['submission'] === 'Draft';
      expect([metadata.name, found.length > 0, found]).toEqual([
        metadata.name,
        isDraft,
        isDraft ? found : [],
      ]);
    }
  });

  it('R29 R99 name the client and the store of the sample', () => {
    const clients = objects.filter(({ kind }) => kind === 'ApiClient');
    for (const { spec } of forms) {
      expect(clients.map(({ metadata }) => metadata)).toContainEqual(spec['clientRef']);
      expect(spec['storeRef']).toEqual({ kind: 'ClusterKeyStore', name: system });
    }
  });

  it('R117 R121 R123 can be applied one after another', async () => {
    for (const form of forms) {
      const path = `${API}/namespaces/${namespace}/apikeyapplications`;
      const edit = { method: 'PATCH', path: `${path}/${form.metadata.name}`, body: form } as const;
      const edited = await send(edit);
      const isNew = edited.code === 404;
      const applied = isNew ? await send({ method: 'POST', path, body: form }) : edited;
      expect(outcome(applied)).toBe(accepted);
    }
  });
});

/** What keeps a form from review on the day the samples are about. */
function problems(
  spec: Form,
  store: KeyStoreSpec,
  products: readonly Sample[],
): readonly unknown[] {
  const { requiredFields = [], requiredFor, layers } = store.applications;
  const rules = {
    requiredFields: [...requiredFields],
    mode: 'Manual',
    requiredFor: [...requiredFor],
    ...(layers !== undefined && { layers }),
    timeZone: store.defaults.timeZone ?? '',
    abilities: {
      formats: ['KeyPair', 'Opaque'],
      displayNameMax: 255,
      descriptionMax: 500,
      terms: ['quota', 'originPolicy', 'cidrs', 'productRefs'],
    },
  } as const;
  return problemsOf(spec, rules, {
    nowMs: Date.parse('2026-12-01T00:00:00Z'),
    round: 'Issue',
    apiKeyName: 'sample',
    client: 'Active',
    products: new Map(products.map(({ metadata }) => [metadata.name, 'Published'])),
  });
}

it('every CRD stays below 200 KiB, so that any way of applying it works', () => {
  for (const name of readdirSync(join(ROOT, 'crds'))) {
    expect(statSync(join(ROOT, 'crds', name)).size).toBeLessThan(200 * 1024);
  }
});

it('the kinds are in category keyward and not in category all', async () => {
  const listed = async (category: string): Promise<readonly string[]> => {
    const args = [
      'api-resources',
      '--api-group=keyward.dev',
      `--categories=${category}`,
      '-o=name',
    ];
    return (await access.mustKubectl(args)).trim().split('\n');
  };
  expect(await listed('keyward')).toEqual([
    'apiclients.keyward.dev',
    'apikeyapplications.keyward.dev',
    'apikeyreviews.keyward.dev',
    'apikeys.keyward.dev',
    'apiproducts.keyward.dev',
    'clusterkeystores.keyward.dev',
    'keystores.keyward.dev',
  ]);
  expect(await listed('all')).toEqual(['']);
});

it('service binding controllers find ApiKeys by the label of the CRD', async () => {
  const args = ['get', 'crd', '-l', 'servicebinding.io/provisioned-service=true', '-o', 'name'];
  expect(await access.mustKubectl(args)).toContain('apikeys.keyward.dev');
});
