/** The source tree as data for the architecture test: what each file imports, exports and names. */
import { globSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { parseAst } from 'vitest/node';

/** One import, export-from or dynamic import. */
export type Import = {
  /** Path below the repository for our files, else the module's name as written. */
  readonly target: string;
  readonly isOurs: boolean;
  /** Erased before running: says something about shape, nothing about behaviour. */
  readonly isTypeOnly: boolean;
  /** Names taken from it; `*` for all. */
  readonly names: readonly string[];
};

/** One exported declaration. */
export type Export = {
  readonly name: string;
  readonly line: number;
  readonly isDocumented: boolean;
};

/** One parsed file. */
export type Source = {
  /** Path below the repository, with forward slashes. */
  readonly path: string;
  readonly lines: number;
  /** Text of the comment that opens the file, or empty. */
  readonly opening: string;
  readonly imports: readonly Import[];
  readonly exports: readonly Export[];
  /** Whether it passes on another of our files' exports: a barrel. */
  readonly passesOn: boolean;
  /**
   * Free names and member chains that the code uses, such as `process.env` or `Math.random`;
   * `new Date` stands for that call without arguments.
   */
  readonly uses: ReadonlySet<string>;
};

type Node = { readonly type: string; readonly start: number; readonly [field: string]: unknown };

/** Parses every TypeScript file that matches the patterns, below `root`. */
export function readSources(root: string, patterns: readonly string[]): readonly Source[] {
  return globSync([...patterns], { cwd: root })
    .map((path) => path.replaceAll('\\', '/'))
    .sort()
    .map((path) => parseSource(path, readFileSync(posix.join(root, path), 'utf8')));
}

/** Parses one file's text. */
export function parseSource(path: string, text: string): Source {
  const program = asNode(parseAst(text, { lang: 'ts', astType: 'ts' }, path));
  const body = nodes(program['body']);
  return {
    path,
    lines: text.trimEnd().split('\n').length,
    opening: /^\s*\/\*\*?([\s\S]*?)\*\//.exec(text)?.[1] ?? '',
    imports: [...body.flatMap((node) => importOf(path, node)), ...dynamicImports(path, program)],
    exports: body.flatMap((node) => exportsOf(text, node)),
    passesOn: body.some((node) => node.type.startsWith('Export') && isOurs(sourceOf(node))),
    uses: usesOf(program),
  };
}

// ---- imports and exports ----

function importOf(path: string, node: Node): readonly Import[] {
  const target = sourceOf(node);
  if (target === '') return [];
  const kind = node['importKind'] ?? node['exportKind'];
  const specifiers = nodes(node['specifiers']);
  const values = specifiers.filter((item) => (item['importKind'] ?? item['exportKind']) !== 'type');
  // `import './file.ts'` names nothing and still runs it.
  const isTypeOnly = kind === 'type' || (specifiers.length > 0 && values.length === 0);
  const names = node.type === 'ExportAllDeclaration' ? ['*'] : values.map(importedName);
  return [{ target: resolved(path, target), isOurs: isOurs(target), isTypeOnly, names }];
}

function dynamicImports(path: string, program: Node): readonly Import[] {
  const found: Import[] = [];
  walk(program, (node) => {
    if (node.type !== 'ImportExpression') return;
    const target = literal(node['source']);
    const names = ['*'];
    found.push({
      target: resolved(path, target),
      isOurs: isOurs(target),
      isTypeOnly: false,
      names,
    });
  });
  return found;
}

function importedName(specifier: Node): string {
  const name = specifier['imported'] ?? specifier['local'];
  return specifier.type === 'ImportNamespaceSpecifier' || !isNode(name) ? '*' : nameOf(name);
}

function exportsOf(text: string, node: Node): readonly Export[] {
  if (!node.type.startsWith('Export') || sourceOf(node) !== '') return [];
  const declaration = node['declaration'];
  const before = text.slice(0, node.start);
  const line = before.split('\n').length;
  const isDocumented = /\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n?$/.test(before);
  return declaredNames(declaration).map((name) => ({ name, line, isDocumented }));
}

function declaredNames(declaration: unknown): readonly string[] {
  if (!isNode(declaration)) return [];
  if (declaration.type === 'VariableDeclaration') {
    return nodes(declaration['declarations']).map((item) => nameOf(asNode(item['id'])));
  }
  const id = declaration['id'];
  return [isNode(id) ? nameOf(id) : 'default'];
}

function sourceOf(node: Node): string {
  const isModule = node.type.startsWith('Import') || node.type.startsWith('Export');
  return isModule ? literal(node['source']) : '';
}

function literal(value: unknown): string {
  return isNode(value) && typeof value['value'] === 'string' ? value['value'] : '';
}

function isOurs(target: string): boolean {
  return target.startsWith('.');
}

function resolved(path: string, target: string): string {
  return isOurs(target) ? posix.join(posix.dirname(path), target) : target;
}

// ---- names in use ----

function usesOf(program: Node): ReadonlySet<string> {
  const uses = new Set<string>();
  walk(program, (node) => {
    if (node.type === 'Identifier') uses.add(nameOf(node));
    if (node.type === 'MemberExpression') uses.add(chainOf(node));
    if (node.type === 'NewExpression' && nodes(node['arguments']).length === 0) {
      uses.add(`new ${chainOf(asNode(node['callee']))}`);
    }
  });
  return uses;
}

function chainOf(node: Node): string {
  if (node.type === 'Identifier') return nameOf(node);
  const { object, property } = node;
  if (node.type !== 'MemberExpression' || !isNode(object) || !isNode(property)) return '?';
  return `${chainOf(object)}.${literal(property) || nameOf(property)}`;
}

/** Visits what runs. Types, and names that only label something of our own, are passed over. */
function walk(node: Node, visit: (node: Node) => void): void {
  if (node.type.startsWith('TSType') || node.type === 'TSInterfaceDeclaration') return;
  visit(node);
  for (const [field, value] of Object.entries(node)) {
    const isLabel = field === 'property' || field === 'key' || field === 'imported';
    if (isLabel && node['computed'] !== true) continue;
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) walk(child, visit);
    }
  }
}

function nameOf(node: Node): string {
  return typeof node['name'] === 'string' ? node['name'] : '?';
}

function nodes(value: unknown): readonly Node[] {
  return Array.isArray(value) ? value.filter(isNode) : [];
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}

function asNode(value: unknown): Node {
  if (!isNode(value)) throw new TypeError('the parser returned something that is no syntax tree');
  return value;
}
