import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { UsageCounter, Use } from '../../../src/gate/usage.ts';
import { prepareKey } from '../../../src/gate/view/prepared.ts';
import { usageOf } from '../../../src/ledger/gate.ts';
import { FakeClock } from '../../support/clock.ts';
import { MemoryGateDatabase } from '../../support/gate.memory.ts';
import { aCredential, aRecord, NOW_MS } from '../../support/world.ts';

function bench() {
  const database = new MemoryGateDatabase();
  const clock = new FakeClock();
  const state = { isConnected: true };
  const failures: string[] = [];
  const ledger = database.open();
  const usage = new UsageCounter({
    ledger: () => (state.isConnected ? ledger : undefined),
    clock,
    onFailure: (reason) => failures.push(reason),
  });
  return { database, clock, state, failures, usage };
}

describe('usage', () => {
  it('is written as sums, with the last instant', async () => {
    const { database, usage } = bench();
    for (const [uid, atMs] of [
      ['a', 1],
      ['b', 2],
      ['a', 3],
    ] as const) {
      usage.count(new Use(uid), atMs);
    }
    await usage.write();
    await usage.write();
    expect([...database.usage]).toEqual([
      ['a', { uses: 2, lastUsedMs: 3 }],
      ['b', { uses: 1, lastUsedMs: 2 }],
    ]);
    expect(database.asked.get('reportUsage')).toBe(1);
  });

  it('waits while there is no database', async () => {
    const { database, state, usage } = bench();
    usage.count(new Use('a'), 1);
    state.isConnected = false;
    await usage.write();
    usage.count(new Use('a'), 2);
    state.isConnected = true;
    await usage.write();
    expect(database.usage.get('a')).toEqual({ uses: 2, lastUsedMs: 2 });
    expect(usage.lost).toBe(0);
  });

  it('of which nobody knows whether it was written is not written twice, and counted as lost', async () => {
    const { database, failures, usage } = bench();
    usage.count(new Use('a'), 1);
    usage.count(new Use('a'), 2);
    database.trouble.set('reportUsage', 'Fails');
    await usage.write();
    database.trouble.clear();
    await usage.write();
    expect(database.usage.size).toBe(0);
    expect(usage.lost).toBe(2);
    expect(failures).toEqual(['LedgerUnavailable']);
  });

  it('of a flood of keys takes no memory without bound', async () => {
    const { usage } = bench();
    for (let i = 0; i < 200_010; i += 1) usage.count(new Use(`k${i}`), i);
    expect(usage.size).toBe(200_000);
    expect(usage.lost).toBe(10);
  });

  it('of many keys is written in turn, each within six times, and of a flood at once', async () => {
    const { database, usage } = bench();
    const keys = Array.from({ length: 12_000 }, () => new Use(randomUUID()));
    for (const key of keys) usage.count(key, 1);
    for (let turn = 1; turn <= 6; turn += 1) {
      await usage.writeDue();
      // A sixth, as far as chance has it.
      expect(Math.abs(database.usage.size - turn * 2_000)).toBeLessThan(600);
      for (const key of keys) usage.count(key, 2);
    }
    expect(database.usage.size).toBe(12_000);
    expect(usage.size).toBe(12_000);
    for (let turn = 0; turn < 6; turn += 1) await usage.writeDue();
    expect(usage.size).toBe(0);
    for (const key of keys) expect(database.usage.get(key.uid)?.uses).toBe(7);
    for (let i = 0; i < 199_000; i += 1) usage.count(new Use(`k${i}`), i);
    await usage.writeDue();
    expect(usage.size).toBeLessThanOrEqual(150_000);
    expect(usage.lost).toBe(0);
  });

  it('of neighbours is written together, in whichever order they were used', async () => {
    const { database, usage } = bench();
    const uids = Array.from({ length: 5_000 }, () => randomUUID());
    for (const uid of uids) usage.count(new Use(uid), 1);
    await usage.write();
    const written = [...database.usage.keys()].map((uid) => uid.slice(0, 2));
    expect(written).toEqual(written.toSorted());
  });

  it('is counted whatever a UID looks like', async () => {
    const { database, usage } = bench();
    const uids = ['', '-1', '+f', '0x', '9', '\u{1f511}', 'credential/abc'];
    for (const uid of uids) usage.count(new Use(uid), 1);
    await usage.write();
    expect(new Set(database.usage.keys())).toEqual(new Set(uids));
  });

  it('of few keys is all written each time, and of all when told to', async () => {
    const { database, usage } = bench();
    for (let i = 0; i < 1_000; i += 1) usage.count(new Use(`k${i}`), i);
    await usage.writeDue();
    expect(database.usage.size).toBe(1_000);
    for (let i = 0; i < 5_500; i += 1) usage.count(new Use(`k${i}`), i);
    await usage.write();
    expect([usage.size, database.usage.size]).toEqual([0, 5_500]);
  });

  it('that comes while some is written is written as well', async () => {
    const { database, usage } = bench();
    database.after = (method) => {
      if (method === 'reportUsage' && database.usage.size === 1) usage.count(new Use('b'), 2);
    };
    usage.count(new Use('a'), 1);
    await usage.write();
    expect([...database.usage.keys()]).toEqual(['a', 'b']);
  });

  it('that comes while calls go on is written once each time', async () => {
    const { database, usage } = bench();
    const keys = Array.from({ length: 100 }, () => new Use(randomUUID()));
    const call = (): void => keys.forEach((key) => usage.count(key, 1));
    database.after = (method) => {
      if (method === 'reportUsage') call();
    };
    call();
    for (let turn = 1; turn <= 3; turn += 1) {
      await usage.writeDue();
      expect(database.asked.get('reportUsage')).toBe(turn);
    }
    database.after = () => undefined;
  });

  it('is all written at the end, also where some is being written then', async () => {
    const { database, usage } = bench();
    for (let i = 0; i < 12_000; i += 1) usage.count(new Use(randomUUID()), 1);
    const due = usage.writeDue();
    await usage.write();
    expect([usage.size, database.usage.size]).toEqual([0, 12_000]);
    await due;
  });

  it('of a key goes on after it was told, also where its record was read anew', async () => {
    const { database, usage } = bench();
    const key = new Use('a');
    usage.count(key, 1);
    usage.count(new Use('a'), 2);
    await usage.write();
    usage.count(key, 3);
    expect(usage.size).toBe(1);
    await usage.write();
    expect([...database.usage]).toEqual([['a', { uses: 3, lastUsedMs: 3 }]]);
  });

  it('of a key is the sum of what its records counted, however they take turns', async () => {
    const { database, usage } = bench();
    const records = [new Use('a'), new Use('a'), new Use('a')];
    for (const [index, at] of [0, 1, 0, 0, 2, 1, 1, 2, 0].entries()) {
      usage.count(records[at]!, index + 1);
      expect(usage.size).toBe(1);
      if (index === 4) await usage.write();
    }
    await usage.write();
    expect([...database.usage]).toEqual([['a', { uses: 9, lastUsedMs: 9 }]]);
    expect(records.map(({ uses }) => uses)).toEqual([0, 0, 0]);
  });
});

describe('a credential that retires', () => {
  it('is counted beside its key, so that it can be told when it was used last', () => {
    const old = aCredential({ state: 'Retiring', retireAtMs: NOW_MS + 1, keyId: 'old' });
    const record = aRecord({ credentials: [old, aCredential({ sequence: 2, keyId: 'new' })] });
    const [retiring, current] = prepareKey(record).credentials;
    expect(retiring?.retiring).toEqual(new Use(usageOf('old')));
    expect(current?.retiring).toBeUndefined();
  });
});
