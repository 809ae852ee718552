/** How many columns of a terminal a text takes. Pure. */

/**
 * Characters that never join with their neighbours: ASCII, Latin, punctuation, arrows, lines; kana,
 * Han, Hangul syllables and full-width forms, of which those from U+2E80 on are wide. Text of nothing
 * else is measured without being taken apart into graphemes, which is a hundred times as slow.
 */
const SIMPLE =
  /^[\x20-\x7e\xa0-\xac\xae-\u024f\u2010-\u2027\u2190-\u21ff\u2500-\u257f\u3000-\u3029\u3041-\u3096\u30a1-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff60]*$/;
const FIRST_WIDE = 0x2e80;
/** Scripts and symbols that terminals draw two columns wide. */
const WIDE =
  /\p{Emoji_Presentation}|\ufe0f|[\u1100-\u115f\u2e80-\u303e\u3041-\u4dbf\u4e00-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;
const ONLY_MARKS = /^[\p{M}\u200c\u200d]+$/u;

/** Made when it is needed first: that takes longer than most commands run. */
let made: Intl.Segmenter | undefined;

function graphemesOf(text: string): Intl.Segments {
  made ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return made.segment(text);
}

/** Columns that the text takes on one line. */
export function widthOf(text: string): number {
  let columns = 0;
  if (SIMPLE.test(text)) {
    for (let place = 0; place < text.length; place += 1) {
      columns += text.charCodeAt(place) < FIRST_WIDE ? 1 : 2;
    }
    return columns;
  }
  for (const { segment } of graphemesOf(text)) columns += columnsOf(segment);
  return columns;
}

/** The text with blanks behind it, so that it takes at least so many columns. */
export function padTo(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)));
}

/** The text, cut to at most so many columns; what was cut is shown by an ellipsis. */
export function clipTo(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  return `${headOf(text, columns - 1).trimEnd()}…`;
}

/**
 * The text in lines of at most so many columns, broken at blanks where there are any; at least one.
 * A terminal that breaks lines itself would begin them with what somebody else wrote.
 */
export function wrapTo(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/(?<= )/)) {
    if (line !== '' && widthOf(line + word.trimEnd()) > columns) {
      lines.push(line.trimEnd());
      line = '';
    }
    line += word;
    while (widthOf(line.trimEnd()) > columns) {
      const head = headOf(line, columns);
      lines.push(head);
      line = line.slice(head.length);
    }
  }
  return [...lines, line.trimEnd()];
}

/** As much of the beginning as fits; at least one character, so that there is an end to it. */
function headOf(text: string, columns: number): string {
  let head = '';
  let left = columns;
  for (const segment of SIMPLE.test(text) ? text : segmentsOf(text)) {
    left -= columnsOf(segment);
    if (left < 0 && head !== '') break;
    head += segment;
  }
  return head;
}

function* segmentsOf(text: string): Generator<string> {
  for (const { segment } of graphemesOf(text)) yield segment;
}

function columnsOf(grapheme: string): number {
  if (WIDE.test(grapheme)) return 2;
  return ONLY_MARKS.test(grapheme) ? 0 : 1;
}
