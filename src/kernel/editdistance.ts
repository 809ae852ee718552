/** How far apart two spellings are. Pure. */

/** Letters to insert, remove or replace (Levenshtein). Names are short, so the simple way is quick enough. */
export function editDistance(from: string, to: string): number {
  const letters = [...to];
  let row = [0, ...letters.map((_, i) => i + 1)];
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1];
    for (const [j, other] of letters.entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
