/**
 * Pure; values that were made elsewhere and are to go on working here. They have no index in them, so
 * both sides work one out: whoever holds the pepper can tell under which id a value would be found,
 * and nobody can tell the value from the id.
 */
import { hash } from 'node:crypto';
import { encodeBase62 } from './base62.ts';
import { KEY_ID_LENGTH, parsePublicName, parseValue, type KeyFormat } from './format.ts';
import type { SlotName } from './mint.ts';
import { weaknessOf } from './strength.ts';

/** Characters of a value and of the public half of a pair, at least. */
export const FOREIGN_MIN = 8;
/** Characters of a value; gates look at nothing longer. */
export const FOREIGN_MAX = 256;
/** Characters of the public half of a pair; status shows it. */
export const FOREIGN_NAME_MAX = 64;

/** Value: it is presented as it is. Name: the public half of a pair, whose other half signs. */
export type ForeignKind = 'Value' | 'Name';

/** Visible ASCII but for the comma, which joins headers: what a gate takes for one value. */
const VALUE = /^[\x21-\x2b\x2d-\x7e]+$/;
/** What every scheme that signs has room for. */
const NAME = /^[0-9A-Za-z_+/=-]+$/;

/** With a letter that no secret of our own layout has, so that this hash stands for nothing else. */
const TAGS: Readonly<Record<ForeignKind, string>> = { Value: '/value:', Name: '/name:' };
const HALF_BYTES = 6;

/** Whether a value that is presented can be one that was imported: cheap, and asked of all garbage. */
export function isForeignValue(text: string): boolean {
  return text.length >= FOREIGN_MIN && text.length <= FOREIGN_MAX && VALUE.test(text);
}

/** The same of the public half of a pair. */
export function isForeignName(text: string): boolean {
  return text.length >= FOREIGN_MIN && text.length <= FOREIGN_NAME_MAX && NAME.test(text);
}

/** Whether it looks like one that a Keyward made, which gates read otherwise. */
export function hasOwnLayout(text: string, kind: ForeignKind): boolean {
  return kind === 'Value' ? parseValue(text) !== undefined : parsePublicName(text) !== undefined;
}

/**
 * Under which id the text is found: 16 Base62 characters of a keyed hash, some 95 bits. Repeatable;
 * another pepper gives another id.
 *
 * @param text ASCII, as `isForeignValue` or `isForeignName` says
 */
export function lookupOf(pepper: Readonly<Uint8Array>, kind: ForeignKind, text: string): string {
  const tag = TAGS[kind];
  const bytes = Buffer.allocUnsafe(pepper.length + tag.length + text.length);
  bytes.set(pepper, 0);
  bytes.write(tag, pepper.length, 'latin1');
  bytes.write(text, pepper.length + tag.length, 'latin1');
  const digest = Buffer.from(hash('sha256', bytes, 'hex').slice(0, 4 * HALF_BYTES), 'hex');
  bytes.fill(0);
  const half = (at: number): string =>
    encodeBase62(digest.readUIntBE(at, HALF_BYTES), KEY_ID_LENGTH / 2);
  return half(0) + half(HALF_BYTES);
}

/** What a person has to bring for a key of each format, in this order; a slot each, but for `apiKey` of a pair. */
export const FOREIGN_TEXTS: Readonly<Record<KeyFormat, readonly SlotName[]>> = {
  Opaque: ['apiKey'],
  Dual: ['primaryKey', 'secondaryKey'],
  KeyPair: ['apiKey', 'apiSecret'],
};

/** What is wrong with texts, in words that show nothing of them. */
export type ForeignProblem = {
  readonly reason: 'ValueCount' | 'ValueMalformed' | 'ValueOfKeyward' | 'ValuesAlike' | 'ValueWeak';
  readonly message: string;
};

/**
 * What is wrong with these texts as a key of this format, the worst first; undefined: nothing.
 *
 * @param texts in the order of FOREIGN_TEXTS
 */
export function problemOf(format: KeyFormat, texts: readonly string[]): ForeignProblem | undefined {
  const names = FOREIGN_TEXTS[format];
  if (texts.length !== names.length) {
    return {
      reason: 'ValueCount',
      message: `a key of format ${format} has ${names.join(' and ')}, in this order and one on each line`,
    };
  }
  const [first, second] = texts;
  const alike = { reason: 'ValuesAlike', message: 'both values are the same' } as const;
  return (
    firstOf(texts, (text, at) => malformed(text, names[at] ?? 'apiKey', format)) ??
    (first === second ? alike : undefined) ??
    firstOf(texts, (text, at) => weak(text, names[at] ?? 'apiKey', format))
  );
}

function firstOf(
  texts: readonly string[],
  check: (text: string, at: number) => ForeignProblem | undefined,
): ForeignProblem | undefined {
  return texts.map(check).find((problem) => problem !== undefined);
}

function malformed(text: string, name: SlotName, format: KeyFormat): ForeignProblem | undefined {
  const kind = kindOf(name, format);
  const isFit = kind === 'Value' ? isForeignValue(text) : isForeignName(text);
  if (!isFit) {
    const what =
      kind === 'Value'
        ? `${FOREIGN_MIN} to ${FOREIGN_MAX} visible ASCII characters without blank and comma`
        : `${FOREIGN_MIN} to ${FOREIGN_NAME_MAX} of letters, digits, _ + / = and -`;
    return { reason: 'ValueMalformed', message: `${name} must be ${what}` };
  }
  if (!hasOwnLayout(text, kind)) return undefined;
  return {
    reason: 'ValueOfKeyward',
    message: `${name} has the layout of values that Keyward makes, which gates read otherwise; of another installation, copy its database or issue a new key`,
  };
}

/** The public half of a pair is no secret. */
function weak(text: string, name: SlotName, format: KeyFormat): ForeignProblem | undefined {
  const weakness = kindOf(name, format) === 'Value' ? weaknessOf(text) : undefined;
  return weakness === undefined
    ? undefined
    : { reason: 'ValueWeak', message: `${name} is weak: ${weakness}` };
}

/** How a text of a key is looked for. */
export function kindOf(name: SlotName, format: KeyFormat): ForeignKind {
  return format === 'KeyPair' && name === 'apiKey' ? 'Name' : 'Value';
}
