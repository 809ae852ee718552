/** What the demo prints: headings, commands, blocks and proofs, within 80 columns where it can. */
import type { Writable } from 'node:stream';

/** Lines of our own are broken here; what kubectl prints keeps its width. */
const WIDTH = 80;
const MARGIN = '  ';

const STYLES = { bold: '1', dim: '2', red: '31', green: '32', cyan: '36' } as const;
type Style = keyof typeof STYLES;

/** Seconds with one digit, as in all times of the demo. */
export function inSeconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

/** Prints to one stream and remembers the text, so that it can be searched for key values. */
export class Screen {
  readonly #out: Writable;
  readonly #isColoured: boolean;
  #text = '';
  /** What was printed last: it decides where a line of space is needed. */
  #last: 'Heading' | 'Command' | 'Text' = 'Heading';

  /** @param colours `auto`: only where `out` is a terminal and NO_COLOR is not set */
  constructor(out: Writable & { readonly isTTY?: boolean }, colours: 'auto' | 'never' = 'auto') {
    this.#out = out;
    this.#isColoured = colours === 'auto' && out.isTTY === true && !process.env['NO_COLOR'];
  }

  /** Everything printed so far. */
  get text(): string {
    return this.#text;
  }

  /** The line above a step, with its number. */
  heading(number: number, title: string): void {
    const line = `${String(number).padStart(2)}  ${title} `;
    this.line('');
    this.line(this.#paint('bold', line) + this.#paint('dim', '─'.repeat(rest(line))));
    this.line('');
    this.#last = 'Heading';
  }

  /** The time a step took, at the right edge. */
  took(ms: number): void {
    this.line(this.#paint('dim', inSeconds(ms).padStart(WIDTH)));
  }

  /** A paragraph, broken at the width. */
  say(text: string): void {
    if (this.#last !== 'Heading') this.line('');
    for (const line of wrap(text, WIDTH - MARGIN.length)) this.line(MARGIN + line);
    this.#last = 'Text';
  }

  /** A command as it was run, by `who` if not by the administrator; silent ones stand together. */
  command(text: string, who = ''): void {
    if (this.#last === 'Text') this.line('');
    const prompt = who === '' ? '$' : `${who} $`;
    const [first = '', ...more] = wrap(text, WIDTH - 2 * MARGIN.length - prompt.length);
    const lines = [`${MARGIN}${prompt} ${first}`, ...more.map((line) => `${MARGIN}    ${line}`)];
    this.line(this.#paint('cyan', lines.join(' \\\n')));
    this.#last = 'Command';
  }

  /** Output or a manifest, set in. */
  block(text: string): void {
    for (const line of text.trimEnd().split('\n')) this.line(`${MARGIN}  ${line}`.trimEnd());
    this.#last = 'Text';
  }

  /** Something that was checked and is so. */
  proof(text: string): void {
    const [first = '', ...more] = wrap(text, WIDTH - MARGIN.length - 2);
    this.line(`${MARGIN}${this.#paint('green', '✓')} ${first}`);
    for (const line of more) this.line(`${MARGIN}  ${line}`);
    this.#last = 'Text';
  }

  /** Something that was expected and is not so. */
  failure(text: string): void {
    const [first = '', ...more] = text.split('\n');
    this.line(`${MARGIN}${this.#paint('red', '✗')} ${first}`);
    for (const line of more) this.line(`${MARGIN}  ${line}`);
  }

  /** What goes on while nothing else can be shown. */
  progress(text: string): void {
    this.line(MARGIN + this.#paint('dim', text));
  }

  /** One line as it is. */
  line(text: string): void {
    this.#text += `${text}\n`;
    this.#out.write(`${text}\n`);
  }

  #paint(style: Style, text: string): string {
    return this.#isColoured ? `\u001B[${STYLES[style]}m${text}\u001B[0m` : text;
  }
}

function rest(line: string): number {
  return Math.max(0, WIDTH - line.length);
}

/** Broken between words; a word longer than the width stands alone. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
