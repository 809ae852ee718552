/**
 * A process that commits until it is killed or done, for tests that take its database away.
 * Each line on standard output is an acknowledged commit, written after the ledger answered:
 * `<uid> <revision>`. First line: `open`, or the reason why it could not.
 *
 * Arguments: the options as JSON.
 */
import { writeSync } from 'node:fs';
import { classify } from '../../src/kernel/errors.ts';
import { openLedger } from '../../src/ledger/open.ts';
import type { Ledger } from '../../src/ledger/port.ts';
import type { CrashPoint } from '../../src/ledger/requests.ts';
import { aCommit, aCredential, aHashOnlySlot, aKey, anEntry, CLUSTER } from './ledger.records.ts';

export type ChildOptions = {
  readonly path: string;
  readonly epoch: number;
  /** Keys to take through their whole life: four commits each. */
  readonly keys: number;
  /** Keys at the same time. */
  readonly atOnce: number;
  readonly crashAt?: CrashPoint;
  /** Waits for input before it ends. */
  readonly linger?: boolean;
  /** How often to close the ledger and go on with the next epoch. */
  readonly reopen?: number;
};

// Only tests start this file, with what `ChildOptions` says.
const options = JSON.parse(process.argv[2] ?? '{}') as ChildOptions;

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

async function main(): Promise<void> {
  const last = options.epoch + (options.reopen ?? 0);
  for (let epoch = options.epoch; epoch <= last; epoch += 1) {
    const ledger = await open(epoch);
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < options.keys) {
        next += 1;
        await live(ledger, epoch, `e${epoch}-${next}`);
      }
    };
    await Promise.all(Array.from({ length: options.atOnce }, work));
    if (options.reopen !== undefined) await ledger.close();
  }
  if (options.linger === true) process.stdin.once('data', () => process.exit(0));
}

async function open(epoch: number): Promise<Ledger> {
  const { path, crashAt } = options;
  const url = `sqlite://${path}`;
  const opening = crashAt === undefined ? { url } : { url, crashAt };
  const ledger = await openLedger({ ...opening, missing: 'Create', gatherMs: 0 });
  await ledger.adoptCluster(CLUSTER);
  await ledger.openEpoch(epoch, 'child');
  say('open');
  return ledger;
}

/** Issued, published, rotated, ended. */
async function live(ledger: Ledger, epoch: number, uid: string): Promise<void> {
  const published = aCredential(`${uid}-1`, { state: 'Active', slots: [aHashOnlySlot(uid)] });
  const rotated = aCredential(`${uid}-2`, { sequence: 2 });
  const steps = [
    { action: 'KeyIssued', record: aKey(uid) },
    { action: 'KeyPublished', record: aKey(uid, { credentials: [published] }) },
    { action: 'KeyRotated', record: aKey(uid, { credentials: [published, rotated] }) },
    { action: 'KeyEnded', record: aKey(uid, { phase: 'Ending', credentials: [] }) },
  ];
  for (const [revision, { action, record }] of steps.entries()) {
    const commit = aCommit({ ...record, revision }, { epoch, audit: anEntry({ action }) });
    const result = await ledger.commit(commit);
    if (result.type !== 'Committed') throw new Error(result.type);
    say(`${uid} ${result.record.revision}`);
  }
}

try {
  await main();
} catch (thrown) {
  say(`${classify(thrown).class} ${classify(thrown).reason}`);
  process.exitCode = 1;
}
