import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { embeddedPairSecrets, embeddedValues } from '../../../src/keys/embedded.ts';
import { buildPairSecret, buildValue, publicName } from '../../../src/keys/format.ts';
import { BASE62, base62, parts } from './arbitraries.ts';

/** With the letters that values are made of, so that nothing shows where one begins. */
const around = fc.oneof(
  fc.string({ unit: fc.constantFrom(...BASE62, '_'), maxLength: 80 }),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
);

const found = (places: Iterable<string | undefined>) =>
  [...places].filter((place) => place !== undefined);

describe('values of ours in a longer text', () => {
  it('are found whatever stands around them, in order, and nothing else is', () => {
    fc.assert(
      fc.property(parts, around, around, (p, before, behind) => {
        const value = buildValue(p);
        const text = `${before}${value}${value}${behind}`;
        expect(found(embeddedValues(text, p.keyId))).toEqual([value, value]);
      }),
    );
  });

  it('are found by their own keyId only, and not with a changed letter', () => {
    fc.assert(
      fc.property(parts, base62(16), (p, other) => {
        fc.pre(other !== p.keyId);
        const value = buildValue(p);
        expect(found(embeddedValues(value, other))).toEqual([]);
        const last = value.endsWith('0') ? '1' : '0';
        expect(found(embeddedValues(`${value.slice(0, -1)}${last}`, p.keyId))).toEqual([]);
      }),
    );
  });

  it('are found as the secret half of a pair by its public half', () => {
    fc.assert(
      fc.property(parts, around, around, (p, before, behind) => {
        const secret = buildPairSecret(p);
        const text = `${before}${secret}${behind}`;
        expect(found(embeddedPairSecrets(text, publicName(p)))).toEqual([secret]);
      }),
    );
  });

  it('tell of each place that was looked at in vain, so that looking can end', () => {
    const keyId = 'aaaaaaaaaaaaaaaa';
    expect([...embeddedValues(`${'b'.repeat(20)}_${keyId}_`, keyId)]).toHaveLength(16);
    expect([...embeddedPairSecrets('a'.repeat(100), `kw_${keyId}`)]).toHaveLength(52);
  });
});
