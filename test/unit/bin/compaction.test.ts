import { expect, test } from 'vitest';
import { compactWhenIdle } from '../../../src/bin/compaction.ts';
import { FakeClock } from '../../support/clock.ts';

test('memory is given back once after work has come to rest, and again only after the next burst', () => {
  const clock = new FakeClock();
  let worked = 0;
  let collected = 0;
  compactWhenIdle(
    clock,
    () => (collected += 1),
    () => worked,
  );
  clock.advance(60_000);
  expect(collected).toBe(0);
  worked = 10_000;
  clock.advance(10_000);
  expect(collected).toBe(0);
  clock.advance(10_000);
  expect(collected).toBe(1);
  clock.advance(600_000);
  expect(collected).toBe(1);
  worked += 1;
  clock.advance(20_000);
  expect(collected).toBe(2);
});

test('without a collector in reach nothing is looked at', () => {
  const clock = new FakeClock();
  compactWhenIdle(clock, undefined, () => 0);
  expect(clock.pendingTimers).toBe(0);
});
