/**
 * The Debian packages that the image takes its C and C++ libraries from: pinned in debian.json by
 * version and checksum, so that the image does not depend on what the machine has installed.
 */
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pins from './debian.json' with { type: 'json' };
import { exactDebs, newestDebs, sha256Of, type DebSource, type ExactPackage } from './debs.ts';

const run = promisify(execFile);

/** As Debian and container images call them. */
export type Architecture = keyof typeof pins;

/** All for which there is an image. */
export const ARCHITECTURES: readonly Architecture[] = ['amd64', 'arm64'];

/** A package as it is pinned. */
export type Pin = ExactPackage & {
  /** SPDX expression of what is taken from it. */
  readonly licence: string;
};

/** A package that was unpacked. */
export type DebianPackage = Pin & {
  /** Its control paragraph, with a line end. */
  readonly control: string;
};

/** Pinned ones, or the newest that the machine's Debian offers. */
export type Choice = 'pinned' | 'newest';

/** The copyright of the compiler's libraries; its name changes with the compiler. */
const COMPILER_BASE = /^gcc-\d+-base$/;

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
  const files = await filesOf(architecture, choice);
  await mkdir(folder, { recursive: true });
  for (const file of files) {
    // One over the other.
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
    const files = await filesOf(architecture, 'newest');
    // oxlint-disable-next-line no-await-in-loop
    const packages = await Promise.all(files.map((file) => describe(file, architecture)));
    all[architecture] = packages.map(({ name, version, licence, sha256 }) => ({
      name,
      version,
      licence,
      sha256,
    }));
  }
  const path = join(import.meta.dirname, 'debian.json');
  await writeFile(path, `${JSON.stringify(all, undefined, 2)}\n`);
}

/** The processor of this machine; undefined where there is no image for it. */
export function ownArchitecture(): Architecture | undefined {
  if (process.arch === 'x64') return 'amd64';
  return process.arch === 'arm64' ? 'arm64' : undefined;
}

async function filesOf(architecture: Architecture, choice: Choice): Promise<readonly string[]> {
  const lists = architecture === ownArchitecture() ? 'Own' : 'Other';
  const source: DebSource = { architecture, lists };
  const wanted = pins[architecture];
  if (choice === 'pinned') return exactDebs(source, wanted);
  const names = wanted.map(({ name }) => name).filter((name) => !COMPILER_BASE.test(name));
  return newestDebs(source, names);
}

async function describe(file: string, architecture: Architecture): Promise<DebianPackage> {
  const { stdout: control } = await run('dpkg-deb', ['-f', file]);
  const field = (wanted: string): string =>
    new RegExp(`^${wanted}: (.*)$`, 'm').exec(control)?.[1] ?? '';
  const name = field('Package');
  const pin = pins[architecture].find(
    (each) => each.name === name || (COMPILER_BASE.test(name) && COMPILER_BASE.test(each.name)),
  );
  const sha256 = sha256Of(await readFile(file));
  return { name, version: field('Version'), licence: pin?.licence ?? '', sha256, control };
}
