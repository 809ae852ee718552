/**
 * Pure; values of our own layout that stand somewhere in a longer text, such as a file that a template
 * made. Checksum and keyId say where one begins and ends, whatever stands around it. Like all that
 * `parseValue` reads, what is found proves nothing before its digest is compared. `undefined` stands for a place that was looked at
 * in vain: texts are as long as tenants make them, and who asks counts what it costs.
 */
import { CHECKSUM_LENGTH, parsePair, parseValue, PREFIX_MAX, SECRET_LENGTH } from './format.ts';

const PAIR_SECRET_LENGTH = SECRET_LENGTH + CHECKSUM_LENGTH;

/** Overlapping ones too: which letters belong to it only the checksum says. */
const PAIR_SECRET = new RegExp(`(?=([0-9A-Za-z]{${PAIR_SECRET_LENGTH}}))`, 'g');

/**
 * All values of this keyId in the text, in order. Key material. One that follows a letter at once is
 * found as well: the checksum covers the prefix.
 */
export function* embeddedValues(text: string, keyId: string): Generator<string | undefined> {
  const middle = `_${keyId}_`;
  for (let at = text.indexOf(middle); at !== -1; at = text.indexOf(middle, at + 1)) {
    const end = at + middle.length + PAIR_SECRET_LENGTH;
    const first = Math.max(0, at - PREFIX_MAX);
    for (let begin = at - 1; begin >= first; begin -= 1) {
      const value = text.slice(begin, end);
      yield parseValue(value) === undefined ? undefined : value;
    }
  }
}

/** All texts that are the secret half to this public name, in order. Key material. */
export function* embeddedPairSecrets(text: string, name: string): Generator<string | undefined> {
  for (const [, secret = ''] of text.matchAll(PAIR_SECRET)) {
    yield parsePair(name, secret) === undefined ? undefined : secret;
  }
}
