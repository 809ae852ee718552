/** The program as it is installed: bundled, and run with its own settings of Node. */
import { join } from 'node:path';
import { bundle } from '../tools/bundle.ts';
import { ENVIRONMENT, NODE_FLAGS } from '../tools/program.ts';
import { commitOf } from '../tools/source.ts';
import type { Program } from './operator.ts';

const ROOT = join(import.meta.dirname, '..');

/** What is run, and how. */
export type Entry = Pick<Program, 'entry' | 'nodeFlags' | 'env'>;

/** Makes a bundle in `root`/dist, where no other build changes it. */
export async function bundleIn(root: string): Promise<Entry> {
  const folder = join(root, 'dist');
  await bundle(folder, commitOf(ROOT, process.env));
  return { entry: join(folder, 'keyward.js'), nodeFlags: NODE_FLAGS, env: ENVIRONMENT };
}
