import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson } from '../../../src/kernel/canonicaljson.ts';
import { isSameJson } from '../../../src/kernel/samejson.ts';

const { value: anything } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(undefined, null, true, false, 0, 1, '', 'a'),
    fc.array(tie('value'), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { maxKeys: 2 }),
  ),
}));

test('two values are the same exactly when their sorted JSON texts are', () => {
  fc.assert(
    fc.property(anything, anything, (a, b) => {
      expect(isSameJson(a, b)).toBe(canonicalJson(a) === canonicalJson(b));
    }),
    { numRuns: 2_000 },
  );
});

test('the order of fields does not matter, that of lists does', () => {
  expect(isSameJson({ a: 1, b: [1, 2] }, { b: [1, 2], a: 1 })).toBe(true);
  expect(isSameJson({ a: 1, b: [1, 2] }, { a: 1, b: [2, 1] })).toBe(false);
});
