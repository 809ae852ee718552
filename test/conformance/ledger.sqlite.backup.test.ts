import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  backUpLedger,
  openArchive,
  openGateLedger,
  openLedger,
  openLedgerReader,
  putBackLedger,
} from '../../src/ledger/open.ts';
import type { Ledger } from '../../src/ledger/port.ts';
import { aCommit, aKey, CLUSTER, EPOCH } from './ledger.records.ts';

let folder: string;
let url: string;
let copy: string;
const opened: { close(): Promise<void> }[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyward-backup-'));
  url = `sqlite://${join(folder, 'keyward.db')}`;
  copy = join(folder, 'copy.db');
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
  rmSync(folder, { recursive: true });
});

async function aLedger(): Promise<Ledger> {
  const ledger = await openLedger({ url, missing: 'Create', gatherMs: 0 });
  opened.push(ledger);
  await ledger.adoptCluster(CLUSTER);
  await ledger.openEpoch(EPOCH, 'operator-0');
  return ledger;
}

async function closed(ledger: Ledger): Promise<void> {
  opened.splice(opened.indexOf(ledger), 1);
  await ledger.close();
}

async function uidsAt(path: string): Promise<readonly string[]> {
  const reader = await openLedgerReader(`sqlite://${path}`);
  const { records } = await reader.scan(1_000);
  await reader.close();
  return records.map(({ uid }) => uid).toSorted();
}

/** A command about the database, in a process in which `spoil` was done to `fs`. */
function commandWith(spoil: string, command: readonly string[]): ChildProcess {
  const preload = `import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    ${spoil}
    syncBuiltinESMExports();`;
  const args = [
    `--import=data:text/javascript,${encodeURIComponent(preload)}`,
    'src/bin/keyward.ts',
    ...command,
    `--database=${url}`,
  ];
  return spawn(process.execPath, args, { stdio: 'ignore' });
}

const bytes = (): AsyncIterable<Uint8Array> => Readable.from([readFileSync(copy)]);
const ASIDE = '.before-today';

