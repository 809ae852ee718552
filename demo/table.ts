/** Columns of text, also where some of the letters are two columns wide. */

const GAP = 2;
/** Korean syllables and the other wide letters that the samples use. */
const WIDE = /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE4F\uFF00-\uFF60]/gu;

/** One line per row; the last column is not filled up. */
export function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, at) =>
    Math.max(...rows.map((row) => widthOf(row[at] ?? ''))),
  );
  return rows.map((row) =>
    row
      .map((cell, at) => cell + ' '.repeat(Math.max(0, (widths[at] ?? 0) - widthOf(cell) + GAP)))
      .join('')
      .trimEnd(),
  );
}

/** How many columns of a terminal a text takes. */
function widthOf(text: string): number {
  return [...text].length + (text.match(WIDE)?.length ?? 0);
}
