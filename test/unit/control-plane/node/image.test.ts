import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeImage } from '../../../../control-plane/node/image.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyward-image-'));
  writeFileSync(join(folder, 'program'), 'x', { mode: 0o755 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function unpacked(name: string): Promise<string> {
  const target = join(folder, `${name}.tar`);
  await writeImage(
    {
      name: `${name}:1`,
      files: { '/bin/program': join(folder, 'program') },
      links: { '/bin/other': 'program' },
      folders: ['/tmp'],
      entrypoint: ['/bin/program'],
    },
    target,
  );
  const root = join(folder, name);
  execFileSync('mkdir', ['-p', root]);
  execFileSync('tar', ['-xf', target, '-C', root]);
  return root;
}

describe('a small image', () => {
  test('names itself, its layer and the digest of what the layer holds', async () => {
    const root = await unpacked('small');
    const [manifest] = JSON.parse(readFileSync(join(root, 'manifest.json'), 'utf8'));
    expect(manifest).toEqual({
      Config: 'config.json',
      RepoTags: ['small:1'],
      Layers: ['layer.tar'],
    });
    const config = JSON.parse(readFileSync(join(root, 'config.json'), 'utf8'));
    const digest = createHash('sha256').update(readFileSync(join(root, 'layer.tar')));
    expect(config.rootfs.diff_ids).toEqual([`sha256:${digest.digest('hex')}`]);
    expect(config.config.Entrypoint).toEqual(['/bin/program']);
  });

  test('holds files with their mode, links and empty folders, all of them of root', async () => {
    const root = await unpacked('listed');
    const list = execFileSync('tar', ['-tvf', join(root, 'layer.tar'), '--numeric-owner']);
    expect(String(list)).toMatch(/-rwxr-xr-x 0\/0 .*\.\/bin\/program\n/);
    expect(String(list)).toMatch(/l.* \.\/bin\/other -> program/);
    expect(String(list)).toMatch(/d.* \.\/tmp\//);
  });
});
