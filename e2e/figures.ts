/** What was measured along the way, for the table at the end. */
import { inSeconds } from '../demo/screen.ts';

/** Named figures, in the order in which they were taken. */
export class Figures {
  readonly #rows: { readonly name: string; readonly text: string }[] = [];

  /** A duration. */
  time(name: string, ms: number): void {
    this.#rows.push({ name, text: inSeconds(ms) });
  }

  /** A number of things. */
  count(name: string, count: number): void {
    this.#rows.push({ name, text: String(count) });
  }

  /** A size, shown in MiB. */
  size(name: string, bytes: number): void {
    this.#rows.push({ name, text: `${(bytes / 1_048_576).toFixed(1)} MiB` });
  }

  /** The table: names on the left, figures on the right. */
  table(): string {
    const width = Math.max(0, ...this.#rows.map(({ name }) => name.length));
    const wide = Math.max(0, ...this.#rows.map(({ text }) => text.length));
    return this.#rows
      .map(({ name, text }) => `${name.padEnd(width)}  ${text.padStart(wide)}`)
      .join('\n');
  }
}
