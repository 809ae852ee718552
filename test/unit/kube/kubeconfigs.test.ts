import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseKubeconfig } from '../../../src/kube/kubeconfig.ts';
import { readKubeconfigs } from '../../../src/kube/kubeconfigs.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyward-kubeconfigs-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, content: object | string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

describe('several kubeconfig files', () => {
  test('are read as one: what comes first counts, and paths belong to their own file', async () => {
    const first = await file('first', {
      contexts: [{ name: 'own', context: { cluster: 'c', user: 'u', namespace: 'shop' } }],
      users: [{ name: 'u', user: { tokenFile: 'token' } }],
    });
    const second = await file('second', {
      'current-context': 'own',
      clusters: [
        { name: 'c', cluster: { server: 'https://c:6443', 'certificate-authority': 'ca' } },
      ],
      users: [{ name: 'u', user: { token: 'of the second file' } }],
      contexts: [{ name: 'own', context: { cluster: 'nowhere' } }],
    });
    const { text, file: named } = await readKubeconfigs([first, join(folder, 'absent'), second]);
    expect(named).toBe(first);
    expect(parseKubeconfig(text, named)).toMatchObject({
      name: 'own',
      namespace: 'shop',
      server: { host: 'c', port: 6443 },
      tokenFile: join(folder, 'token'),
      ca: { file: join(folder, 'ca') },
    });
    expect(parseKubeconfig(text, named)).not.toHaveProperty('token');
  });

  test('one that is no YAML is named without its text, which holds credentials', async () => {
    const good = await file('good', {});
    const bad = await file('bad', 'users: [token: "abc');
    const failure = readKubeconfigs([good, bad]);
    await expect(failure).rejects.toMatchObject({ reason: 'InvalidKubeconfig' });
    await expect(failure).rejects.not.toThrow('abc');
  });

  test('none of which is there say where was looked and what to do', async () => {
    await expect(readKubeconfigs([join(folder, 'x'), join(folder, 'y')])).rejects.toThrow(
      /"[^"]*x", "[^"]*y"; name one with --kubeconfig or KUBECONFIG/,
    );
  });
});
