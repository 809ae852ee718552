import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { quotaStep, tellQuota, type ToldQuota } from '../../../src/terms/quotasteps.ts';

describe('what a status tells of a quota', () => {
  test('stays as it is until the next share is reached, and is exact then', () => {
    const start = tellQuota(1000, undefined, undefined);
    expect(start).toEqual({ limit: 1000, remaining: 1000 });
    expect(tellQuota(1000, 499, start)).toEqual(start);
    const half = tellQuota(1000, 510, start);
    expect(half.remaining).toBe(490);
    expect(tellQuota(1000, 799, half)).toEqual(half);
    expect(tellQuota(1000, 1000, half).remaining).toBe(0);
  });

  test('R109 is never counted down for an unlimited key, and is nothing where no call is let in', () => {
    expect(tellQuota(-1, 5_000, undefined)).toEqual({ limit: -1 });
    expect(tellQuota(0, undefined, undefined)).toEqual({ limit: 0, remaining: 0 });
  });

  test('R124 is the new limit at once when the quota was refilled or changed', () => {
    const empty = { limit: 10, remaining: 0 };
    expect(tellQuota(10, 0, empty)).toEqual({ limit: 10, remaining: 10 });
    expect(tellQuota(50, 0, empty)).toEqual({ limit: 50, remaining: 50 });
    expect(tellQuota(50, undefined, empty)).toEqual({ limit: 50, remaining: 50 });
  });

  test('stays as it is while nobody has looked, and never falls below nothing', () => {
    const told = { limit: 10, remaining: 3 };
    expect(tellQuota(10, undefined, told)).toEqual(told);
    expect(tellQuota(10, 12, told).remaining).toBe(0);
  });

  test('changes four times at most while a quota is used up, in whatever portions', () => {
    const limits = fc.integer({ min: 1, max: 100_000 });
    const portions = fc.array(fc.integer({ min: 1, max: 5_000 }), { maxLength: 200 });
    fc.assert(
      fc.property(limits, portions, (limit, uses) => {
        let told: ToldQuota = tellQuota(limit, 0, undefined);
        let used = 0;
        let writes = 0;
        for (const portion of [...uses, limit]) {
          used = Math.min(limit, used + portion);
          const next = tellQuota(limit, used, told);
          if (next.remaining !== told.remaining) writes += 1;
          told = next;
        }
        expect(told.remaining).toBe(0);
        expect(writes).toBeLessThanOrEqual(4);
      }),
    );
  });

  test('is a step of its own for each share', () => {
    expect([100, 50, 20, 10, 0].map((left) => quotaStep(100, left))).toEqual([4, 3, 2, 1, 0]);
    expect(quotaStep(1, 1)).toBe(4);
  });
});
