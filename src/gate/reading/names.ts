/**
 * Pure; which headers of a call matter, found in one pass without making lower-case copies. Proxies and
 * backends disagree about case, and some make variables of names, with one character for whatever is no
 * letter and no digit. So a name is compared without regard to case, and one that differs from a name that
 * matters by such characters only is told apart as a look-alike.
 */
import { GATE_HEADER_PREFIX } from '../call.ts';

/** A header that does not matter. */
export const IRRELEVANT = -1;
/** Would be a header that matters, were its odd characters hyphens. */
export const LOOKALIKE = -2;
/** One that only the gate may set. */
export const GATE_ONLY = -3;

/** A header that matters, and the number under which it is found. */
export type NamedSlot = {
  /** Lower case, hyphens. */
  readonly name: string;
  /** From 0. */
  readonly slot: number;
};

/** Names by their length, which tells most apart at once. */
export type NameTable = readonly (readonly NamedSlot[] | undefined)[];

const HYPHEN = 45;

/** A table for `findSlot`. Names must be unique. */
export function createNameTable(names: readonly NamedSlot[]): NameTable {
  const table: NamedSlot[][] = [];
  for (const entry of names) (table[entry.name.length] ??= []).push(entry);
  return table;
}

/**
 * The slot of a header's name in any case; or IRRELEVANT, LOOKALIKE, GATE_ONLY. Takes any text.
 *
 * @param from where the name begins in the text, and `to` where it ends; absent: all of it is the name
 */
export function findSlot(table: NameTable, text: string, from = 0, to = text.length): number {
  const entries = table[to - from];
  if (entries !== undefined) {
    for (let i = 0; i < entries.length; i += 1) {
      const entry = entries[i];
      const likeness = entry === undefined ? DIFFERENT : compareNames(text, from, entry.name);
      if (likeness === SAME) return entry?.slot ?? IRRELEVANT;
      if (likeness === ALIKE) return isGateName(text, from, to) ? GATE_ONLY : LOOKALIKE;
    }
  }
  return isGateName(text, from, to) ? GATE_ONLY : IRRELEVANT;
}

/** Whether the name between `from` and `to` is this one, in any case; `wanted` in lower case. Takes any text. */
export function isName(text: string, wanted: string, from = 0, to = text.length): boolean {
  return to - from === wanted.length && compareNames(text, from, wanted) === SAME;
}

const DIFFERENT = 0;
const SAME = 1;
/** But for what stands in place of hyphens. */
const ALIKE = 2;

/** Compares what begins at `from` with a text in lower case. */
function compareNames(text: string, from: number, wanted: string): number {
  let likeness = SAME;
  for (let i = 0; i < wanted.length; i += 1) {
    const code = text.charCodeAt(from + i);
    const wantedCode = wanted.charCodeAt(i);
    // The bit that tells cases apart must not be ignored beyond the letters.
    if (code === wantedCode || (code >= 65 && code <= 90 && code + 32 === wantedCode)) continue;
    if (wantedCode !== HYPHEN || isLetterOrDigit(code)) return DIFFERENT;
    likeness = ALIKE;
  }
  return likeness;
}

function isLetterOrDigit(code: number): boolean {
  const lower = code | 32;
  return (code >= 48 && code <= 57) || (lower >= 97 && lower <= 122);
}

function isGateName(text: string, from: number, to: number): boolean {
  if (to - from < GATE_HEADER_PREFIX.length) return false;
  // Almost no name gets past the first letter.
  const first = text.charCodeAt(from);
  if (first !== 120 && first !== 88) return false;
  return compareNames(text, from, GATE_HEADER_PREFIX) !== DIFFERENT;
}
