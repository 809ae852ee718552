/**
 * Power loss: a ledger is killed, frozen and torn at many points, and every commit that it had
 * acknowledged by then must be there when it is opened again.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLedger } from '../../src/ledger/open.ts';
import { EPOCH } from './ledger.records.ts';
import {
  type Acknowledged,
  differingSectors,
  type Image,
  inspect,
  mixSectors,
  parseAcknowledged,
  SECTOR,
} from './power.image.ts';
import { createChance } from '../support/chance.ts';
import { parseSystemCalls, STRACE, UnsafeFile } from './power.log.ts';

const CHILD = join(import.meta.dirname, 'ledger.child.ts');
const SEED = Date.now() % 1_000_000;
const chance = createChance(SEED);

/** Processes, each of which ends by SIGKILL, at least; */
const PROCESSES = 8;
/** more where a busy machine lets them write too little between two looks. */
const PROCESSES_MAX = 40;
/** Torn images that must have been looked at. */
const TORN_MIN = 1_000;
/** and how often each of them is frozen to look at its disk, which is as good as killing it. */
const FREEZES = 40;

/** A ledger as it lay on the disk at one moment, and what was acknowledged by then. */
type Moment = { readonly image: Image; readonly acknowledged: Acknowledged };

/** How many disks of one kind were looked at, and what was missing on them. */
type Tally = { images: number; readonly losses: string[] };

let directory: string;
/** For images; in memory where possible, because thousands of them are synced. */
let scratch: string;
const killed: Tally = { images: 0, losses: [] };
const torn: Tally = { images: 0, losses: [] };
/** Of the process that came furthest, which the machine decides. */
let newest: Moment = {
  acknowledged: new Map(),
  image: { db: Buffer.alloc(0), wal: Buffer.alloc(0) },
};
let unsynced = 0;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'keyward-power-'));
  scratch = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : directory, 'keyward-power-'));
  console.log(`power loss: seed ${SEED}`);
  const isEnough = (epoch: number): boolean => epoch > PROCESSES && torn.images >= TORN_MIN;
  for (let epoch = 1; !isEnough(epoch) && epoch <= PROCESSES_MAX; epoch += 1) {
    const seen = await runFrozen(epoch);
    for (const moment of seen) tally(killed, moment);
    for (const moment of tearBetween(seen)) tally(torn, moment);
    const last = seen.at(-1) ?? newest;
    if (last.acknowledged.size >= newest.acknowledged.size) newest = last;
  }
}, 300_000);

afterAll(() => {
  console.log(`power loss: ${killed.images} kill points, ${torn.images + unsynced} torn images`);
  for (const each of [directory, scratch]) rmSync(each, { recursive: true, force: true });
});

async function runFrozen(epoch: number): Promise<Moment[]> {
  const path = join(directory, `keyward-${epoch}.db`);
  const output = join(directory, `acknowledged-${epoch}`);
  const sink = openSync(output, 'a');
  const options = { path, epoch, keys: 100_000, atOnce: 1 + Math.floor(chance() * 6) };
  const child = spawn(process.execPath, [CHILD, JSON.stringify(options)], {
    stdio: ['ignore', sink, 'inherit'],
  });
  closeSync(sink);
  const exit = once(child, 'exit');
  while (!readFileSync(output, 'utf8').includes(`e${epoch}-1 1\n`)) await runFor(1);
  const seen: Moment[] = [];
  for (let freeze = 0; freeze < FREEZES; freeze += 1) {
    await runFor(chance());
    await freezeProcess(child);
    seen.push(look(path, output));
    if (freeze < FREEZES - 1) child.kill('SIGCONT');
  }
  child.kill('SIGKILL');
  await exit;
  const last = look(path, output);
  const frozen = seen.at(-1);
  // If this did not hold, a freeze would not be a kill.
  expect(frozen?.image.wal.equals(last.image.wal)).toBe(true);
  expect(frozen?.acknowledged).toEqual(last.acknowledged);
  return seen;
}

function look(path: string, output: string): Moment {
  const acknowledged = parseAcknowledged(readFileSync(output, 'utf8'));
  const wal = existsSync(`${path}-wal`) ? readFileSync(`${path}-wal`) : Buffer.alloc(0);
  return { acknowledged, image: { db: readFileSync(path), wal } };
}

/** Lets the child run for about so long; which instant it is does not matter. */
async function runFor(ms: number): Promise<void> {
  const until = performance.now() + ms;
  while (performance.now() < until) await setImmediate();
}

/** Stops all threads of the child, so that its files stand still, exactly as a kill leaves them. */
async function freezeProcess(child: ChildProcess): Promise<void> {
  child.kill('SIGSTOP');
  const tasks = `/proc/${child.pid}/task`;
  const isStopped = (task: string): boolean =>
    /^\d+ \(.*\) [TX]/.test(readFileSync(`${tasks}/${task}/stat`, 'utf8'));
  while (!readdirSync(tasks).every(isStopped)) await setImmediate();
}

function tally(into: Tally, { image, acknowledged }: Moment): void {
  const loss = inspect(scratch, image, acknowledged);
  if (loss !== undefined) into.losses.push(`image ${into.images}: ${loss}`);
  into.images += 1;
}

