/** Pure; writes protocol buffers, as far as answers need them. Small pieces are joined to larger ones. */
import { delimited } from './wirereader.ts';

const MORE = 0x80;
const LOW = 0x7f;
const VARINT_BITS = 7;

/** An unsigned number up to 2^53 - 1. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > LOW; rest = Math.floor(rest / (LOW + 1))) bytes.push((rest & LOW) | MORE);
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** A field with a number; 0 is the default and so is not written. */
export function numberField(field: number, value: number): Buffer {
  if (value === 0) return Buffer.alloc(0);
  return Buffer.concat([varint(delimited(field) & ~VARINT_TAG_MASK), varint(value)]);
}

/** A field with text. Written even if it is empty. */
export function textField(field: number, text: string): Buffer {
  return bytesField(field, Buffer.from(text, 'utf8'));
}

/** A field with a message, given as its fields. Written even if it has none. */
export function messageField(field: number, ...fields: readonly Uint8Array[]): Buffer {
  return bytesField(field, Buffer.concat(fields));
}

/** How many bytes a length or tag takes. */
export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > LOW; rest >>>= VARINT_BITS) size += 1;
  return size;
}

/** Writes a length or tag (32 bits) and says where it ends. */
export function writeVarint(into: Uint8Array, value: number, at: number): number {
  let next = at;
  let rest = value;
  for (; rest > LOW; rest >>>= VARINT_BITS) {
    into[next] = (rest & LOW) | MORE;
    next += 1;
  }
  into[next] = rest;
  return next + 1;
}

const VARINT_TAG_MASK = 7;

function bytesField(field: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([varint(delimited(field)), varint(bytes.length), bytes]);
}
