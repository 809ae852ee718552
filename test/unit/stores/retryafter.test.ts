import { expect, test } from 'vitest';
import { retryAfterMs } from '../../../src/stores/retryafter.ts';

const NOW_MS = Date.UTC(2026, 0, 1);

test.each([
  ['7', 7_000],
  [' 7 ', 7_000],
  ['0', 1_000],
  ['999999999', 86_400_000],
  ['Thu, 01 Jan 2026 00:02:00 GMT', 120_000],
  ['Wed, 31 Dec 2025 00:00:00 GMT', 1_000],
  ['-1', undefined],
  ['1.5', undefined],
  ['1e3', undefined],
  ['9999999999', undefined],
  ['soon', undefined],
  ['2026-01-01', undefined],
  ['Thu, 99 Jan 2026 99:02:00 GMT', undefined],
  ['', undefined],
])('Retry-After %j means %s ms', (value, expected) => {
  expect(retryAfterMs({ 'retry-after': value }, NOW_MS)).toBe(expected);
});

test('no header means no wish', () => {
  expect(retryAfterMs({}, NOW_MS)).toBeUndefined();
});

test("a date counts from the vendor's own clock, because ours may be wrong", () => {
  const headers = {
    'retry-after': 'Thu, 01 Jan 2026 00:02:00 GMT',
    date: 'Thu, 01 Jan 2026 00:01:30 GMT',
  };
  expect(retryAfterMs(headers, NOW_MS - 3_600_000)).toBe(30_000);
});
