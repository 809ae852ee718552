import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { createGate, type Gate } from '../../src/gate/gate.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { silentLogger } from '../../src/kernel/log.ts';
import { createRegistry } from '../../src/kernel/metrics.ts';
import { openArchive, openGateLedger, openLedger } from '../../src/ledger/open.ts';
import type { Ledger } from '../../src/ledger/port.ts';
import { markRestored } from '../../src/ledger/restore.ts';
import { eventually } from '../support/eventually.ts';
import { aKeyring, issueKey } from '../support/gate.keys.ts';
import { describeGate, type GateSite } from './gate.ts';
import { aCommit, CLUSTER, EPOCH } from './ledger.records.ts';

async function createSite(): Promise<GateSite & { readonly path: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'keyward-gate-'));
  const path = join(directory, 'keyward.db');
  const url = `sqlite://${path}`;
  const opened: Pick<Ledger, 'close'>[] = [];
  return {
    url,
    path,
    open: async () => {
      const ledger = await openLedger({ url, missing: 'Create', gatherMs: 0 });
      opened.push(ledger);
      return ledger;
    },
    remove: async () => {
      await Promise.all(opened.map((ledger) => ledger.close()));
      rmSync(directory, { recursive: true });
    },
  };
}

/** A copy of the file alone lacks what is in the log while a gate has it open. */
function backUp(path: string, to: string): void {
  const db = new DatabaseSync(path);
  db.prepare('VACUUM INTO ?').run(to);
  db.close();
}

describeGate('SQLite', createSite);

describe('a gate on a SQLite file', () => {
  const gates: Gate[] = [];
  let site: Awaited<ReturnType<typeof createSite>>;

  async function aGate(): Promise<Gate> {
    site = await createSite();
    const gate = createGate({
      settings: {
        maxStalenessMs: 15_000,
        replicas: 1,
        recordsMax: 100,
        unlisted: 'allow',
        phpDates: false,
      },
      open: () => openGateLedger(site.url),
      keyring: aKeyring(),
      clock: systemClock,
      entropy: randomBytes,
      log: silentLogger,
      registry: createRegistry(),
    });
    gate.start();
    gates.push(gate);
    return gate;
  }

  async function operator(): Promise<Ledger> {
    const ledger = await site.open();
    await ledger.adoptCluster(CLUSTER);
    await ledger.openEpoch(EPOCH, 'operator-0');
    return ledger;
  }

  afterEach(async () => {
    await Promise.all(gates.splice(0).map((gate) => gate.stop()));
    await site.remove();
  });

  async function cause(gate: Gate, value: string): Promise<string> {
    const decision = await gate.decide({
      credential: { type: 'Value', value },
      profile: 'Keyward',
      isSpoofed: false,
    });
    return decision.type === 'Refused' ? decision.refusal.cause : decision.type;
  }

  it('waits for a file that is not there yet', async () => {
    const gate = await aGate();
    const key = issueKey('a');
    await eventually(() => expect(gate.failing()).toMatch(/does not exist|database/));
    expect(await cause(gate, key.value)).toBe('StateUnknown');
    const ledger = await operator();
    await ledger.commit(aCommit({ ...key.record, clusterId: CLUSTER }));
    await eventually(async () => expect(await cause(gate, key.value)).toBe('Allowed'));
  });

  it('opens the file anew when the thread that counts died, and counts on', async () => {
    const threads: Worker[] = [];
    const remember = (thread: Worker): void => void threads.push(thread);
    process.on('worker', remember);
    const gate = await aGate();
    const quota = { requests: 1_000, period: 'Lifetime', timeZone: 'UTC' } as const;
    const terms = { timeZone: 'UTC', cidrs: [], productRefs: [], quota };
    const key = issueKey('a', { clusterId: CLUSTER, terms });
    const ledger = await operator();
    await ledger.commit(aCommit(key.record));
    await eventually(async () => expect(await cause(gate, key.value)).toBe('Allowed'));
    const before = threads.length;
    await Promise.all(threads.map((thread) => thread.terminate()));
    await eventually(() => expect(threads.length).toBeGreaterThan(before));
    process.off('worker', remember);
    // More than one lease, so that it has to ask the new thread.
    for (let use = 0; use < 200; use += 1) {
      await eventually(async () => expect(await cause(gate, key.value)).toBe('Allowed'));
    }
  });

  it('does not believe an older file that was put in its place, until somebody says that it was restored', async () => {
    const gate = await aGate();
    const ledger = await operator();
    const key = issueKey('a', { clusterId: CLUSTER });
    const late = issueKey('b', { clusterId: CLUSTER });
    const first = await ledger.commit(aCommit(key.record));
    await ledger.close();
    backUp(site.path, `${site.path}.backup`);
    const again = await operatorAgain();
    if (first.type !== 'Committed') throw new Error('not committed');
    await again.commit(aCommit({ ...first.record, state: 'Suspended' }));
    await again.commit(aCommit(late.record));
    await eventually(async () => {
      expect(await cause(gate, key.value)).toBe('KeySuspended');
      expect(await cause(gate, late.value)).toBe('Allowed');
    });
    await again.close();
    for (const end of ['-wal', '-shm']) rmSync(`${site.path}${end}`, { force: true });
    renameSync(`${site.path}.backup`, site.path);
    await eventually(() => expect(gate.failing()).toMatch(/old copy/));
    expect(await cause(gate, key.value)).toBe('StateUnknown');
    const archive = await openArchive(site.url, 'Change');
    const incarnation = randomBytes(16).toString('hex');
    await markRestored(archive, { actor: 'ann', atMs: Date.now(), incarnation });
    await archive.close();
    await eventually(async () => {
      expect(await cause(gate, late.value)).toBe('UnknownKey');
      expect(await cause(gate, key.value)).toBe('Allowed');
    });
  });

  async function operatorAgain(): Promise<Ledger> {
    const ledger = await site.open();
    await ledger.openEpoch(EPOCH + 1, 'operator-1');
    return { ...ledger, commit: (commit) => ledger.commit({ ...commit, epoch: EPOCH + 1 }) };
  }
});
