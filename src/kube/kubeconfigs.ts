/** Kubeconfig files as kubectl finds them: several are read as one, and what comes first counts. */
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, resolve } from 'node:path';
import { parse } from 'yaml';
import { KeywardError } from '../kernel/errors.ts';

/** A kubeconfig as text, and the file after which it is called in messages. */
export type KubeconfigText = { readonly text: string; readonly file: string };

type Fields = Readonly<Record<string, unknown>>;

const LISTS = ['clusters', 'users', 'contexts'] as const;
/** Fields with a path in them, which is relative to the file that says so. */
const PATHS = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile'] as const;

/**
 * Reads the files. Of several, those that do not exist are passed over, as kubectl does.
 * @throws KeywardError Terminal UnreadableFile when none can be read, InvalidKubeconfig
 */
export async function readKubeconfigs(files: readonly string[]): Promise<KubeconfigText> {
  const texts = await Promise.all(files.map(async (file) => ({ file, text: await readIf(file) })));
  const found = texts.flatMap(({ file, text }) => (text === undefined ? [] : [{ file, text }]));
  const [first, ...more] = found;
  if (first === undefined) throw unreadable(files);
  if (more.length === 0) return first;
  return { file: first.file, text: JSON.stringify(merge(found)) };
}

async function readIf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    return undefined;
  }
}

function merge(texts: readonly KubeconfigText[]): object {
  const roots = texts.map(({ text, file }) => ({ root: parseText(text, file), file }));
  const contexts = roots.map(({ root }) => root['current-context']);
  const current = contexts.find((name) => typeof name === 'string' && name !== '');
  const lists = LISTS.map((list) => {
    const entries = roots.flatMap(({ root, file }) => entriesOf(root[list], dirname(file)));
    return [list, firstOfEachName(entries)] as const;
  });
  return { 'current-context': current, ...Object.fromEntries(lists) };
}

function entriesOf(list: unknown, folder: string): readonly Fields[] {
  if (!Array.isArray(list)) return [];
  return list.map(asFields).map((entry) => {
    const members = Object.entries(entry).map(([name, value]) => [
      name,
      typeof value === 'object' ? withPaths(asFields(value), folder) : value,
    ]);
    return Object.fromEntries(members) as Fields;
  });
}

function withPaths(member: Fields, folder: string): Fields {
  const changed: Record<string, unknown> = { ...member };
  for (const name of PATHS) {
    const path = member[name];
    if (typeof path === 'string' && path !== '') changed[name] = resolve(folder, path);
  }
  const exec = asFields(member['exec']);
  const { command } = exec;
  // A bare name is looked for in PATH; one with a slash is relative to the file.
  if (typeof command === 'string' && command.includes('/') && !isAbsolute(command)) {
    changed['exec'] = { ...exec, command: resolve(folder, command) };
  }
  return changed;
}

function firstOfEachName(entries: readonly Fields[]): readonly Fields[] {
  const seen = new Set<unknown>();
  return entries.filter(({ name }) => {
    if (seen.has(name)) return false;
    seen.add(name);
    return true;
  });
}

function parseText(text: string, file: string): Fields {
  try {
    return asFields(parse(text));
  } catch {
    // The parser's message quotes the file, which holds credentials.
    throw new KeywardError('Terminal', {
      reason: 'InvalidKubeconfig',
      message: `kubeconfig "${file}" is not valid YAML`,
    });
  }
}

function unreadable(files: readonly string[]): KeywardError {
  const names = files.map((file) => `"${file}"`).join(', ');
  return new KeywardError('Terminal', {
    reason: 'UnreadableFile',
    message: `no kubeconfig can be read at ${names}; name one with --kubeconfig or KUBECONFIG`,
  });
}

function asFields(value: unknown): Fields {
  // Parser: any object may be looked into by name; each value is checked where it is used.
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}
