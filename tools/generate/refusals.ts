/** Puts every no that a gate can say into docs/gate.md, between two marks. */
import { REFUSALS, type Refusal } from '../../src/terms/refusals.ts';

const BEGIN = '<!-- refusals: written by `npm run generate` from src/terms/refusals.ts -->';
const END = '<!-- end of refusals -->';

/** The page with the table of today; @throws when the marks are not there. */
export function withRefusals(page: string): string {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error('no marks for refusals');
  return `${before}${BEGIN}\n\n${refusalsTable()}\n${END}${after}`;
}

/** One line for each public reason, with all of its causes. */
function refusalsTable(): string {
  const causes = new Map<string, string[]>();
  for (const { cause, reason, status, text } of Object.values<Refusal>(REFUSALS)) {
    const answer = `\`${reason}\` | ${status} | ${text}`;
    causes.set(answer, [...(causes.get(answer) ?? []), `\`${cause}\``]);
  }
  const rows = [...causes].map(([answer, names]) => `| ${answer} | ${names.join(', ')} |`);
  return `| reason | status | says | causes |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}
