/**
 * Pure. Where a value made elsewhere may stand in the texts of a Secret: it does not say itself where it
 * begins and ends, and the template may be another by now. So texts are guessed, likeliest first; a digest
 * decides. Tenants write templates and texts, so guesses are made one by one, each at little cost: who asks
 * stops when it has been enough.
 */
import { FOREIGN_MAX, FOREIGN_MIN, isForeignValue } from '../../keys/foreign.ts';

/** One entry of a Secret that exists. */
export type EntryText = {
  readonly text: string;
  /** As `templateParts` says, of what the entry of this name is to be made from now. */
  readonly parts: readonly string[];
};

/** What a field of a template was when a text was made from it; undefined: not known. */
export type Filling = (field: string) => string | undefined;

/** A text to try, key material; undefined: one was looked at in vain, which took time as well. */
export type Guess = string | undefined;

/** Characters of one text in which values are looked for, and of all of one Secret together. */
const TEXT_MAX = 16_384;
const TEXTS_MAX = 65_536;

/** The texts as far as values are looked for within them. */
export function searchedTexts(entries: readonly EntryText[]): readonly string[] {
  let left = TEXTS_MAX;
  return entries.map(({ text }) => {
    const searched = text.slice(0, Math.min(TEXT_MAX, left));
    left -= searched.length;
    return searched;
  });
}

/**
 * Texts that may be a value: a whole entry; what stands where the template has a placeholder; and, for a
 * template that was another, what words and signs make up.
 *
 * @param fillings what the fields may have been; asked again later, when more may be known
 */
export function* foreignGuesses(
  entries: readonly EntryText[],
  fillings: () => readonly Filling[],
): Generator<Guess> {
  for (const { text } of entries) yield text;
  const filled = entries.filter(({ parts }) => parts.length > 1);
  for (const entry of filled) yield* exact(entry, fillings());
  for (const entry of filled) yield* beside(entry, fillings());
  for (const entry of filled) yield* exact(entry, fillings());
  yield* words(searchedTexts(entries));
}

/** With one field unknown, however often it is named, the lengths say which part of the text it is. */
function* exact({ text, parts }: EntryText, fillings: readonly Filling[]): Generator<Guess> {
  for (const filling of fillings) {
    const { before, unknown, knownLength } = align(parts, filling);
    const length = (text.length - knownLength) / unknown.length;
    const isOne = new Set(unknown).size === 1 && Number.isInteger(length) && length > 0;
    yield isOne ? text.slice(before.length, before.length + length) : undefined;
  }
}

/** What begins behind all that is known, and what ends before it: values may stand side by side. */
function* beside({ text, parts }: EntryText, fillings: readonly Filling[]): Generator<Guess> {
  const aligned = fillings.map((filling) => align(parts, filling));
  const begins = aligned.filter(({ before }) => text.startsWith(before));
  const ends = aligned.filter(({ behind }) => text.endsWith(behind));
  for (const at of new Set(begins.map(({ before }) => before.length))) {
    yield* growing((length) => text.slice(at, at + length));
  }
  for (const at of new Set(ends.map(({ behind }) => text.length - behind.length))) {
    yield* growing((length) => text.slice(Math.max(0, at - length), at));
  }
}

function* growing(cut: (length: number) => string): Generator<Guess> {
  for (let length = FOREIGN_MIN; length <= FOREIGN_MAX; length += 1) {
    const guess = cut(length);
    // No longer one is a value where this one has a letter that no value has.
    if (guess.length < length || !isForeignValue(guess)) return yield undefined;
    yield guess;
  }
}

/** What is known before the first unknown field, behind the last one, and in all. */
function align(parts: readonly string[], filling: Filling) {
  const texts = parts.map((part, index) => (index % 2 === 0 ? part : filling(part)));
  const first = texts.indexOf(undefined);
  return {
    before: texts.slice(0, Math.max(0, first)).join(''),
    behind: texts.slice(texts.lastIndexOf(undefined) + 1).join(''),
    unknown: parts.filter((_, index) => texts[index] === undefined),
    knownLength: texts.join('').length,
  };
}

/** The shortest first wherever they stand, so that a value far behind has its turn in a long text too. */
function* words(texts: readonly string[]): Generator<Guess> {
  let left = texts
    .flatMap((text) => text.split(/[\s,]+/))
    .filter((word) => word.length >= FOREIGN_MIN)
    .map((word) => ({ word, cuts: wordCuts(word) }));
  for (let span = 1; span <= FOREIGN_MAX && left.length > 0; span += 1) {
    left = left.filter(({ cuts }) => cuts.length > span);
    for (const { word, cuts } of left) {
      for (let index = span; index < cuts.length; index += 1) {
        const guess = word.slice(cuts[index - span], cuts[index]);
        yield isForeignValue(guess) ? guess : undefined;
      }
    }
  }
}

/** Beginning and end of the word, and both sides of all that is neither letter nor digit; ascending. */
function wordCuts(word: string): readonly number[] {
  const signs = [...word.matchAll(/[^0-9A-Za-z]/g)].flatMap(({ index }) => [index, index + 1]);
  return [...new Set([0, ...signs, word.length])];
}
