import { expect, test } from 'vitest';
import { TokenBucket } from '../../../src/kernel/bucket.ts';

test('gives a burst at once and then only what flows back', () => {
  const bucket = new TokenBucket({ burst: 2, perSecond: 10 }, 0);
  expect([bucket.take(0), bucket.take(0), bucket.take(0)]).toEqual([true, true, false]);
  expect(bucket.waitMs(0)).toBe(100);
  expect(bucket.take(99)).toBe(false);
  expect(bucket.take(100)).toBe(true);
  expect(bucket.take(100)).toBe(false);
});

test('never holds more than a burst, however long it was quiet', () => {
  const bucket = new TokenBucket({ burst: 2, perSecond: 10 }, 0);
  const taken = [1, 2, 3].map(() => bucket.take(1_000_000));
  expect(taken).toEqual([true, true, false]);
  expect(bucket.waitMs(2_000_000)).toBe(0);
});
