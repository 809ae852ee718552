/**
 * The chart's values.yaml read with its comments: what each value is for, its default, its schema. From
 * it follow values.schema.json and the tables in the chart's README.
 */
import { isMap, parse, parseDocument } from 'yaml';

/** One value, or a group of them. */
export type Value = {
  /** As `helm install --set` takes it. */
  readonly path: string;
  readonly key: string;
  /** The comment above it; empty for groups that need none. */
  readonly purpose: string;
  /** What the lines with "# @" say. */
  readonly hint: Readonly<Record<string, unknown>>;
  readonly fallback: unknown;
  readonly children: readonly Value[];
};

/** What stands under one heading. */
export type Section = { readonly title: string; readonly values: readonly Value[] };

type Line = {
  readonly depth: number;
  readonly key: string;
  readonly purpose: string;
  readonly hint: object;
};

/** The newest that all versions of Helm read. */
const SCHEMA = 'http://json-schema.org/draft-07/schema#';

/** The sections of values.yaml. @throws Error where a value has no comment, or a comment no value */
export function readValues(text: string): readonly Section[] {
  const [, ...parts] = text.split(/^# == (.+)\n/m);
  const document = parseDocument(text);
  if (!isMap(document.contents)) throw new Error('values.yaml is not a map');
  const values: unknown = document.toJS();
  const sections: Section[] = [];
  for (let at = 0; at < parts.length; at += 2) {
    const lines = readLines(parts[at + 1] ?? '');
    sections.push({ title: parts[at] ?? '', values: nest(lines, 0, '', values) });
  }
  return sections;
}

/** values.schema.json; what it does not name is refused. */
export function schemaOf(sections: readonly Section[]): string {
  const values = sections.flatMap((section) => section.values);
  const root = { $schema: SCHEMA, title: 'Values of the chart keyward', ...groupSchema(values) };
  return `${JSON.stringify(root, null, 2)}\n`;
}

/** One table per section, in Markdown. */
export function tablesOf(sections: readonly Section[]): string {
  return sections
    .map(({ title, values }) => {
      const rows = values.flatMap(leavesOf).map(rowOf);
      return `### ${title}\n\n| value | default | |\n| --- | --- | --- |\n${rows.join('')}`;
    })
    .join('\n');
}

function readLines(text: string): readonly Line[] {
  const lines: Line[] = [];
  let purpose: string[] = [];
  let hints: string[] = [];
  for (const line of text.split('\n')) {
    const [, spaces = '', comment, key] = /^( *)(?:# (.*)|([A-Za-z]\w*):.*)$/.exec(line) ?? [];
    if (comment?.startsWith('@ ') === true) hints.push(comment.slice(2));
    else if (comment !== undefined) purpose.push(comment);
    if (key === undefined) continue;
    // Parser: a hint is a map in flow form; what it says is checked where the schema is used.
    const hint = Object.assign({}, ...hints.map((each) => parse(each) as object)) as object;
    lines.push({ depth: spaces.length / 2, key, purpose: purpose.join(' '), hint });
    [purpose, hints] = [[], []];
  }
  if (purpose.length > 0) throw new Error(`values.yaml: nothing follows "${purpose.join(' ')}"`);
  return lines;
}

function nest(
  lines: readonly Line[],
  depth: number,
  prefix: string,
  values: unknown,
): readonly Value[] {
  const found: Value[] = [];
  for (const [at, line] of lines.entries()) {
    if (line.depth !== depth) continue;
    const next = lines.findIndex((other, index) => index > at && other.depth <= depth);
    const inside = lines.slice(at + 1, next === -1 ? undefined : next);
    const fallback = fieldOf(values, line.key);
    const path = `${prefix}${line.key}`;
    // What is under a default without a comment is part of the default.
    const isGroup = inside.some(({ purpose }) => purpose !== '');
    const children = isGroup ? nest(inside, depth + 1, `${path}.`, fallback) : [];
    if (!isGroup && line.purpose === '') throw new Error(`values.yaml: ${path} has no comment`);
    found.push({ ...line, path, fallback, children, hint: { ...line.hint } });
  }
  return found;
}

function fieldOf(values: unknown, key: string): unknown {
  if (typeof values !== 'object' || values === null) return undefined;
  return Object.entries(values).find(([name]) => name === key)?.[1];
}

function groupSchema(values: readonly Value[]): object {
  const properties = Object.fromEntries(values.map((value) => [value.key, schema(value)]));
  return { type: 'object', additionalProperties: false, properties };
}

function schema({ purpose, hint, fallback, children }: Value): object {
  const described = purpose === '' ? {} : { description: purpose };
  if (children.length > 0) return { ...described, ...groupSchema(children), ...hint };
  return { ...described, type: typeOf(fallback), ...hint, default: fallback };
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (Number.isInteger(value)) return 'integer';
  return value === null ? 'null' : typeof value;
}

/** The values within a group, or the value itself. */
export function leavesOf(value: Value): readonly Value[] {
  return value.children.length === 0 ? [value] : value.children.flatMap(leavesOf);
}

function rowOf({ path, fallback, purpose, hint }: Value): string {
  const { enum: allowed } = hint;
  const choices = Array.isArray(allowed) ? ` One of ${allowed.map(shown).join(', ')}.` : '';
  const text = `${purpose}${choices}`.replaceAll('|', '\\|');
  return `| \`${path}\` | ${shown(fallback)} | ${text} |\n`;
}

function shown(value: unknown): string {
  const text = typeof value === 'string' && value !== '' ? value : JSON.stringify(value);
  return `\`${text}\``;
}
