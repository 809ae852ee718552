/**
 * The configuration file: YAML with `apiVersion` and `kind` as Kubernetes components have theirs, then one
 * line per setting in camel case. Several documents may stand in one file; each server takes that of its kind.
 */
import { LineCounter, parseAllDocuments, isMap, isScalar, type Document, type Pair } from 'yaml';
import type { FileLayer } from './layers.ts';
import { didYouMean } from './nearest.ts';
import { invalid } from './problem.ts';
import { readData } from './reading.ts';
import type { Value } from './setting.ts';
import { SETTINGS, type Program } from './settings.ts';

/** Version of the file, apart from that of the kinds in the cluster. */
export const FILE_VERSION = 'config.keyward.dev/v1alpha1';

/** `kind` of the document of each server. */
export const FILE_KINDS: Readonly<Record<Program, string>> = {
  operator: 'OperatorConfiguration',
  gate: 'GateConfiguration',
};

/** The part of the text that a message must name. */
type Where = { readonly path: string; readonly lines: LineCounter };

/**
 * What the file says to this server. Nothing of its values stands in a message.
 * @param path as the user named it, for messages
 * @throws KeywardError Terminal InvalidConfiguration, naming file and line
 */
export function readFileLayer(program: Program, path: string, text: string): FileLayer {
  const lines = new LineCounter();
  const where = { path, lines };
  // Pretty errors quote the line, which may be that of a password.
  const documents = [...parseAllDocuments(text, { lineCounter: lines, prettyErrors: false })];
  for (const document of documents) refuseErrors(document, where);
  const found = documents.filter((document) => kindOf(document, where) === FILE_KINDS[program]);
  const [document] = found;
  const wanted = `apiVersion: ${FILE_VERSION} and kind: ${FILE_KINDS[program]}`;
  if (document === undefined) throw invalid(`${path} holds no document with ${wanted}`);
  if (found.length > 1) throw invalid(`${path} holds ${found.length} documents with ${wanted}`);
  return { path, values: valuesIn(document, program, where) };
}

function refuseErrors({ errors }: Document, { path, lines }: Where): void {
  const [error] = errors;
  if (error === undefined) return;
  const { line } = lines.linePos(error.pos[0]);
  const what = error.code === 'DUPLICATE_KEY' ? 'the same key again' : 'this is no YAML';
  throw invalid(`${path}:${line}: ${what} (${error.code})`);
}

/** Undefined: an empty document, as before a first `---`. */
function kindOf(document: Document, where: Where): string | undefined {
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null)) return undefined;
  if (!isMap(contents))
    throw invalid(`${where.path}:${lineOf(contents, where)}: this is no mapping`);
  const line = lineOf(contents, where);
  const [version, kind] = [document.get('apiVersion'), document.get('kind')];
  if (version !== FILE_VERSION) {
    throw invalid(`${where.path}:${line}: apiVersion must be ${FILE_VERSION}`);
  }
  const kinds = Object.values(FILE_KINDS);
  if (typeof kind === 'string' && kinds.includes(kind)) return kind;
  throw invalid(`${where.path}:${line}: kind must be ${kinds.join(' or ')}`);
}

function valuesIn(document: Document, program: Program, where: Where): FileLayer['values'] {
  const values = new Map<string, { value: Value; line: number }>();
  const { contents } = document;
  if (!isMap(contents)) return values;
  for (const pair of contents.items) {
    const name = isScalar(pair.key) ? String(pair.key.value) : '';
    if (name === 'apiVersion' || name === 'kind') continue;
    const line = lineOf(pair.key, where);
    values.set(name, {
      value: valueOf(document, { program, pair, name }, `${where.path}:${line}`),
      line,
    });
  }
  return values;
}

function valueOf(
  document: Document,
  { program, pair, name }: { program: Program; pair: Pair; name: string },
  place: string,
): Value {
  const known = SETTINGS[program].filter((setting) => setting.name !== 'config');
  const setting = known.find((candidate) => candidate.name === name);
  if (setting === undefined) throw invalid(`${place}: ${unknownText(program, name)}`);
  const data: unknown = document.get(pair.key, false);
  const isNode = typeof data === 'object' && data !== null && 'toJS' in data;
  // Parser: `toJS` of a node of this document gives plain data.
  const plain: unknown = isNode ? (data as { toJS(of: Document): unknown }).toJS(document) : data;
  return readData(setting, plain, `${place}: ${name}`);
}

function unknownText(program: Program, name: string): string {
  const other: Program = program === 'gate' ? 'operator' : 'gate';
  const names = SETTINGS[program]
    .filter((setting) => setting.visibility !== 'Hidden' && setting.name !== 'config')
    .map((setting) => setting.name);
  if (name === 'config') return 'a file cannot name another file';
  if (SETTINGS[other].some((setting) => setting.name === name)) {
    return `${name} is a setting of the ${other}, not of the ${program}`;
  }
  return `'${name}' is no setting of the ${program}${didYouMean(name, names)}`;
}

function lineOf(node: unknown, { lines }: Where): number {
  const isNode = typeof node === 'object' && node !== null && 'range' in node;
  // Parser: nodes of a parsed document know where they begin.
  const range = isNode ? (node as { range?: readonly number[] | null }).range : undefined;
  return lines.linePos(range?.[0] ?? 0).line;
}
