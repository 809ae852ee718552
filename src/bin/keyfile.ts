/**
 * Files that hold keys: on the disk, with the name of their folder, before anybody is told that they are
 * there. What is written under a key survives a power cut, so the key has to.
 */
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFile, systemCode } from '../kernel/files.ts';
import type { Sensitive } from '../kernel/sensitive.ts';

const OWNER_ONLY = 0o600;

/** Makes a file that only its owner may read; false where there is one, which stays. Rejects as the system does. */
export async function createKeyFile(path: string, text: Sensitive): Promise<boolean> {
  try {
    await write(path, text, () => Promise.resolve());
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
  syncFile(dirname(path));
  return true;
}

/**
 * Puts a file in the place of the one that is there, as a whole, for the same owner and with the same mode:
 * who could read that one goes on. One behind a symbolic link is replaced where it lies. Rejects as the
 * system does, with EEXIST where a draft of an earlier try is in the way; what was there then stays.
 */
export async function replaceKeyFile(path: string, text: Sensitive): Promise<void> {
  const place = await realpath(path).catch(() => path);
  const before = await stat(place).catch(() => undefined);
  const draft = `${place}.new`;
  await write(draft, text, async (file) => {
    if (before === undefined) return;
    const { uid, gid } = await file.stat();
    if (uid !== before.uid || gid !== before.gid) await file.chown(before.uid, before.gid);
    await file.chmod(before.mode & 0o777);
  });
  await rename(draft, place);
  syncFile(dirname(place));
}

/** A new file with this text, or none. @param finish what else has to be right before it counts */
async function write(
  path: string,
  text: Sensitive,
  finish: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const file = await open(path, 'wx', OWNER_ONLY);
  try {
    await file.writeFile(text.reveal());
    await finish(file);
    await file.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}
