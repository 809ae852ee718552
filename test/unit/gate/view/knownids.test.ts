import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KnownIds } from '../../../../src/gate/view/knownids.ts';
import { randomBase62 } from '../../../../src/keys/base62.ts';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const anId = fc.string({
  unit: fc.constantFrom(...ALPHABET),
  minLength: 16,
  maxLength: 16,
});

describe('known ids', () => {
  it('are exactly those that were put in', () => {
    fc.assert(
      fc.property(fc.array(anId), fc.array(anId), (put, others) => {
        const ids = new KnownIds(randomBytes);
        ids.add(put);
        ids.add(put);
        expect(ids.size).toBe(new Set(put).size);
        for (const id of put) expect(ids.has(id)).toBe(true);
        for (const id of others) expect(ids.has(id)).toBe(put.includes(id));
        ids.clear();
        expect(put.some((id) => ids.has(id))).toBe(false);
      }),
    );
  });

  it('that differ in one letter only are told apart, at each place and for each letter', () => {
    const ids = new KnownIds(randomBytes);
    const base = '0'.repeat(16);
    ids.add([base]);
    for (let at = 0; at < 16; at += 1) {
      for (const letter of ALPHABET.slice(1)) {
        expect(ids.has(base.slice(0, at) + letter + base.slice(at + 1))).toBe(false);
      }
    }
  });

  it('of other shapes, which cannot be presented, are passed over', () => {
    const ids = new KnownIds(randomBytes);
    ids.add(['', 'short', `${'a'.repeat(15)}_`, 'a'.repeat(17), '\u0142'.repeat(16)]);
    expect(ids.size).toBe(0);
  });

  it('take 10 to 17 bytes each when there are many, and asking for others adds nothing', () => {
    const ids = new KnownIds(randomBytes);
    const few = Array.from({ length: 1_000 }, () => randomBase62(randomBytes, 16));
    for (let i = 0; i < 300; i += 1) {
      ids.add(few.map((id) => i.toString(36).padStart(2, '0') + id.slice(2)));
    }
    expect(ids.size).toBe(300_000);
    expect(ids.bytes / ids.size).toBeGreaterThan(10);
    expect(ids.bytes / ids.size).toBeLessThan(17);
    const { bytes } = ids;
    for (const id of few) expect(ids.has(`zz${id.slice(2)}`)).toBe(false);
    expect(ids.bytes).toBe(bytes);
  });
});
