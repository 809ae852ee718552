import { expect, test } from 'vitest';
import { isLater } from '../../../src/kube/versions.ts';

test.each([
  ['2', '1', true],
  ['1', '1', false],
  ['10', '9', true],
  ['1', '', true],
  ['9007199254740993', '9007199254740992', true],
  ['10000000000000000', '9007199254740993', true],
  ['9007199254740993', '10000000000000000', false],
])('version %s after %s is later: %s, also beyond what a number can hold', (a, b, later) => {
  expect(isLater(a, b)).toBe(later);
});
