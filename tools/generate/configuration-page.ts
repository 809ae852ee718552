/** Writes docs/configuration.md from the lists of settings in src/config/settings.ts. */
import { FILE_KINDS, FILE_VERSION } from '../../src/config/file.ts';
import {
  flagOf,
  takes,
  variableOf,
  type Setting,
  type SettingType,
} from '../../src/config/setting.ts';
import { SETTINGS, type Program } from '../../src/config/settings.ts';

const INTRO = `# Configuration of operator and gate

<!-- Written by \`npm run generate\` from src/config/settings.ts; edit that. -->

Each setting can be given in three ways, and the first that is there holds:

1. a flag, such as \`--watch-namespaces=team-a,team-b\`;
2. an environment variable, such as \`KEYWARD_WATCH_NAMESPACES=team-a,team-b\` (an empty one counts as absent, blanks and line ends
   around a value are cut off);
3. a line of the file that \`--config FILE\` or \`KEYWARD_CONFIG\` names, such as \`watchNamespaces: [team-a, team-b]\`.

Else the default holds. All of it is read once, when the server starts.

Commands that work on the database (\`restore\`, \`import\`, \`database backup\`, \`identify\`, \`debts\`, \`audit\`, \`keys\` and those below it) take \`--config FILE\`, too:
what neither a flag nor a variable says of database, master key and vendors they read where the operator does.

## The file

\`\`\`yaml
apiVersion: ${FILE_VERSION}
kind: ${FILE_KINDS.operator}
database: sqlite:///var/lib/keyward/keyward.db
masterKeyFile: /etc/keyward/master-key/master-key
watchNamespaces: [team-a, team-b]
secretWatch: none
---
apiVersion: ${FILE_VERSION}
kind: ${FILE_KINDS.gate}
database: sqlite:///var/lib/keyward/keyward.db
gateKeyFile: /etc/keyward/gate-key/gate-key
keyHeaders: [X-API-Key]
\`\`\`

YAML 1.2, with \`apiVersion\` and \`kind\` as the configuration files of Kubernetes' own components have them, and then one line for
each setting in camel case. Both servers may share a file: each reads the document of its kind. Values have the types of YAML: lists
are lists, numbers stand without quotes. A password belongs into a variable that comes from a Secret, not into a ConfigMap.

## What is refused

A server does not start with a setting that it does not understand, and says in one sentence which and where:

- an unknown line of the file, with file, line and the nearest setting:
  \`keyward.yaml:5: 'watchNamespace' is no setting of the operator; did you mean watchNamespaces?\`
- a value of another type or out of bounds: \`keyward.yaml:6: workers takes a whole number from 1 to 1000, not 0\`
- the same line twice, a file that cannot be read, and one without a document of the server's kind;
- an environment variable that begins with \`KEYWARD_\` and is no setting of either server:
  \`KEYWARD_WORKRS is no setting; did you mean KEYWARD_WORKERS?\`

Variables that Kubernetes puts into pods for Services called \`keyward\` or \`keyward-…\` (\`KEYWARD_SERVICE_HOST\`,
\`KEYWARD_PORT=tcp://…\`, \`KEYWARD_GATE_PORT_8180_TCP_ADDR\` and their like) are left alone, and so are those of our own tests and
tools: \`KEYWARD_TEST_…\`, \`KEYWARD_CACHE\`, \`KEYWARD_ENVOY\`, \`KEYWARD_RACE_SEED\` and \`KEYWARD_WALKS\`.

## What is in force

\`keyward config print [operator|gate]\` takes the flags of that server, reads the same variables and the same file, and prints every
setting with its value and where that came from, as a file that \`--config\` takes. Passwords in addresses, and all behind the host of
a webhook, are shown as \`***\`. With \`-o json\` it prints \`{"program", "settings": [{"name", "flag", "variable", "value", "from"}]}\`.
When something would keep the server from starting, it says so and ends with 1. In a pod:

\`\`\`sh
kubectl exec -n keyward-system keyward-0 -c operator -- keyward config print
\`\`\`

shows what variables and file give (with PostgreSQL: \`deploy/keyward-operator\`); flags stand in the manifest of the pod.
`;

const TITLES: Readonly<Record<Program, string>> = {
  operator: '## Settings of the operator\n',
  gate: '## Settings of the gate\n',
};

/** The whole page, deterministic. */
export function configurationPage(): string {
  const programs: readonly Program[] = ['operator', 'gate'];
  const parts = programs.map(
    (program) => `${TITLES[program]}\n${settingsTable(SETTINGS[program])}`,
  );
  return [INTRO, ...parts].join('\n');
}

function settingsTable(settings: readonly Setting[]): string {
  const rows = settings
    .filter(({ visibility }) => visibility !== 'Hidden')
    .map((setting) => {
      const names = `\`--${flagOf(setting)}\`<br>\`${variableOf(setting)}\``;
      const type = cell(typeText(setting.type));
      const line = setting.name === 'config' ? '' : `\`${setting.name}\``;
      return `| ${line} | ${names} | ${type} | ${cell(defaultText(setting))} | ${cell(setting.meaning)} |`;
    });
  return `${['| in the file | flag, variable | takes | default | |', '| --- | --- | --- | --- | --- |', ...rows].join('\n')}\n`;
}

function typeText(type: SettingType): string {
  switch (type.kind) {
    case 'Text':
      return `\`${type.form}\``;
    case 'List':
      return `list of \`${type.form}\`, in flag and variable with commas`;
    case 'Choice':
      return type.choices.map((choice) => `\`${choice}\``).join(', ');
    case 'Number':
      return takes(type);
    case 'Truth':
      return type.flag === 'Bare' ? 'true, false; the flag has no value' : 'true, false';
  }
}

function defaultText(setting: Setting): string {
  if (setting.required !== undefined) return 'required';
  if (setting.default === undefined) return setting.without ?? 'none';
  return `\`${String(setting.default)}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/<(?=[^>]*>)(?![^`]*`)/g, '&lt;');
}
