/**
 * Writes tar files (POSIX ustar) that depend on nothing but what is in them: entries sorted by path,
 * folders before what they hold, no times, no names of users. Own, because the options that make tar
 * programs do the same differ between them. Pure.
 */
import { Buffer } from 'node:buffer';

/** One entry. Paths are relative, with `/`, without one at either end. */
export type Entry =
  | {
      readonly kind: 'File';
      readonly path: string;
      /** Permission bits. */
      readonly mode: number;
      readonly content: Uint8Array;
    }
  | { readonly kind: 'Link'; readonly path: string; readonly target: string }
  | {
      readonly kind: 'Folder';
      readonly path: string;
      readonly mode: number;
      /** User and group; everything else belongs to 0. */
      readonly owner: number;
    };

const BLOCK_BYTES = 512;
const FOLDER_MODE = 0o755;
const TYPES = { File: '0', Link: '2', Folder: '5' } as const;

/**
 * The tar file in pieces, to be written or hashed one after the other. Folders that no entry names are
 * added. @throws Error when a path occurs twice, or is longer than the format can hold
 */
export function tarball(entries: readonly Entry[]): readonly Uint8Array[] {
  const sorted = sortedEntries(entries);
  return [...sorted.flatMap(piecesOf), Buffer.alloc(2 * BLOCK_BYTES)];
}

/** As they stand in the tar file. @throws Error when a path occurs twice */
export function sortedEntries(entries: readonly Entry[]): readonly Entry[] {
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  if (byPath.size < entries.length) throw new Error('a path occurs twice in a tar file');
  for (const { path } of entries) {
    for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) {
      const folder = path.slice(0, at);
      if (byPath.has(folder)) continue;
      byPath.set(folder, { kind: 'Folder', path: folder, mode: FOLDER_MODE, owner: 0 });
    }
  }
  // By code unit, whatever the language of the machine; a folder is a prefix of what it holds.
  return [...byPath.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function piecesOf(entry: Entry): readonly Uint8Array[] {
  if (entry.kind !== 'File') return [header(entry)];
  const rest = entry.content.length % BLOCK_BYTES;
  const padding = rest === 0 ? 0 : BLOCK_BYTES - rest;
  return [header(entry), entry.content, Buffer.alloc(padding)];
}

function header(entry: Entry): Uint8Array {
  const block = Buffer.alloc(BLOCK_BYTES);
  const { prefix, name } = splitPath(entry.kind === 'Folder' ? `${entry.path}/` : entry.path);
  const owner = octal(entry.kind === 'Folder' ? entry.owner : 0, 7);
  block.write(name, 0);
  block.write(octal(entry.kind === 'Link' ? 0o777 : entry.mode, 7), 100);
  block.write(owner, 108);
  block.write(owner, 116);
  block.write(octal(entry.kind === 'File' ? entry.content.length : 0, 11), 124);
  block.write(octal(0, 11), 136);
  block.write(TYPES[entry.kind], 156);
  if (entry.kind === 'Link') block.write(fitting(entry.target, 100), 157);
  block.write('ustar\x0000', 257);
  block.write(prefix, 345);
  // The sum is taken with blanks where it will stand.
  block.write(' '.repeat(8), 148);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\x00 `, 148);
  return block;
}

/** Up to 100 bytes after a slash, and up to 155 before it. */
function splitPath(path: string): { readonly prefix: string; readonly name: string } {
  if (Buffer.byteLength(path) <= 100) return { prefix: '', name: path };
  const at = path.indexOf('/', path.length - 101);
  if (at === -1) throw new Error(`'${path}' is too long for a tar file`);
  return { prefix: fitting(path.slice(0, at), 155), name: fitting(path.slice(at + 1), 100) };
}

function fitting(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  throw new Error(`'${text}' is too long for a tar file`);
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}
