/** The image's layers, lowest first: what changes seldom lies below what changes often. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { libraryEntries, noticeEntries, systemEntries, type Ground } from './libraries.ts';
import type { NpmPackage } from './npm.ts';
import { NODE_PATH, PROGRAM_FOLDER, USER } from './run.ts';
import { tarball, type Entry } from './tar.ts';

/** One layer: its content, and the same as a tar file in pieces. */
export type Layer = {
  /** What it holds, for people. */
  readonly name: string;
  readonly entries: readonly Entry[];
  readonly pieces: readonly Uint8Array[];
  readonly bytes: number;
  /** SHA-256 of the tar file, in hex. */
  readonly sha256: string;
};

/** Node as npm's platform package has it. */
export type NodeProgram = {
  /** Name of that package. */
  readonly packageName: string;
  readonly version: string;
  readonly content: Uint8Array;
  readonly licence: Uint8Array;
};

/** The C library and its like, with user, places and notices. */
export async function groundLayer(node: NodeProgram, ground: Ground): Promise<Layer> {
  return layer('libraries of Debian', [
    ...systemEntries(USER),
    ...(await libraryEntries(node.content, ground)),
    ...(await noticeEntries(ground)),
  ]);
}

/** Node, byte for byte as it was published: whoever doubts can compare. */
export function nodeLayer({ content, licence, version }: NodeProgram): Layer {
  return layer(`Node ${version}`, [
    { kind: 'File', path: NODE_PATH.slice(1), mode: 0o755, content },
    { kind: 'File', path: 'usr/share/doc/node/LICENSE', mode: 0o644, content: licence },
  ]);
}

/** What the bundle is made of, beside its files. */
export type ProgramParts = {
  /** Folder with the bundle. */
  readonly folder: string;
  readonly version: string;
  /** Keyward's own licence. */
  readonly licence: Uint8Array;
  readonly packages: readonly NpmPackage[];
};

/** The bundle, and `keyward` in the PATH for whoever runs a command in a container that runs already. */
export async function programLayer(parts: ProgramParts): Promise<Layer> {
  const home = PROGRAM_FOLDER.slice(1);
  const names = (await readdir(parts.folder)).toSorted();
  const files = names.map(async (name) =>
    text(`${home}/${name}`, await readFile(join(parts.folder, name))),
  );
  const notices = parts.packages.flatMap(({ name, version, notices: each }) =>
    each.map(({ file, content }) =>
      text(`usr/share/doc/keyward/packages/${name}@${version}/${file}`, content),
    ),
  );
  // There is no env and no shell: this first line is one that the kernel itself can follow.
  const launcher = Buffer.from(`#!${NODE_PATH}\nimport './keyward.js';\n`);
  const manifest = JSON.stringify({ name: 'keyward', version: parts.version, type: 'module' });
  return layer('Keyward', [
    ...(await Promise.all(files)),
    text(`${home}/package.json`, Buffer.from(`${manifest}\n`)),
    { kind: 'File', path: `${home}/keyward`, mode: 0o755, content: launcher },
    { kind: 'Link', path: 'usr/bin/keyward', target: '../lib/keyward/keyward' },
    text('usr/share/doc/keyward/LICENSE', parts.licence),
    ...notices,
  ]);
}

function text(path: string, content: Uint8Array): Entry {
  return { kind: 'File', path, mode: 0o644, content };
}

function layer(name: string, entries: readonly Entry[]): Layer {
  const pieces = tarball(entries);
  const hash = createHash('sha256');
  let bytes = 0;
  for (const piece of pieces) {
    hash.update(piece);
    bytes += piece.length;
  }
  return { name, entries, pieces, bytes, sha256: hash.digest('hex') };
}
