import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildPairSecret, buildValue, isKeyId, publicName } from '../../../src/keys/format.ts';
import {
  FOREIGN_TEXTS,
  isForeignName,
  isForeignValue,
  lookupOf,
  problemOf,
} from '../../../src/keys/foreign.ts';

const PEPPER = new Uint8Array(32).fill(7);
const OTHER_PEPPER = new Uint8Array(32).fill(8);
const GOOD = 'Zk3qVw9tYbN2mXc8LrPf5sHd7Ga4Je6U1oTi0EvC';
const ALSO_GOOD = 'qP8zLm2xKv7cJb4nHy9tGf3rDs6wAe5uXi1oZq0R';
const OURS = { prefix: 'kw', keyId: '4fJ2mXq0ZpT7aBc9', secret: 'a'.repeat(43) };
const ascii = fc.stringMatching(/^[!-+\--~]{8,256}$/);

describe('the lookup of a value that was made elsewhere', () => {
  it('looks like a keyId, and is the same each time', () => {
    fc.assert(
      fc.property(ascii, (text) => {
        const lookup = lookupOf(PEPPER, 'Value', text);
        expect(isKeyId(lookup)).toBe(true);
        expect(lookupOf(PEPPER, 'Value', text)).toBe(lookup);
      }),
    );
  });

  it('is another one for another value, another pepper and the public half of a pair', () => {
    fc.assert(
      fc.property(ascii, ascii, (text, other) => {
        fc.pre(text !== other);
        const lookup = lookupOf(PEPPER, 'Value', text);
        expect(lookupOf(PEPPER, 'Value', other)).not.toBe(lookup);
        expect(lookupOf(PEPPER, 'Name', text)).not.toBe(lookup);
        expect(lookupOf(OTHER_PEPPER, 'Value', text)).not.toBe(lookup);
      }),
    );
  });

  it('stays what it is: imported values must be found for ever', () => {
    expect(lookupOf(PEPPER, 'Value', GOOD)).toBe(PINNED.value);
    expect(lookupOf(PEPPER, 'Name', GOOD)).toBe(PINNED.name);
  });
});

// Computed by another implementation (Python's hashlib).
const PINNED = { value: 'AkPSG0AT8WSBhsgg', name: 'YCZh27GuFfcB60fw' };

describe('what is taken for a value that was made elsewhere', () => {
  it.each([
    ['too short', 'a'.repeat(7)],
    ['too long', 'a'.repeat(257)],
    ['a line end', `${GOOD}\n`],
    ['a carriage return', `${GOOD}\r`],
    ['a blank', `${GOOD} x`],
    ['a tab', `${GOOD}\tx`],
    ['U+0000', `${GOOD}\0`],
    ['a comma, which joins headers', `${GOOD},x`],
    ['Hangul', `${GOOD}한국`],
    ['an emoji', `${GOOD}😀`],
    ['a letter of Latin-1', `${GOOD}é`],
    ['half a surrogate pair', `${GOOD}\ud800`],
    ['a no-break space', `${GOOD}\u00a0`],
    ['nothing', ''],
  ])('is not %s', (_, text) => {
    expect(isForeignValue(text)).toBe(false);
    expect(isForeignName(text)).toBe(false);
    expect(problemOf('Opaque', [text])).toMatchObject({ reason: 'ValueMalformed' });
  });

  it('is what gates read as one value', () => {
    for (const text of [GOOD, 'a'.repeat(8), '~'.repeat(256), 'a/b+c==_-.:;!']) {
      expect(isForeignValue(text)).toBe(true);
    }
  });
});

describe('values for a key', () => {
  it('are as many as its format has', () => {
    expect(problemOf('Opaque', [GOOD])).toBeUndefined();
    expect(problemOf('Dual', [GOOD, ALSO_GOOD])).toBeUndefined();
    expect(problemOf('KeyPair', ['NCSAAAAAAAAAAAAA', GOOD])).toBeUndefined();
    for (const format of ['Opaque', 'Dual', 'KeyPair'] as const) {
      const wrong = [GOOD, ALSO_GOOD, GOOD].slice(0, 3 - FOREIGN_TEXTS[format].length);
      expect(problemOf(format, wrong)).toMatchObject({ reason: 'ValueCount' });
      expect(problemOf(format, [])).toMatchObject({ reason: 'ValueCount' });
    }
  });

  it('of a Dual key differ', () => {
    expect(problemOf('Dual', [GOOD, GOOD])).toMatchObject({ reason: 'ValuesAlike' });
  });

  it('are none that a Keyward made: gates would look for the keyId that stands in them', () => {
    const reason = 'ValueOfKeyward';
    expect(problemOf('Opaque', [buildValue(OURS)])).toMatchObject({ reason });
    expect(problemOf('Dual', [GOOD, buildValue(OURS)])).toMatchObject({ reason });
    const pair = [publicName(OURS), buildPairSecret(OURS)];
    expect(problemOf('KeyPair', pair)).toMatchObject({ reason });
  });

  it('are refused when they are weak, last of all and by name', () => {
    expect(problemOf('Opaque', ['changeme'])).toMatchObject({
      reason: 'ValueWeak',
      message: expect.stringContaining('apiKey is weak'),
    });
    expect(problemOf('Dual', ['changeme', ''])).toMatchObject({ reason: 'ValueMalformed' });
    expect(problemOf('KeyPair', ['NCS00000', 'changeme'])).toMatchObject({
      message: expect.stringContaining('apiSecret'),
    });
  });

  it('are never told in a problem', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 4 }),
        fc.constantFrom('Opaque', 'Dual'),
        (text, format) => {
          fc.pre(!/^[a-zA-Z ]*$/.test(text) && text.trim().length >= 4);
          const told = problemOf(format, [text, text])?.message ?? '';
          expect(told).not.toContain(text);
        },
      ),
    );
  });
});
