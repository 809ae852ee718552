import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { randomBase62 } from '../../../src/keys/base62.ts';
import { estimateBits, weaknessOf } from '../../../src/keys/strength.ts';

describe('the floor under values that others made', () => {
  it('lets in what was drawn at random and is long enough', () => {
    for (let i = 0; i < 200; i += 1) {
      expect(weaknessOf(randomBase62(randomBytes, 24))).toBeUndefined();
      expect(weaknessOf(randomBytes(16).toString('hex'))).toBeUndefined();
      expect(weaknessOf(randomBase62(randomBytes, 32).toUpperCase())).toBeUndefined();
    }
  });

  it.each([
    'changeme',
    'a'.repeat(64),
    'abcdefghijklmnopqrstuvwxyz',
    'zyxwvutsrqponmlkjihgfedcba',
    'passwordpassword1234',
    'changeme-changeme-changeme',
    '00000000-0000-0000-0000-000000000001',
    '01234567890123456789012345678901',
    '1212121212121212121212121212',
  ])('keeps %s out', (value) => {
    expect(weaknessOf(value)).toBeDefined();
  });

  it('counts nothing for an empty value, and never less than nothing', () => {
    expect(estimateBits('')).toBe(0);
    expect(estimateBits('aa')).toBe(0);
  });

  it('says why without a letter of the value', () => {
    expect(weaknessOf('x')).toBe('it has fewer than 20 characters');
  });
});
