import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ReplayMemory } from '../../../src/gate/replay.ts';
import { FakeClock } from '../../support/clock.ts';
import { MemoryGateDatabase } from '../../support/gate.memory.ts';

function bench() {
  const database = new MemoryGateDatabase();
  const clock = new FakeClock();
  const failures: string[] = [];
  const memory = () => {
    const ledger = database.open();
    return new ReplayMemory({
      ledger: () => ledger,
      clock,
      onFailure: (reason) => failures.push(reason),
    });
  };
  return { database, clock, failures, memory };
}

function sign(text: string, keyId = 'k') {
  const digest = createHash('sha256').update(text).digest();
  return { keyId, digest, untilMs: 900_000, nowMs: 0 };
}

describe('a signature', () => {
  it('is new once, at whichever gate', async () => {
    const { memory } = bench();
    const [one, other] = [memory(), memory()];
    expect(await one.remember(sign('a'))).toBe('New');
    expect(await one.remember(sign('a'))).toBe('Seen');
    expect(await other.remember(sign('a'))).toBe('Seen');
    expect(await other.remember(sign('b'))).toBe('New');
    expect(await other.remember(sign('b', 'another key'))).toBe('New');
  });

  it('is new to one of many calls at the same time', async () => {
    const { memory, database } = bench();
    const gates = [memory(), memory(), memory()];
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, i) => gates[i % 3]!.remember(sign('a'))),
    );
    expect(answers.filter((answer) => answer === 'New')).toHaveLength(1);
    expect(answers.filter((answer) => answer === 'Seen')).toHaveLength(299);
    expect(database.asked.get('remember')).toBe(3);
  });

  it('is asked about together with others that wait', async () => {
    const { memory, database } = bench();
    const gate = memory();
    const all = Array.from({ length: 100 }, (_, i) => gate.remember(sign(`s${i}`)));
    expect(new Set(await Promise.all(all))).toEqual(new Set(['New']));
    expect(database.asked.get('remember')).toBe(2);
  });

  it.each(['Fails', 'Hangs'] as const)(
    'is unknown when the database %s, and all who wait hear it',
    async (how) => {
      const { memory, database, clock, failures } = bench();
      const gate = memory();
      database.trouble.set('remember', how);
      const all = Array.from({ length: 500 }, (_, i) => gate.remember(sign(`s${i}`)));
      await clock.advanceSettled(1_000);
      expect(new Set(await Promise.all(all))).toEqual(new Set(['Unknown']));
      expect(failures).toHaveLength(1);
      database.trouble.clear();
      expect(await gate.remember(sign('s0'))).toBe('New');
    },
  );
});
