import { afterEach, expect, test } from 'vitest';
import { compactWhenIdle, cutSmallSlabs } from '../../../src/bin/compaction.ts';
import { FakeClock } from '../../support/clock.ts';

const poolSize = Buffer.poolSize;
afterEach(() => {
  Buffer.poolSize = poolSize;
});

/** Counts the collections; `worked` is what the operator has reconciled so far. */
function observe(): { clock: FakeClock; counts: { worked: number; collected: number } } {
  const clock = new FakeClock();
  const counts = { worked: 0, collected: 0 };
  compactWhenIdle(
    clock,
    () => (counts.collected += 1),
    () => counts.worked,
  );
  return { clock, counts };
}

test('memory is given back once after work has come to rest, and again only after the next work', () => {
  const { clock, counts } = observe();
  clock.advance(60_000);
  expect(counts.collected).toBe(0);
  counts.worked = 10_000;
  clock.advance(1_000);
  expect(counts.collected).toBe(0);
  clock.advance(1_000);
  expect(counts.collected).toBe(1);
  clock.advance(600_000);
  expect(counts.collected).toBe(1);
  counts.worked += 1;
  clock.advance(2_000);
  expect(counts.collected).toBe(2);
});

test('nothing is collected while work goes on', () => {
  const { clock, counts } = observe();
  for (let second = 0; second < 60; second += 1) {
    counts.worked += 300;
    clock.advance(1_000);
  }
  expect(counts.collected).toBe(0);
});

test('burst after burst memory is given back every ten seconds, single keys wait five minutes', () => {
  const { clock, counts } = observe();
  for (let burst = 0; burst < 20; burst += 1) {
    counts.worked += 1_000;
    clock.advance(3_000);
  }
  expect(counts.collected).toBeGreaterThan(2);
  expect(counts.collected).toBeLessThanOrEqual(6);
  clock.advance(10_000);
  const afterBursts = counts.collected;
  for (let key = 0; key < 60; key += 1) {
    counts.worked += 1;
    clock.advance(5_000);
  }
  expect(counts.collected - afterBursts).toBeLessThanOrEqual(1);
});

test('without a collector in reach nothing is looked at', () => {
  const clock = new FakeClock();
  compactWhenIdle(clock, undefined, () => 0);
  expect(clock.pendingTimers).toBe(0);
});

test('a small buffer keeps no more than 8 KiB alive, once the slab that was begun before is used up', () => {
  cutSmallSlabs();
  const slabs = Array.from({ length: 1_000 }, () => Buffer.from('x'.repeat(200)).buffer.byteLength);
  expect(slabs.at(-1)).toBe(8 * 1_024);
});
