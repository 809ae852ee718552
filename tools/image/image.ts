/**
 * Makes the image: Node and the libraries it needs, the bundle, nothing else. No container engine is
 * needed. The same commit gives the same bytes. Called by main.ts and by the tests.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../bundle.ts';
import { commitOf, sourceTimeMs } from '../source.ts';
import { archive, type Archive, type ImageFacts } from './archive.ts';
import { unpackPackages, type Architecture, type Choice, type DebianPackage } from './debian.ts';
import { groundLayer, nodeLayer, programLayer, type Layer, type NodeProgram } from './layers.ts';
import { nodeProgram } from './node.ts';
import { npmPackages, type NpmPackage } from './npm.ts';
import { entrypointOf, environmentOf, USER } from './run.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** Which image. */
export type ImageOptions = {
  readonly architecture: Architecture;
  readonly libraries: Choice;
};

/** An image and what it is made of. */
export type Image = Archive & {
  readonly facts: ImageFacts;
  readonly version: string;
  readonly layers: readonly Layer[];
  readonly node: NodeProgram;
  readonly debian: readonly DebianPackage[];
  /** What the packages come from, as in os-release: `debian-12`. */
  readonly distribution: string;
  readonly npm: readonly NpmPackage[];
};

/** @throws Error with one sentence when a part cannot be had */
export async function makeImage({ architecture, libraries }: ImageOptions): Promise<Image> {
  const folder = await mkdtemp(join(tmpdir(), 'keyward-image-'));
  try {
    const version = await ownVersion();
    const commit = commitOf(ROOT, process.env);
    const ground = join(folder, 'ground');
    const debian = await unpackPackages(ground, architecture, libraries);
    const node = await nodeProgram(ROOT, architecture);
    const program = join(folder, 'bundle');
    const { packages } = await bundle(program, commit);
    const npm = await npmPackages(ROOT, packages);
    const licence = await readFile(join(ROOT, 'LICENSE'));
    const layers = [
      await groundLayer(node, { architecture, folder: ground, packages: debian }),
      nodeLayer(node),
      await programLayer({ folder: program, version, licence, packages: npm }),
    ];
    const facts = factsOf({ architecture, version, commit });
    const distribution = await distributionIn(ground);
    return { ...archive(facts, layers), facts, version, layers, node, debian, distribution, npm };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The version in package.json. */
async function ownVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  return String(version);
}

async function distributionIn(ground: string): Promise<string> {
  const text = await readFile(join(ground, 'usr/lib/os-release'), 'utf8');
  const field = (name: string): string =>
    new RegExp(`^${name}="?([^"\\n]*)`, 'm').exec(text)?.[1] ?? '';
  return `${field('ID')}-${field('VERSION_ID')}`;
}

function factsOf(source: {
  readonly architecture: Architecture;
  readonly version: string;
  readonly commit: string | undefined;
}): ImageFacts {
  const { architecture, version, commit } = source;
  const labels = {
    title: 'keyward',
    description: 'API keys as Kubernetes resources',
    licenses: 'Apache-2.0',
    version,
    ...(commit === undefined ? {} : { revision: commit }),
  };
  return {
    name: `keyward:${version}`,
    architecture,
    createdMs: sourceTimeMs(ROOT, process.env),
    entrypoint: entrypointOf(),
    environment: environmentOf(),
    user: USER,
    labels: Object.fromEntries(
      Object.entries(labels).map(([name, value]) => [`org.opencontainers.image.${name}`, value]),
    ),
  };
}
