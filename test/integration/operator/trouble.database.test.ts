/** A database or a master key that is not as it should be: one clear sentence, and nothing written. */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyObjects, sharedControlPlane } from '../../support/controlplane.ts';
import { eventually } from '../../support/eventually.ts';
import { OperatorProcess, type Flags } from '../../support/operator.ts';
import { condition, Site } from '../../support/operator.site.ts';

let site: Site;
/** A copy of a database with a key in it, to be damaged by each test in a folder of its own. */
let sound: string;
let value: string;

beforeAll(async () => {
  site = await Site.open({ access: sharedControlPlane() });
  await site.start();
  await site.issue('precious');
  value = (await site.values('precious'))['apiKey'] ?? '';
  await site.operator.terminate();
  sound = join(site.folder, 'keyward.db');
});

afterAll(() => site.close());

/** A folder with a copy of the sound database, and the path of that. */
function copy(name: string): { readonly folder: string; readonly path: string } {
  const folder = join(site.folder, name);
  mkdirSync(folder);
  const path = join(folder, 'keyward.db');
  cpSync(sound, path);
  return { folder, path };
}

/** Starts an operator that must not come up; answers its one sentence. */
async function refusal(flags: Flags): Promise<string> {
  const operator = new OperatorProcess(site.flags(flags));
  const exit = await operator.ended;
  expect(exit).toEqual({ code: 1, signal: null });
  const lines = operator.stderr.trimEnd().split('\n');
  expect(lines).toEqual([expect.stringMatching(/^keyward: /)]);
  return lines[0] ?? '';
}

describe('an operator refuses to start, with one sentence,', () => {
  test('when the folder of the database does not exist', async () => {
    const database = `sqlite://${site.folder}/nowhere/keyward.db`;
    expect(await refusal({ database })).toMatch(/directory ".*nowhere".* does not exist/);
  });

  test('when the database is damaged', async () => {
    const { path } = copy('damaged');
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0x2a, 200, 12_000));
    expect(await refusal({ database: `sqlite://${path}` })).toMatch(/damaged|not a Keyward/);
  });

  test('when the file is something else', async () => {
    const { path } = copy('foreign');
    writeFileSync(path, 'this is a letter to my grandmother\n'.repeat(200));
    expect(await refusal({ database: `sqlite://${path}` })).toContain('not a SQLite file');
  });

  test('when it is the SQLite file of another program', async () => {
    const { path } = copy('other-program');
    rmSync(path);
    const db = new DatabaseSync(path);
    db.exec('CREATE TABLE photos (id INTEGER)');
    db.close();
    expect(await refusal({ database: `sqlite://${path}` })).toContain('not a Keyward database');
  });

  test('when the file is empty, which means that keys were lost', async () => {
    const { path } = copy('empty');
    writeFileSync(path, '');
    expect(await refusal({ database: `sqlite://${path}` })).toMatch(/is empty; restore it/);
  });

  test('when the database was written by a newer version', async () => {
    const { path } = copy('newer');
    const db = new DatabaseSync(path);
    db.exec("INSERT INTO migrations SELECT max(version) + 1, 'from the future' FROM migrations");
    db.close();
    expect(await refusal({ database: `sqlite://${path}` })).toContain('start the newer version');
  });

  test('when another operator has the database open', async () => {
    const first = await site.start();
    expect(await refusal({})).toContain('in use by another operator');
    expect(first.isRunning).toBe(true);
    await first.terminate();
  });

  test('when the URL names no database that it knows', async () => {
    expect(await refusal({ database: 'mysql://host/db' })).toContain('unknown scheme');
  });

  test('when there is no master key file', async () => {
    const file = join(site.folder, 'no.key');
    expect(await refusal({ 'master-key-file': file })).toContain('keyward master-key create');
  });

  test('when the master key file holds no key, and it does not print what it holds', async () => {
    const file = join(site.folder, 'odd.key');
    writeFileSync(file, 'v1:c2VjcmV0LXRoaW5n\n');
    const said = await refusal({ 'master-key-file': file });
    expect(said).toContain('line 1 of the master key file');
    expect(said).not.toContain('c2VjcmV0');
  });

  test('when the master key is another one', async () => {
    const file = join(site.folder, 'wrong.key');
    writeFileSync(file, `v1:${randomBytes(32).toString('base64')}\n`);
    expect(await refusal({ 'master-key-file': file })).toContain(
      'not the one this database was written with',
    );
  });

  test('when rows need a version that the master key file lacks', async () => {
    const file = join(site.folder, 'later.key');
    writeFileSync(file, `v2:${randomBytes(32).toString('base64')}\n`);
    expect(await refusal({ 'master-key-file': file })).toContain('master key version 1');
  });

  test('when a flag makes no sense', async () => {
    expect(await refusal({ workers: 'many' })).toContain('--workers takes a whole number');
    expect(await refusal({ 'metrics-address': 'here' })).toContain("'here' is not HOST:PORT");
  });

  test('when the kubeconfig cannot be read', async () => {
    expect(await refusal({ kubeconfig: join(site.folder, 'none') })).toContain('cannot be read');
  });
});

