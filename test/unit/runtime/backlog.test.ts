import { expect, test } from 'vitest';
import { isBacklogged } from '../../../src/runtime/backlog.ts';

test.each([
  [[], false],
  [[0], false],
  [[1], false],
  [[63, 63], false],
  [[0, 64], true],
  [[10_000], true],
])('with 64 workers each, queues of %j are a backlog: %s', (depths, expected) => {
  const queues = depths.map((depth) => ({ depth }));
  expect(isBacklogged(queues, 64)).toBe(expected);
});

test.each([1, 16, 63])('with %d workers nothing waits for company that cannot come', (workers) => {
  expect(isBacklogged([{ depth: 10_000 }], workers)).toBe(false);
});
