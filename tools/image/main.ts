/** `npm run image`: makes the image, writes it to dist/image and prints what it is made of. */
import { mkdir, open, rename } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { ownArchitecture, renewPins } from './debian.ts';
import { parseFlags, USAGE, type ImageFlags } from './flags.ts';
import { makeImage, type Image } from './image.ts';
import { measure } from './measure.ts';
import { figureLines, sizeLines } from './report.ts';
import { sbomText } from './sbom.ts';
import { writeTree } from './tree.ts';

const ROOT = join(import.meta.dirname, '..', '..');

const packed = promisify(gzip);

try {
  const flags = parseFlags(process.argv.slice(2), ROOT);
  if (flags === 'help') console.log(USAGE);
  else await run(flags);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function run(flags: ImageFlags): Promise<void> {
  if (flags.renewPins) return renewPins();
  const image = await makeImage(flags);
  if (flags.tree !== undefined) return writeTree(image.layers, flags.tree);
  await mkdir(flags.out, { recursive: true });
  const path = join(flags.out, `keyward-${image.version}-linux-${flags.architecture}.tar`);
  await write(path, image.pieces);
  const isOwn = flags.architecture === ownArchitecture();
  const parts = `keyward-${image.version}${isOwn ? '' : `-linux-${flags.architecture}`}.cdx.json`;
  const sbom = sbomText(image, { nodeVersions: process.versions });
  await write(join(flags.out, parts), [Buffer.from(sbom)]);
  for (const line of sizeLines(image, await packedSizes(image))) console.log(line);
  console.log(relative(process.cwd(), path));
  if (!flags.figures) return;
  if (!isOwn) console.log('not run: it is for another processor');
  else for (const line of figureLines(await measure(image))) console.log(line);
}

/** As a registry keeps layers. */
async function packedSizes({ layers }: Image): Promise<readonly number[]> {
  return Promise.all(
    layers.map(async ({ pieces }) => (await packed(Buffer.concat(pieces))).length),
  );
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
