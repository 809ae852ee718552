/**
 * npm run generate: writes every file that follows from another one.
 * With --check nothing is written, and files that would change make it fail.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { argoData, argoPatch, argoSettings } from './argocd.ts';
import { findBinary } from '../../control-plane/binaries.ts';
import { openHelm } from '../../control-plane/helm.ts';
import { apiReferencePage } from './api-reference.ts';
import { chartFiles, chartTemplates } from './chart.ts';
import { conditionsPage } from './conditions-page.ts';
import { configurationPage } from './configuration-page.ts';
import { dashboards } from './dashboards.ts';
import { keyStoreCrds, readDriverSchema, shippedDriverFolders } from './keystores.ts';
import { overlayFiles } from './overlays.ts';
import { rightsManifests } from './rbac.ts';
import { withRefusals } from './refusals.ts';
import { readCrd, type Crd } from './schema.ts';
import { withStates } from './states.ts';
import { typesOf } from './typescript.ts';

/** The kinds in the order of the reference page. */
const PLURALS = [
  'apikeys',
  'apikeyapplications',
  'apikeyreviews',
  'apiclients',
  'apiproducts',
  'keystores',
  'clusterkeystores',
];

const root = fileURLToPath(new URL('../../', import.meta.url));
const check = process.argv.includes('--check');
const differing: string[] = [];

for (const [name, text] of keyStoreCrds(shippedDriverFolders().map(readDriverSchema))) {
  emit(`crds/${name}`, text);
}
const crds: Crd[] = [];
for (const plural of PLURALS) {
  const source = `crds/keyward.dev_${plural}.yaml`;
  const crd = readCrd(join(root, source));
  crds.push(crd);
  emit(`src/api/generated/${crd.spec.names.kind.toLowerCase()}.ts`, await typesOf(crd, source));
}
emit('docs/api-reference.md', apiReferencePage(crds));
emit('docs/conditions.md', conditionsPage());
emit('docs/configuration.md', configurationPage());
for (const [path, text] of rightsManifests()) emit(path, text);
for (const [path, text] of dashboards()) emit(path, text);
for (const [path, text] of [...chartTemplates(root), ...chartFiles(root)]) emit(path, text);
const argo = argoSettings(join(root, 'contrib/argocd/resource_customizations/keyward.dev'));
emit('contrib/argocd/argocd-cm.yaml', argoPatch(argo));
emit('charts/keyward/files/argocd/argocd-cm.yaml', argoData(argo));
emit('docs/gate.md', withRefusals(readFileSync(join(root, 'docs/gate.md'), 'utf8')));
const guide = 'docs/guides/gitops.md';
emit(guide, withStates(readFileSync(join(root, guide), 'utf8'), join(root, 'contrib/states.yaml')));

// Only where it costs no build of Helm; a test of the chart compares in any case.
if (!check && (await findBinary('helm')) !== undefined) {
  const opened = await openHelm();
  for (const [path, text] of await overlayFiles(opened.helm)) emit(path, text);
  await opened.close();
}

if (differing.length > 0) {
  console.error(`out of date, run "npm run generate" and commit: ${differing.join(', ')}`);
  process.exitCode = 1;
}

function emit(path: string, text: string): void {
  const file = join(root, path);
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
  if (check) {
    differing.push(path);
    return;
  }
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  console.log(`wrote ${path}`);
}
