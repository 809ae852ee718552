/**
 * Programs that come from Debian packages and need not be installed: they are unpacked into the
 * cache and run from there. Called by the harnesses of PostgreSQL and PgBouncer.
 */
import { execFile } from 'node:child_process';
import { access, constants, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from './binaries.ts';
import { withLock } from './lock.ts';

const run = promisify(execFile);

const OPEN_CACHE = '/var/tmp/keyward-debian';
const OTHERS_ENTER = 0o001;

/** What is wanted, and where it may be. */
export type DebianProgram = {
  /** The program that proves that the folder is the right one. */
  readonly program: string;
  /** Folders where an installed one lies, tried before PATH's; `Ignored` takes only the package's. */
  readonly installed: readonly string[] | 'Ignored';
  /** Packages to unpack where none is installed. */
  readonly packages: readonly string[];
  /** The program's folder inside the unpacked packages. */
  readonly folder: string;
};

/** A folder of programs, and where their libraries lie when they were unpacked. */
export type Unpacked = { readonly folder: string; readonly libraries: string | undefined };

/**
 * The folder that holds the program; downloads and unpacks its packages where that is needed, which
 * takes some seconds. Undefined when the machine can do neither: no Debian, or no network.
 */
export async function findDebianProgram(wanted: DebianProgram): Promise<Unpacked | undefined> {
  for (const folder of foldersOf(wanted)) {
    if (await isExecutable(join(folder, wanted.program))) return { folder, libraries: undefined };
  }
  const cache = await openCache();
  const root = join(cache, wanted.program);
  const found = { folder: join(root, wanted.folder), libraries: await librariesIn(root) };
  if (await isExecutable(join(found.folder, wanted.program))) return found;
  await mkdir(cache, { recursive: true });
  try {
    await withLock(
      `${root}.lock`,
      () => unpack(root, wanted),
      () => undefined,
    );
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    process.stderr.write(`${wanted.program} could not be had from Debian's packages: ${reason}\n`);
    return undefined;
  }
  return { ...found, libraries: await librariesIn(root) };
}

function foldersOf({ installed }: DebianProgram): readonly string[] {
  return installed === 'Ignored'
    ? []
    : [...installed, ...(process.env['PATH'] ?? '').split(delimiter)];
}

/** Servers that refuse to be root run as nobody, who cannot look into root's home. */
async function openCache(): Promise<string> {
  const cache = join(cacheFolder(process.env, homedir()), 'debian');
  if (process.getuid?.() !== 0) return cache;
  for (let folder = cache; folder !== dirname(folder); folder = dirname(folder)) {
    const { mode } = await stat(folder).catch(() => ({ mode: OTHERS_ENTER }));
    if ((mode & OTHERS_ENTER) === 0) return OPEN_CACHE;
  }
  return cache;
}

async function unpack(root: string, { packages, folder, program }: DebianProgram): Promise<void> {
  if (await isExecutable(join(root, folder, program))) return;
  const draft = await mkdtemp(`${root}-`);
  try {
    await download(draft, packages);
    for (const file of await readdir(draft)) {
      if (file.endsWith('.deb')) await run('dpkg-deb', ['-x', file, 'root'], { cwd: draft });
    }
    await rm(root, { recursive: true, force: true });
    await rename(join(draft, 'root'), root);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/**
 * Fetches packages, as NAME or NAME=VERSION, into the folder as .deb files. A machine that never asked
 * for packages has no list of them, so one is fetched into the folder as well, which needs no root and
 * leaves the machine's own alone.
 *
 * @param architecture as Debian calls it, such as arm64; absent: that of the machine
 * @throws Error when there is no apt-get or it finds no such package
 */
export async function download(
  folder: string,
  packages: readonly string[],
  architecture?: string,
): Promise<void> {
  const fetch = (...options: readonly string[]) =>
    run('apt-get', ['download', '--quiet', ...options, ...packages], { cwd: folder });
  const isListed = architecture === undefined && (await succeeds(fetch()));
  if (isListed) return;
  const own = ['-o', `Dir::State::lists=${folder}/lists`, '-o', `Dir::Cache=${folder}/apt`];
  for (const option of architecture === undefined ? [] : ['Architecture', 'Architectures']) {
    own.push('-o', `APT::${option}=${architecture}`);
  }
  await mkdir(join(folder, 'lists', 'partial'), { recursive: true });
  await mkdir(join(folder, 'apt', 'archives', 'partial'), { recursive: true });
  await run('apt-get', ['update', '--quiet', ...own, '-o', 'Debug::NoLocking=1']);
  await fetch(...own);
}

async function succeeds(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  );
}

async function librariesIn(root: string): Promise<string | undefined> {
  const lib = join(root, 'usr/lib');
  const names = await readdir(lib).catch((): string[] => []);
  const triplet = names.find((name) => name.endsWith('-linux-gnu'));
  return triplet === undefined ? undefined : join(lib, triplet);
}

/** Whether there is a program that we may run. */
export async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
