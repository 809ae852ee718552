/** The text of a release's notes. Pure. */

/** What is told beside the changes. */
export type ReleaseFacts = {
  /** Number of the newest schema of each database, by its name. */
  readonly schemas: Readonly<Record<string, number>>;
  /** The version that tests ran against. */
  readonly kubernetes: string;
  /** How many kinds are served. */
  readonly kinds: number;
};

/**
 * Notes in Markdown, with a line end: in front what removes or asks for something, so that whoever
 * upgrades reads it first. Undefined when the changelog has no such section.
 *
 * @param version as in the heading, without brackets
 */
export function notesText(
  changelog: string,
  version: string,
  { schemas, kubernetes, kinds }: ReleaseFacts,
): string | undefined {
  const section = sectionOf(changelog, version);
  if (section === undefined) return undefined;
  const parts = partsOf(section.body).toSorted((a, b) => rank(a.name) - rank(b.name));
  const databases = Object.entries(schemas).map(([name, schema]) => `${name} ${schema}`);
  const lines = [
    `# Keyward ${section.heading}`,
    '',
    ...parts.flatMap(({ name, text }) => [`## ${name}`, '', text, '']),
    '## Before you upgrade',
    '',
    `- Database schemas: ${databases.join(', ')}. Where one is newer than yours, a backup is the only way back.`,
    `- Kinds: ${kinds}. The chart brings them up to date; with kubectl apply \`crds/\` first.`,
    `- Tested against Kubernetes ${kubernetes}.`,
    '- docs/releases.md says what an upgrade promises.',
  ];
  return `${lines.join('\n')}\n`;
}

type Section = { readonly heading: string; readonly body: string };

function sectionOf(changelog: string, version: string): Section | undefined {
  const sections = changelog.split(/^## /m).slice(1);
  const found = sections.find((each) => each.startsWith(`[${version}]`));
  if (found === undefined) return undefined;
  const [heading = '', ...lines] = found.split('\n');
  return { heading: heading.replace(/[[\]]/g, '').trim(), body: lines.join('\n') };
}

/** Headings of the third level with what stands below. */
function partsOf(body: string): readonly { readonly name: string; readonly text: string }[] {
  return body
    .split(/^### /m)
    .slice(1)
    .map((part) => {
      const [name = '', ...lines] = part.split('\n');
      return { name: name.trim(), text: lines.join('\n').trim() };
    })
    .filter(({ text }) => text !== '');
}

/** What breaks something first. */
function rank(name: string): number {
  const order = ['Security', 'Removed', 'Deprecated', 'Changed', 'Fixed', 'Added'];
  const at = order.indexOf(name);
  return at === -1 ? order.length : at;
}
