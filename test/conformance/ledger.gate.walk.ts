/**
 * Random walks of gates over one count, against a model of it. Run them with
 * `describeGateWalks('SQLite', () => createHarness())`.
 */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Count, CountRef, GateLedger, Lease, LeaseWish } from '../../src/ledger/gate.ts';
import type { GateHarness } from './ledger.gate.ts';

const NOW_MS = Date.UTC(2025, 5, 15, 12);

type Held = { readonly wish: LeaseWish; readonly uses: number; spent: number; isOver: boolean };

/** What a count and its leases must be. */
class Model {
  readonly #held: Held[] = [];
  #reserved = 0;

  /** One of the leases so far; undefined: there is none yet. */
  pick(index: number): Held | undefined {
    return this.#held[index % Math.max(1, this.#held.length)];
  }

  lease(wish: LeaseWish): Lease {
    const known = this.#held.find((each) => each.wish.id === wish.id);
    const free = Math.max(0, wish.limit - this.#reserved);
    if (known !== undefined) {
      return { id: wish.id, uses: known.isOver ? 0 : known.uses, unreserved: free };
    }
    const uses = Math.min(wish.uses, free);
    if (uses > 0) this.#held.push({ wish, uses, spent: 0, isOver: false });
    this.#reserved += uses;
    return { id: wish.id, uses, unreserved: free - uses };
  }

  report(held: Held, spent: number): void {
    if (!held.isOver) held.spent = Math.max(held.spent, Math.min(held.uses, spent));
  }

  giveBack(held: Held, spent: number): void {
    this.report(held, spent);
    if (!held.isOver) this.#reserved -= held.uses - held.spent;
    held.isOver = true;
  }

  count(ref: CountRef): Count {
    const open = this.#held.filter(({ isOver }) => !isOver);
    const unspent = open.reduce((sum, { uses, spent }) => sum + uses - spent, 0);
    return { ...ref, reserved: this.#reserved, unspent };
  }
}

type Step = {
  readonly what: 'lease' | 'again' | 'report' | 'return';
  readonly at: number;
  readonly uses: number;
  readonly limit: number;
  readonly spent: number;
  readonly gate: number;
};

const STEP: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom('lease', 'again', 'report', 'return'),
  at: fc.nat(20),
  uses: fc.integer({ min: 1, max: 30 }),
  limit: fc.integer({ min: 1, max: 120 }),
  spent: fc.nat(40),
  gate: fc.nat(1),
});

export function describeGateWalks(name: string, createHarness: () => Promise<GateHarness>): void {
  let harness: GateHarness;
  let gates: readonly GateLedger[];

  beforeEach(async () => {
    harness = await createHarness();
    await harness.open();
    gates = await Promise.all([harness.openGate(), harness.openGate()]);
  });

  afterEach(() => harness.remove());

  /** What the database answers where a lease is asked for, and what the model says. */
  async function take(step: Step, model: Model, ref: CountRef): Promise<[unknown, unknown]> {
    const gate = gates[step.gate];
    const held = model.pick(step.at);
    if (step.what === 'lease' || held === undefined) {
      const { uses, limit } = step;
      const id = `${ref.subject}/${model.count(ref).reserved}/${Math.random()}`;
      const wish = { ...ref, id, uses, limit, nowMs: NOW_MS };
      return [await gate?.lease([wish]), [model.lease(wish)]];
    }
    if (step.what === 'again') {
      return [await gate?.lease([held.wish]), [model.lease(held.wish)]];
    }
    const reports = [{ id: held.wish.id, spent: step.spent }];
    if (step.what === 'report') {
      await gate?.reportLeases(reports, NOW_MS);
      model.report(held, step.spent);
    } else {
      await gate?.returnLeases(reports, NOW_MS);
      model.giveBack(held, step.spent);
    }
    return [undefined, undefined];
  }

  describe(`${name} gate: any order of wishes, repetitions, reports and returns (R112)`, () => {
    it('leaves leases and count as a model says', async () => {
      let run = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(STEP, { maxLength: 40 }), async (steps) => {
          const ref = { subject: `key/run-${(run += 1)}`, windowStartMs: 0 };
          const model = new Model();
          const answers: [unknown, unknown][] = [];
          // One after the other.
          // oxlint-disable-next-line no-await-in-loop
          for (const step of steps) answers.push(await take(step, model, ref));
          expect(answers.map(([found]) => found)).toEqual(answers.map(([, wanted]) => wanted));
          const [found] = (await gates[0]?.counts([ref])) ?? [];
          expect(found ?? { ...ref, reserved: 0, unspent: 0 }).toEqual(model.count(ref));
        }),
        { numRuns: 25 },
      );
    });
  });
}
