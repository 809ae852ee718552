import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeBase62, isBase62At, isBase62Code, randomBase62 } from '../../../src/keys/base62.ts';
import { seeded } from './seeded.ts';

describe('Base62', () => {
  it('writes numbers at a fixed width, most significant digit first', () => {
    expect(encodeBase62(0, 6)).toBe('000000');
    expect(encodeBase62(61, 2)).toBe('0z');
    expect(encodeBase62(62, 2)).toBe('10');
    const text = encodeBase62(0xffff_ffff, 6);
    const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
    const back = text.split('').reduce((sum, digit) => sum * 62 + alphabet.indexOf(digit), 0);
    expect(back).toBe(0xffff_ffff);
  });

  it('tells whether bytes hold a number as it would be written', () => {
    const numbers = fc.integer({ min: 0, max: 0xffff_ffff });
    fc.assert(
      fc.property(numbers, numbers, fc.uint8Array(), (value, other, around) => {
        const bytes = Buffer.concat([around, Buffer.from(encodeBase62(value, 6)), around]);
        expect(isBase62At(bytes, around.length, 6, value)).toBe(true);
        expect(isBase62At(bytes, around.length, 6, other)).toBe(other === value);
      }),
    );
  });

  it('uses every character equally often (R1: no guessable bias)', () => {
    const counts = new Map<string, number>();
    for (const letter of randomBase62(seeded('bias'), 62_000)) {
      counts.set(letter, (counts.get(letter) ?? 0) + 1);
    }
    expect(counts.size).toBe(62);
    const chiSquare = [...counts.values()].reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
    // 61 degrees of freedom: above 120 once in 100 000 runs; the seed is fixed.
    expect(chiSquare).toBeLessThan(120);
  });

  it('throws away bytes that would favour the first letters', () => {
    const bytes = [255, 248, 247, 0];
    expect(
      randomBase62((size) => Buffer.from(Array.from({ length: size }, (_, i) => bytes[i % 4]!)), 2),
    ).toBe('z0');
  });

  it('gives up on a generator that yields nothing usable, instead of looping', () => {
    expect(() => randomBase62((size) => Buffer.alloc(size, 255), 16)).toThrow('no usable bytes');
  });

  it('knows its own characters and no others', () => {
    const known = Array.from({ length: 256 }, (_, code) => code).filter((code) =>
      isBase62Code(code),
    );
    expect(known).toHaveLength(62);
    expect(String.fromCharCode(...known)).toMatch(/^[0-9A-Za-z]+$/);
  });
});
