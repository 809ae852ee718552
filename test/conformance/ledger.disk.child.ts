/**
 * Fills a disk of one MiB with commits, frees it again, and makes it read-only; prints what the
 * ledger did as one JSON line. Runs in a mount namespace of its own; argument: the disk's directory.
 */
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { classify } from '../../src/kernel/errors.ts';
import { openLedger } from '../../src/ledger/open.ts';
import type { Ledger } from '../../src/ledger/port.ts';
import { aCommit, aKey, CLUSTER, EPOCH } from './ledger.records.ts';

export type DiskReport = {
  readonly full: string;
  readonly lostWhileFull: number;
  readonly afterwards: string;
  readonly lostAtTheEnd: number;
  readonly brokenAt: number | undefined;
  readonly readOnly: string;
};

const disk = process.argv[2] ?? '';
const url = `sqlite://${disk}/keyward.db`;
const acknowledged: string[] = [];

async function attempt(ledger: Ledger, uid: string): Promise<string> {
  try {
    const { type } = await ledger.commit(aCommit(aKey(uid)));
    acknowledged.push(uid);
    return type;
  } catch (thrown) {
    const { class: errorClass, reason } = classify(thrown);
    return `${errorClass} ${reason}`;
  }
}

async function countLost(ledger: Ledger): Promise<number> {
  const at = { namespace: 'shop', name: 'none' };
  const loaded = await Promise.all(acknowledged.map((uid) => ledger.load(uid, at)));
  return loaded.filter(({ record }) => record?.revision !== 1).length;
}

async function main(): Promise<DiskReport> {
  const ledger = await openLedger({ url, missing: 'Create', gatherMs: 0 });
  await ledger.adoptCluster(CLUSTER);
  await ledger.openEpoch(EPOCH, 'child');
  writeFileSync(`${disk}/filler`, new Uint8Array(256 * 1024));
  let full = 'Committed';
  for (let index = 0; full === 'Committed' && index < 10_000; index += 1) {
    full = await attempt(ledger, `k${index}`);
  }
  const lostWhileFull = await countLost(ledger);
  rmSync(`${disk}/filler`);
  const afterwards = await attempt(ledger, 'afterwards');
  await ledger.close();

  const again = await openLedger({ url, missing: 'Refuse' });
  const lostAtTheEnd = await countLost(again);
  const { brokenAt } = await again.verifyAudit();
  await again.close();

  execFileSync('mount', ['-o', 'remount,ro', disk]);
  const readOnly = await openLedger({ url, missing: 'Refuse' }).then(
    () => 'opened',
    (thrown: unknown) => classify(thrown).reason,
  );
  return { full, lostWhileFull, afterwards, lostAtTheEnd, brokenAt, readOnly };
}

process.stdout.write(`${JSON.stringify(await main())}\n`);
