/** What becomes of a SQLite ledger when its file, its disk or its process is taken away. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openLedger, openLedgerReader } from '../../src/ledger/open.ts';
import type { Ledger } from '../../src/ledger/port.ts';
import type { ChildOptions } from './ledger.child.ts';
import type { DiskReport } from './ledger.disk.child.ts';
import {
  aCommit,
  aCredential,
  aHashOnlySlot,
  aKey,
  bytesOf,
  CLUSTER,
  EPOCH,
} from './ledger.records.ts';

const CHILD = join(import.meta.dirname, 'ledger.child.ts');

let directory: string;
let path: string;
let opened: { close(): Promise<void> }[];
let children: ChildProcess[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keyward-ledger-'));
  path = join(directory, 'keyward.db');
  opened = [];
  children = [];
});

afterEach(async () => {
  await Promise.all(opened.map((each) => each.close()));
  for (const child of children) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

async function open(missing: 'Create' | 'Refuse' = 'Create'): Promise<Ledger> {
  const ledger = await openLedger({ url: `sqlite://${path}`, missing, gatherMs: 0 });
  opened.push(ledger);
  return ledger;
}

async function openReady(): Promise<Ledger> {
  const ledger = await open();
  await ledger.adoptCluster(CLUSTER);
  await ledger.openEpoch(EPOCH, 'operator-0');
  return ledger;
}

async function createClosed(): Promise<void> {
  const ledger = await openReady();
  for (const uid of ['a', 'b', 'c']) await ledger.commit(aCommit(aKey(uid)));
  await ledger.close();
}

function change(sql: string): void {
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
}

function childArguments(options: Partial<ChildOptions>): string[] {
  return [CHILD, JSON.stringify({ path, epoch: 1, keys: 0, atOnce: 1, ...options })];
}

describe('A SQLite ledger that is opened', () => {
  it('is made where there is none only when that is wanted', async () => {
    await expect(open('Refuse')).rejects.toMatchObject({
      class: 'Terminal',
      reason: 'DatabaseMissing',
    });
    expect(existsSync(path)).toBe(false);
    await (await open('Create')).close();
    expect(await (await open('Refuse')).identity()).toMatchObject({ commitCounter: 0 });
  });

  it('can be read and written by its owner only', async () => {
    await open();
    for (const suffix of ['', '-wal', '-shm']) {
      expect(statSync(path + suffix).mode & 0o777).toBe(0o600);
    }
  });

  it('begins anew when its creation was cut off', async () => {
    writeFileSync(`${path}-new`, 'half a database');
    expect(await (await open()).identity()).toMatchObject({ commitCounter: 0 });
    expect(existsSync(`${path}-new`)).toBe(false);
  });

  it.each<{ why: string; reason: string; harm: () => void }>([
    {
      why: 'an empty file took its place',
      reason: 'DatabaseCorrupt',
      harm: () => writeFileSync(path, ''),
    },
    {
      why: 'it is not a database at all',
      reason: 'DatabaseCorrupt',
      harm: () => writeFileSync(path, 'apiVersion: v1\n'.repeat(1_000)),
    },
    {
      why: 'its end was cut off',
      reason: 'DatabaseCorrupt',
      harm: () => truncateSync(path, statSync(path).size - 4_096 * 3),
    },
    {
      why: 'one of its pages was overwritten',
      reason: 'DatabaseCorrupt',
      harm: () => {
        const bytes = readFileSync(path);
        bytes.fill(0x5a, 4_096 * 3, 4_096 * 4);
        writeFileSync(path, bytes);
      },
    },
    {
      why: 'the file is gone and its log is left',
      reason: 'DatabaseMissing',
      harm: () => renameSync(path, `${path}-wal`),
    },
    {
      why: 'the directory is gone',
      reason: 'DatabaseMissing',
      harm: () => rmSync(directory, { recursive: true }),
    },
    {
      why: 'it is a database of something else',
      reason: 'ForeignDatabase',
      harm: () => {
        rmSync(path);
        change('CREATE TABLE dogs (name TEXT)');
      },
    },
    {
      why: 'a newer Keyward migrated it',
      reason: 'SchemaTooNew',
      harm: () => change(`INSERT INTO migrations VALUES (999, 'x')`),
    },
    {
      why: 'another build made it',
      reason: 'SchemaChanged',
      harm: () => change(`UPDATE migrations SET checksum = 'x'`),
    },
  ])('is refused loudly and left as it is when $why', async ({ reason, harm }) => {
    await createClosed();
    harm();
    const before = existsSync(path) ? readFileSync(path) : undefined;
    await expect(open()).rejects.toMatchObject({
      class: 'Terminal',
      reason,
      message: expect.stringContaining(path),
    });
    expect(existsSync(path) ? readFileSync(path) : undefined).toEqual(before);
  });

  it('has one operator at a time, and the next one as soon as that died', async () => {
    const first = spawn(process.execPath, childArguments({ linger: true }));
    children.push(first);
    await once(first.stdout, 'data');
    await expect(open()).rejects.toMatchObject({ class: 'Terminal', reason: 'DatabaseInUse' });
    first.kill('SIGKILL');
    await once(first, 'exit');
    await expect(open()).resolves.toBeDefined();
    await expect(open()).rejects.toMatchObject({ reason: 'DatabaseInUse' });
  });

  it('has one operator at a time, by whatever name they call its file', async () => {
    await openReady();
    const link = join(directory, 'link.db');
    symlinkSync(path, link);
    const again = openLedger({ url: `sqlite://${link}`, missing: 'Create' });
    await expect(again).rejects.toMatchObject({ class: 'Terminal', reason: 'DatabaseInUse' });
  });

  it('is not made in the place of a link to a file that is not there', async () => {
    symlinkSync(join(directory, 'not-mounted', 'keyward.db'), path);
    await expect(open()).rejects.toMatchObject({ class: 'Terminal', reason: 'DatabaseMissing' });
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
  });

  it('keeps no idle process alive', () => {
    const { status, stdout } = spawnSync(process.execPath, childArguments({}), { timeout: 30_000 });
    expect({ status, stdout: String(stdout) }).toEqual({ status: 0, stdout: 'open\n' });
  });
});

describe('A SQLite ledger in use', () => {
  it.each<{ why: string; harm: () => void }>([
    { why: 'deleted', harm: () => rmSync(path) },
    { why: 'moved away', harm: () => renameSync(path, `${path}.bak`) },
    {
      why: 'replaced by a copy of itself',
      harm: () => {
        execFileSync('cp', [path, `${path}.copy`]);
        renameSync(`${path}.copy`, path);
      },
    },
    { why: 'robbed of its log', harm: () => rmSync(`${path}-wal`) },
    { why: 'robbed of its shared memory', harm: () => rmSync(`${path}-shm`) },
    { why: 'robbed of its lock', harm: () => rmSync(`${path}-lock`) },
  ])('answers nothing more once its file was $why', async ({ harm }) => {
    const ledger = await openReady();
    await ledger.commit(aCommit(aKey('a')));
    harm();
    const replaced = { class: 'Terminal', reason: 'DatabaseReplaced' };
    await expect(ledger.commit(aCommit(aKey('b')))).rejects.toMatchObject(replaced);
    await expect(ledger.scan(10)).rejects.toMatchObject(replaced);
    await expect(ledger.identity()).rejects.toMatchObject(replaced);
  });

  it('waits while somebody else writes, and readers go on', async () => {
    const ledger = await openReady();
    await ledger.commit(aCommit(aKey('a')));
    const reader = await openLedgerReader(`sqlite://${path}`);
    opened.push(reader);
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    const commit = ledger.commit(aCommit(aKey('b')));
    expect(await reader.findByKeyId('keyId-a-1')).toMatchObject({ uid: 'a' });
    other.exec('ROLLBACK');
    other.close();
    expect(await commit).toMatchObject({ type: 'Committed' });
    expect(await reader.findByKeyId('keyId-b-1')).toMatchObject({ uid: 'b' });
  });

  it('says that it is not available when that takes too long, and recovers', async () => {
    const ledger = await openReady();
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    const commit = ledger.commit(aCommit(aKey('a')));
    const load = ledger.load('a', { namespace: 'shop', name: 'key-a' });
    await expect(commit).rejects.toMatchObject({ class: 'Transient', reason: 'LedgerUnavailable' });
    expect(await load).toEqual({ record: undefined, others: [] });
    other.exec('ROLLBACK');
    other.close();
    expect(await ledger.commit(aCommit(aKey('a')))).toMatchObject({ type: 'Committed' });
  });

  it('fails every call clearly when its thread dies', async () => {
    const started = once(process, 'worker') as Promise<[Worker]>;
    const ledger = await openReady();
    const [worker] = await started;
    const stopped = { class: 'Terminal', reason: 'LedgerStopped' };
    const commit = ledger.commit(aCommit(aKey('a')));
    const [outcome] = await Promise.allSettled([commit, worker.terminate()]);
    expect(outcome).toMatchObject({ status: 'rejected', reason: stopped });
    await expect(ledger.identity()).rejects.toMatchObject(stopped);
    await ledger.close();
  });

  it.each([
    { position: 'before', nth: 3, survivors: 2 },
    { position: 'after', nth: 3, survivors: 3 },
    { position: 'before', nth: 1, action: 'KeyRotated', survivors: 2 },
    { position: 'after', nth: 2, action: 'KeyIssued', survivors: 5 },
  ] as const)(
    'dies exactly $position commit $nth of $action for the crash tests',
    async ({ survivors, ...crashAt }) => {
      const { signal } = spawnSync(process.execPath, childArguments({ keys: 5, crashAt }));
      expect(signal).toBe('SIGKILL');
      const ledger = await open();
      expect(await ledger.identity()).toMatchObject({ commitCounter: survivors });
      expect(await ledger.verifyAudit()).toEqual({ entries: survivors, brokenAt: undefined });
    },
  );

  it('holds no bytes of a value that was published, replaced or revoked (L9)', async () => {
    const ledger = await openReady();
    const uids = Array.from({ length: 400 }, (_, index) => `k${index}`);
    await Promise.all(
      uids.map(async (uid, index) => {
        await ledger.commit(aCommit(aKey(uid)));
        const credential = aCredential(`${uid}-1`, {
          state: 'Active',
          slots: [aHashOnlySlot(uid)],
        });
        const credentials = index % 3 === 0 ? [] : [credential];
        await ledger.commit(aCommit(aKey(uid, { revision: 1, credentials })));
      }),
    );
    const copies = join(directory, 'copies');
    mkdirSync(copies);
    const begin = (id: string, size: number) => Buffer.from(bytesOf(id, size).subarray(0, 16));
    const traces = (): string[] => {
      // A copy made by another process: closing the file in this one would drop SQLite's locks.
      execFileSync('cp', ['--', path, `${path}-wal`, `${path}-shm`, copies]);
      const content = Buffer.concat(readdirSync(copies).map((f) => readFileSync(join(copies, f))));
      return uids.filter((uid) => content.includes(begin(`sealed ${uid}-1`, 72)));
    };
    await vi.waitFor(() => expect(traces()).toEqual([]), { timeout: 20_000, interval: 200 });
  });
});

const DISK = `mount -t tmpfs -o size=1m tmpfs "$1" && exec "$2" "$3" "$1"`;
const canMount =
  spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;

describe.skipIf(!canMount)('A SQLite ledger on a disk that runs full', () => {
  it('loses nothing that it acknowledged, still reads, and goes on when there is space', () => {
    const script = join(import.meta.dirname, 'ledger.disk.child.ts');
    const inShell = ['-rm', 'sh', '-c', DISK, 'sh', directory, process.execPath, script];
    const report = String(execFileSync('unshare', inShell));
    // Only the script above prints here.
    expect(JSON.parse(report) as DiskReport).toEqual({
      full: 'Transient LedgerUnavailable',
      lostWhileFull: 0,
      afterwards: 'Committed',
      lostAtTheEnd: 0,
      readOnly: 'DatabaseReadOnly',
    });
  });
});

describe('A reader of a SQLite ledger', () => {
  it('sees what is committed, also when no operator runs', async () => {
    await createClosed();
    const reader = await openLedgerReader(`sqlite://${path}`);
    opened.push(reader);
    expect(await reader.identity()).toMatchObject({ commitCounter: 3, clusterId: CLUSTER });
    expect(await reader.verifyAudit()).toEqual({ entries: 3, brokenAt: undefined });
    const { cursor } = await reader.changes(10);
    const ledger = await open();
    await ledger.openEpoch(EPOCH + 1, 'operator-1');
    await ledger.commit(aCommit(aKey('d'), { epoch: EPOCH + 1 }));
    expect((await reader.changes(10, cursor)).uids).toEqual(['d']);
    expect((await reader.scan(2, 'b')).records.map((record) => record.uid)).toEqual(['c', 'd']);
  });

  it('notices that the file it holds is not the one that lies there any more', async () => {
    await createClosed();
    const reader = await openLedgerReader(`sqlite://${path}`);
    opened.push(reader);
    copyFileSync(path, `${path}.copy`);
    renameSync(`${path}.copy`, path);
    await expect(reader.findByKeyId('keyId-a-1')).rejects.toMatchObject({
      class: 'Terminal',
      reason: 'DatabaseReplaced',
    });
  });

  it('does not make a database', async () => {
    await expect(openLedgerReader(`sqlite://${path}`)).rejects.toMatchObject({
      reason: 'DatabaseMissing',
    });
    expect(existsSync(path)).toBe(false);
  });
});
