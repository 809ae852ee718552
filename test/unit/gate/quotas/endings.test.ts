import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Ending } from '../../../../src/gate/quotas/count.ts';
import { Endings } from '../../../../src/gate/quotas/endings.ts';
import { Quotas, type LeaseLedger } from '../../../../src/gate/quotas/quotas.ts';
import { unavailable } from '../../../support/gate.memory.ts';
import { FakeClock } from '../../../support/clock.ts';

/** More than are kept in an outage. */
const MANY = 12_500;
const KEPT_MAX = 10_000;
const LIMIT = { requests: 1_000, period: 'Lifetime', timeZone: 'UTC' } as const;

/** A database that grants one use more than is asked for, and takes nothing back while it is down. */
class Bench {
  readonly clock = new FakeClock();
  readonly held = new Set<string>();
  readonly returned: string[] = [];
  isDown = false;
  readonly #ledger: LeaseLedger = {
    lease: async (wishes) =>
      wishes.map(({ id, uses }) => {
        this.held.add(id);
        return { id, uses: uses + 1, unreserved: 0 };
      }),
    reportLeases: async () => undefined,
    returnLeases: async (reports) => {
      if (this.isDown) throw unavailable();
      for (const { id } of reports) {
        this.held.delete(id);
        this.returned.push(id);
      }
    },
  };
  readonly #deps = {
    ledger: () => this.#ledger,
    clock: this.clock,
    entropy: randomBytes,
    replicas: 1,
    onFailure: () => undefined,
  };

  endings(): Endings {
    return new Endings(this.#deps);
  }

  /** A gate that holds a lease of each of so many keys. */
  async gate(keys: number): Promise<Quotas> {
    const quotas = new Quotas(this.#deps);
    const nowMs = this.clock.nowMs();
    await Promise.all(
      Array.from({ length: keys }, async (_, i) => quotas.take(`key/${i}`, LIMIT, nowMs)),
    );
    return quotas;
  }
}

function ending(id: number, isSpent = false): Ending {
  return { id: String(id), spent: 1, isSpent };
}

test('however many leases there are, all go back at the end', async () => {
  const bench = new Bench();
  const gate = await bench.gate(MANY);
  expect(bench.held.size).toBe(MANY);
  await gate.close();
  expect(bench.held.size).toBe(0);
});

test('however many leases lie idle at once, all go back', async () => {
  const bench = new Bench();
  const gate = await bench.gate(MANY);
  expect(bench.held.size).toBe(MANY);
  bench.clock.advance(10_000);
  await gate.tidy();
  expect(bench.held.size).toBe(0);
});

test('of a database that does not answer only the newest ten thousand are kept, however long it takes', async () => {
  const bench = new Bench();
  const endings = bench.endings();
  bench.isDown = true;
  for (let id = 0; id < 3 * MANY; id += 1) {
    endings.add(ending(id));
    if (id % 1_000 === 999) await endings.send();
  }
  await endings.send();
  bench.isDown = false;
  await endings.send();
  const newest = Array.from({ length: KEPT_MAX }, (_, i) => String(3 * MANY - KEPT_MAX + i));
  expect(bench.returned).toEqual(newest);
});

test('in an outage leases of which something goes back are kept longer than those that are spent', async () => {
  const bench = new Bench();
  const endings = bench.endings();
  bench.isDown = true;
  for (let id = 0; id < MANY; id += 1) endings.add(ending(id, id >= KEPT_MAX));
  await endings.send();
  bench.isDown = false;
  await endings.send();
  expect(bench.returned).toEqual(Array.from({ length: KEPT_MAX }, (_, i) => String(i)));
});

test('what is added while others are sent is sent behind them, once each', async () => {
  const bench = new Bench();
  const endings = bench.endings();
  for (let id = 0; id < 1_200; id += 1) endings.add(ending(id));
  const sent = endings.send();
  for (let id = 1_200; id < 1_300; id += 1) endings.add(ending(id));
  await sent;
  expect(bench.returned).toEqual(Array.from({ length: 1_300 }, (_, i) => String(i)));
});

test('whoever has endings sent while others are on their way waits until his are told, too', async () => {
  const bench = new Bench();
  const endings = bench.endings();
  endings.add(ending(1));
  const first = endings.send();
  endings.add(ending(2));
  await endings.send();
  expect(bench.returned).toEqual(['1', '2']);
  await first;
  await endings.send();
});
