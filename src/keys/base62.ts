/** Pure; Base62 text: digits, capitals, small letters. No character needs quoting anywhere. */
import { KeywardError } from '../kernel/errors.ts';
import type { Entropy } from '../kernel/entropy.ts';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const DIGITS = Buffer.from(ALPHABET);
const IS_DIGIT = new Uint8Array(256);
for (const code of DIGITS) IS_DIGIT[code] = 1;

/** Largest multiple of 62 that a byte can hold; bytes from here on would favour the first letters. */
const UNBIASED_BELOW = 248;

/** A sane generator needs one or two draws; this many refused ones mean that it is broken. */
const DRAWS_MAX = 16;

/**
 * A number as exactly `width` Base62 digits, most significant first, filled with zeros.
 *
 * @param value a non-negative safe integer below 62^width; higher digits are cut off
 */
export function encodeBase62(value: number, width: number): string {
  let text = '';
  let rest = value;
  for (let i = 0; i < width; i += 1) {
    text = ALPHABET.charAt(rest % 62) + text;
    rest = Math.floor(rest / 62);
  }
  return text;
}

/** Whether the `width` bytes from `at` on are the number as `encodeBase62` writes it; makes no text. */
export function isBase62At(
  bytes: Readonly<Uint8Array>,
  at: number,
  width: number,
  value: number,
): boolean {
  let rest = value;
  for (let i = at + width - 1; i >= at; i -= 1) {
    if (bytes[i] !== DIGITS[rest % 62]) return false;
    rest = Math.floor(rest / 62);
  }
  return true;
}

/**
 * `length` Base62 characters, each equally likely: bytes of the uneven rest are thrown away.
 * One character carries log2(62) = 5.954 bits.
 *
 * @throws KeywardError Bug EntropyBroken when the generator yields nothing usable
 */
export function randomBase62(entropy: Entropy, length: number): string {
  let text = '';
  for (let draw = 0; draw < DRAWS_MAX; draw += 1) {
    // 1 byte in 32 is refused on average; a quarter more makes a second draw rare.
    const bytes = entropy(Math.ceil((length - text.length) * 1.25) + 4);
    for (const byte of bytes) {
      if (byte < UNBIASED_BELOW && text.length < length) text += ALPHABET.charAt(byte % 62);
    }
    bytes.fill(0);
    if (text.length === length) return text;
  }
  throw new KeywardError('Bug', {
    reason: 'EntropyBroken',
    message: 'the random generator yields no usable bytes',
  });
}

/** Whether the byte, or the UTF-16 code unit, is a Base62 character. */
export function isBase62Code(code: number): boolean {
  return IS_DIGIT[code] === 1;
}
