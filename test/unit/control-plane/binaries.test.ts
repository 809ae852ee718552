import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  cachedPath,
  cacheFolder,
  candidatePaths,
  ensureBinary,
  findBinary,
} from '../../../control-plane/binaries.ts';

let home = '';
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'keyward-test-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

async function putProgram(path: string, mode = 0o755): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, '');
  await chmod(path, mode);
}

describe('the cache folder', () => {
  test.each([
    { why: 'by default', env: {}, folder: '/home/ann/.cache/keyward' },
    { why: 'XDG', env: { XDG_CACHE_HOME: '/xdg' }, folder: '/xdg/keyward' },
    { why: 'empty is absent', env: { XDG_CACHE_HOME: '' }, folder: '/home/ann/.cache/keyward' },
    {
      why: 'our own variable wins',
      env: { KEYWARD_CACHE: '/fast', XDG_CACHE_HOME: '/xdg' },
      folder: '/fast',
    },
  ])('is $folder ($why)', ({ env, folder }) => {
    expect(cacheFolder(env, '/home/ann')).toBe(folder);
  });

  test('keeps each program under its version', () => {
    const env = { KEYWARD_CACHE: '/c' };
    expect(cachedPath('etcd', env, '/')).toBe('/c/control-plane/etcd-v3.7.3/etcd');
    expect(cachedPath('kubectl', env, '/')).toBe('/c/control-plane/kubernetes-v1.37.2/kubectl');
  });
});

describe('looking for a program', () => {
  test('asks the folder that the user names before the cache', () => {
    const env = { KUBEBUILDER_ASSETS: '/assets', KEYWARD_CACHE: '/c' };
    expect(candidatePaths('etcd', env, '/')).toEqual([
      '/assets/etcd',
      '/c/control-plane/etcd-v3.7.3/etcd',
    ]);
  });

  test('falls back to the cache when the named folder lacks the program', async () => {
    const env = { KUBEBUILDER_ASSETS: join(home, 'assets') };
    await putProgram(cachedPath('etcd', env, home));
    expect(await findBinary('etcd', { env, home })).toBe(cachedPath('etcd', env, home));
  });

  test('passes over a file that cannot be executed, and says undefined when there is none', async () => {
    await putProgram(cachedPath('etcd', {}, home), 0o644);
    expect(await findBinary('etcd', { env: {}, home })).toBeUndefined();
  });

  test('builds nothing when the program is there', async () => {
    const path = cachedPath('etcd', {}, home);
    await putProgram(path);
    const said: string[] = [];
    const report = (line: string): void => void said.push(line);
    expect(await ensureBinary('etcd', { env: {}, home, report })).toBe(path);
    expect(said).toEqual([]);
  });

  test('says what to install or set when it must build and there is no Go', async () => {
    const env = { PATH: join(home, 'empty') };
    const making = ensureBinary('etcd', { env, home, report: () => undefined });
    await expect(making).rejects.toThrow(
      'install Go 1.26 or later, or set KUBEBUILDER_ASSETS to a folder that has etcd',
    );
  });
});
