/**
 * Random lives of a database with two gates: keys, clients and holds change, questions fail and hang,
 * the database is restored to an earlier state. Whatever happens,
 *
 * - a yes was true at some moment of the last fifteen seconds (and what a look takes),
 * - a quota is never exceeded,
 * - once all is well again, the gates say exactly what is true.
 */
import { equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KeyRecord } from '../../../src/ledger/record.ts';
import { issueKey } from '../../support/gate.keys.ts';
import { MemoryGateDatabase, unavailable } from '../../support/gate.memory.ts';
import { Bench, SETTINGS, showing } from './bench.ts';

const KEYS = 3;
const LIMIT = 6;
const STALE_MS = SETTINGS.maxStalenessMs;
/** A view is as of the beginning of a look; the yes may come a wait for a use or a record later. */
const SLACK_MS = 3_000;

const anIndex = fc.nat({ max: KEYS - 1 });
const aStep = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('call' as const),
      key: anIndex,
      gate: fc.nat({ max: 1 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('pass' as const),
      ms: fc.constantFrom(0, 100, 900, 5_000, 25_000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('change' as const),
      key: anIndex,
      how: fc.constantFrom('Active', 'Suspended', 'Revoked', 'Ending', 'Expiring', 'Reissued'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('client' as const),
      state: fc.constantFrom('Active', 'Suspended'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant('hold' as const), key: anIndex, isHeld: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('trouble' as const),
      method: fc.constantFrom(
        '*',
        'changes',
        'findByKeyId',
        'lease',
        'returnLeases',
        'keyIdsOf',
        'loadDocument',
        'scanDocuments',
      ),
      how: fc.constantFrom('Fails' as const, 'Hangs' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant('burst' as const), gate: fc.nat({ max: 1 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('lost' as const),
      method: fc.constantFrom('lease', 'returnLeases', 'findByKeyId'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('heal' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('outage' as const),
      key: anIndex,
      gate: fc.nat({ max: 1 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('save' as const) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('restore' as const) }) },
);
type Step = typeof aStep extends fc.Arbitrary<infer T> ? T : never;

class Life {
  readonly database = new MemoryGateDatabase();
  readonly gates: readonly Bench[];
  readonly #values: string[] = [];
  /** Since when each value is right or wrong, by monotonic time. */
  readonly #truths: { readonly sinceMs: number; readonly right: ReadonlySet<string> }[] = [];
  #saved:
    | { readonly records: readonly KeyRecord[]; readonly documents: readonly [string, never][] }
    | undefined;
  #lives = 1;
  allowed = 0;

  constructor() {
    const first = new Bench(this.database);
    this.gates = [first, new Bench(this.database, {}, { clock: first.clock })];
    this.database.putDocument('Client', { uid: 'c', name: 'acme', state: 'Active' });
    for (let i = 0; i < KEYS; i += 1) {
      const quota = { requests: LIMIT, period: 'Lifetime', timeZone: 'UTC' } as const;
      const terms = { timeZone: 'UTC', cidrs: [], productRefs: [], ...(i === 0 ? { quota } : {}) };
      const key = issueKey(`k${i}`, { terms, ...(i === 1 ? { clientUid: 'c' } : {}) });
      this.database.put(key.record);
      this.#values.push(key.value);
    }
    this.#note();
  }

  get #clock() {
    return this.gates[0]!.clock;
  }

  async start(): Promise<void> {
    for (const { gate } of this.gates) gate.start();
    await this.#pass(500);
  }

  async take(step: Step): Promise<void> {
    switch (step.op) {
      case 'call':
        return this.#call(step.gate, step.key);
      case 'pass':
        return this.#pass(step.ms);
      case 'change':
        this.#change(step.key, step.how);
        break;
      case 'client':
        this.database.putDocument('Client', { uid: 'c', name: 'acme', state: step.state as never });
        break;
      case 'hold':
        this.#hold(step.key, step.isHeld);
        break;
      case 'trouble':
        this.database.trouble.set(step.method, step.how);
        break;
      case 'outage':
        return this.#cutOff(step.gate, step.key);
      case 'burst':
        return this.#burst(step.gate);
      case 'lost':
        // It was done, and nobody hears of it.
        this.#lose(step.method);
        break;
      case 'heal':
        this.#heal();
        break;
      case 'save':
        this.#save();
        break;
      case 'restore':
        this.#restore();
        break;
    }
    this.#note();
  }

  /** All is well for a while: now everybody must say what is true. */
  async settle(): Promise<void> {
    this.#heal();
    await this.#pass(60_000);
    this.#note();
    for (const bench of this.gates) {
      equal(bench.gate.failing(), undefined);
      for (const [index, value] of this.#values.entries()) {
        if (index === 0) continue;
        const decision = await bench.decide(showing(value));
        equal(decision.type === 'Allowed', this.#truths.at(-1)?.right.has(value));
      }
    }
  }

  async #call(gate: number, key: number): Promise<void> {
    const value = this.#values[key] ?? '';
    const decision = await this.gates[gate]!.decide(showing(value));
    this.#note();
    if (decision.type !== 'Allowed') return;
    const fromMs = this.#clock.monotonicMs() - STALE_MS - SLACK_MS;
    const wasTrue = this.#truths.some(({ right }, at) => {
      const untilMs = this.#truths[at + 1]?.sinceMs ?? Infinity;
      return untilMs >= fromMs && right.has(value);
    });
    ok(wasTrue, 'a yes that was not true for longer than it may be');
    // A restored database has forgotten what was used; its quota begins anew, and so do we.
    if (key === 0) this.allowed += 1;
    ok(this.allowed <= LIMIT * this.#lives, 'one use too many');
  }

  #change(index: number, how: string): void {
    const uid = `k${index}`;
    const record = this.database.records.get(uid);
    if (record === undefined) return;
    if (how === 'Reissued') {
      const { terms, clientUid } = record;
      const fresh = issueKey(uid, { terms, ...(clientUid === undefined ? {} : { clientUid }) });
      this.#values[index] = fresh.value;
      this.database.put(fresh.record);
      return;
    }
    const base: KeyRecord = { ...record, phase: how === 'Ending' ? 'Ending' : 'Live' };
    const { endMs: _, ...terms } = record.terms;
    const state = how === 'Suspended' || how === 'Revoked' ? how : 'Active';
    const ends = how === 'Expiring' ? { endMs: this.#clock.nowMs() + 1_000 } : {};
    this.database.put({ ...base, state, terms: { ...terms, ...ends } });
  }

  /** What chance alone puts together too seldom. */
  async #cutOff(gate: number, key: number): Promise<void> {
    await this.#call(gate, key);
    this.database.trouble.set('*', 'Fails');
    this.#change(key, 'Revoked');
    await this.#pass(25_000);
    await this.#call(gate, key);
  }

  /** Calls of the key with the quota, often enough to use it up. */
  async #burst(gate: number): Promise<void> {
    for (let i = 0; i < 5; i += 1) await this.#call(gate, 0);
  }

  #hold(key: number, isHeld: boolean): void {
    const why = { reviewUid: '', reviewer: '', message: '', sinceMs: 0 };
    const held = isHeld ? { held: { ...why, state: 'Suspended' as const } } : {};
    this.database.putDocument('Hold', { uid: `k${key}`, ...held });
  }

  #lose(lost: string): void {
    this.database.after = (method) => {
      if (method === lost) throw unavailable();
    };
  }

  #heal(): void {
    this.database.trouble.clear();
    this.database.after = () => undefined;
  }

  #save(): void {
    this.#saved = {
      records: [...this.database.records.values()],
      documents: [...this.database.documents] as never,
    };
  }

  #restore(): void {
    if (this.#saved === undefined) return;
    this.#lives += 1;
    const { database } = this;
    database.records.clear();
    for (const record of this.#saved.records) database.records.set(record.uid, record);
    database.documents.clear();
    for (const [name, document] of this.#saved.documents) database.documents.set(name, document);
    database.leases.clear();
    database.spent.clear();
    database.identity = { ...database.identity, incarnation: `life-${this.#lives}` };
  }

  async #pass(ms: number): Promise<void> {
    // In steps, because keys expire in between.
    for (let left = ms; left >= 0; left -= 500) {
      await this.#clock.advanceSettled(Math.min(left, 500));
      this.#note();
    }
  }

  #note(): void {
    const right = new Set(this.#values.filter((_, index) => this.#isRight(index)));
    const before = this.#truths.at(-1)?.right;
    if (before !== undefined && [...before].join() === [...right].join()) return;
    this.#truths.push({ sinceMs: this.#clock.monotonicMs(), right });
  }

  #isRight(index: number): boolean {
    const { database } = this;
    const record = database.records.get(`k${index}`);
    const held = database.documents.get(`Hold/k${index}`)?.document;
    const client = database.documents.get('Client/c')?.document;
    if (record === undefined || record.phase !== 'Live' || record.state !== 'Active') return false;
    if (held !== undefined && 'held' in held && held.held !== undefined) return false;
    if (record.clientUid !== undefined && (client as { state?: string })?.state !== 'Active')
      return false;
    const { endMs } = record.terms;
    if (endMs !== undefined && this.#clock.nowMs() >= endMs) return false;
    // Values of a credential that the restored record does not have are wrong.
    return record.credentials.some(({ keyId }) => this.#values[index]?.includes(keyId));
  }
}

describe('whatever happens to a database', () => {
  it('its gates say yes only to what was true lately, and are right again in the end', async () => {
    const walks = fc.assert(
      fc.asyncProperty(fc.array(aStep, { minLength: 5, maxLength: 60 }), async (steps) => {
        const life = new Life();
        await life.start();
        for (const step of steps) await life.take(step);
        await life.settle();
        for (const bench of life.gates) {
          const stopped = bench.gate.stop();
          await life.gates[0]!.pass(8_000);
          await stopped;
        }
      }),
      { numRuns: Number(process.env['KEYWARD_WALKS'] ?? 40) },
    );
    await expect(walks).resolves.toBeUndefined();
  });
});
