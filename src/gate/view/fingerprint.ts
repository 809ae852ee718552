/**
 * Pure; 64-bit fingerprints of keyIds under a secret of this process, so that nobody outside can look
 * for ids that meet in one place. One random word for each letter at each position, all combined
 * (Zobrist): two different ids have the same fingerprint with probability 2^-64.
 */
import type { Entropy } from '../../kernel/entropy.ts';
import { KEY_ID_LENGTH } from '../../keys/format.ts';

const FIRST_CODE = '0'.charCodeAt(0);
const CODES = 'z'.charCodeAt(0) - FIRST_CODE + 1;

/** Computes fingerprints into two fields, because a pair for each call would be garbage. */
export class Fingerprinter {
  readonly #words: Uint32Array;
  /** Of the last `read`: the upper 32 bits, */
  high = 0;
  /** and the lower; never both 0. */
  low = 0;

  constructor(entropy: Entropy) {
    const bytes = entropy(KEY_ID_LENGTH * CODES * 8);
    this.#words = new Uint32Array(bytes.byteLength / 4);
    for (let i = 0; i < this.#words.length; i += 1) this.#words[i] = bytes.readUInt32LE(i * 4);
  }

  /** @param keyId 16 Base62 characters; what else it may be is the caller's to know */
  read(keyId: string): void {
    let high = 0;
    let low = 0;
    for (let i = 0; i < KEY_ID_LENGTH; i += 1) {
      const at = (i * CODES + keyId.charCodeAt(i) - FIRST_CODE) * 2;
      high ^= this.#words[at] ?? 0;
      low ^= this.#words[at + 1] ?? 0;
    }
    this.high = high >>> 0;
    // Two zeros mark an empty place.
    this.low = high === 0 && low === 0 ? 1 : low >>> 0;
  }
}
