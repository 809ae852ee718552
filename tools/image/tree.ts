/** Lays an image's layers out as ordinary files: for the Dockerfile, for measuring, for tests. */
import { chmod, chown, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Layer } from './layers.ts';
import { sortedEntries, type Entry } from './tar.ts';

/**
 * Writes the layers into the folder, which must be empty or absent. Owners are set where we may.
 *
 * @throws Error when a file is there already
 */
export async function writeTree(layers: readonly Layer[], folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { entries } of layers) {
    for (const entry of sortedEntries(entries)) {
      // A folder before what it holds.
      // oxlint-disable-next-line no-await-in-loop
      await writeEntry(entry, join(folder, entry.path));
    }
  }
}

async function writeEntry(entry: Entry, path: string): Promise<void> {
  if (entry.kind === 'Link') return symlink(entry.target, path);
  if (entry.kind === 'File') {
    await writeFile(path, entry.content, { flag: 'wx' });
  } else {
    await mkdir(path, { recursive: true });
    if (entry.owner !== 0 && process.getuid?.() === 0) await chown(path, entry.owner, entry.owner);
  }
  // Afterwards: what is created is subject to the umask.
  return chmod(path, entry.mode);
}
