/**
 * Texts of other people on a terminal: whatever could move the cursor, colour, hide or reorder what
 * stands around it is shown as an escape instead. Pure.
 */

/**
 * Control characters, lone halves of surrogate pairs, line and paragraph separators, and invisible
 * format characters such as those that turn the direction of writing; not the two joiners (U+200C,
 * U+200D), which scripts and emoji need and which do nothing to their surroundings.
 */
const UNSAFE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** The text on one line with nothing in it that a terminal would act on. */
export function visible(text: string): string {
  return text.replace(UNSAFE, escape);
}

/** True when `visible` would change nothing but line ends. */
export function isHarmless(text: string): boolean {
  return text.replaceAll('\n', '').search(UNSAFE) < 0;
}

/** JSON whose strings hold no character that a terminal would act on; it means the same. */
export function visibleJson(value: unknown): string {
  const text = JSON.stringify(value, undefined, 2);
  // JSON itself escapes below U+0020; its own line ends are no part of strings.
  return text.replace(UNSAFE, (character) =>
    character === '\n' ? character : codeUnits(character),
  );
}

function escape(character: string): string {
  const point = character.codePointAt(0) ?? 0;
  const named = NAMED[character];
  if (named !== undefined) return named;
  const hex = point.toString(16);
  if (point < 0x100) return `\\x${hex.padStart(2, '0')}`;
  return point > 0xffff ? `\\u{${hex}}` : `\\u${hex.padStart(4, '0')}`;
}

function codeUnits(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
