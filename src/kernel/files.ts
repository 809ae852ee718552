/** What has to be on the disk, and what the system says of files. */
import { closeSync, fsyncSync, openSync } from 'node:fs';

/** Waits until a file is on the disk, or a folder, which holds the names of files. Throws as the system does. */
export function syncFile(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** The code of a failure of the system, such as ENOENT; undefined: it is another one. */
export function systemCode(thrown: unknown): string | undefined {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
