/** promtool, the checker of Prometheus, from Debian's package of Prometheus. Called by the tests of rules. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findDebianProgram } from './debian.ts';

const run = promisify(execFile);

/** What it said, and whether it was content. */
export type PromtoolAnswer = { readonly isGood: boolean; readonly text: string };

/** Its path; downloads some 19 MB at the first time. Undefined: no Debian, or no network. */
export async function findPromtool(): Promise<string | undefined> {
  const found = await findDebianProgram({
    program: 'promtool',
    installed: ['/usr/bin'],
    packages: ['prometheus'],
    folder: 'usr/bin',
  });
  return found === undefined ? undefined : join(found.folder, 'promtool');
}

/** Runs it to its end, for example with `check`, `rules` and a file. */
export async function promtool(path: string, ...args: readonly string[]): Promise<PromtoolAnswer> {
  try {
    const { stdout, stderr } = await run(path, [...args], { maxBuffer: 16 * 1_024 * 1_024 });
    return { isGood: true, text: `${stdout}${stderr}` };
  } catch (error) {
    // A child process that ends with another code than 0 comes as an error with its output.
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    return { isGood: false, text: `${stdout}${stderr}` };
  }
}
