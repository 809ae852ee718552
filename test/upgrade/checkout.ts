/** Another commit of this repository, checked out and built in a folder of its own. */
import { execFileSync } from 'node:child_process';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleIn } from '../../bench/program.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** A build and the manifests that belong to it. */
export type Build = {
  /** What people call it. */
  readonly label: string;
  /** Folder with `crds` and `deploy`. */
  readonly root: string;
  /** The bundled program. */
  readonly program: string;
};

/** This checkout, built. */
export async function thisBuild(folder: string): Promise<Build> {
  const { entry } = await bundleIn(folder);
  return { label: 'this checkout', root: ROOT, program: entry };
}

/**
 * That commit, built with the packages that are installed here.
 *
 * @throws Error in git's words when there is no such commit, as in a shallow clone
 */
export async function buildOf(ref: string, folder: string): Promise<Build> {
  const root = join(folder, 'checkout');
  git(['worktree', 'add', '--quiet', '--detach', root, ref]);
  await symlink(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  // By its own tools: another commit may be built in another way.
  execFileSync(process.execPath, [join(root, 'tools', 'build.ts')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const label = git(['log', '-1', '--format=%h %s', ref]).trim();
  return { label, root, program: join(root, 'dist', 'keyward.js') };
}

/** Forgets the checkout; its folder goes with the rest. Repeatable. */
export function forget(folder: string): void {
  try {
    git(['worktree', 'remove', '--force', join(folder, 'checkout')]);
  } catch {
    // It was never made.
  }
}

function git(args: readonly string[]): string {
  return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' });
}
