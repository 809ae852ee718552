/**
 * Small images for pods of the tests: one layer, written in the layout of `docker save`, which
 * containerd imports. The project's own image is made elsewhere.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What an image holds. */
export type ImageContent = {
  /** Name and version, such as `keyward-pause:1`. */
  readonly name: string;
  /** Files of this machine, by their absolute path in the image. */
  readonly files: Readonly<Record<string, string>>;
  /** What links point to, by the link's absolute path in the image. */
  readonly links?: Readonly<Record<string, string>>;
  /** Folders that are there and empty. */
  readonly folders?: readonly string[];
  readonly entrypoint: readonly string[];
};

/** The image's configuration. @param layerDigest SHA-256 of the layer's tar, in hex */
export function imageConfig(content: ImageContent, layerDigest: string, architecture: string) {
  return {
    architecture,
    os: 'linux',
    config: { Entrypoint: content.entrypoint, Env: ['PATH=/usr/bin:/bin'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${layerDigest}`] },
  };
}

/** Go's name for an architecture of Node, which images use. */
export function imageArchitecture(arch: string): string {
  return arch === 'x64' ? 'amd64' : arch;
}

/** Writes the image to `target`, a tar; everything it is made of is removed again. */
export async function writeImage(content: ImageContent, target: string): Promise<void> {
  const draft = await mkdtemp(`${target}-`);
  try {
    await fill(join(draft, 'root'), content);
    await tar(join(draft, 'root'), join(draft, 'layer.tar'), ['.']);
    const layer = await readFile(join(draft, 'layer.tar'));
    const config = imageConfig(content, digestOf(layer), imageArchitecture(process.arch));
    const manifest = [{ Config: 'config.json', RepoTags: [content.name], Layers: ['layer.tar'] }];
    await writeFile(join(draft, 'config.json'), JSON.stringify(config));
    await writeFile(join(draft, 'manifest.json'), JSON.stringify(manifest));
    await tar(draft, target, ['config.json', 'layer.tar', 'manifest.json']);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function fill(root: string, { files, links = {}, folders = [] }: ImageContent) {
  await mkdir(root, { recursive: true });
  for (const folder of folders) await mkdir(join(root, folder), { recursive: true });
  for (const [path, source] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await copyFile(source, join(root, path));
  }
  for (const [path, goal] of Object.entries(links)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await symlink(goal, join(root, path));
  }
}

function tar(folder: string, target: string, names: readonly string[]) {
  const owner = ['--owner=0', '--group=0', '--numeric-owner', '--sort=name', '--mtime=@0'];
  return run('tar', [...owner, '-C', folder, '-cf', target, ...names]);
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
