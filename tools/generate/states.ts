/** Puts the table of contrib/states.yaml into the guide, between two marks. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

const BEGIN = '<!-- states: written by `npm run generate` from contrib/states.yaml -->';
const END = '<!-- end of states -->';

type Row = {
  readonly situation: string;
  readonly ready: string;
  readonly kstatus: string;
  readonly argo: string;
  readonly strict: string;
  readonly tolerant: string;
};

/** The page with the table of today; @throws when the marks are not there. */
export function withStates(page: string, file: string): string {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`no marks for ${file}`);
  // Parser: a suite compares every row with what the tools say.
  const { states } = parse(readFileSync(file, 'utf8')) as {
    readonly states: Readonly<Record<string, readonly Row[]>>;
  };
  const tables = Object.entries(states).map(([kind, rows]) => tableOf(titleOf(kind), rows));
  return `${before}${BEGIN}\n\n${tables.join('\n')}\n${END}${after}`;
}

function titleOf(kind: string): string {
  return kind === 'KeyStore' ? 'KeyStore, ClusterKeyStore' : kind;
}

/** Situations in which everybody says the same under the same reason share a line. */
function tableOf(title: string, rows: readonly Row[]): string {
  const lines = new Map<string, string[]>();
  for (const { situation, ready, kstatus, argo, strict, tolerant } of rows) {
    const [status, reason] = ready.split('/');
    const flux = [kstatus, strict, tolerant];
    const verdicts = new Set(flux).size === 1 ? kstatus : flux.join(', ');
    const key = `${status} \`${reason}\` | ${argo} | ${verdicts}`;
    lines.set(key, [...(lines.get(key) ?? []), situation]);
  }
  const body = [...lines].map(([key, situations]) => `| ${situations.join('; ')} | ${key} |`);
  const head = `| ${title} | Ready | Argo CD | Flux |\n| --- | --- | --- | --- |`;
  return `${head}\n${body.join('\n')}\n`;
}
