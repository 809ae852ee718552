import fc from 'fast-check';
import { expect, test } from 'vitest';
import { refText } from '../../../src/api/meta.ts';
import { RefMap } from '../../../src/kube/refmap.ts';

const ref = fc.record({
  namespace: fc.constantFrom('', 'a', 'b'),
  name: fc.constantFrom('x', 'y', 'a/x'),
});
const step = fc.record({ ref, value: fc.option(fc.nat(9), { nil: undefined }) });

test('a map by ref holds what a map by the joined text holds, whatever is set and deleted', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const map = new RefMap<number>();
      const model = new Map<string, number>();
      for (const { ref: at, value } of steps) {
        const text = JSON.stringify([at.namespace, at.name]);
        if (value === undefined) {
          map.delete(at);
          model.delete(text);
        } else {
          map.set(at, value);
          model.set(text, value);
        }
        expect(map.get(at)).toBe(value);
        expect(map.size).toBe(model.size);
      }
      const entries = Array.from(
        map.entries(),
        ([at, v]) => [JSON.stringify([at.namespace, at.name]), v] as const,
      );
      expect(new Map(entries)).toEqual(model);
      expect([...map.values()]).toEqual(entries.map(([, v]) => v));
    }),
  );
});

test('entries may be deleted while they are walked through', () => {
  const map = new RefMap<number>();
  for (const name of ['x', 'y', 'z']) {
    map.set({ namespace: 'a', name }, 1);
    map.set({ namespace: 'b', name }, 2);
  }
  const seen: string[] = [];
  for (const [at] of map.entries()) {
    seen.push(refText(at));
    map.delete(at);
  }
  expect(seen).toEqual(['a/x', 'a/y', 'a/z', 'b/x', 'b/y', 'b/z']);
  expect(map.size).toBe(0);
});
