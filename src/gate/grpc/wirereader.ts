/**
 * Pure; reads protocol buffers field by field, without a schema and without copies. A message that is
 * not well formed breaks the reader for good: it then sees no more fields, and `isBroken` says so.
 */

/** How a field is written, the low three bits of its tag. */
const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;

const TAG_BITS = 3;
const TAG_MASK = 7;
const MORE = 0x80;
const LOW = 0x7f;
/** Lengths and tags have 32 bits: four groups of seven, and four bits in a fifth. */
const GROUPS = 4;
const FIFTH_MAX = 0x0f;
const VARINT_BYTES_MAX = 10;
/** The first field has number 1. */
const TAG_MIN = 1 << TAG_BITS;

/** The tag of a field that has a length: text, bytes, a message. */
export function delimited(field: number): number {
  return (field << TAG_BITS) | DELIMITED;
}

/** A place in a message. One reader serves any number of messages, one after the other. */
export class WireReader {
  #bytes: Buffer = Buffer.alloc(0);
  /** All of it as latin1, so that texts are cut out of it, which is far cheaper than decoding each. */
  #text = '';
  #at = 0;
  #end = 0;
  #isBroken = false;

  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Begins with another message. Until the next one the bytes must not change. */
  open(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#text = bytes.toString('latin1');
    this.#at = 0;
    this.#end = bytes.length;
    this.#isBroken = false;
  }

  /** Lets go of the message. */
  close(): void {
    this.#bytes = EMPTY;
    this.#text = '';
    this.#at = 0;
    this.#end = 0;
  }

  /** The tag of the next field of the message or part; 0: there is none, or the reader is broken. */
  next(): number {
    if (this.#at >= this.#end) return 0;
    const tag = this.#varint32();
    if (tag < TAG_MIN) this.#break();
    return this.#isBroken ? 0 : tag;
  }

  /** Enters the message that is the field's value; the answer is for `leave`. */
  enter(): number {
    const length = this.#length();
    const outer = this.#end;
    if (!this.#isBroken) this.#end = this.#at + length;
    return outer;
  }

  /** Goes on after the message that was entered; its fields must all have been read. */
  leave(outer: number): void {
    if (!this.#isBroken) this.#end = outer;
  }

  /**
   * The field's value, one character per byte; '' when broken. It shares memory with the whole
   * message, so whoever keeps it for long keeps all of that.
   */
  text(): string {
    const start = this.#pass();
    return this.#text.slice(start, this.#at);
  }

  /** The field's value; a view of the message, not a copy. */
  bytes(): Buffer {
    const start = this.#pass();
    return this.#bytes.subarray(start, this.#at);
  }

  /** Passes over the value of the field with this tag. */
  skip(tag: number): void {
    switch (tag & TAG_MASK) {
      case VARINT:
        return this.#skipVarint();
      case FIXED64:
        return this.#skipBytes(8);
      case DELIMITED:
        return void this.#pass();
      case FIXED32:
        return this.#skipBytes(4);
      default:
        return this.#break();
    }
  }

  #pass(): number {
    const length = this.#length();
    const start = this.#at;
    this.#at += length;
    return start;
  }

  #length(): number {
    const length = this.#varint32();
    if (length <= this.#end - this.#at) return length;
    this.#break();
    return 0;
  }

  #varint32(): number {
    const bytes = this.#bytes;
    let value = 0;
    for (let group = 0; group <= GROUPS; group += 1) {
      if (this.#at >= this.#end) break;
      const byte = bytes[this.#at] ?? MORE;
      this.#at += 1;
      if (group === GROUPS && byte > FIFTH_MAX) break;
      value += (byte & LOW) * 2 ** (7 * group);
      if (byte < MORE) return value;
    }
    this.#break();
    return 0;
  }

  #skipVarint(): void {
    for (let read = 0; read < VARINT_BYTES_MAX && this.#at < this.#end; read += 1) {
      const byte = this.#bytes[this.#at] ?? MORE;
      this.#at += 1;
      if (byte < MORE) return;
    }
    this.#break();
  }

  #skipBytes(count: number): void {
    if (count > this.#end - this.#at) this.#break();
    else this.#at += count;
  }

  #break(): void {
    this.#isBroken = true;
    this.#at = 0;
    this.#end = 0;
  }
}

const EMPTY = Buffer.alloc(0);
