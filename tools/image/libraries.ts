/**
 * The layer below Node: exactly the shared libraries that Node asks for, from Debian's packages, with
 * what their licences want beside them, and the few files of /etc that the C library reads.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Architecture, DebianPackage } from './debian.ts';
import { needsOf } from './elf.ts';
import type { Entry } from './tar.ts';

/** Where Debian 12 keeps libraries, below the folder of a package. */
const LIBRARY_FOLDERS = ['lib', 'usr/lib'] as const;
/** Debian's names of processors in paths. */
export const TRIPLETS = { amd64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' } as const;
/** Full texts that the packages' copyright files refer to. */
const LICENCES = ['GPL-3', 'LGPL-2.1'] as const;

/** What a program runs on, unpacked. */
export type Ground = {
  readonly architecture: Architecture;
  /** Folder in which the packages were unpacked. */
  readonly folder: string;
  readonly packages: readonly DebianPackage[];
};

/**
 * The loader and the libraries that the program needs, and those that they need in turn.
 *
 * @throws Error naming a library that is in none of the packages
 */
export async function libraryEntries(
  program: Uint8Array,
  ground: Ground,
): Promise<readonly Entry[]> {
  const triplet = TRIPLETS[ground.architecture];
  const { loader, libraries } = needsOf(program);
  if (loader === undefined) return [];
  const entries: Entry[] = [];
  const seen = new Set<string>();
  const open = [...libraries];
  for (let name = open.shift(); name !== undefined; name = open.shift()) {
    if (seen.has(name) || loader.endsWith(`/${name}`)) continue;
    seen.add(name);
    // Each tells which come next.
    // oxlint-disable-next-line no-await-in-loop
    const content = await readLibrary(name, ground);
    entries.push({ kind: 'File', path: `usr/lib/${triplet}/${name}`, mode: 0o644, content });
    open.push(...needsOf(content).libraries);
  }
  const content = await readLibrary(loader.slice(loader.lastIndexOf('/') + 1), ground);
  return [...entries, { kind: 'File', path: loader.slice(1), mode: 0o755, content }];
}

async function readLibrary(name: string, { folder, architecture }: Ground): Promise<Uint8Array> {
  const paths = LIBRARY_FOLDERS.map((lib) => join(folder, lib, TRIPLETS[architecture], name));
  const path = paths.find((each) => existsSync(each));
  if (path === undefined) throw new Error(`no package of tools/image/debian.json has ${name}`);
  return readFile(path);
}

/** Copyright files, licences, and what scanners of images look for. */
export async function noticeEntries({ folder, packages }: Ground): Promise<readonly Entry[]> {
  const copied = [
    'usr/lib/os-release',
    ...LICENCES.map((name) => `usr/share/common-licenses/${name}`),
    ...packages.map(({ name }) => `usr/share/doc/${name}/copyright`),
  ];
  const files = copied.map(async (path) => file(path, await readFile(join(folder, path))));
  return [
    ...(await Promise.all(files)),
    ...packages.map(({ name, control }) => file(`var/lib/dpkg/status.d/${name}`, control)),
    { kind: 'Link', path: 'etc/os-release', target: '../usr/lib/os-release' },
  ];
}

/**
 * User and places. Nothing is written but what is mounted; the empty folders are where.
 *
 * @param user number of the user and of his group
 */
export function systemEntries(user: number): readonly Entry[] {
  const passwd = [
    'root:x:0:0:root:/:/sbin/nologin',
    `keyward:x:${user}:${user}:keyward:/var/lib/keyward:/sbin/nologin`,
    'nobody:x:65534:65534:nobody:/:/sbin/nologin',
  ];
  const group = ['root:x:0:', `keyward:x:${user}:`, 'nogroup:x:65534:'];
  return [
    file('etc/passwd', lines(passwd)),
    file('etc/group', lines(group)),
    file('etc/nsswitch.conf', lines(['passwd: files', 'group: files', 'hosts: files dns'])),
    { kind: 'Folder', path: 'etc/keyward', mode: 0o755, owner: 0 },
    { kind: 'Folder', path: 'tmp', mode: 0o1777, owner: 0 },
    { kind: 'Folder', path: 'var/lib/keyward', mode: 0o700, owner: user },
  ];
}

function file(path: string, content: string | Uint8Array): Entry {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return { kind: 'File', path, mode: 0o644, content: bytes };
}

function lines(each: readonly string[]): string {
  return `${each.join('\n')}\n`;
}
