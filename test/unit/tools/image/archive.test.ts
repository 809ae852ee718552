import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { archive, type ImageFacts } from '../../../../tools/image/archive.ts';
import type { Layer } from '../../../../tools/image/layers.ts';

const FACTS: ImageFacts = {
  name: 'keyward:1.2.3',
  architecture: 'arm64',
  createdMs: 1_700_000_000_000,
  entrypoint: ['/usr/bin/node', '/usr/lib/keyward/keyward.js'],
  environment: { PATH: '/usr/bin', MALLOC_ARENA_MAX: '1' },
  user: 65_532,
  labels: { 'org.opencontainers.image.title': 'keyward' },
};

function sha256(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

function layer(content: string): Layer {
  const pieces = [Buffer.from(content.slice(0, 2)), Buffer.from(content.slice(2))];
  return {
    name: content,
    entries: [],
    pieces,
    bytes: content.length,
    sha256: sha256(Buffer.from(content)),
  };
}

const made = archive(FACTS, [layer('lower layer'), layer('upper layer')]);
const tar = Buffer.concat(made.pieces);
const read = (path: string): Buffer => execFileSync('tar', ['xOf', '-', path], { input: tar });

test('manifest.json leads to the configuration and the layers, lowest first', () => {
  const [manifest] = JSON.parse(read('manifest.json').toString());
  expect(manifest.RepoTags).toEqual(['keyward:1.2.3']);
  expect(sha256(read(manifest.Config))).toBe(made.id);
  const layers = manifest.Layers.map((path: string) => read(path).toString());
  expect(layers).toEqual(['lower layer', 'upper layer']);
});

test('the configuration has the layers by checksum, and runs the program as nobody special', () => {
  const config = JSON.parse(read(`blobs/sha256/${made.id}`).toString());
  expect(config.rootfs.diff_ids).toEqual(
    ['lower layer', 'upper layer'].map((text) => `sha256:${sha256(Buffer.from(text))}`),
  );
  expect(config).toMatchObject({
    architecture: 'arm64',
    os: 'linux',
    created: '2023-11-14T22:13:20.000Z',
    config: {
      User: '65532:65532',
      Env: ['PATH=/usr/bin', 'MALLOC_ARENA_MAX=1'],
      Entrypoint: FACTS.entrypoint,
    },
  });
});

test('no OCI index lies beside it, for containerd would take the name from there', () => {
  const listing = execFileSync('tar', ['tf', '-'], { input: tar }).toString();
  expect(listing).not.toMatch(/oci-layout|index\.json/);
});
