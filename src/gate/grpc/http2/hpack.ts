/**
 * Pure; reads HTTP/2 headers (HPACK, RFC 7541). Peers send the same headers again and again. As long as
 * the table does not change, the same bytes mean the same, so such a block is recognised by its bytes.
 */
import { decodeHuffman } from './huffman.ts';
import { STATIC_TABLE } from './statictable.ts';

/** What we let the peer remember; the default of HTTP/2. */
const TABLE_BYTES_MAX = 4_096;
/** Of names and contents together, as HPACK counts them. */
const LIST_BYTES_MAX = 16 * 1_024;
/** What HPACK adds to each header for its overhead. */
const ENTRY_BYTES = 32;

const STATIC_ENTRIES = STATIC_TABLE.length / 2;
const NOTHING: Buffer = Buffer.alloc(0);

/** Headers: names and contents in turn, one character per byte. */
export type Headers = readonly string[];

/** The header blocks of one connection, in their order. */
export class HeaderDecoder {
  #bytes = NOTHING;
  #at = 0;
  #isBroken = false;
  #headers: string[] = [];
  #listBytes = 0;
  /** Names and contents in turn, the newest last. */
  #table: string[] = [];
  #tableBytes = 0;
  #tableBytesMax = TABLE_BYTES_MAX;
  #hasTableChanged = false;
  /** The last block that left the table as it was, and what it says while the table stays. */
  #known = NOTHING;
  #knownHeaders: Headers | undefined;

  /**
   * The headers, the very same array for the same block; undefined when the block is broken or too large,
   * after which nothing on this connection can be read any more.
   */
  decode(block: Buffer): Headers | undefined {
    if (this.#knownHeaders !== undefined && block.equals(this.#known)) return this.#knownHeaders;
    this.#bytes = block;
    this.#at = 0;
    this.#headers = [];
    this.#listBytes = 0;
    this.#hasTableChanged = false;
    while (this.#at < block.length && !this.#isBroken) {
      const first = block[this.#at] ?? 0;
      if (first >= 0x80) this.#readReference();
      else this.#readOther(first);
    }
    this.#bytes = NOTHING;
    if (this.#isBroken) return undefined;
    if (!this.#hasTableChanged) {
      // A copy: the bytes are part of something larger that would stay.
      this.#known = Buffer.from(block);
      this.#knownHeaders = this.#headers;
    }
    return this.#headers;
  }

  #readReference(): void {
    const index = this.#number(0x7f);
    this.#add(this.#nameAt(index), this.#contentAt(index));
  }

  #readOther(first: number): void {
    if (first >= 0x40) return this.#readLiteral(0x3f, 'Kept');
    if (first >= 0x20) return this.#resize();
    this.#readLiteral(0x0f, 'NotKept');
  }

  #readLiteral(mask: number, keeping: 'Kept' | 'NotKept'): void {
    const index = this.#number(mask);
    const name = index === 0 ? this.#text() : this.#nameAt(index);
    const content = this.#text();
    if (this.#isBroken) return;
    this.#add(name, content);
    if (keeping === 'Kept') this.#keep(name, content);
  }

  /** Only at the start of a block, and never above what we allow. */
  #resize(): void {
    const size = this.#number(0x1f);
    if (size > TABLE_BYTES_MAX || this.#headers.length > 0) return this.#break();
    this.#tableBytesMax = size;
    this.#forgetUntil(size);
  }

  #add(name: string, content: string): void {
    this.#listBytes += name.length + content.length + ENTRY_BYTES;
    if (this.#listBytes > LIST_BYTES_MAX) return this.#break();
    this.#headers.push(name, content);
  }

  #keep(name: string, content: string): void {
    const size = name.length + content.length + ENTRY_BYTES;
    this.#forgetUntil(this.#tableBytesMax - size);
    if (size > this.#tableBytesMax) return;
    this.#table.push(name, content);
    this.#tableBytes += size;
  }

  /** Removes the oldest until no more than this is left; the table changes in any case. */
  #forgetUntil(bytes: number): void {
    this.#hasTableChanged = true;
    this.#knownHeaders = undefined;
    while (this.#tableBytes > bytes && this.#table.length > 0) {
      const [name = '', content = ''] = this.#table.splice(0, 2);
      this.#tableBytes -= name.length + content.length + ENTRY_BYTES;
    }
  }

  #nameAt(index: number): string {
    return this.#entryAt(index, 0);
  }

  #contentAt(index: number): string {
    return this.#entryAt(index, 1);
  }

  #entryAt(index: number, offset: 0 | 1): string {
    const text =
      index <= STATIC_ENTRIES
        ? STATIC_TABLE[2 * index - 2 + offset]
        : this.#table[this.#table.length - 2 * (index - STATIC_ENTRIES) + offset];
    if (text === undefined) this.#break();
    return text ?? '';
  }

  #text(): string {
    const isCoded = ((this.#bytes[this.#at] ?? 0) & 0x80) !== 0;
    const length = this.#number(0x7f);
    const start = this.#at;
    const end = start + length;
    if (this.#isBroken || end > this.#bytes.length) {
      this.#break();
      return '';
    }
    this.#at = end;
    if (!isCoded) return this.#bytes.toString('latin1', start, end);
    const text = decodeHuffman(this.#bytes, start, end);
    if (text === undefined) this.#break();
    return text ?? '';
  }

  /** An integer whose first bits are those of the mask; none that is of use needs four more bytes. */
  #number(mask: number): number {
    const bytes = this.#bytes;
    let value = (bytes[this.#at] ?? 0) & mask;
    if (this.#at >= bytes.length) this.#break();
    this.#at += 1;
    if (value < mask) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = bytes[this.#at];
      if (byte === undefined) break;
      this.#at += 1;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    this.#break();
    return 0;
  }

  #break(): void {
    this.#isBroken = true;
  }
}
