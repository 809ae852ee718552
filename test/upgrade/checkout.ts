/** Another commit of this repository, checked out and built in a folder of its own. */
import { execFileSync } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
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
  const { entry } = await bundleIn(await made(join(folder, 'this')));
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
  const { entry } = await bundleIn(await made(join(folder, 'that')), root);
  const label = git(['log', '-1', '--format=%h %s', ref]).trim();
  return { label, root, program: entry };
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

async function made(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  return folder;
}
