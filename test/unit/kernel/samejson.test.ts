import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isSameJson } from '../../../src/kernel/samejson.ts';

/** The same content always gives the same text. */
function canonical(value: unknown): string | undefined {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([x], [y]) => (x < y ? -1 : 1)))
      : inner,
  );
}

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
      expect(isSameJson(a, b)).toBe(canonical(a) === canonical(b));
    }),
    { numRuns: 2_000 },
  );
});

test('the order of fields does not matter, that of lists does', () => {
  expect(isSameJson({ a: 1, b: [1, 2] }, { b: [1, 2], a: 1 })).toBe(true);
  expect(isSameJson({ a: 1, b: [1, 2] }, { a: 1, b: [2, 1] })).toBe(false);
});
