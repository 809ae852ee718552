/** What the fake NAVER keeps of a key, how it writes it down, and what it accepts from callers. */
import { randomBase62 } from '../../src/keys/base62.ts';
import type { Entropy } from '../../src/kernel/entropy.ts';
import type { FakeAnswer } from '../vendor.ts';

/** A key as the vendor itself has it. */
export type NaverKey = {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string;
  readonly description: string;
  readonly primary: string;
  readonly secondary: string;
  readonly modifier: string;
  readonly enabled: boolean;
  readonly createdMs: number;
  readonly modifiedMs: number;
};

/** Habits in which the vendor's own documents differ from each other, or that they leave open. */
export type NaverQuirks = {
  /** Status of an answer about one key that is not there. */
  readonly missing: 404 | 400;
  /** Older lists show the values of each key. */
  readonly listedValues: 'Hidden' | 'Shown';
  /** What a PUT without apiKeyDescription does. */
  readonly omittedDescription: 'Clears' | 'Keeps';
  /** `apiKeyName` of a list. */
  readonly nameFilter: 'Contains' | 'Equals' | 'Ignored';
  /** Never more entries than this on a page, whatever was asked for. */
  readonly pageMax: number;
  readonly errorCodes: 'Text' | 'Number';
  readonly dates: 'Seconds' | 'MillisecondsWithOffset';
  /** Whether reading one key wraps it like all other calls do. */
  readonly readAnswer: 'Bare' | 'Wrapped';
  /** Operations that the sub account may not use: 401 with code 210. */
  readonly forbidden: readonly string[];
};

/** As the documents of today say. */
export const DOCUMENTED: NaverQuirks = {
  missing: 404,
  listedValues: 'Hidden',
  omittedDescription: 'Clears',
  nameFilter: 'Contains',
  pageMax: 1_000,
  errorCodes: 'Text',
  dates: 'Seconds',
  readAnswer: 'Bare',
  forbidden: [],
};

const NAME_MAX = 20;
const DESCRIPTION_MAX = 50;
const ID_LENGTH = 10;
const VALUE_LENGTH = 40;

/** What a create or change call wants; `problem` says why it is refused. */
export type KeyWish =
  | { readonly problem: string }
  | { readonly name: string; readonly description: string | undefined; readonly enabled?: boolean };

/** Lengths count characters as people do. */
export function wishOf(sent: Readonly<Record<string, unknown>>): KeyWish {
  const { apiKeyName: name, apiKeyDescription: description, isEnabled: enabled } = sent;
  if (typeof name !== 'string' || name === '' || [...name].length > NAME_MAX) {
    return { problem: 'apiKeyName must have 1 to 20 characters' };
  }
  if (description !== undefined && typeof description !== 'string') {
    return { problem: 'apiKeyDescription must be a text' };
  }
  if (description !== undefined && [...description].length > DESCRIPTION_MAX) {
    return { problem: 'apiKeyDescription must have up to 50 characters' };
  }
  if (enabled !== undefined && typeof enabled !== 'boolean') {
    return { problem: 'isEnabled must be true or false' };
  }
  return { name, description, ...(enabled === undefined ? {} : { enabled }) };
}

/** A fresh id: ten small letters and digits. */
export function freshId(entropy: Entropy): string {
  return randomBase62(entropy, ID_LENGTH).toLowerCase();
}

/** A fresh value: forty letters and digits. */
export function freshValue(entropy: Entropy): string {
  return randomBase62(entropy, VALUE_LENGTH);
}

/** All ten fields. */
export function wholeKey(key: NaverKey, quirks: NaverQuirks): Readonly<Record<string, unknown>> {
  return {
    ...listedKey(key, { ...quirks, listedValues: 'Hidden' }),
    primaryKey: key.primary,
    secondaryKey: key.secondary,
  };
}

/** A key in a list: without its values, except where lists are old. */
export function listedKey(key: NaverKey, quirks: NaverQuirks): Readonly<Record<string, unknown>> {
  if (quirks.listedValues === 'Shown') return wholeKey(key, quirks);
  return {
    apiKeyId: key.id,
    tenantId: key.tenantId,
    apiKeyName: key.name,
    apiKeyDescription: key.description,
    modifier: key.modifier,
    isEnabled: key.enabled,
    modTime: writeTime(key.modifiedMs, quirks),
    domainCode: 'PUB',
  };
}

/** A refusal in the vendor's form. */
export function refusal(
  status: number,
  errorCode: string,
  { message, quirks }: { readonly message: string; readonly quirks: NaverQuirks },
): FakeAnswer {
  const code = quirks.errorCodes === 'Text' ? errorCode : Number(errorCode);
  return { status, body: { error: { errorCode: code, message, details: message } } };
}

function writeTime(atMs: number, { dates }: NaverQuirks): string {
  const text = new Date(atMs).toISOString();
  if (dates === 'MillisecondsWithOffset') return text.replace('Z', '+00:00');
  return text.replace(/\.\d+Z$/, 'Z');
}
