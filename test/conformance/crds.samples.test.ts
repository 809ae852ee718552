/** What ships beside the code: samples and sizes. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { freshNamespace, sharedControlPlane } from '../support/controlplane.ts';
import { policiesInForce, senderTo } from './crds.apiserver.ts';

const access = sharedControlPlane();
const send = senderTo(access);
const ROOT = join(import.meta.dirname, '../..');
let namespace = '';

beforeAll(async () => {
  namespace = await freshNamespace(access, 'crds');
  await policiesInForce(send, namespace);
});

it('every sample is accepted as it stands', async () => {
  const args = ['apply', '--server-side', '--dry-run=server', '--validate=strict', '-n', namespace];
  const said = await access.mustKubectl([...args, '-R', '-f', join(ROOT, 'samples')]);
  expect(said.trim().split('\n').length).toBeGreaterThanOrEqual(33);
});

it('every object in the samples has a comment of one line before it that says what it shows', () => {
  const documents = readdirSync(join(ROOT, 'samples'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml'))
    .flatMap((name) => readFileSync(join(ROOT, 'samples', name), 'utf8').split('---\n'));
  for (const text of documents) expect(text).toMatch(/^# [^\n]+\.\napiVersion: /);
});

it('R95 R117 R121 R123 the forms of one sample are edits of one form that the API server allows', async () => {
  for (const system of ['visitseoul', 'digirunner']) {
    const folder = join(ROOT, 'samples', system);
    const forms = readdirSync(folder).filter((name) => /^[2-5]0-/.test(name));
    expect(forms.length).toBeGreaterThanOrEqual(2);
    for (const name of forms.toSorted()) {
      const args = ['apply', '--server-side', '--validate=strict', '-n', namespace];
      const said = await access.mustKubectl([...args, '-f', join(folder, name)]);
      expect(said).toContain('apikeyapplication.keyward.dev/');
    }
  }
});

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
