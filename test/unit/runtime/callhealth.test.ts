import { expect, test } from 'vitest';
import { CallHealth } from '../../../src/runtime/callhealth.ts';

test('nothing is wrong with what nobody calls, and with calls that come back', () => {
  const health = new CallHealth();
  expect(health.trouble(1e9)).toBeUndefined();
  health.begun(1e9);
  health.begun(1e9 + 9_000);
  health.ended(1e9 + 9_500);
  expect(health.trouble(1e9 + 19_000)).toBeUndefined();
});

test('calls that are under way while none ends for ten seconds are frozen, until one ends', () => {
  const health = new CallHealth();
  health.begun(5_000);
  health.begun(14_000);
  expect(health.trouble(14_999)).toBeUndefined();
  expect(health.trouble(15_000)).toBe('no answer for 10 s');
  health.ended(16_000);
  expect(health.trouble(16_000)).toBeUndefined();
  expect(health.trouble(26_000)).toBe('no answer for 10 s');
});

test('a failure is told until the next success, or for eleven minutes when nobody tries again', () => {
  const health = new CallHealth();
  health.failed('LedgerUnavailable', 1_000);
  expect(health.trouble(661_000)).toBe('calls fail: LedgerUnavailable');
  expect(health.trouble(661_001)).toBeUndefined();
  health.failed('LedgerUnavailable', 700_000);
  health.worked();
  expect(health.trouble(700_000)).toBeUndefined();
});
