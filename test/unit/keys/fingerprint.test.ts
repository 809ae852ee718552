import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fingerprintEntries, macText, verifyMac } from '../../../src/keys/fingerprint.ts';
import { parseKeyring } from '../../../src/keys/keyring.ts';
import { Sensitive } from '../../../src/kernel/sensitive.ts';
import { seeded } from './seeded.ts';

const K1 = seeded('k1')(32).toString('base64');
const K2 = seeded('k2')(32).toString('base64');
const old = parseKeyring(new Sensitive(`v1:${K1}`));
const rotated = parseKeyring(new Sensitive(`v1:${K1}\nv2:${K2}`));
const binding = {
  namespace: 'team-a',
  name: 'shop',
  apiKeyUid: 'f1',
  sequence: 3,
  fingerprint: fingerprintEntries({ apiKey: 'x' }),
};

describe('the fingerprint', () => {
  it('does not depend on the order of entries, nor on text or bytes', () => {
    const a = fingerprintEntries({ apiKey: 'one', keyId: 'two' });
    expect(fingerprintEntries({ keyId: Buffer.from('two'), apiKey: 'one' })).toBe(a);
    expect(a).toMatch(/^v1:[A-Za-z0-9_-]{43}$/);
  });

  it('differs for different entries, also where names and values run together', () => {
    const texts = [
      {},
      { a: '' },
      { a: 'b' },
      { ab: '' },
      { a: 'b', c: 'd' },
      { a: 'bcd' },
      { a: 'b', cd: '' },
    ];
    expect(new Set(texts.map((entries) => fingerprintEntries(entries))).size).toBe(texts.length);
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.string()),
        fc.dictionary(fc.string(), fc.string()),
        (a, b) => {
          const same = isDeepStrictEqual(new Map(Object.entries(a)), new Map(Object.entries(b)));
          expect(fingerprintEntries(a) === fingerprintEntries(b)).toBe(same);
        },
      ),
    );
  });
});

describe('the MAC', () => {
  it('verifies for the very same binding, also after a master key rotation', () => {
    expect(macText(old, binding)).toMatch(/^v1:[A-Za-z0-9_-]{43}$/);
    expect(verifyMac(old, binding, macText(old, binding))).toBe(true);
    expect(verifyMac(rotated, binding, macText(old, binding))).toBe(true);
    expect(macText(rotated, binding)).toMatch(/^v2:/);
  });

  it.each([
    ['namespace', { namespace: 'team-b' }],
    ['name', { name: 'shop2' }],
    ['ApiKey', { apiKeyUid: 'f2' }],
    ['sequence', { sequence: 4 }],
    ['content', { fingerprint: fingerprintEntries({ apiKey: 'y' }) }],
    ['cut between two fields', { namespace: 'team-as', name: 'hop' }],
  ])('does not verify for another %s', (_what, change) => {
    expect(verifyMac(old, { ...binding, ...change }, macText(old, binding))).toBe(false);
  });

  it('is a no, never an error, for whatever a tenant writes into the annotation', () => {
    const mac = macText(old, binding);
    for (const text of [
      '',
      'v1:',
      'v9:' + mac.slice(3),
      mac.slice(3),
      `${mac}A`,
      `${mac}\n`,
      'v01:' + mac.slice(3),
    ]) {
      expect(verifyMac(old, binding, text)).toBe(false);
    }
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(verifyMac(old, binding, text)).toBe(false);
      }),
    );
  });

  it('has one spelling: unused bits of the last character must be zero or it would have four', () => {
    const mac = macText(old, binding);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = alphabet.indexOf(mac.at(-1) ?? '');
    const twin = mac.slice(0, -1) + alphabet.charAt(last ^ 1);
    expect(verifyMac(old, binding, twin)).toBe(false);
  });
});
