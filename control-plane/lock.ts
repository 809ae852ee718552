/** A lock between processes: a file that names its owner. Kept by the builder of the binaries. */
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

const LOOK_AGAIN_MS = 500;

/**
 * Runs `work` while this process alone holds the lock at `path`; the folder must exist. A lock whose
 * owner is dead is taken over. There is no deadline: whoever waits is told once by `onWait`, with
 * the owner's process id.
 */
export async function withLock<Result>(
  path: string,
  work: () => Promise<Result>,
  onWait: (ownerPid: number) => void,
): Promise<Result> {
  await take(path, onWait);
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function take(path: string, onWait: (ownerPid: number) => void): Promise<void> {
  const claim = `${path}.${process.pid}.${performance.now()}`;
  // Linking a finished file makes the lock appear together with its owner's id.
  await writeFile(claim, String(process.pid));
  try {
    for (let waited = false; !(await isTaken(claim, path));) {
      const owner = await ownerOf(path);
      if (owner === undefined || !isAlive(owner)) {
        await rm(path, { force: true });
        continue;
      }
      if (!waited) onWait(owner);
      waited = true;
      await pause(LOOK_AGAIN_MS);
    }
  } finally {
    await rm(claim, { force: true });
  }
}

async function isTaken(claim: string, path: string): Promise<boolean> {
  try {
    await link(claim, path);
    return true;
  } catch (err) {
    if (err instanceof Error && 'code' in err && err.code === 'EEXIST') return false;
    throw err;
  }
}

async function ownerOf(path: string): Promise<number | undefined> {
  try {
    return Number(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Whether a process of this id runs. Another user's process counts as running. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (err) {
    return err instanceof Error && 'code' in err && err.code === 'EPERM';
  }
}
