/**
 * Gates that are killed at any moment while they hand out uses, beside an operator that commits all the
 * time. Run it with `describeGateKills('SQLite', () => createHarness())`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Ledger } from '../../src/ledger/port.ts';
import { createChance } from '../support/chance.ts';
import type { GateChildOptions } from './ledger.gate.child.ts';
import type { GateHarness } from './ledger.gate.ts';
import { aCommit, aKey, CLUSTER, EPOCH } from './ledger.records.ts';

const CHILD = join(import.meta.dirname, 'ledger.gate.child.ts');
const COUNT = { subject: 'grant/form/1', windowStartMs: 0 };
const LIMIT = 5_000;
const MOST = 16;
const GATES = 3;
const KILLS = 10;

/** A gate that runs; `lines` grows while it does. */
type Child = {
  readonly process: ChildProcess;
  readonly lines: () => readonly string[];
  /** Until it has said so much, or ended. */
  readonly until: (lines: number) => Promise<void>;
  readonly closed: Promise<void>;
};

function start(options: GateChildOptions): Child {
  const child = spawn(process.execPath, [CHILD, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  let isClosed = false;
  let wake = (): void => undefined;
  const lines = (): readonly string[] => output.split('\n').slice(0, -1);
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
    wake();
  });
  const closed = once(child.stdout, 'close').then(() => {
    isClosed = true;
    wake();
  });
  const until = async (count: number): Promise<void> => {
    while (lines().length < count && !isClosed) {
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      // oxlint-disable-next-line no-await-in-loop
      await promise;
    }
  };
  return { process: child, lines, until, closed };
}

export function describeGateKills(name: string, createHarness: () => Promise<GateHarness>): void {
  let harness: GateHarness;
  let ledger: Ledger;
  let children: Child[];

  beforeEach(async () => {
    children = [];
    harness = await createHarness();
    ledger = await harness.open();
    await ledger.adoptCluster(CLUSTER);
    await ledger.openEpoch(EPOCH, 'operator-0');
  });

  afterEach(async () => {
    for (const child of children) child.process.kill('SIGKILL');
    await Promise.all(children.map(({ closed }) => closed));
    await harness.remove();
  });

  /** Commits keys one after the other until it is told to stop; how many. */
  async function operate(isOver: () => boolean): Promise<number> {
    for (let number = 0; ; number += 1) {
      if (isOver()) return number;
      // oxlint-disable-next-line no-await-in-loop
      const { type } = await ledger.commit(aCommit(aKey(`k${number}`)));
      if (type !== 'Committed') throw new Error(type);
    }
  }

  /** Kills gates after random numbers of lines, and starts others in their place. */
  async function walk(begin: () => Child, chance: () => number): Promise<void> {
    const running = Array.from({ length: GATES }, begin);
    for (let kill = 0; kill < KILLS; kill += 1) {
      const at = Math.floor(chance() * GATES);
      const victim = running[at];
      if (victim === undefined) throw new Error('there is always a gate');
      // oxlint-disable-next-line no-await-in-loop
      await victim.until(1 + Math.floor(chance() * 100));
      victim.process.kill('SIGKILL');
      running[at] = begin();
    }
    await Promise.all(children.map(({ closed }) => closed));
  }

  describe(`${name} gate: that is killed`, () => {
    it('never lets more uses be handed out by all than the limit, and loses no more than its lease (R112)', async () => {
      const seed = randomInt(2 ** 31);
      console.info(`seed ${seed}`);
      const chance = createChance(seed);
      const options = { url: harness.url, subject: COUNT.subject, limit: LIMIT, most: MOST };
      let isOver = false;
      const operating = operate(() => isOver);
      await walk(() => {
        const child = start({ ...options, seed: Math.floor(chance() * 2 ** 31) });
        children.push(child);
        return child;
      }, chance).finally(() => {
        isOver = true;
      });
      const commits = await operating;
      const lines = children.flatMap((child) => child.lines());
      expect(lines.filter((line) => !['open', 'use', 'end', 'done'].includes(line))).toEqual([]);
      // All that were not killed; more where the count was used up before the last kill.
      const done = lines.filter((line) => line === 'done').length;
      expect(done).toBeGreaterThanOrEqual(GATES);
      const used = lines.filter((line) => line === 'use').length;

      const gate = await harness.openGate();
      const [count = { reserved: 0, unspent: 0 }] = await gate.counts([COUNT]);
      expect(count.reserved).toBeLessThanOrEqual(LIMIT);
      expect(used).toBeLessThanOrEqual(count.reserved);
      expect(count.reserved - used).toBeLessThanOrEqual(KILLS * MOST);
      // What a killed gate held counts as spent, and is spent for good when it is forgotten.
      await gate.sweepUses(Date.now() + 60_000, -60_000);
      expect(await gate.counts([COUNT])).toEqual([{ ...COUNT, ...count, unspent: 0 }]);
      const rest = { ...COUNT, id: 'rest', limit: LIMIT, uses: LIMIT, nowMs: Date.now() };
      expect((await gate.lease([rest]))[0]?.uses).toBe(LIMIT - count.reserved);

      expect(commits).toBeGreaterThan(10);
      expect(await ledger.verifyAudit()).toEqual({ entries: commits, brokenAt: undefined });
    }, 120_000);
  });
}
