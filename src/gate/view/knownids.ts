/**
 * Which keyIds exist, all of them, in 11 to 16 bytes each: fingerprints in typed arrays with open
 * addressing. What is not in here costs the database nothing. An id that is gone may stay: then the
 * database is asked and says so. Pure, but for what it keeps.
 */
import type { Entropy } from '../../kernel/entropy.ts';
import { isKeyId } from '../../keys/format.ts';
import { Fingerprinter } from './fingerprint.ts';

/** Each grows by itself, so that growing 10 million ids never takes more than half a millisecond. */
const SEGMENTS = 1_024;
const PLACES_MIN = 8;
const LOAD_MAX = 0.75;
const GROWTH = 1.5;
const TWO_POW_32 = 2 ** 32;

/** Pairs of words, upper half first; both 0: empty. */
type Segment = { words: Uint32Array; places: number; count: number };

/** A set of keyIds; see the file comment. Says yes by mistake once in 2^64 / (number of ids) asks. */
export class KnownIds {
  readonly #fingerprinter: Fingerprinter;
  #segments: Segment[] = emptySegments();
  #size = 0;

  constructor(entropy: Entropy) {
    this.#fingerprinter = new Fingerprinter(entropy);
  }

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** Memory of the arrays. */
  get bytes(): number {
    return this.#segments.reduce((sum, { words }) => sum + words.byteLength, 0);
  }

  /** @param keyId 16 Base62 characters */
  has(keyId: string): boolean {
    this.#fingerprinter.read(keyId);
    const { high, low } = this.#fingerprinter;
    const segment = this.#segmentOf(high);
    const at = findPlace(segment, high, low) * 2;
    return (segment.words[at] ?? 0) !== 0 || (segment.words[at + 1] ?? 0) !== 0;
  }

  /** Takes ids in. Repeatable. Ids of other shapes, which vendors have, cannot be presented here. */
  add(keyIds: readonly string[]): void {
    for (const keyId of keyIds) if (isKeyId(keyId)) this.#add(keyId);
  }

  /** Forgets all of them. */
  clear(): void {
    this.#segments = emptySegments();
    this.#size = 0;
  }

  #add(keyId: string): void {
    this.#fingerprinter.read(keyId);
    const { high, low } = this.#fingerprinter;
    const segment = this.#segmentOf(high);
    if (segment.count >= segment.places * LOAD_MAX) grow(segment);
    if (!put(segment, high, low)) return;
    segment.count += 1;
    this.#size += 1;
  }

  #segmentOf(high: number): Segment {
    // The index is below the length by construction; the fallback is for the compiler.
    return this.#segments[high % SEGMENTS] ?? { words: new Uint32Array(2), places: 1, count: 0 };
  }
}

function emptySegments(): Segment[] {
  return Array.from({ length: SEGMENTS }, () => ({
    words: new Uint32Array(PLACES_MIN * 2),
    places: PLACES_MIN,
    count: 0,
  }));
}

/** Where the fingerprint is, or the empty place where it would be put; there always is one. */
function findPlace({ words, places }: Segment, high: number, low: number): number {
  let place = Math.floor((low * places) / TWO_POW_32);
  for (;;) {
    const a = words[place * 2];
    const b = words[place * 2 + 1];
    if ((a === high && b === low) || (a === 0 && b === 0)) return place;
    place += 1;
    if (place === places) place = 0;
  }
}

/** False when it was there already. */
function put(segment: Segment, high: number, low: number): boolean {
  const at = findPlace(segment, high, low) * 2;
  if (segment.words[at] !== 0 || segment.words[at + 1] !== 0) return false;
  segment.words[at] = high;
  segment.words[at + 1] = low;
  return true;
}

function grow(segment: Segment): void {
  const before = segment.words;
  segment.places = Math.ceil(segment.places * GROWTH);
  segment.words = new Uint32Array(segment.places * 2);
  for (let i = 0; i < before.length; i += 2) {
    const high = before[i] ?? 0;
    const low = before[i + 1] ?? 0;
    if (high !== 0 || low !== 0) put(segment, high, low);
  }
}