describe('a backup of a SQLite ledger', () => {
  it('holds all that was committed before it, though operator and gate go on meanwhile', async () => {
    const ledger = await aLedger();
    const gate = await openGateLedger(url);
    opened.push(gate);
    const before = Array.from({ length: 50 }, (_, at) => `before-${at}`);
    await Promise.all(before.map((uid) => ledger.commit(aCommit(aKey(uid)))));
    const meanwhile = Array.from({ length: 50 }, (_, at) => `meanwhile-${at}`);
    const commits = Promise.all(meanwhile.map((uid) => ledger.commit(aCommit(aKey(uid)))));
    await backUpLedger(url, copy);
    await commits;
    expect(await uidsAt(copy)).toEqual(expect.arrayContaining(before));
    expect(statSync(copy).mode & 0o777).toBe(0o600);
    expect((await uidsAt(join(folder, 'keyward.db'))).length).toBe(100);
  });

  it('is never written over another file, and leaves nothing where it cannot be made', async () => {
    await aLedger();
    writeFileSync(copy, 'precious');
    await expect(backUpLedger(url, copy)).rejects.toMatchObject({ reason: 'BackupExists' });
    expect(readFileSync(copy, 'utf8')).toBe('precious');
    // Nor over one that shows only when it is opened.
    const link = join(folder, 'link.db');
    symlinkSync(join(folder, 'elsewhere.db'), link);
    await expect(backUpLedger(url, link)).rejects.toMatchObject({ reason: 'BackupExists' });
    expect(readdirSync(folder)).toContain('link.db');
    const nowhere = join(folder, 'absent', 'copy.db');
    await expect(backUpLedger(url, nowhere)).rejects.toMatchObject({
      reason: 'BackupFolderMissing',
    });
    const absent = `sqlite://${join(folder, 'absent.db')}`;
    const to = join(folder, 'other.db');
    await expect(backUpLedger(absent, to)).rejects.toMatchObject({ reason: 'DatabaseMissing' });
    expect(existsSync(to)).toBe(false);
  });

  it('that was killed leaves nothing under its name, and the next one is made', async () => {
    await aLedger();
    const dying = "fs.fsyncSync = () => process.kill(process.pid, 'SIGKILL');";
    const command = commandWith(dying, ['database', 'backup', copy]);
    expect(await once(command, 'exit')).toEqual([null, 'SIGKILL']);
    expect(existsSync(copy)).toBe(false);
    await backUpLedger(url, copy);
    expect(await uidsAt(copy)).toEqual([]);
  });

  it('takes away what an earlier one left that was killed long ago, and nothing else', async () => {
    await aLedger();
    const [old, recent] = [`${copy}.part-0123abcd`, `${copy}.part-4567abcd`];
    // As `split` names what it makes.
    const others = ['copy.db2', 'copy.db.part-aa'].map((name) => join(folder, name));
    for (const file of [old, recent, ...others]) writeFileSync(file, 'half');
    const twoDaysAgo = Date.now() / 1_000 - 2 * 86_400;
    for (const file of [old, ...others]) utimesSync(file, twoDaysAgo, twoDaysAgo);
    await backUpLedger(url, copy);
    const left = readdirSync(folder).filter((name) => name.startsWith('copy'));
    expect(left.toSorted()).toEqual([
      'copy.db',
      'copy.db.part-4567abcd',
      'copy.db.part-aa',
      'copy.db2',
    ]);
  });

  it('leaves no copy behind when whoever reads it stops', async () => {
    await closed(await aLedger());
    const args = ['src/bin/keyward.ts', 'database', 'backup', '-', `--database=${url}`];
    const command = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    command.stdout.destroy();
    await once(command, 'exit');
    expect(readdirSync(folder).filter((name) => name.includes('.part-'))).toEqual([]);
  });

  it('that cannot be read is named, and nothing is touched', async () => {
    await closed(await aLedger());
    const args = ['src/bin/keyward.ts', 'restore', '--from', copy, `--database=${url}`];
    const command = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    expect(await text(command.stderr)).toContain(`'${copy}' cannot be read (ENOENT)`);
    expect(readdirSync(folder).filter((name) => name.includes('.before'))).toEqual([]);
  });

  it('is put back whole, and what was there is kept beside it, log and all', async () => {
    const ledger = await aLedger();
    await ledger.commit(aCommit(aKey('a')));
    await backUpLedger(url, copy);
    await ledger.commit(aCommit(aKey('b')));
    await closed(ledger);
    expect(await putBackLedger(url, { copy: bytes(), at: 'today' })).toBe(
      join(folder, `keyward.db${ASIDE}`),
    );
    expect(await uidsAt(join(folder, 'keyward.db'))).toEqual(['a']);
    expect(await uidsAt(join(folder, `keyward.db${ASIDE}`))).toEqual(['a', 'b']);
  });

  it('never replaces what was put aside before', async () => {
    const ledger = await aLedger();
    await backUpLedger(url, copy);
    await ledger.commit(aCommit(aKey('a')));
    await closed(ledger);
    await putBackLedger(url, { copy: bytes(), at: 'today' });
    await expect(putBackLedger(url, { copy: bytes(), at: 'today' })).rejects.toMatchObject({
      reason: 'BackupExists',
    });
    expect(await uidsAt(join(folder, `keyward.db${ASIDE}`))).toEqual(['a']);
  });

  it.each(['TRIGGER t AFTER UPDATE ON keys BEGIN SELECT 1; END', 'VIEW v AS SELECT 1'])(
    'into which somebody put a %s moves nothing',
    async (planted) => {
      const ledger = await aLedger();
      await backUpLedger(url, copy);
      await closed(ledger);
      const db = new DatabaseSync(copy);
      db.exec(`CREATE ${planted}`);
      db.close();
      await expect(putBackLedger(url, { copy: bytes(), at: 'today' })).rejects.toMatchObject({
        reason: 'ForeignDatabase',
      });
      expect(readdirSync(folder).filter((name) => name.includes(ASIDE))).toEqual([]);
    },
  );

  it('can be put where no database is yet', async () => {
    const ledger = await aLedger();
    await backUpLedger(url, copy);
    await closed(ledger);
    rmSync(join(folder, 'keyward.db'));
    expect(await putBackLedger(url, { copy: bytes(), at: 'today' })).toBe(undefined);
    expect((await (await archive()).meta()).clusterId).toBe(CLUSTER);
  });

  it.each([ASIDE, '.restoring'])(
    'of which a restore was cut off, with %s left, is no reason for an operator to begin anew',
    async (left) => {
      await closed(await aLedger());
      renameSync(join(folder, 'keyward.db'), join(folder, `keyward.db${left}`));
      const opening = openLedger({ url, missing: 'Create' });
      await expect(opening).rejects.toMatchObject({ reason: 'DatabaseMissing' });
      await expect(opening).rejects.toThrow(`keyward.db${left}`);
      expect(existsSync(join(folder, 'keyward.db'))).toBe(false);
    },
  );

  /** `keyward restore` in which the last step, or the one before, does `deed`. */
  async function restoreWith(deed: string): Promise<unknown> {
    const spoiled = `const { renameSync } = fs;
      fs.renameSync = (from, to) => {
        if (from.endsWith('.restoring')) { ${deed} }
        renameSync(from, to);
      };`;
    return once(commandWith(spoiled, ['restore', '--from', copy]), 'exit');
  }

  it('that cannot be brought into its place leaves what was there in its own', async () => {
    const ledger = await aLedger();
    await backUpLedger(url, copy);
    await ledger.commit(aCommit(aKey('a')));
    await closed(ledger);
    const fails = "throw Object.assign(new Error('no'), { code: 'EIO' });";
    expect(await restoreWith(fails)).toEqual([1, null]);
    expect(await uidsAt(join(folder, 'keyward.db'))).toEqual(['a']);
    expect(readdirSync(folder).filter((name) => /before|restoring/.test(name))).toEqual([]);
  });

  it('whose restore was killed halfway is put back by the next one', async () => {
    const ledger = await aLedger();
    await ledger.commit(aCommit(aKey('a')));
    await backUpLedger(url, copy);
    await closed(ledger);
    expect(await restoreWith("process.kill(process.pid, 'SIGKILL');")).toEqual([null, 'SIGKILL']);
    await expect(openLedger({ url, missing: 'Create' })).rejects.toThrow('run keyward restore');
    expect(await putBackLedger(url, { copy: bytes(), at: 'today' })).toBe(undefined);
    expect(await uidsAt(join(folder, 'keyward.db'))).toEqual(['a']);
    const kept = readdirSync(folder).filter((name) => /\.before-\w+$/.test(name));
    expect(kept).toHaveLength(1);
  });

  it('is not put back while an operator runs', async () => {
    const ledger = await aLedger();
    await backUpLedger(url, copy);
    await expect(putBackLedger(url, { copy: bytes(), at: 'today' })).rejects.toMatchObject({
      reason: 'DatabaseInUse',
    });
    await ledger.commit(aCommit(aKey('a')));
    expect(await uidsAt(join(folder, 'keyward.db'))).toEqual(['a']);
  });

  it.each([
    ['a file of something else', () => writeFileSync(copy, 'no database'.repeat(1_000))],
    ['an empty file', () => writeFileSync(copy, '')],
    ['half of a backup', () => writeFileSync(copy, readFileSync(copy).subarray(0, 20_000))],
    [
      'a backup with a broken page',
      () => writeFileSync(copy, readFileSync(copy).fill(0xff, 9_000, 30_000)),
    ],
  ])('that is %s moves nothing', async (_, spoil) => {
    const ledger = await aLedger();
    await ledger.commit(aCommit(aKey('a')));
    await backUpLedger(url, copy);
    await closed(ledger);
    const before = readFileSync(join(folder, 'keyward.db'));
    spoil();
    await expect(putBackLedger(url, { copy: bytes(), at: 'today' })).rejects.toMatchObject({
      class: 'Terminal',
    });
    expect(readFileSync(join(folder, 'keyward.db')).equals(before)).toBe(true);
    expect(readdirSync(folder).filter((name) => name.includes('restoring'))).toEqual([]);
  });

  it('is left to PostgreSQL where that is the database', async () => {
    await expect(backUpLedger('postgres://localhost/keys', copy)).rejects.toThrow('pg_dump');
  });
});

async function archive(): ReturnType<typeof openArchive> {
  const whole = await openArchive(url, 'Look');
  opened.push(whole);
  return whole;
}
