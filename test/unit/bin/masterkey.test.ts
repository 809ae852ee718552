import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  createMasterKeyFile,
  loadKeyring,
  matchKeyring,
  rotateMasterKeyFile,
} from '../../../src/bin/masterkey.ts';
import { silentLogger } from '../../../src/kernel/log.ts';
import type { Ledger, VersionInUse } from '../../../src/ledger/port.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyward-masterkey-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** The two verbs that matching uses. */
function ledgerWith(inUse: readonly VersionInUse[]): Ledger {
  const remembered: number[] = [];
  return {
    versionsInUse: () => Promise.resolve(inUse),
    rememberVersion: (version: number) => {
      remembered.push(version);
      return Promise.resolve();
    },
  } as unknown as Ledger;
}

test('a new file is readable by its owner only and parses', async () => {
  const path = join(folder, 'new');
  expect(await createMasterKeyFile(path, randomBytes)).toBe(true);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await loadKeyring(path)).currentVersion).toBe(1);
});

test('an existing file is never overwritten', async () => {
  const path = join(folder, 'kept');
  await writeFile(path, 'precious');
  expect(await createMasterKeyFile(path, randomBytes)).toBe(false);
  expect(await readFile(path, 'utf8')).toBe('precious');
});

test('a missing file is refused with the command that makes one', async () => {
  await expect(loadKeyring(join(folder, 'absent'))).rejects.toThrow('keyward master-key create');
});

test('a file that lacks a version which rows need is refused', async () => {
  const path = join(folder, 'v1');
  await createMasterKeyFile(path, randomBytes);
  const ledger = ledgerWith([{ version: 2, checkValue: undefined }]);
  await expect(matchKeyring(ledger, await loadKeyring(path), silentLogger)).rejects.toThrow(
    'version 2',
  );
});

test('another key under a known version is refused', async () => {
  const path = join(folder, 'wrong');
  await createMasterKeyFile(path, randomBytes);
  const ledger = ledgerWith([{ version: 1, checkValue: 'of another key' }]);
  await expect(matchKeyring(ledger, await loadKeyring(path), silentLogger)).rejects.toThrow(
    'not the one this database was written with',
  );
});

test('a version is added to a file that keeps its other lines, comments included', async () => {
  const path = join(folder, 'rotated');
  await createMasterKeyFile(path, randomBytes);
  const before = `# of the first day\n${(await readFile(path, 'utf8')).trimEnd()}`;
  await writeFile(path, before);
  expect(await rotateMasterKeyFile(path, randomBytes)).toBe(2);
  expect((await readFile(path, 'utf8')).startsWith(`${before}\n`)).toBe(true);
  expect((await loadKeyring(path)).versions).toEqual([1, 2]);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('nothing is lost when a file cannot be replaced', async () => {
  const path = join(folder, 'stuck');
  await createMasterKeyFile(path, randomBytes);
  await writeFile(`${path}.new`, 'of an earlier try');
  await expect(rotateMasterKeyFile(path, randomBytes)).rejects.toThrow('earlier try');
  expect((await loadKeyring(path)).versions).toEqual([1]);
});
