/**
 * Settings for Argo CD from the Lua scripts in contrib/argocd: one text for the ConfigMap argocd-cm,
 * which people apply as a patch and the chart renders.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';

const GROUP = 'keyward.dev';
const INTRO = `# Health and actions of Keyward's kinds for Argo CD, as settings of its ConfigMap argocd-cm.
# Written by \`npm run generate\` from contrib/argocd/resource_customizations; edit the scripts there.
`;

/** The settings by their key, in the order of their kinds; `folder` holds one folder for each kind. */
export function argoSettings(folder: string): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  for (const kind of readdirSync(folder).toSorted()) {
    const at = join(folder, kind);
    settings.set(`resource.customizations.health.${GROUP}_${kind}`, script(join(at, 'health.lua')));
    if (!existsSync(join(at, 'actions'))) continue;
    settings.set(`resource.customizations.actions.${GROUP}_${kind}`, actions(join(at, 'actions')));
  }
  return settings;
}

/** The settings as a patch of argocd-cm, for `kubectl patch --patch-file` and for kustomize. */
export function argoPatch(settings: ReadonlyMap<string, string>): string {
  const metadata = { name: 'argocd-cm' };
  const data = Object.fromEntries(settings);
  return INTRO + yaml({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data });
}

/** The settings alone, for the chart. */
export function argoData(settings: ReadonlyMap<string, string>): string {
  return INTRO + yaml(Object.fromEntries(settings));
}

/** What Argo CD wants to know of the actions of a kind, as one YAML text. */
function actions(folder: string): string {
  const definitions = readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'action.lua')))
    .toSorted()
    .map((name) => ({ name, 'action.lua': script(join(folder, name, 'action.lua')) }));
  return yaml({ 'discovery.lua': script(join(folder, 'discovery.lua')), definitions });
}

function yaml(value: object): string {
  return stringify(value, { lineWidth: 0, blockQuote: 'literal' });
}

function script(file: string): string {
  return readFileSync(file, 'utf8');
}
