import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backoffMs, earlier, formatTime, parseTime } from '../../../src/kernel/time.ts';

describe('formatTime', () => {
  test('cuts fractions off, so that an end never looks later than it is', () => {
    expect(formatTime(Date.UTC(2026, 10, 22, 16, 0, 0, 999))).toBe('2026-11-22T16:00:00Z');
  });

  test('is read back to the same second', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_102_444_800 }), (second) => {
        expect(parseTime(formatTime(second * 1_000))).toBe(second * 1_000);
      }),
    );
  });
});

describe('parseTime', () => {
  test('answers undefined for what is no instant', () => {
    expect(parseTime('soon')).toBeUndefined();
  });
});

describe('backoffMs', () => {
  test('grows to its maximum and never beyond, for any attempt', () => {
    const backoff = { baseMs: 200, maxMs: 30_000 };
    fc.assert(
      fc.property(fc.nat(10_000), fc.double({ min: 0, max: 0.999, noNaN: true }), (n, random) => {
        const pauseMs = backoffMs(backoff, n, random);
        expect(pauseMs).toBeGreaterThanOrEqual(100);
        expect(pauseMs).toBeLessThanOrEqual(30_000);
      }),
    );
  });
});

describe('earlier', () => {
  test('takes undefined for never', () => {
    expect(earlier(undefined, 5)).toBe(5);
    expect(earlier(5, undefined)).toBe(5);
    expect(earlier(7, 5)).toBe(5);
    expect(earlier(undefined, undefined)).toBeUndefined();
  });
});