test('after all of that the sound database and its key are as they were', async () => {
  await site.start();
  const key = await site.until('precious', 'Active');
  expect(key.status.sequence).toBe(1);
  expect(await site.verdict(value)).toBe('Allowed');
  await site.operator.terminate();
});

test('a new version of the master key is used for new keys, and old ones go on', async () => {
  const file = join(site.folder, 'both.key');
  const old = readFileSync(join(site.folder, 'master.key'), 'utf8');
  writeFileSync(file, `${old}v2:${randomBytes(32).toString('base64')}\n`);
  await site.start({ 'master-key-file': file });
  await site.issue('after-rotation');
  await site.until('precious', 'Active');
  expect((await site.values('precious'))['apiKey']).toBe(value);
  expect(await site.verdict(value)).toBe('Allowed');
  await site.operator.terminate();
});

/** A small disk of its own needs the right to mount one. */
const canMount = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;

describe.runIf(canMount)('on a disk of its own (needs the right to mount)', () => {
  let disk: string;
  beforeAll(() => {
    disk = join(site.folder, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk]);
  });
  afterAll(async () => {
    await site.operator.terminate();
    execFileSync('umount', [disk]);
  });

  test('a full disk stops issuing and is said; nothing is lost, and room heals it', async () => {
    const full = await Site.open({ access: sharedControlPlane() });
    const database = `sqlite://${disk}/keyward.db`;
    try {
      const operator = await full.start({ database });
      await full.issue('before');
      spawnSync('dd', ['if=/dev/zero', `of=${disk}/ballast`, 'bs=4k']);
      const names = Array.from({ length: 20 }, (_, i) => `crowd-${i}`);
      await Promise.all(names.map((name) => full.create(name)));
      const stuck = await eventually(async () => {
        const keys = await Promise.all(names.map((name) => full.key(name)));
        const found = keys.find((key) => condition(key, 'Ready')?.reason === 'StoreUnavailable');
        expect(found).toBeDefined();
        return found;
      });
      expect(stuck && condition(stuck, 'Ready')?.message).toContain('disk is full');
      rmSync(join(disk, 'ballast'));
      for (const name of names) await full.until(name, 'Active');
      await full.until('before', 'Active');
      expect(operator.isRunning).toBe(true);
    } finally {
      await full.close();
    }
  });

  test('a read-only disk is refused with one sentence', async () => {
    cpSync(sound, join(disk, 'precious.db'));
    execFileSync('mount', ['-o', 'remount,ro', disk]);
    const database = `sqlite://${disk}/precious.db`;
    expect(await refusal({ database })).toContain('cannot be written');
  });
});

describe('an operator without rights on the Secrets of one namespace', () => {
  let split: Site;
  beforeAll(async () => {
    split = await Site.open({
      access: sharedControlPlane(),
      namespaces: 2,
      secretsIn: ([first = '']) => [first],
    });
    await split.start();
  });
  afterAll(() => split.close());

  test('says so on its keys, and serves the other namespaces', async () => {
    const [open, shut = ''] = split.namespaces;
    await split.create('keyless', {}, shut);
    const key = await split.until('keyless', 'SecretForbidden', shut);
    expect(condition(key, 'SecretSynced')?.reason).toBe('Forbidden');
    await split.issue('served', {}, open);
    expect(await split.verdict((await split.values('served', open))['apiKey'] ?? '')).toBe(
      'Allowed',
    );
  });

  test('goes on by itself when the rights are granted', async () => {
    const [open = '', shut = ''] = split.namespaces;
    const account = split.user.split(':').at(-1) ?? '';
    const get = ['get', 'role,rolebinding', account, '-n', open, '-o', 'json'];
    const granted = await split.access.mustKubectl(get);
    // kubectl answers a List of two objects that name their namespace.
    const { items } = JSON.parse(granted) as { items: { metadata: object }[] };
    const metadata = { name: account, namespace: shut };
    await applyObjects(
      split.access,
      items.map((item) => ({ ...item, metadata })),
    );
    await split.until('keyless', 'Active', shut);
    expect(await split.verdict((await split.values('keyless', shut))['apiKey'] ?? '')).toBe(
      'Allowed',
    );
  });
});
