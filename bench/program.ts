/** The program as it is installed: bundled, and run with the settings of its first line. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Program } from './operator.ts';

const ROOT = join(import.meta.dirname, '..');

/** What is run, and how. */
export type Entry = Pick<Program, 'entry' | 'nodeFlags' | 'env'>;

/**
 * Builds the bundle and copies it to `root`/dist, where no other build changes it.
 *
 * @param checkout what is built; absent: this one
 */
export async function bundleIn(root: string, checkout = ROOT): Promise<Entry> {
  execFileSync(process.execPath, [join(checkout, 'tools', 'build.ts')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await cp(join(checkout, 'dist'), join(root, 'dist'), { recursive: true });
  const entry = join(root, 'dist', 'keyward.js');
  return { entry, ...shebangOf(entry) };
}

/** How the installed program runs: flags of Node and environment, as its first line has them. */
function shebangOf(program: string): Pick<Entry, 'nodeFlags' | 'env'> {
  const [first = ''] = readFileSync(program, 'utf8').split('\n', 1);
  const words = first.startsWith('#!') ? first.split(' ') : [];
  const settings = words.flatMap((word) => {
    const [, name, value] = /^([A-Z_]+)=(.*)$/.exec(word) ?? [];
    return name === undefined || value === undefined ? [] : [[name, value] as const];
  });
  return {
    nodeFlags: words.filter((word) => word.startsWith('--')),
    env: Object.fromEntries(settings),
  };
}
