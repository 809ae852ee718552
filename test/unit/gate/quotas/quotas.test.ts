import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Use } from '../../../../src/gate/quotas/count.ts';
import { Quotas } from '../../../../src/gate/quotas/quotas.ts';
import type { Refusal } from '../../../../src/terms/refusals.ts';
import type { Quota } from '../../../../src/terms/terms.ts';
import { FakeClock } from '../../../support/clock.ts';
import { MemoryGateDatabase } from '../../../support/gate.memory.ts';

const SUBJECT = 'key/a';

function quotaOf(requests: number, period: Quota['period'] = 'Lifetime', timeZone = 'UTC'): Quota {
  return { requests, period, timeZone };
}

class Bench {
  readonly clock: FakeClock;
  readonly database = new MemoryGateDatabase();
  readonly failures: string[] = [];
  readonly #ledger = this.database.open();
  isConnected = true;

  constructor(startMs?: number) {
    this.clock = new FakeClock(startMs);
  }

  gate(replicas = 3): Quotas {
    return new Quotas({
      ledger: () => (this.isConnected ? this.#ledger : undefined),
      clock: this.clock,
      entropy: randomBytes,
      replicas,
      onFailure: (reason) => this.failures.push(reason),
    });
  }

  /** Uses left, or the cause of the refusal. */
  async take(quotas: Quotas, quota: Quota, subject = SUBJECT): Promise<number | string> {
    return said(await this.#settled(quotas.take(subject, quota, this.clock.nowMs())));
  }

  /** A use that was waited for. */
  async wait(quotas: Quotas, quota: Quota): Promise<Use> {
    const taken = await this.#settled(quotas.take(SUBJECT, quota, this.clock.nowMs()));
    if (typeof taken === 'number' || 'cause' in taken) throw new Error('nothing was waited for');
    return taken;
  }

  async #settled(taken: ReturnType<Quotas['take']>): Promise<number | Use | Refusal> {
    if (!(taken instanceof Promise)) return taken;
    let isDone = false;
    void taken.then(() => {
      isDone = true;
    });
    for (let i = 0; i < 50 && !isDone; i += 1) await this.clock.advanceSettled(i < 10 ? 0 : 100);
    return taken;
  }
}

function said(taken: number | Use | Refusal): number | string {
  if (typeof taken === 'number') return taken;
  return 'cause' in taken ? taken.cause : taken.left;
}

describe('uses', () => {
  it('are handed out exactly as often as the quota says, by one gate', async () => {
    const bench = new Bench();
    const gate = bench.gate();
    const left: (number | string)[] = [];
    for (let i = 0; i < 7; i += 1) left.push(await bench.take(gate, quotaOf(5)));
    expect(left).toEqual([4, 3, 2, 1, 0, 'QuotaUsedUp', 'QuotaUsedUp']);
  });

  it('of the last one are handed out once among a thousand calls at three gates (R112)', async () => {
    const bench = new Bench();
    const gates = [bench.gate(), bench.gate(), bench.gate()];
    const calls = Array.from({ length: 1_000 }, (_, i) => bench.take(gates[i % 3]!, quotaOf(1)));
    const answers = await Promise.all(calls);
    expect(answers.filter((answer) => typeof answer === 'number')).toEqual([0]);
    expect(answers.filter((answer) => answer === 'QuotaUsedUp')).toHaveLength(999);
  });

  it('cost few questions: leases grow with use and shrink with what is left', async () => {
    const bench = new Bench();
    const gates = [bench.gate(), bench.gate(), bench.gate()];
    let allowed = 0;
    // At the end one gate may have nothing while another has some left, so a few more calls than uses.
    for (let i = 0; i < 11_000; i += 1) {
      const answer = await bench.take(gates[i % 3]!, quotaOf(10_000));
      allowed += typeof answer === 'number' ? 1 : 0;
      if (i % 100 === 99) await bench.clock.advanceSettled(1_000);
    }
    expect(allowed).toBe(10_000);
    expect(bench.database.asked.get('lease')).toBeLessThan(200);
  });

  it('that lie idle for ten seconds go back, so that another gate can spend them', async () => {
    const bench = new Bench();
    const [one, other] = [bench.gate(1), bench.gate(1)];
    for (let i = 0; i < 40; i += 1) await bench.take(one, quotaOf(100));
    expect(one.unspent).toBeGreaterThan(0);
    await bench.clock.advanceSettled(10_000);
    await one.tidy();
    expect(one.unspent).toBe(0);
    expect(bench.database.reserved(SUBJECT)).toBe(40);
    for (let i = 0; i < 60; i += 1) {
      expect(await bench.take(other, quotaOf(100))).toEqual(expect.any(Number));
    }
    expect(await bench.take(other, quotaOf(100))).toBe('QuotaUsedUp');
  });

  it('go back at the end', async () => {
    const bench = new Bench();
    const gate = bench.gate(1);
    for (let i = 0; i < 30; i += 1) await bench.take(gate, quotaOf(1_000));
    await gate.close();
    expect(bench.database.reserved(SUBJECT)).toBe(30);
    expect(bench.database.leases.size).toBe(0);
  });

  it('of a gate that was killed count as spent: never one too many', async () => {
    const bench = new Bench();
    const [killed, survivor] = [bench.gate(1), bench.gate(1)];
    let spent = 0;
    for (; spent < 21; spent += 1) await bench.take(killed, quotaOf(100));
    const lost = killed.unspent;
    expect(lost).toBeGreaterThan(0);
    let rest = 0;
    while (typeof (await bench.take(survivor, quotaOf(100))) === 'number') rest += 1;
    expect(spent + lost + rest).toBe(100);
  });
});

describe('a quota', () => {
  it('that was raised goes on at once, and what was used stays used', async () => {
    const bench = new Bench();
    const gate = bench.gate();
    for (let i = 0; i < 2; i += 1) await bench.take(gate, quotaOf(2));
    expect(await bench.take(gate, quotaOf(2))).toBe('QuotaUsedUp');
    expect(await bench.take(gate, quotaOf(3))).toBe(0);
    expect(await bench.take(gate, quotaOf(3))).toBe('QuotaUsedUp');
  });

  it('that was lowered below what was used is used up at once', async () => {
    const bench = new Bench();
    const gate = bench.gate(1);
    for (let i = 0; i < 21; i += 1) await bench.take(gate, quotaOf(1_000));
    expect(gate.unspent).toBeGreaterThan(0);
    // The lease that is given up has to be back before anybody counts.
    await bench.take(gate, quotaOf(10));
    await gate.tidy();
    expect(await bench.take(gate, quotaOf(10))).toBe('QuotaUsedUp');
  });

  it('is full again in a new round, because it is counted apart', async () => {
    const bench = new Bench();
    const gate = bench.gate();
    expect(await bench.take(gate, quotaOf(1), 'grant/f/1')).toBe(0);
    expect(await bench.take(gate, quotaOf(1), 'grant/f/1')).toBe('QuotaUsedUp');
    expect(await bench.take(gate, quotaOf(1), 'grant/f/2')).toBe(0);
  });

  it('of a day is full again at midnight of its zone, and what is left of the day before goes back', async () => {
    // 23:59:30 in Seoul.
    const bench = new Bench(Date.UTC(2026, 5, 1, 14, 59, 30));
    const gate = bench.gate(1);
    const quota = quotaOf(2, 'Day', 'Asia/Seoul');
    expect(await bench.take(gate, quota)).toBe(1);
    expect(await bench.take(gate, quota)).toBe(0);
    expect(await bench.take(gate, quota)).toBe('QuotaUsedUp');
    await bench.clock.advanceSettled(29_999);
    expect(await bench.take(gate, quota)).toBe('QuotaUsedUp');
    await bench.clock.advanceSettled(1);
    expect(await bench.take(gate, quota)).toBe(1);
  });

  it('with a zone that nobody knows is not known', async () => {
    const bench = new Bench();
    expect(await bench.take(bench.gate(), quotaOf(2, 'Day', 'No/Where'))).toBe('QuotaUnknown');
  });

  it('that is used up is not asked for more than once a second', async () => {
    const bench = new Bench();
    const gate = bench.gate();
    await bench.take(gate, quotaOf(1));
    for (let i = 0; i < 100; i += 1) await bench.take(gate, quotaOf(1));
    const asked = bench.database.asked.get('lease') ?? 0;
    expect(asked).toBeLessThanOrEqual(2);
    await bench.clock.advanceSettled(1_000);
    await bench.take(gate, quotaOf(1));
    expect(bench.database.asked.get('lease')).toBe(asked + 1);
  });
});

describe('a database that does not reserve', () => {
  it.each(['Fails', 'Hangs'] as const)('because it %s makes uses unknown', async (how) => {
    const bench = new Bench();
    const gate = bench.gate();
    bench.database.trouble.set('lease', how);
    expect(await bench.take(gate, quotaOf(5))).toBe('QuotaUnknown');
    bench.database.trouble.clear();
    await bench.clock.advanceSettled(3_000);
    expect(await bench.take(gate, quotaOf(5))).toBe(4);
  });

  it('because there is none makes uses unknown', async () => {
    const bench = new Bench();
    bench.isConnected = false;
    expect(await bench.take(bench.gate(), quotaOf(5))).toBe('QuotaUnknown');
  });

  it('but did so, and only its answer was lost, is asked with the same id again', async () => {
    const bench = new Bench();
    const gate = bench.gate();
    bench.database.after = (method) => {
      if (method === 'lease') throw new Error('the connection broke');
    };
    expect(await bench.take(gate, quotaOf(3))).toBe('QuotaUnknown');
    bench.database.after = () => undefined;
    let handedOut = 0;
    while (typeof (await bench.take(gate, quotaOf(3))) === 'number') handedOut += 1;
    expect(handedOut).toBe(3);
    expect(bench.failures).toEqual(['InternalError']);
  });

  it('but did so for nobody: what was reserved goes back', async () => {
    const bench = new Bench();
    const gate = bench.gate();
    bench.database.after = (method) => {
      if (method === 'lease') throw new Error('the connection broke');
    };
    expect(await bench.take(gate, quotaOf(3))).toBe('QuotaUnknown');
    bench.database.after = () => undefined;
    expect(bench.database.reserved(SUBJECT)).toBe(1);
    await gate.close();
    expect(bench.database.reserved(SUBJECT)).toBe(0);
  });

  it('keeps waiting calls no longer than a second, and who gave up takes no use', async () => {
    const bench = new Bench();
    const gate = bench.gate();
    const { promise, resolve } = Promise.withResolvers<void>();
    bench.database.before = (method) => (method === 'lease' ? promise : undefined);
    const waiting = gate.take(SUBJECT, quotaOf(2), bench.clock.nowMs());
    await bench.clock.advanceSettled(1_000);
    expect(said(await waiting)).toBe('QuotaUnknown');
    resolve();
    bench.database.before = () => undefined;
    await bench.clock.advanceSettled(0);
    expect(await bench.take(gate, quotaOf(2))).toBe(1);
    expect(await bench.take(gate, quotaOf(2))).toBe(0);
  });

  it('takes a use back from a call that came to nothing, and from none that was told of', async () => {
    const bench = new Bench();
    const gate = bench.gate();
    const use = await bench.wait(gate, quotaOf(2));
    use.giveBack();
    expect(await bench.take(gate, quotaOf(2))).toBe(1);
    await gate.report();
    use.giveBack();
    expect(await bench.take(gate, quotaOf(2))).toBe(0);
    expect(await bench.take(gate, quotaOf(2))).toBe('QuotaUsedUp');
  });

  it('gives no use of a window that ended to the next one', async () => {
    const bench = new Bench(Date.parse('2026-03-01T23:59:59Z'));
    const gate = bench.gate();
    const use = await bench.wait(gate, quotaOf(1, 'Day'));
    await bench.clock.advanceSettled(2_000);
    expect(await bench.take(gate, quotaOf(1, 'Day'))).toBe(0);
    use.giveBack();
    expect(await bench.take(gate, quotaOf(1, 'Day'))).toBe('QuotaUsedUp');
  });

  it('is another one: leases are void and nothing is returned to it', async () => {
    const bench = new Bench();
    const gate = bench.gate(1);
    for (let i = 0; i < 21; i += 1) await bench.take(gate, quotaOf(100));
    expect(gate.unspent).toBeGreaterThan(0);
    await gate.tidy();
    const returned = bench.database.asked.get('returnLeases');
    gate.clear();
    await gate.close();
    expect(bench.database.asked.get('returnLeases')).toBe(returned);
    expect(gate.unspent).toBe(0);
  });
});
