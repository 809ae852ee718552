/**
 * Standard input of `keyward import -`: the values of one key, or a JSON object per line for many.
 * Pure. Messages tell which line and which member, and nothing of what stands there.
 */
import { KeywardError } from '../kernel/errors.ts';
import { Sensitive } from '../kernel/sensitive.ts';

/** Bytes of the values of one key, or of one line; more is no key. */
export const INPUT_MAX = 4_096;

/** One line: which key, and its values in the order that its format has. */
export type ImportLine = {
  readonly namespace: string;
  readonly name: string;
  /** Names of the members that held `texts`; they say which format was meant. */
  readonly members: readonly string[];
  readonly texts: readonly Sensitive[];
};

/** The ways to write values, each in the order of FOREIGN_TEXTS. */
const WAYS: readonly (readonly string[])[] = [
  ['value'],
  ['apiKey'],
  ['primaryKey', 'secondaryKey'],
  ['apiKey', 'apiSecret'],
];

/**
 * The lines of an input, which may end with one line end. Nothing else is taken away: a blank in a
 * value would be one of its characters.
 */
export function readTexts(input: Sensitive): readonly Sensitive[] {
  const text = input.revealText();
  if (input.reveal().length > INPUT_MAX || text === '') {
    throw invalid('standard input holds no key; nothing was looked up');
  }
  const lines = text.replace(/\r?\n$/, '').split(/\r?\n/);
  return lines.map((line) => new Sensitive(line));
}

/** One line of many. @throws KeywardError Terminal LineInvalid */
export function readLine(text: string): ImportLine {
  const members = parseObject(text);
  const { namespace, name, ...values } = members;
  if (namespace === undefined || name === undefined) {
    throw invalid('it names no ApiKey: namespace and name are needed');
  }
  const way = WAYS.find((names) => isSameSet(names, Object.keys(values)));
  if (way === undefined) {
    throw invalid(
      'besides namespace and name it must have value, or primaryKey and secondaryKey, or apiKey and apiSecret, and nothing else; terms stand in the ApiKey',
    );
  }
  const texts = way.map((member) => new Sensitive(values[member] ?? ''));
  return { namespace, name, members: way, texts };
}

function parseObject(text: string): Readonly<Record<string, string>> {
  if (text.length > INPUT_MAX) throw invalid(`it is longer than ${INPUT_MAX} characters`);
  const parsed = parseJson(text);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw invalid('it is no JSON object');
  }
  const entries = Object.entries(parsed);
  if (!entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')) {
    throw invalid('a member of it is no text');
  }
  return Object.fromEntries(entries);
}

/** The message of the parser quotes what it read. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid('it is no JSON object');
  }
}

function isSameSet(names: readonly string[], others: readonly string[]): boolean {
  return names.length === others.length && names.every((name) => others.includes(name));
}

function invalid(message: string): KeywardError {
  return new KeywardError('Terminal', { reason: 'LineInvalid', message });
}
