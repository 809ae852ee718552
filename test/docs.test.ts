/** What can be checked of pages without running what they say: their links, and the names of our commands. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const PAGES = globSync('**/*.md', {
  cwd: ROOT,
  exclude: (name) => /^(node_modules|dist)$/.test(name),
});

const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8');

/** The page without blocks of code, in which brackets and hashes mean other things. */
const prose = (page: string): string => read(page).replaceAll(/^ *```.*?^ *```/gms, '');

/** As GitHub names headings: lower case, no signs, hyphens for spaces, a number behind the second of a name. */
function anchorsOf(page: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of prose(page).matchAll(/^#+ (.+)$/gm)) {
    const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = words.replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-');
    let anchor = slug;
    for (let more = 1; anchors.has(anchor); more += 1) anchor = `${slug}-${more}`;
    anchors.add(anchor);
  }
  return anchors;
}

function brokenLinks(page: string): readonly string[] {
  const links = [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : join(dirname(page), path);
    if (!existsSync(join(ROOT, target))) return true;
    return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).has(anchor);
  });
}

test('every link of a page leads to a file of ours, and to a heading that it has', () => {
  const broken = PAGES.flatMap((page) => brokenLinks(page).map((link) => `${page}: ${link}`));
  expect(PAGES).toContain('README.md');
  expect(broken).toEqual([]);
});

test('every npm script that a page names is there', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const unknown = PAGES.flatMap((page) =>
    [...read(page).matchAll(/npm run (?:-s )?([a-z][\w:-]*)/g)]
      .filter(([, name = '']) => !(name in scripts))
      .map(([command]) => `${page}: ${command}`),
  );
  expect(unknown).toEqual([]);
});

test('every look at logs by a selector says how many lines, because kubectl shows ten otherwise', () => {
  const short = [...PAGES, 'charts/keyward/files/rules.yaml'].flatMap((page) =>
    [...read(page).matchAll(/kubectl logs[^|`\n]*(?:\n +--[^|`\n]*)?/g)]
      .map(([command]) => command)
      .filter((command) => / -l | --selector/.test(command) && !command.includes('--tail'))
      .map((command) => `${page}: ${command}`),
  );
  expect(short).toEqual([]);
});

test('of overdue values the alert and its page name what holds up a key that is Ready', () => {
  const told = [
    read('docs/runbook.md').split('## KeywardRotationOverdue\n')[1]?.split('\n## ')[0],
    read('charts/keyward/files/rules.yaml')
      .split('alert: KeywardRotationOverdue\n')[1]
      ?.split('- alert:')[0],
  ];
  for (const text of told) {
    expect(text).toMatch(/StoreSynced/);
    expect(text).toMatch(/KeywardClockSkew/);
    expect(text).not.toMatch(/Rotating|suspended/);
  }
});

test('every look at the phase of keys is one into the database, because lists of the cluster have none', () => {
  const blind = PAGES.flatMap((page) =>
    read(page)
      .split('\n\n')
      .filter((part) => / phases? /.test(part) && /keyward keys`/.test(part))
      .map((part) => `${page}: ${part}`),
  );
  expect(blind).toEqual([]);
});

/** What a pod has to say where Pod Security is `restricted`, as in our own namespace. */
const RESTRICTED = {
  pod: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  container: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
};

test('every pod that a page runs is let in by restricted namespaces, and sees the end of what it reads', () => {
  const pods = PAGES.flatMap((page) =>
    [...read(page).matchAll(/--overrides='([^']*)'/g)].map(([, text = '']) => ({
      spec: (JSON.parse(text) as { readonly spec: PodSpec }).spec,
    })),
  );
  expect(pods).toHaveLength(2);
  for (const { spec } of pods) {
    expect(spec.securityContext).toMatchObject(RESTRICTED.pod);
    for (const { securityContext, stdin = false, stdinOnce = false } of spec.containers) {
      expect(securityContext).toMatchObject(RESTRICTED.container);
      expect(stdinOnce).toBe(stdin);
    }
  }
});

type PodSpec = {
  readonly securityContext: object;
  readonly containers: readonly {
    readonly securityContext: object;
    readonly stdin?: boolean;
    readonly stdinOnce?: boolean;
  }[];
};
