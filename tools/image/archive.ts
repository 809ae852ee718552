/**
 * The image as one file, in the layout of `docker save`: configuration, layers and a manifest.json that
 * names them. Pure.
 *
 * No OCI index in the same file: containerd believes it before manifest.json, and takes the image's
 * name from it as it stands, with the host of a registry in it; from manifest.json it takes the short
 * name and completes it the way kubelet does when it looks for it.
 */
import { createHash } from 'node:crypto';
import { Buffer } from 'node:buffer';
import type { Architecture } from './debian.ts';
import type { Layer } from './layers.ts';
import { tarball } from './tar.ts';

/** What the image says about itself and how it is run. */
export type ImageFacts = {
  /** As `keyward:1.2.3`. */
  readonly name: string;
  readonly architecture: Architecture;
  /** Time that stands in the configuration, in milliseconds. */
  readonly createdMs: number;
  readonly entrypoint: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly user: number;
  readonly labels: Readonly<Record<string, string>>;
};

/** The image's file, in pieces. */
export type Archive = {
  /** SHA-256 of the configuration in hex: the image's ID. */
  readonly id: string;
  readonly pieces: readonly Uint8Array[];
};

/** @param layers lowest first */
export function archive(facts: ImageFacts, layers: readonly Layer[]): Archive {
  const config = Buffer.from(JSON.stringify(configOf(facts, layers)));
  const id = createHash('sha256').update(config).digest('hex');
  const manifest = [
    {
      Config: `blobs/sha256/${id}`,
      RepoTags: [facts.name],
      Layers: layers.map(({ sha256 }) => `blobs/sha256/${sha256}`),
    },
  ];
  const files = [
    { path: `blobs/sha256/${id}`, content: config },
    { path: 'manifest.json', content: Buffer.from(JSON.stringify(manifest)) },
    // One piece: a layer is a file here.
    ...layers.map(({ sha256, pieces }) => ({
      path: `blobs/sha256/${sha256}`,
      content: Buffer.concat(pieces),
    })),
  ];
  const pieces = tarball(files.map((file) => ({ kind: 'File', mode: 0o644, ...file })));
  return { id, pieces };
}

function configOf(facts: ImageFacts, layers: readonly Layer[]): object {
  const created = new Date(facts.createdMs).toISOString();
  return {
    architecture: facts.architecture,
    os: 'linux',
    created,
    config: {
      User: `${facts.user}:${facts.user}`,
      Env: Object.entries(facts.environment).map(([name, value]) => `${name}=${value}`),
      Entrypoint: facts.entrypoint,
      WorkingDir: '/',
      Labels: facts.labels,
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ sha256 }) => `sha256:${sha256}`) },
    history: layers.map(({ name }) => ({ created, created_by: `npm run image: ${name}` })),
  };
}
