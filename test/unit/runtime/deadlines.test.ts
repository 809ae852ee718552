import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Deadlines } from '../../../src/runtime/deadlines.ts';

describe('deadlines', () => {
  test('hands out what is due, earliest first, and nothing else', () => {
    const deadlines = new Deadlines();
    deadlines.add('late', 300, 1);
    deadlines.add('early', 100, 2);
    deadlines.add('middle', 200, 3);
    expect(deadlines.nextMs).toBe(100);
    expect(deadlines.takeDue(99)).toBeUndefined();
    expect(deadlines.takeDue(200)).toEqual({ text: 'early', tag: 2 });
    expect(deadlines.takeDue(200)).toEqual({ text: 'middle', tag: 3 });
    expect(deadlines.takeDue(200)).toBeUndefined();
    expect(deadlines.size).toBe(1);
  });

  test('keeps the earlier of two instants and its tag', () => {
    const deadlines = new Deadlines();
    deadlines.add('a', 200, 1);
    deadlines.add('a', 300, 2);
    expect(deadlines.get('a')).toBe(200);
    deadlines.add('a', 100, 3);
    expect(deadlines.takeDue(100)).toEqual({ text: 'a', tag: 3 });
    expect(deadlines.size).toBe(0);
  });

  test('holds 100 000 texts and gives them back in order', () => {
    const deadlines = new Deadlines();
    for (let i = 0; i < 100_000; i += 1) deadlines.add(`ns/key-${i}`, (i * 7919) % 100_003, 0);
    let previousMs = -1;
    for (let taken = 0; taken < 100_000; taken += 1) {
      const nextMs = deadlines.nextMs ?? -2;
      if (nextMs < previousMs) throw new Error(`${nextMs} after ${previousMs}`);
      previousMs = nextMs;
      deadlines.takeDue(Infinity);
    }
    expect(deadlines.size).toBe(0);
  });

  test('behaves like a sorted list under any sequence of calls', () => {
    const text = fc.integer({ min: 0, max: 30 }).map((n) => `t${n}`);
    const call = fc.oneof(
      fc.record({ does: fc.constant('add' as const), text, ms: fc.integer({ min: 0, max: 99 }) }),
      fc.record({ does: fc.constant('delete' as const), text, ms: fc.constant(0) }),
      fc.record({ does: fc.constant('take' as const), text, ms: fc.integer({ min: 0, max: 99 }) }),
      fc.record({
        does: fc.constant('hasten' as const),
        text,
        ms: fc.integer({ min: 0, max: 99 }),
      }),
    );
    fc.assert(
      fc.property(fc.array(call, { maxLength: 300 }), (calls) => {
        const deadlines = new Deadlines();
        const model = new Model();
        for (const { does, text: name, ms } of calls) {
          const modelAnswer = model[does](name, ms);
          const answer = {
            add: () => deadlines.add(name, ms, 0),
            delete: () => deadlines.delete(name),
            hasten: () => deadlines.hasten(ms),
            take: () => model.isRightToTake(deadlines.takeDue(ms)?.text, ms),
          }[does]();
          expect(answer).toBe(modelAnswer);
          expect(deadlines.size).toBe(model.size);
          expect(deadlines.nextMs ?? Infinity).toBe(model.nextMs);
        }
      }),
    );
  });
});

/** The same thing, simple and slow. */
class Model {
  readonly #atMs = new Map<string, number>();

  get size(): number {
    return this.#atMs.size;
  }

  get nextMs(): number {
    return Math.min(Infinity, ...this.#atMs.values());
  }

  add(text: string, ms: number): void {
    this.#atMs.set(text, Math.min(this.#atMs.get(text) ?? Infinity, ms));
  }

  delete(text: string): boolean {
    return this.#atMs.delete(text);
  }

  hasten(_text: string, ms: number): void {
    for (const [text, atMs] of this.#atMs) this.#atMs.set(text, Math.min(atMs, ms));
  }

  take(): boolean {
    return true;
  }

  /** Ties may be broken either way, so the model follows what was taken. */
  isRightToTake(text: string | undefined, ms: number): boolean {
    if (text === undefined) return this.nextMs > ms;
    const isRight = this.nextMs <= ms && this.#atMs.get(text) === this.nextMs;
    this.#atMs.delete(text);
    return isRight;
  }
}
