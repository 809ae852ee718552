import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leaseSize, RecentUses } from '../../../../src/gate/quotas/sizing.ts';

describe('the size of a lease', () => {
  it.each([
    // Nothing is known: one use, or as many as there are calls.
    [{ waiting: 1, recentUses: 0, unreserved: undefined, limit: 10_000 }, 1],
    [{ waiting: 7, recentUses: 0, unreserved: undefined, limit: 10_000 }, 7],
    // Half as much again as was used lately.
    [{ waiting: 1, recentUses: 100, unreserved: 9_000, limit: 10_000 }, 150],
    // A sixth of what is left, for three gates.
    [{ waiting: 1, recentUses: 1_000, unreserved: 600, limit: 10_000 }, 100],
    // Near the end one at a time.
    [{ waiting: 1, recentUses: 1_000, unreserved: 11, limit: 10_000 }, 1],
    [{ waiting: 1, recentUses: 1_000, unreserved: 0, limit: 10_000 }, 1],
  ])('%j is %i', (demand, uses) => {
    expect(leaseSize({ ...demand, replicas: 3 })).toBe(uses);
  });

  it('leaves at least half of a fair share, but for calls that wait', () => {
    const some = fc.integer({ min: 0, max: 1_000_000 });
    fc.assert(
      fc.property(
        some,
        some,
        fc.integer({ min: 1, max: 50 }),
        (recentUses, unreserved, replicas) => {
          const uses = leaseSize({ waiting: 1, recentUses, unreserved, limit: 1e6, replicas });
          expect(uses).toBeGreaterThanOrEqual(1);
          expect(uses === 1 || uses * 2 * replicas <= unreserved).toBe(true);
        },
      ),
    );
  });
});

describe('recent uses', () => {
  it('are those of the last ten seconds, nearly', () => {
    const recent = new RecentUses();
    for (let second = 0; second < 30; second += 1) {
      for (let i = 0; i < 10; i += 1) recent.add(second * 1_000);
    }
    expect(recent.at(29_500)).toBeGreaterThan(85);
    expect(recent.at(29_500)).toBeLessThan(115);
    expect(recent.at(60_000)).toBe(0);
  });
});
