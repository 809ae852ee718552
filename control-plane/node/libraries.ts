/** The libraries that a program of this machine needs in an image of its own. */
import { execFile } from 'node:child_process';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * What the loader would load here, by its path in the image, where the loader looks by itself.
 *
 * @param env variables the program needs to run here, such as LD_LIBRARY_PATH
 */
export async function librariesOf(
  program: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Record<string, string>> {
  const { stdout } = await run('ldd', [program], { env: { ...process.env, ...env } });
  return librariesIn(stdout);
}

/**
 * Files of an image for what `ldd` printed: libraries in /lib, the loader where it says. Pure.
 *
 * @returns paths of this machine by path in the image
 */
export function librariesIn(lddOutput: string): Record<string, string> {
  const files: Record<string, string> = {};
  for (const line of lddOutput.split('\n')) {
    const path = /(\/\S+) \(0x/.exec(line)?.[1];
    if (path === undefined) continue;
    const isLoader = basename(path).startsWith('ld-');
    files[isLoader ? path : join('/lib', basename(path))] = path;
  }
  return files;
}
