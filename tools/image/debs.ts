/** Files of Debian packages: fetched once, kept in the cache under their checksums. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../../control-plane/binaries.ts';
import { download } from '../../control-plane/debian.ts';

const run = promisify(execFile);

/** A package in one version, exactly. */
export type ExactPackage = {
  readonly name: string;
  readonly version: string;
  /** Of the .deb file, in hex. */
  readonly sha256: string;
};

/** Where packages come from. */
export type DebSource = {
  /** As Debian calls it. */
  readonly architecture: string;
  /** Whether the machine's own lists of packages are for that processor. */
  readonly lists: 'Own' | 'Other';
};

/**
 * Paths of exactly these packages, in their order.
 *
 * @throws Error with one sentence when one cannot be had or is not the one that is wanted
 */
export async function exactDebs(
  source: DebSource,
  wanted: readonly ExactPackage[],
): Promise<readonly string[]> {
  const kept = wanted.map(({ sha256 }) => join(cacheOf(source), `${sha256}.deb`));
  if (await areRight(kept, wanted)) return kept;
  return inDraft(source, async (draft) => {
    const names = wanted.map(({ name, version }) => `${name}=${version}`);
    const found = await fetched(draft, source, names);
    if (await areRight(found, wanted)) return found;
    throw new Error('a Debian package has another checksum than the one that is pinned');
  });
}

/**
 * Paths of the newest of these packages, in their order, and behind them of the package that holds the
 * copyright of what the compiler brings along: its name has the compiler's version in it.
 *
 * @throws Error with one sentence when one cannot be had
 */
export async function newestDebs(
  source: DebSource,
  names: readonly string[],
): Promise<readonly string[]> {
  return inDraft(source, async (draft) => {
    const found = await fetched(draft, source, names);
    const depends = await Promise.all(
      found.map(async (file) => (await run('dpkg-deb', ['-f', file, 'Depends'])).stdout),
    );
    const bases = new Set(depends.flatMap((text) => text.match(/\bgcc-\d+-base\b/g) ?? []));
    return [...found, ...(await fetched(draft, source, [...bases]))];
  });
}

/** SHA-256 in hex. */
export function sha256Of(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

function cacheOf({ architecture }: DebSource): string {
  return join(cacheFolder(process.env, homedir()), 'image', architecture);
}

/** What was fetched into a folder of its own moves into the cache. */
async function inDraft(
  source: DebSource,
  fetchInto: (draft: string) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const cache = cacheOf(source);
  await mkdir(cache, { recursive: true });
  const draft = await mkdtemp(join(cache, 'draft-'));
  try {
    const files = await fetchInto(draft);
    return await Promise.all(
      files.map(async (file) => {
        const path = join(cache, `${sha256Of(await readFile(file))}.deb`);
        // In one step: another process may be reading it.
        await rename(file, path);
        return path;
      }),
    );
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Paths in the order of `names`, each NAME or NAME=VERSION. */
async function fetched(
  folder: string,
  { architecture, lists }: DebSource,
  names: readonly string[],
): Promise<readonly string[]> {
  try {
    await download(folder, names, lists === 'Own' ? undefined : architecture);
  } catch (error) {
    const lines = error instanceof Error ? error.message.split('\n') : [];
    const reason = lines.find((line) => line.startsWith('E: ')) ?? lines[0] ?? '';
    throw new Error(
      `the image's libraries come from Debian's packages, and these could not be had (${reason}); --libraries newest takes what this machine's Debian offers, and docs/image.md tells how to build with Docker`,
      { cause: error },
    );
  }
  const files = (await readdir(folder)).filter((file) => file.endsWith('.deb'));
  return names.map((each) => {
    const [name = ''] = each.split('=');
    const file = files.find((candidate) => candidate.startsWith(`${name}_`));
    if (file === undefined) throw new Error(`Debian's package ${name} did not arrive`);
    return join(folder, file);
  });
}

async function areRight(
  files: readonly string[],
  wanted: readonly ExactPackage[],
): Promise<boolean> {
  const found = await Promise.all(
    files.map((file) => readFile(file).then(sha256Of, () => undefined)),
  );
  return wanted.every(({ sha256 }, n) => sha256 === found[n]);
}
