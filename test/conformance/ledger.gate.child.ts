/**
 * A gate that hands out uses of one count until there are none or it is killed, for tests that kill it.
 * Each line on standard output comes after what it tells of: `use` for a use that was handed out, `end`
 * for a lease that was returned; `open` first and `done` last.
 *
 * Arguments: the options as JSON.
 */
import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { classify } from '../../src/kernel/errors.ts';
import type { GateLedger, LeaseWish } from '../../src/ledger/gate.ts';
import { openGateLedger } from '../../src/ledger/open.ts';
import { createChance } from '../support/chance.ts';

export type GateChildOptions = {
  readonly url: string;
  readonly subject: string;
  readonly limit: number;
  /** Uses of one lease at most. */
  readonly most: number;
  readonly seed: number;
};

/** So many wishes in a row without a use: the count is used up. */
const EMPTY_MAX = 25;
const PAUSE_MS = 4;

// Only tests start this file, with what `GateChildOptions` says.
const { url, subject, limit, most, seed } = JSON.parse(process.argv[2] ?? '{}') as GateChildOptions;
const chance = createChance(seed);

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

function between(least: number, greatest: number): number {
  return least + Math.floor(chance() * (greatest - least + 1));
}

async function handOut(gate: GateLedger): Promise<void> {
  for (let empty = 0; empty < EMPTY_MAX; empty += 1) {
    const id = randomBytes(8).toString('hex');
    const uses = between(1, most);
    const wish = { id, subject, windowStartMs: 0, limit, uses, nowMs: Date.now() };
    // A gate asks when it has nothing left.
    // oxlint-disable-next-line no-await-in-loop
    const granted = await ask(gate, wish);
    // oxlint-disable-next-line no-await-in-loop
    await pause(PAUSE_MS);
    if (granted > 0) empty = -1;
    // oxlint-disable-next-line no-await-in-loop
    if (granted > 0) await spend(gate, id, chance() < 0.7 ? granted : between(0, granted));
  }
}

/** A wish whose answer was lost is repeated with the same id. */
async function ask(gate: GateLedger, wish: LeaseWish): Promise<number> {
  for (;;) {
    try {
      // oxlint-disable-next-line no-await-in-loop
      return (await gate.lease([wish]))[0]?.uses ?? 0;
    } catch (thrown) {
      if (classify(thrown).reason !== 'LedgerUnavailable') throw thrown;
      // oxlint-disable-next-line no-await-in-loop
      await pause(PAUSE_MS);
    }
  }
}

async function spend(gate: GateLedger, id: string, uses: number): Promise<void> {
  for (let spent = 1; spent <= uses; spent += 1) {
    say('use');
    // oxlint-disable-next-line no-await-in-loop
    if (chance() < 0.05) await gate.reportLeases([{ id, spent }], Date.now());
  }
  await gate.returnLeases([{ id, spent: uses }], Date.now());
  say('end');
}

try {
  const gate = await openGateLedger(url);
  say('open');
  await handOut(gate);
  await gate.close();
  say('done');
} catch (thrown) {
  say(`${classify(thrown).class} ${classify(thrown).reason} ${classify(thrown).message}`);
  process.exitCode = 1;
}
