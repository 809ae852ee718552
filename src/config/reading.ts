/** From what people wrote to the value of a setting; what is wrong is told with where it stands. Pure. */
import { invalid } from './problem.ts';
import { takes, type Setting, type SettingType, type Value } from './setting.ts';

/** Where a value stands, as messages name it: `--workers`, `KEYWARD_WORKERS`, `keyward.yaml:3: workers`. */
export type Place = string;

/**
 * The value of a text, as flags and variables have it.
 * @throws KeywardError Terminal InvalidConfiguration
 */
export function readText({ type }: Setting, text: string, place: Place): Value {
  switch (type.kind) {
    case 'Text':
      return text;
    case 'List':
      return text
        .split(',')
        .map((each) => each.trim())
        .filter((each) => each !== '');
    case 'Choice':
      if (type.choices.includes(text)) return text;
      break;
    case 'Number': {
      const number = Number(text);
      if (/^\d+$/.test(text) && isWithin(number, type)) return number;
      break;
    }
    case 'Truth':
      if (text === 'true' || text === 'false') return text === 'true';
      break;
  }
  throw invalid(`${place} takes ${takes(type)}, not '${text}'`);
}

/**
 * The value of what a YAML file holds, which has types of its own: a number in quotes is no number.
 * @throws KeywardError Terminal InvalidConfiguration
 */
export function readData({ type }: Setting, data: unknown, place: Place): Value {
  const value = dataOf(type, data);
  if (value !== undefined) return value;
  throw invalid(`${place} takes ${takes(type)}, not ${nameOf(type, data)}`);
}

function dataOf(type: SettingType, data: unknown): Value | undefined {
  switch (type.kind) {
    case 'Text':
      return typeof data === 'string' && data !== '' ? data : undefined;
    case 'List':
      return isTexts(data) ? data : undefined;
    case 'Choice':
      return typeof data === 'string' && type.choices.includes(data) ? data : undefined;
    case 'Number':
      return typeof data === 'number' && isWithin(data, type) ? data : undefined;
    case 'Truth':
      return typeof data === 'boolean' ? data : undefined;
  }
}

function isWithin(number: number, { min, max }: { min: number; max: number }): boolean {
  return Number.isInteger(number) && number >= min && number <= max;
}

function isTexts(data: unknown): data is readonly string[] {
  return Array.isArray(data) && data.every((each) => typeof each === 'string' && each !== '');
}

/** Texts are named only where they cannot be a password in the wrong line. */
function nameOf(type: SettingType, data: unknown): string {
  if (data === null || data === undefined) return 'nothing; leave the line out for the default';
  if (Array.isArray(data)) return isTexts(data) ? 'a list' : 'a list of anything else';
  if (typeof data === 'number' || typeof data === 'boolean') {
    const isQuotable = type.kind === 'Text' || type.kind === 'Choice';
    return isQuotable ? `${data}; put it in quotes` : `${data}`;
  }
  if (typeof data !== 'string') return 'a mapping';
  if (data === '') return 'an empty text; leave the line out for the default';
  if (type.kind === 'Choice') return `'${data}'`;
  return type.kind === 'List' ? 'one text; write it as [a, b]' : 'a text; write it without quotes';
}
