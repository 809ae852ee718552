/** `--narrow key=value`: what a reviewer leaves of the terms. Pure. */
import type { ReviewNarrowed, ReviewQuota } from '../api/generated/apikeyreview.ts';
import { usageError } from './exit.ts';

type Mutable = { -readonly [K in keyof ReviewNarrowed]: ReviewNarrowed[K] };

const PERIODS = ['Lifetime', 'Day', 'Month'] as const;
const FIELDS =
  'expirationDate=2027-01-31, expirationTime=2027-01-31T00:00:00Z, durationDays=30, quota=1000 or quota=1000/Day, products=a,b, origins=a,b, missing=Deny, unknownPath=Deny, cidrs=a,b';

/**
 * The field `narrowed` of a review; undefined without any. The API server and the operator check it.
 * @throws KeywardError Terminal Usage
 */
export function parseNarrowed(texts: readonly string[]): ReviewNarrowed | undefined {
  const narrowed: Mutable = {};
  for (const text of texts) {
    const cut = text.indexOf('=');
    const value = text.slice(cut + 1).trim();
    if (cut < 1 || value === '')
      throw usageError(`--narrow takes KEY=VALUE, not '${text}': ${FIELDS}`);
    add(narrowed, text.slice(0, cut), value);
  }
  return texts.length === 0 ? undefined : narrowed;
}

function add(narrowed: Mutable, key: string, value: string): void {
  switch (key) {
    case 'expirationDate':
    case 'expirationTime':
      narrowed[key] = value;
      return;
    case 'durationDays':
      narrowed.durationDays = whole(key, value);
      return;
    case 'quota':
      narrowed.quota = parseQuota(value);
      return;
    case 'products':
    case 'productRefs':
      narrowed.productRefs = list(value).map((name) => ({ name }));
      return;
    case 'cidrs':
      narrowed.cidrs = list(value);
      return;
    case 'origins':
      narrowed.originPolicy = { ...narrowed.originPolicy, allowed: list(value) };
      return;
    case 'missing':
    case 'unknownPath':
      narrowed.originPolicy = {
        ...narrowed.originPolicy,
        [key]: oneOf(key, value, ['Deny', 'Allow']),
      };
      return;
    default:
      throw usageError(`nothing called '${key}' can be narrowed; there are ${FIELDS}`);
  }
}

/** `1000`, `1000/Day` or `1000/Month`. @throws KeywardError Terminal Usage */
export function parseQuota(text: string): ReviewQuota {
  const [count = '', period] = text.split('/');
  const requests = count === '-1' ? -1 : whole('quota', count);
  return period === undefined
    ? { requests }
    : { requests, period: oneOf('quota', period, PERIODS) };
}

function whole(key: string, text: string): number {
  const number = Number(text);
  if (/^\d{1,16}$/.test(text) && Number.isSafeInteger(number)) return number;
  throw usageError(`${key} takes a whole number, not '${text}'`);
}

function oneOf<T extends string>(key: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each.toLowerCase() === text.toLowerCase());
  if (found !== undefined) return found;
  throw usageError(`${key} takes ${allowed.join(', ')}, not '${text}'`);
}

/** The parts between commas. */
export function list(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
