/**
 * The Debian packages that the image takes its C and C++ libraries from: pinned in debian.json by
 * version and checksum, so that the image does not depend on what the machine has installed. Fetched
 * once and kept in the cache as the .deb files they are.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../../control-plane/binaries.ts';
import { download } from '../../control-plane/debian.ts';
import pins from './debian.json' with { type: 'json' };

const run = promisify(execFile);

/** As Debian and container images call them. */
export type Architecture = keyof typeof pins;

/** All for which there is an image. */
export const ARCHITECTURES: readonly Architecture[] = ['amd64', 'arm64'];

/** A package as it is pinned. */
export type Pin = {
  readonly name: string;
  readonly version: string;
  /** SPDX expression of what is taken from it. */
  readonly licence: string;
  /** Of the .deb file, in hex. */
  readonly sha256: string;
};

/** A package that was unpacked. */
export type DebianPackage = Pin & {
  /** Its control paragraph, with a line end. */
  readonly control: string;
};

/** Pinned ones, or the newest that the machine's Debian offers: those of the pins' names. */
export type Choice = 'pinned' | 'newest';

/**
 * Unpacks the packages into the folder, one over the other.
 *
 * @throws Error with one sentence when they cannot be had: no Debian, no network, or Debian has newer
 * ones and keeps the pinned no longer
 */
export async function unpackPackages(
  folder: string,
  architecture: Architecture,
  choice: Choice,
): Promise<readonly DebianPackage[]> {
  const files = await fetchAll(architecture, choice);
  await mkdir(folder, { recursive: true });
  for (const file of files) {
    // One over the other, in the order of the pins.
    // oxlint-disable-next-line no-await-in-loop
    await run('dpkg-deb', ['-x', file, folder]);
  }
  return Promise.all(files.map((file) => describe(file, architecture)));
}

/**
 * Pins the newest packages that Debian offers, for all processors, by writing debian.json.
 *
 * @throws as `unpackPackages`
 */
export async function renewPins(): Promise<void> {
  const all: Record<string, readonly Pin[]> = {};
  for (const architecture of ARCHITECTURES) {
    // oxlint-disable-next-line no-await-in-loop
    const files = await fetchAll(architecture, 'newest');
    // oxlint-disable-next-line no-await-in-loop
    const packages = await Promise.all(files.map((file) => describe(file, architecture)));
    all[architecture] = packages.map(({ name, version, licence, sha256 }) => ({
      name,
      version,
      licence,
      sha256,
    }));
  }
  await writeFile(
    join(import.meta.dirname, 'debian.json'),
    `${JSON.stringify(all, undefined, 2)}\n`,
  );
}

async function describe(file: string, architecture: Architecture): Promise<DebianPackage> {
  const { stdout: control } = await run('dpkg-deb', ['-f', file]);
  const field = (wanted: string): string =>
    new RegExp(`^${wanted}: (.*)$`, 'm').exec(control)?.[1] ?? '';
  const name = field('Package');
  const licence = pins[architecture].find((pin) => pin.name === name)?.licence ?? '';
  const sha256 = sha256Of(await readFile(file));
  return { name, version: field('Version'), licence, sha256, control };
}

/** Paths of the .deb files in the order of the pins. */
async function fetchAll(architecture: Architecture, choice: Choice): Promise<readonly string[]> {
  const cache = join(cacheFolder(process.env, homedir()), 'image', architecture);
  const wanted = pins[architecture];
  const kept = wanted.map(({ sha256 }) => join(cache, `${sha256}.deb`));
  if (choice === 'pinned' && (await areRight(kept, wanted))) return kept;
  await mkdir(cache, { recursive: true });
  const draft = await mkdtemp(join(cache, 'draft-'));
  try {
    const names = wanted.map(({ name, version }) =>
      choice === 'pinned' ? `${name}=${version}` : name,
    );
    await fetchInto(draft, names, architecture);
    const found = await debsIn(draft, wanted);
    if (choice === 'pinned' && !(await areRight(found, wanted))) {
      throw new Error('a Debian package is not the one that tools/image/debian.json pins');
    }
    if (found.length < wanted.length) throw new Error('a Debian package did not arrive');
    const paths: string[] = [];
    for (const file of found) {
      // oxlint-disable-next-line no-await-in-loop
      const path = join(cache, `${sha256Of(await readFile(file))}.deb`);
      // In one step: another process may be reading it.
      // oxlint-disable-next-line no-await-in-loop
      await copyFile(file, `${file}.copy`);
      // oxlint-disable-next-line no-await-in-loop
      await rename(`${file}.copy`, path);
      paths.push(path);
    }
    return paths;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function fetchInto(
  folder: string,
  names: readonly string[],
  architecture: Architecture,
): Promise<void> {
  const isOwn = architecture === ownArchitecture();
  try {
    await download(folder, names, isOwn ? undefined : architecture);
  } catch (error) {
    const lines = error instanceof Error ? error.message.split('\n') : [];
    const reason = lines.find((line) => line.startsWith('E: ')) ?? lines[0] ?? '';
    throw new Error(
      `the image's libraries come from Debian's packages, and these could not be had (${reason}); --libraries newest takes what this machine's Debian offers, and docs/image.md tells how to build with Docker`,
      { cause: error },
    );
  }
}

/** The processor of this machine; undefined where there is no image for it. */
export function ownArchitecture(): Architecture | undefined {
  return ({ x64: 'amd64', arm64: 'arm64' } as const)[process.arch as 'x64' | 'arm64'];
}

async function debsIn(folder: string, wanted: readonly Pin[]): Promise<readonly string[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.deb'));
  return wanted.flatMap(({ name }) => {
    const file = files.find((each) => each.startsWith(`${name}_`));
    return file === undefined ? [] : [join(folder, file)];
  });
}

async function areRight(files: readonly string[], wanted: readonly Pin[]): Promise<boolean> {
  const found = await Promise.all(
    files.map((file) => readFile(file).then(sha256Of, () => undefined)),
  );
  return wanted.every(({ sha256 }, n) => sha256 === found[n]);
}

function sha256Of(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
