/** The box for key material: it can be opened on purpose, and prints as a mask everywhere else. */

const MASK = '[masked]';

/**
 * Key material in memory. String conversion, JSON, template use and inspection all yield a mask;
 * `reveal` is the only way to the bytes, so a search for it finds every place that handles them.
 */
export class Sensitive {
  readonly #bytes: Buffer;

  constructor(bytes: Uint8Array | string) {
    this.#bytes = typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : Buffer.from(bytes);
  }

  /** The bytes themselves, not a copy: do not keep or change them. */
  reveal(): Buffer {
    return this.#bytes;
  }

  /** The bytes as UTF-8 text. Strings cannot be erased; prefer `reveal`. */
  revealText(): string {
    return this.#bytes.toString('utf8');
  }

  /** Overwrites the bytes; the box is useless afterwards. May be repeated. */
  erase(): void {
    this.#bytes.fill(0);
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [Symbol.toPrimitive](): string {
    return MASK;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return MASK;
  }
}
