/** What the command line prints: data on standard output, everything else on standard error. Pure. */

/** Where a command writes; `bin` hands in the process's own streams. */
export type Output = {
  readonly data: (text: string) => void;
  readonly note: (text: string) => void;
};

/** A table as kubectl prints one: capital titles, three spaces, no trailing blanks. */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [titles, ...rows];
  const widths = titles.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('   ')
      .trimEnd();
  return `${all.map(line).join('\n')}\n`;
}
