import { describe, expect, it } from 'vitest';
import { parsePair, parseValue, secretBytes } from '../../../src/keys/format.ts';
import { mintCredential, mintKeyId, mintSecret, mintValue } from '../../../src/keys/mint.ts';
import { seeded } from './seeded.ts';

describe('minting', () => {
  it('makes one value for Opaque', () => {
    const minted = mintCredential(seeded('opaque'), { prefix: 'kw', format: 'Opaque' });
    expect(Object.keys(minted.values)).toEqual(['apiKey']);
    const parsed = parseValue(minted.values.apiKey!.revealText());
    expect(parsed).toMatchObject({ prefix: 'kw', keyId: minted.keyId });
    expect(minted.publicName).toBe(`kw_${minted.keyId}`);
  });

  it('makes two values with one keyId and two secrets for Dual', () => {
    const minted = mintCredential(seeded('dual'), { prefix: 'kw', format: 'Dual' });
    const primary = parseValue(minted.values.primaryKey!.revealText());
    const secondary = parseValue(minted.values.secondaryKey!.revealText());
    expect(primary?.keyId).toBe(minted.keyId);
    expect(secondary?.keyId).toBe(minted.keyId);
    expect(primary?.secret).not.toBe(secondary?.secret);
  });

  it('makes a public name and a secret for KeyPair', () => {
    const minted = mintCredential(seeded('pair'), { prefix: 'kw', format: 'KeyPair' });
    expect(Object.keys(minted.values)).toEqual(['apiSecret']);
    const secret = minted.values.apiSecret!;
    expect(parsePair(minted.publicName, secret.revealText())?.keyId).toBe(minted.keyId);
    expect(secretBytes(secret)).toHaveLength(43);
  });

  it('regenerates one slot under the same keyId', () => {
    const entropy = seeded('slot');
    const minted = mintCredential(entropy, { prefix: 'kw', format: 'Dual' });
    const again = mintValue(entropy, { prefix: 'kw', keyId: minted.keyId, slot: 'secondaryKey' });
    const parsed = parseValue(again.revealText());
    expect(parsed?.keyId).toBe(minted.keyId);
    expect(again.revealText()).not.toBe(minted.values.secondaryKey!.revealText());
  });

  it('never repeats itself (R1)', () => {
    const entropy = seeded('unique');
    const ids = new Set(Array.from({ length: 2000 }, () => mintKeyId(entropy)));
    const secrets = new Set(Array.from({ length: 2000 }, () => mintSecret(entropy)));
    expect([ids.size, secrets.size]).toEqual([2000, 2000]);
  });

  it('prints no key material, however it is printed', () => {
    const minted = mintCredential(seeded('print'), { prefix: 'kw', format: 'Opaque' });
    const secret = minted.values.apiKey!.revealText().slice(20, 63);
    expect(`${JSON.stringify(minted)} ${minted.values.apiKey}`).not.toContain(secret);
  });
});
