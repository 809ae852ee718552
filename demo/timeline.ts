/** Numbers the steps, takes their times, and shows them at the end. */
import { inSeconds, type Screen } from './screen.ts';

type Row = { readonly short: string; readonly ms: number };

/** The steps of one run. */
export class Timeline {
  readonly #screen: Screen;
  readonly #rows: Row[] = [];

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** Runs one step below its heading. @param short its name in the summary */
  async step<T>(title: string, short: string, run: () => Promise<T>): Promise<T> {
    this.#screen.heading(this.#rows.length + 1, title);
    const startMs = performance.now();
    const result = await run();
    const ms = performance.now() - startMs;
    this.#screen.took(ms);
    this.#rows.push({ short, ms });
    return result;
  }

  /** The table of steps and times. */
  summary(): string {
    const width = Math.max(...this.#rows.map(({ short }) => short.length));
    const lines = this.#rows.map(({ short, ms }, index) =>
      line(String(index + 1), short.padEnd(width), inSeconds(ms)),
    );
    const totalMs = this.#rows.reduce((sum, { ms }) => sum + ms, 0);
    return [...lines, line('', 'all steps'.padEnd(width), inSeconds(totalMs))].join('\n');
  }
}

function line(number: string, name: string, time: string): string {
  return `${number.padStart(2)}  ${name}  ${time.padStart(7)}`;
}
