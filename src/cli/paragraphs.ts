/** Longer texts of other people, so that no line of theirs can pass for one of ours. Pure. */
import { visible } from './visible.ts';
import { wrapTo } from './width.ts';

/** Narrow enough for the usual terminal, so that it never breaks a line itself. */
const COLUMNS = 72;

/**
 * The text with a bar in front of every line.
 * @param label in front of the first bar; the others are as far in
 */
export function barred(text: string, label = ''): string {
  const lines = text
    .split('\n')
    .flatMap((line) => wrapTo(visible(line.replace(/\r$/, '')), COLUMNS - label.length));
  const lead = (place: number): string => (place === 0 ? label : ' '.repeat(label.length));
  return lines.map((line, place) => `    ${lead(place)}| ${line}\n`).join('');
}
