/**
 * Runs the image's program from its own files, without a container engine. With root: in a mount
 * namespace of its own, all files read-only but /var/lib/keyward, as the image's user, so nearly as in
 * a container. Without: by the image's loader and libraries, beside the machine's other files.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { needsOf } from './elf.ts';
import type { Image } from './image.ts';
import { TRIPLETS } from './libraries.ts';
import { DATA_FOLDER } from './run.ts';
import { writeTree } from './tree.ts';

/** An image laid out as files. */
export type Rooted = {
  readonly root: string;
  /** What is /var/lib/keyward inside; outside, the folder itself. */
  readonly data: string;
  /** Path of a file of that folder, as the program sees it. */
  inData(name: string): string;
  /** The program with arguments, to be spawned: file and arguments. */
  command(args: readonly string[]): readonly [string, ...string[]];
  /** All of the environment that it is given. */
  readonly environment: Readonly<Record<string, string>>;
};

/** What the kernel of a container's runtime provides. */
const MOUNT_POINTS = ['proc', 'dev'] as const;

/** Arguments: root, folder of data, user, then the command. */
const ENTER = `set -e
mount --bind "$1" "$1"
mount --bind /proc "$1/proc"
mount --bind /dev "$1/dev"
mount --bind "$2" "$1${DATA_FOLDER}"
mount -o remount,bind,ro "$1"
root=$1 user=$3
shift 3
exec chroot --userspec="$user" "$root" "$@"`;

/** Whether the program can be run as in a container. */
export function mayEnter(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0;
}

/** Lays the image out in the folder, which must be empty or absent. */
export async function layOut(image: Image, folder: string): Promise<Rooted> {
  const root = join(folder, 'root');
  const data = join(folder, 'data');
  await writeTree(image.layers, root);
  for (const name of [...MOUNT_POINTS.map((point) => join(root, point)), data]) {
    // oxlint-disable-next-line no-await-in-loop
    await mkdir(name, { recursive: true, mode: 0o777 });
  }
  return mayEnter() ? entered(image, root, data) : beside(image, root, data);
}

function entered({ facts }: Image, root: string, data: string): Rooted {
  const { entrypoint, environment, user } = facts;
  const enter = ['--mount', '--propagation', 'private', 'sh', '-c', ENTER, 'sh'] as const;
  return {
    root,
    data,
    environment,
    inData: (name) => `${DATA_FOLDER}/${name}`,
    command: (args) => ['unshare', ...enter, root, data, `${user}:${user}`, ...entrypoint, ...args],
  };
}

function beside({ facts, node }: Image, root: string, data: string): Rooted {
  const [program = '', ...rest] = facts.entrypoint;
  const libraries = join(root, 'usr/lib', TRIPLETS[facts.architecture]);
  const loader = join(root, needsOf(node.content).loader ?? '');
  const flags = rest.slice(0, -1);
  const script = join(root, rest.at(-1) ?? '');
  return {
    root,
    data,
    environment: facts.environment,
    inData: (name) => join(data, name),
    command: (args) => [
      loader,
      '--library-path',
      libraries,
      join(root, program),
      ...flags,
      script,
      ...args,
    ],
  };
}
