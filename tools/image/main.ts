/** `npm run image`: makes the image, writes it to dist/image and prints what it is made of. */
import { mkdir, open, rename } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { ownArchitecture } from './debian.ts';
import { parseFlags, USAGE, type ImageFlags } from './flags.ts';
import { makeImage, type Image } from './image.ts';
import { sbomText } from './sbom.ts';
import { writeTree } from './tree.ts';

const ROOT = join(import.meta.dirname, '..', '..');

try {
  const flags = parseFlags(process.argv.slice(2), ROOT);
  if (flags === 'help') console.log(USAGE);
  else await run(flags);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function run(flags: ImageFlags): Promise<void> {
  const image = await makeImage(flags);
  if (flags.tree !== undefined) return writeTree(image.layers, flags.tree);
  await mkdir(flags.out, { recursive: true });
  const path = join(flags.out, `keyward-${image.version}-linux-${flags.architecture}.tar`);
  await write(path, image.pieces);
  const isOwn = flags.architecture === ownArchitecture();
  const parts = `keyward-${image.version}${isOwn ? '' : `-linux-${flags.architecture}`}.cdx.json`;
  const sbom = sbomText(image, { nodeVersions: process.versions });
  await write(join(flags.out, parts), [Buffer.from(sbom)]);
  console.log(`${image.facts.name}  sha256:${image.id}`);
  for (const { name, bytes, sha256 } of image.layers) {
    console.log(`${inMib(bytes)}  ${name}  sha256:${sha256}`);
  }
  console.log(`${inMib(sizeOf(image))}  ${relative(process.cwd(), path)}`);
}

/** In one step: whoever reads the file has all of it or the one before. */
async function write(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  const file = await open(`${path}.new`, 'w');
  try {
    await file.writev(pieces);
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}

function sizeOf({ pieces }: Image): number {
  return pieces.reduce((total, { length }) => total + length, 0);
}

function inMib(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1).padStart(7)} MiB`;
}
