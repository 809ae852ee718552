import { expect, test } from 'vitest';
import { exitCodeOf } from '../../../src/cli/exit.ts';

test.each([
  ['Usage', 2],
  ['NotFound', 3],
  ['Forbidden', 4],
  ['Unauthorized', 4],
  ['TimedOut', 5],
  ['Refused', 6],
  ['Conflict', 1],
  ['InternalError', 1],
])('a failure for the reason %s ends the program with exit code %d', (reason, code) => {
  expect(exitCodeOf({ reason })).toBe(code);
});
