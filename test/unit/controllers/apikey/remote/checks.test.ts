import { expect, test } from 'vitest';
import { RemoteChecks } from '../../../../../src/controllers/apikey/remote/checks.ts';
import { DAY_MS, MINUTE_MS } from '../../../../../src/kernel/time.ts';
import { FakeClock } from '../../../../support/clock.ts';

const EVERY_MS = 10 * MINUTE_MS;

test.each([
  ['back', -365 * DAY_MS],
  ['forward', 365 * DAY_MS],
])('a step %s delays no comparison by more than one interval, and hurries none', (_way, stepMs) => {
  const clock = new FakeClock();
  const checks = new RemoteChecks(clock, () => 0.5, EVERY_MS);
  checks.dueMs('a');
  checks.done('a');
  clock.step(stepMs);
  clock.advance(MINUTE_MS);
  expect(checks.isDue('a')).toBe(false);
  expect(checks.dueMs('a')).toBe(clock.nowMs() + EVERY_MS - MINUTE_MS);
  clock.advance(EVERY_MS - MINUTE_MS);
  expect(checks.isDue('a')).toBe(true);
});

test('those that failed stand in the order of their last failures, until they have ended', () => {
  const checks = new RemoteChecks(new FakeClock(), () => 0.5, EVERY_MS);
  for (const token of ['a', 'b', 'c', 'a']) checks.failed(token);
  expect(checks.failures(['a', 'b', 'c', 'd'])).toEqual(['b', 'c', 'a']);
  checks.forget('c');
  expect(checks.failures(['a', 'c'])).toEqual(['a']);
});
