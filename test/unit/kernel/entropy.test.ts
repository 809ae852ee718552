import { expect, test } from 'vitest';
import { systemEntropy } from '../../../src/kernel/entropy.ts';

test('every draw has its length and differs from all others', () => {
  const draws = Array.from({ length: 500 }, (_, i) => systemEntropy(16 + (i % 90)));
  expect(draws.map((bytes) => bytes.length)).toEqual(draws.map((_, i) => 16 + (i % 90)));
  // Windows over everything that was drawn: no stretch of it comes twice.
  const windows = draws.flatMap((bytes) => [bytes.subarray(0, 8), bytes.subarray(8, 16)]);
  expect(new Set(windows.map((each) => each.toString('hex'))).size).toBe(windows.length);
});

test('a draw may be larger than what is kept ready, or nothing', () => {
  expect(systemEntropy(5_000).every((byte) => byte === 0)).toBe(false);
  expect(systemEntropy(0)).toHaveLength(0);
});

test('wiping a draw leaves later ones alone', () => {
  systemEntropy(32).fill(0);
  expect(systemEntropy(32).every((byte) => byte === 0)).toBe(false);
});