describe('A SQLite ledger loses no acknowledged commit', () => {
  it('when its process is killed at any of 300 points', () => {
    expect(killed.losses).toEqual([]);
    expect(killed.images).toBeGreaterThanOrEqual(300);
    expect(newest.acknowledged.size).toBeGreaterThan(10);
  });

  it('when the power goes in the middle of a write, in 1000 images', () => {
    expect(torn.losses).toEqual([]);
    expect(torn.images).toBeGreaterThanOrEqual(TORN_MIN);
  });

  it('and is refused loudly when the disk returns something else than was written', () => {
    const db = newest.image.db.subarray(0, newest.image.db.length / 2);
    const cut = { db, wal: Buffer.alloc(0) };
    expect(inspect(scratch, cut, newest.acknowledged)).toContain('malformed');
  });
});

/** Disks between two moments: everything acknowledged at the first one was safe by then. */
function tearBetween(seen: readonly Moment[]): Moment[] {
  return seen.slice(1).flatMap((after, index) => {
    const before = seen[index];
    return before === undefined ? [] : tear(before, after.image);
  });
}

function tear({ image, acknowledged }: Moment, after: Image): Moment[] {
  // A log that was begun anew in between: its old content is in the database file by now, in an
  // order that two moments do not tell; the log of system calls below does.
  const isSameLog = image.wal.subarray(0, 32).equals(after.wal.subarray(0, 32));
  if (!isSameLog || image.wal.length === 0) return [];
  const wals = tearLog(image.wal, after.wal).map((wal) => ({ db: image.db, wal }));
  return [...wals, ...tearFile(image, after)].map((torn) => ({ image: torn, acknowledged }));
}

function tearLog(before: Buffer, after: Buffer): Buffer[] {
  const changed = differingSectors(before, after);
  if (changed.length === 0) return [];
  const upTo = (sector: number): Buffer =>
    mixSectors(before, after, (each) => each <= sector).subarray(0, (sector + 1) * SECTOR);
  const cuts = Array.from({ length: 4 }, () => changed[Math.floor(chance() * changed.length)] ?? 0);
  return [
    ...cuts.map(upTo),
    // The last sector arrived as garbage,
    ...cuts.slice(0, 2).map((sector) => {
      const torn = Buffer.from(upTo(sector));
      const from = Math.max(sector * SECTOR, before.length);
      for (let at = from; at < torn.length; at += 1) torn[at] = Math.floor(chance() * 256);
      return torn;
    }),
    // or sectors arrived in any order.
    mixSectors(before, after, () => chance() < 0.5),
    mixSectors(before, after, () => chance() < 0.9),
  ];
}

/** A checkpoint on its way: the log is complete, the database file is old and new at once. */
function tearFile(before: Image, after: Image): Image[] {
  if (differingSectors(before.db, after.db).length === 0) return [];
  return [0.1, 0.5, 0.9].map((share) => ({
    db: mixSectors(before.db, after.db, () => chance() < share),
    wal: after.wal,
  }));
}

const canTrace = spawnSync('strace', [...STRACE, '-o', '/dev/null', 'true']).status === 0;

describe.skipIf(!canTrace)('A SQLite ledger on a disk that keeps nothing unsynced', () => {
  it('loses no acknowledged commit, whatever part of the unsynced writes arrived', async () => {
    const path = join(directory, 'traced.db');
    const log = join(directory, 'strace.log');
    await (await openLedger({ url: `sqlite://${path}`, missing: 'Create' })).close();
    const initial = readFileSync(path);
    const options = JSON.stringify({ path, epoch: EPOCH, keys: 20, atOnce: 2, reopen: 2 });
    const strace = [...STRACE, '-o', log, process.execPath, CHILD, options];
    expect(spawnSync('strace', strace).status).toBe(0);
    const { images, losses, synced } = replay(path, initial, readFileSync(log, 'latin1'));
    unsynced = images;
    expect(losses).toEqual([]);
    expect(synced).toContain(path);
    expect(images).toBeGreaterThanOrEqual(500);
  });
});

function replay(path: string, initial: Buffer, log: string) {
  const files = new Map([
    [path, new UnsafeFile(initial)],
    [`${path}-wal`, new UnsafeFile(Buffer.alloc(0))],
  ]);
  const synced = new Set<string>();
  const losses: string[] = [];
  let said = '';
  let images = 0;
  const cutPower = (hasArrived: () => boolean): void => {
    const [db, wal] = [...files.values()].map((file) => file.image(hasArrived));
    const image = { db: db ?? Buffer.alloc(0), wal: wal ?? Buffer.alloc(0) };
    const loss = inspect(scratch, image, parseAcknowledged(said));
    if (loss !== undefined) losses.push(`image ${images}: ${loss}`);
    images += 1;
  };
  for (const call of parseSystemCalls(log)) {
    if (call.type === 'Say') {
      said += call.text;
      cutPower(() => false);
      continue;
    }
    const file = files.get(call.file);
    if (file === undefined) continue;
    if (call.type === 'Sync') {
      synced.add(call.file);
      if (file.isPending) [0.5, 0.95, 1].forEach((share) => cutPower(() => chance() < share));
    }
    file.apply(call);
  }
  return { images, losses, synced: [...synced] };
}
