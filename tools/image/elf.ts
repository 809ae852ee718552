/**
 * What a program needs to start: its loader and its shared libraries, as its own tables say. Asking the
 * file and not the machine (as ldd does) works for other processors, too, and runs nothing. Pure.
 */
import { Buffer } from 'node:buffer';

/** Needs of one program or library. */
export type Needs = {
  /** Absolute path of the loader; undefined for libraries. */
  readonly loader: string | undefined;
  /** Names of libraries, as libc.so.6, in the file's order. */
  readonly libraries: readonly string[];
};

type Segment = {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly bytes: number;
};

const MAGIC = '\x7fELF';
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
const SEGMENT = { load: 1, dynamic: 2, loader: 3 } as const;
const TAG = { end: 0, needed: 1, strings: 5 } as const;
const TAG_BYTES = 16;

/** @throws Error when it is not a 64-bit little-endian ELF file */
export function needsOf(content: Uint8Array): Needs {
  const file = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const isElf = file.toString('latin1', 0, 4) === MAGIC;
  if (!isElf || file[4] !== CLASS_64 || file[5] !== LITTLE_ENDIAN) {
    throw new Error('not a 64-bit little-endian ELF file');
  }
  const segments = segmentsOf(file);
  const loader = segments.find(({ type }) => type === SEGMENT.loader);
  return {
    loader: loader && text(file, loader.offset),
    libraries: librariesOf(file, segments),
  };
}

function segmentsOf(file: Buffer): readonly Segment[] {
  const table = Number(file.readBigUInt64LE(32));
  const entryBytes = file.readUInt16LE(54);
  return Array.from({ length: file.readUInt16LE(56) }, (_, n) => {
    const at = table + n * entryBytes;
    return {
      type: file.readUInt32LE(at),
      offset: Number(file.readBigUInt64LE(at + 8)),
      address: Number(file.readBigUInt64LE(at + 16)),
      bytes: Number(file.readBigUInt64LE(at + 32)),
    };
  });
}

function librariesOf(file: Buffer, segments: readonly Segment[]): readonly string[] {
  const dynamic = segments.find(({ type }) => type === SEGMENT.dynamic);
  if (dynamic === undefined) return [];
  const tags = Array.from({ length: dynamic.bytes / TAG_BYTES }, (_, n) => {
    const at = dynamic.offset + n * TAG_BYTES;
    return {
      tag: Number(file.readBigInt64LE(at)),
      value: Number(file.readBigUInt64LE(at + 8)),
    };
  });
  const end = tags.findIndex(({ tag }) => tag === TAG.end);
  const used = tags.slice(0, end === -1 ? undefined : end);
  const strings = offsetOf(used.find(({ tag }) => tag === TAG.strings)?.value ?? 0, segments);
  return used
    .filter(({ tag }) => tag === TAG.needed)
    .map(({ value }) => text(file, strings + value));
}

/** Tables speak of addresses in memory; segments say which part of the file comes to lie there. */
function offsetOf(address: number, segments: readonly Segment[]): number {
  const home = segments.find(
    (each) =>
      each.type === SEGMENT.load && address >= each.address && address < each.address + each.bytes,
  );
  if (home === undefined) throw new Error('an ELF table points outside the file');
  return address - home.address + home.offset;
}

function text(file: Buffer, at: number): string {
  return file.toString('utf8', at, file.indexOf(0, at));
}
