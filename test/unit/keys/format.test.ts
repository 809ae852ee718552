import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  buildPairSecret,
  buildValue,
  hint,
  isPrefix,
  parsePair,
  parseValue,
  publicName,
  secretBytes,
} from '../../../src/keys/format.ts';
import { Sensitive } from '../../../src/kernel/sensitive.ts';
import { BASE62, parts } from './arbitraries.ts';

// Computed by another implementation (Python's zlib).
const PINNED_CHECKSUM = '1wOT1W';
const EXAMPLE = buildValue({ prefix: 'kw', keyId: '4fJ2mXq0ZpT7aBc9', secret: 'a'.repeat(43) });

describe('the key layout', () => {
  it('is prefix, keyId, secret and checksum, joined by underscores', () => {
    expect(EXAMPLE).toMatch(/^kw_4fJ2mXq0ZpT7aBc9_a{43}[0-9A-Za-z]{6}$/);
    // Pinned: keys that people hold must parse for ever.
    expect(EXAMPLE.slice(-6)).toBe(PINNED_CHECKSUM);
  });

  it('reads back whatever it wrote', () => {
    fc.assert(
      fc.property(parts, (p) => {
        expect(parseValue(buildValue(p))).toEqual(p);
      }),
    );
  });

  it('notices every single changed character', () => {
    fc.assert(
      fc.property(parts, fc.nat(), fc.constantFrom(...BASE62, '_', '-', ' '), (p, at, letter) => {
        const value = buildValue(p);
        const index = at % value.length;
        fc.pre(value[index] !== letter);
        const edited = value.slice(0, index) + letter + value.slice(index + 1);
        expect(parseValue(edited)).toBeUndefined();
      }),
    );
  });

  it('notices two neighbours that changed places', () => {
    fc.assert(
      fc.property(parts, fc.nat(), (p, at) => {
        const value = buildValue(p);
        const i = at % (value.length - 1);
        fc.pre(value[i] !== value[i + 1]);
        const swapped = value.slice(0, i) + value[i + 1] + value[i] + value.slice(i + 2);
        expect(parseValue(swapped)).toBeUndefined();
      }),
    );
  });

  it('accepts nothing longer or shorter', () => {
    fc.assert(
      fc.property(parts, fc.nat({ max: 90 }), (p, cut) => {
        const value = buildValue(p);
        expect(parseValue(`${value}0`)).toBeUndefined();
        expect(parseValue(value.slice(0, Math.min(cut, value.length - 1)))).toBeUndefined();
      }),
    );
  });

  it('takes no character for another one that shares its last byte, in values of any length', () => {
    fc.assert(
      fc.property(parts, fc.nat({ max: 82 }), fc.integer({ min: 1, max: 255 }), (p, at, high) => {
        const value = buildValue(p);
        const odd = String.fromCharCode(value.charCodeAt(at % value.length) + high * 256);
        const [before, after] = [
          value.slice(0, at % value.length),
          value.slice((at % value.length) + 1),
        ];
        expect(parseValue(before + odd + after)).toBeUndefined();
        expect(parseValue(value)).toEqual(p);
      }),
    );
  });

  it('survives any text at all, and accepts only what it would write (G2)', () => {
    const anything = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 120 }),
      fc.string({ minLength: 68, maxLength: 83 }),
      fc.stringMatching(/^[a-z]{2}_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}$/),
    );
    fc.assert(
      fc.property(anything, (text) => {
        const parsed = parseValue(text);
        expect(parsed === undefined || buildValue(parsed) === text).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it.each(['1w', 'KW', 'kW', 'k-w', 'k_w', '\u0142w', 'k'.repeat(17)])(
    'refuses the prefix %s, also under the right checksum',
    (prefix) => {
      const parsed = parseValue(EXAMPLE);
      expect(parsed && parseValue(buildValue({ ...parsed, prefix }))).toBeUndefined();
      expect(parsed).toBeDefined();
    },
  );

  it.each([
    ['empty', ''],
    ['capital prefix', EXAMPLE.replace('kw', 'KW')],
    ['prefix that begins with a digit', EXAMPLE.replace('kw', '1w')],
    ['prefix of 17', EXAMPLE.replace('kw', 'k'.repeat(17))],
    ['no prefix', EXAMPLE.slice(2)],
    ['leading space', ` ${EXAMPLE}`],
    ['trailing line feed', `${EXAMPLE}\n`],
    ['NUL inside', EXAMPLE.replace('4f', '4\0')],
    ['full-width letter', EXAMPLE.replace('4f', '4\uff46')],
    ['lone surrogate', EXAMPLE.replace('4f', '4\ud800')],
    ['percent-encoded', encodeURIComponent(`${EXAMPLE} `)],
    ['64 kB', 'a'.repeat(65_536)],
  ])('refuses: %s', (_why, text) => {
    expect(parseValue(text)).toBeUndefined();
  });

  it('allows prefixes of 1 to 16 small letters and digits', () => {
    expect(['k', 'kw', 'k9', 'k'.repeat(16)].every((text) => isPrefix(text))).toBe(true);
    expect(['', 'K', '9k', 'k_w', 'k'.repeat(17), 'k\n'].some((text) => isPrefix(text))).toBe(
      false,
    );
  });
});

describe('a KeyPair', () => {
  it('is the same value cut at the second underscore', () => {
    fc.assert(
      fc.property(parts, (p) => {
        expect(`${publicName(p)}_${buildPairSecret(p)}`).toBe(buildValue(p));
        expect(parsePair(publicName(p), buildPairSecret(p))).toEqual(p);
      }),
    );
  });

  it('does not pair a secret with another name, nor text that moved over the cut', () => {
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        fc.pre(a.keyId !== b.keyId);
        expect(parsePair(publicName(a), buildPairSecret(b))).toBeUndefined();
        expect(parsePair('kw', `${a.keyId}_${buildPairSecret(a)}`)).toBeUndefined();
      }),
    );
  });
});

describe('what may be shown of a value', () => {
  it('is the prefix, four of the keyId and the last four', () => {
    const name = { prefix: 'kw', keyId: '4fJ2mXq0ZpT7aBc9' };
    expect(hint(name, new Sensitive(EXAMPLE))).toBe(`kw_4fJ2...${PINNED_CHECKSUM.slice(-4)}`);
  });

  it('never contains a character of the 43 that are secret', () => {
    expect(secretBytes(new Sensitive(EXAMPLE)).toString()).toBe('a'.repeat(43));
    expect(EXAMPLE.slice(-4)).not.toContain('aaaa');
  });
});
