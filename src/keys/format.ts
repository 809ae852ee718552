/**
 * Pure (node:zlib only for its CRC32); how the text of a key is made up:
 *
 *     kw_4fJ2mXq0ZpT7aBc9_<43 Base62 secret><6 Base62 CRC32 of all before it>
 *
 * A KeyPair is the same value cut at the second underscore: `apiKey` is what stands before it,
 * which is public, `apiSecret` what stands behind it. So one parser and one checksum serve all.
 */
import { crc32 } from 'node:zlib';
import type { Sensitive } from '../kernel/sensitive.ts';
import { encodeBase62, isBase62At, isBase62Code } from './base62.ts';
import { addToCrc32, CRC_BEGIN, endOfCrc32 } from './crc32.ts';

/** 95 bits: the index of the database, and public. Two keys meet after some 2^47 of them. */
export const KEY_ID_LENGTH = 16;
/** 256.03 bits: the first length that carries a whole SHA-256. */
export const SECRET_LENGTH = 43;
/** 62^6 exceeds 2^32, 62^5 does not. */
export const CHECKSUM_LENGTH = 6;
/** Prefix of a store that names none. */
export const DEFAULT_PREFIX = 'kw';

/** Characters of a prefix, at most. */
export const PREFIX_MAX = 16;
const UNDERSCORE = 95;
/** Everything behind the prefix: `_`, keyId, `_`, secret, checksum. */
const TAIL_LENGTH = 2 + KEY_ID_LENGTH + SECRET_LENGTH + CHECKSUM_LENGTH;

/** Which values a credential consists of. */
export type KeyFormat = 'Opaque' | 'Dual' | 'KeyPair';

/** The parts of a value. `secret` is key material: compare its digest and let it go. */
export type ValueParts = {
  /** `[a-z][a-z0-9]{0,15}` */
  readonly prefix: string;
  readonly keyId: string;
  readonly secret: string;
};

/** Whether the text can stand in front of a key: `[a-z][a-z0-9]{0,15}`. */
export function isPrefix(text: string): boolean {
  return /^[a-z][a-z0-9]{0,15}$/.test(text);
}

/** Whether the text is 16 Base62 characters. */
export function isKeyId(text: string): boolean {
  return /^[0-9A-Za-z]{16}$/.test(text);
}

/** Whether the text is 43 Base62 characters. */
export function isSecret(text: string): boolean {
  return /^[0-9A-Za-z]{43}$/.test(text);
}

/** The public name of a credential, `<prefix>_<keyId>`; the `apiKey` of a KeyPair. */
export function publicName(name: Pick<ValueParts, 'prefix' | 'keyId'>): string {
  return `${name.prefix}_${name.keyId}`;
}

/** The keyId of a public name, or undefined when the text is none. Whether there is such a key nobody knows. */
export function parsePublicName(text: string): string | undefined {
  return /^[a-z][a-z0-9]{0,15}_([0-9A-Za-z]{16})$/.exec(text)?.[1];
}

/** The complete value of parts that are well formed; the answer is key material. */
export function buildValue(parts: ValueParts): string {
  const body = `${publicName(parts)}_${parts.secret}`;
  return body + checksum(body);
}

/** The `apiSecret` of a KeyPair: secret and checksum of the joined value. Key material. */
export function buildPairSecret(parts: ValueParts): string {
  return buildValue(parts).slice(-(SECRET_LENGTH + CHECKSUM_LENGTH));
}

/**
 * The parts of a presented value, or undefined when length, alphabet or checksum do not fit.
 * Takes any text, never throws, and does the cheap checks first, so that garbage costs little.
 * It proves nothing: the checksum only keeps typing errors and look-alikes away from the database.
 */
export function parseValue(text: string): ValueParts | undefined {
  const prefixLength = text.length - TAIL_LENGTH;
  if (prefixLength < 1 || prefixLength > PREFIX_MAX) return undefined;
  const isAscii = READ.write(text) === text.length;
  const isValue = isAscii && isSound(READ, prefixLength, text.length);
  READ.fill(0);
  if (!isValue) return undefined;
  const secretAt = prefixLength + 1 + KEY_ID_LENGTH + 1;
  return {
    prefix: text.slice(0, prefixLength),
    keyId: text.slice(prefixLength + 1, secretAt - 1),
    secret: text.slice(secretAt, text.length - CHECKSUM_LENGTH),
  };
}

/**
 * The value that is being read: the letters of a text that was cut out of another take twice as long to get at.
 * With room for the longest in UTF-8, which has the length of the text where all of it is ASCII, and else more.
 */
const READ = Buffer.alloc((PREFIX_MAX + TAIL_LENGTH) * 3);

/** The parts of a presented KeyPair, or undefined when the two are malformed or do not belong together. */
export function parsePair(apiKey: string, apiSecret: string): ValueParts | undefined {
  if (apiSecret.length !== SECRET_LENGTH + CHECKSUM_LENGTH) return undefined;
  return parseValue(`${apiKey}_${apiSecret}`);
}

/**
 * The 43 secret characters of a value we built (an Opaque or Dual value, or an `apiSecret`), as a
 * view of the box's own bytes: do not keep or change it.
 */
export function secretBytes(value: Sensitive): Buffer {
  const bytes = value.reveal();
  return bytes.subarray(-(SECRET_LENGTH + CHECKSUM_LENGTH), -CHECKSUM_LENGTH);
}

/**
 * What people may see of a value to tell it from others: `kw_4fJ2...x0Zp`, the prefix, the first
 * four of the keyId and the last four. The last four belong to the checksum and take at most
 * 24 of 256 bits from a guesser.
 */
export function hint(name: Pick<ValueParts, 'prefix' | 'keyId'>, value: Sensitive): string {
  return `${name.prefix}_${name.keyId.slice(0, 4)}...${value.reveal().toString('latin1').slice(-4)}`;
}

function checksum(body: string): string {
  return encodeBase62(crc32(body), CHECKSUM_LENGTH);
}

/** Whether these bytes have the shape of a value, and its checksum. */
function isSound(bytes: Uint8Array, prefixLength: number, length: number): boolean {
  const secretAt = prefixLength + 1 + KEY_ID_LENGTH + 1;
  if (bytes[prefixLength] !== UNDERSCORE || bytes[secretAt - 1] !== UNDERSCORE) return false;
  if (!hasPrefix(bytes, prefixLength)) return false;
  // Each letter is looked at anyway; zlib would look once more.
  let crc = CRC_BEGIN;
  const end = length - CHECKSUM_LENGTH;
  for (let i = 0; i < end; i += 1) {
    const code = bytes[i] ?? 0;
    const isLetter = i > prefixLength && i !== secretAt - 1;
    if (isLetter && !isBase62Code(code)) return false;
    crc = addToCrc32(crc, code);
  }
  return isBase62At(bytes, end, CHECKSUM_LENGTH, endOfCrc32(crc));
}

/** As `isPrefix` of the first letters; the length is known to fit. */
function hasPrefix(bytes: Uint8Array, prefixLength: number): boolean {
  for (let i = 0; i < prefixLength; i += 1) {
    const code = bytes[i] ?? 0;
    const isDigit = code >= 48 && code <= 57;
    if (!(code >= 97 && code <= 122) && !(isDigit && i > 0)) return false;
  }
  return true;
}
