import {
  chmod,
  chown,
  lstat,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  createMasterKeyFile,
  loadKeyring,
  matchKeyring,
  rotateMasterKeyFile,
  writeGateKeyFile,
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

const isRoot = process.getuid?.() === 0;

// Only root may give a file away.
test.skipIf(!isRoot)('whoever could read a file can read the one in its place', async () => {
  const path = join(folder, 'owned');
  await createMasterKeyFile(path, randomBytes);
  const keyring = await loadKeyring(path);
  const access = { uid: 1_000, gid: 1_001, mode: 0o640 };
  const found = async () => {
    const { uid, gid, mode } = await stat(path);
    return { uid, gid, mode: mode & 0o777 };
  };
  await chown(path, access.uid, access.gid);
  await chmod(path, access.mode);
  await rotateMasterKeyFile(path, randomBytes);
  expect(await found()).toEqual(access);
  await writeGateKeyFile(path, keyring);
  expect(await found()).toEqual(access);
});

test('a file behind a symbolic link is replaced where it lies', async () => {
  const path = join(folder, 'target');
  const link = join(folder, 'link');
  await createMasterKeyFile(path, randomBytes);
  await symlink(path, link);
  await rotateMasterKeyFile(link, randomBytes);
  expect((await lstat(link)).isSymbolicLink()).toBe(true);
  expect((await loadKeyring(path)).versions).toEqual([1, 2]);
});

test('a draft that anybody may read is not filled with the key of gates', async () => {
  const path = join(folder, 'gate');
  await createMasterKeyFile(path, randomBytes);
  const keyring = await loadKeyring(path);
  await writeFile(`${path}.new`, 'of an earlier try', { mode: 0o644 });
  await writeGateKeyFile(path, keyring);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('a version that the file could not hold is refused, and the file stays', async () => {
  const path = join(folder, 'highest');
  await createMasterKeyFile(path, randomBytes);
  await writeFile(path, (await readFile(path, 'utf8')).replace('v1:', 'v999999999:'));
  await expect(rotateMasterKeyFile(path, randomBytes)).rejects.toThrow('no higher version');
  expect((await loadKeyring(path)).versions).toEqual([999_999_999]);
  expect(await readdir(folder)).not.toContain('highest.new');
});
