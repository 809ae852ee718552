/** What the command line prints: data on standard output, everything else on standard error. Pure. */
import { visible } from './visible.ts';
import { padTo, widthOf } from './width.ts';

/** Where a command writes; `bin` hands in the process's own streams. */
export type Output = {
  readonly data: (text: string) => void;
  readonly note: (text: string) => void;
};

/** What a colour says; the words say it too. */
export type Tone = 'Good' | 'Bad' | 'Waiting' | 'Faint';

/** Colours a text that is already safe to print. */
export type Paint = (text: string, tone: Tone) => string;

/** A cell of a table; what is in it may have been written by anybody. */
export type Cell =
  | string
  | {
      readonly text: string;
      readonly tone?: Tone;
      /** Of our own, in front of the text. */
      readonly lead?: string;
    };

/** No colours. */
export const plain: Paint = (text) => text;

const SGR: Readonly<Record<Tone, number>> = { Good: 32, Bad: 31, Waiting: 33, Faint: 2 };

/** Colours of a terminal. */
export const coloured: Paint = (text, tone) =>
  text === '' ? text : `\u001b[${SGR[tone]}m${text}\u001b[0m`;

/** A table as kubectl prints one: capital titles, three spaces, no trailing blanks, one line a row. */
export function table(
  titles: readonly string[],
  rows: readonly (readonly Cell[])[],
  paint: Paint = plain,
): string {
  const all = [titles, ...rows].map((row) => row.map(safeCell));
  const widths = titles.map((_, column) =>
    all.reduce((widest, row) => Math.max(widest, widthOf(row[column]?.text ?? '')), 0),
  );
  const line = (row: readonly SafeCell[]): string =>
    row
      .map(({ text, tone }, column) => {
        const isLast = row.slice(column + 1).every((after) => after.text === '');
        const padded = isLast ? text.trimEnd() : padTo(text, widths[column] ?? 0);
        return tone === undefined ? padded : paint(padded, tone);
      })
      .join('   ')
      .trimEnd();
  return `${all.map(line).join('\n')}\n`;
}

type SafeCell = { readonly text: string; readonly tone: Tone | undefined };

function safeCell(cell: Cell): SafeCell {
  if (typeof cell === 'string') return { text: oneCell(cell), tone: undefined };
  return { text: `${cell.lead ?? ''}${oneCell(cell.text)}`, tone: cell.tone };
}

/** Blanks in a row inside a cell could pass for the space between columns. */
function oneCell(text: string): string {
  return visible(text).replace(/\p{Zs}{2,}/gu, ' ');
}
