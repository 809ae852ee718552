import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseKeyring } from '../../../src/keys/keyring.ts';
import { open, openAtGate, seal, sealForGate } from '../../../src/keys/sealing.ts';
import { Sensitive } from '../../../src/kernel/sensitive.ts';
import { seeded } from './seeded.ts';

const K1 = seeded('k1')(32).toString('base64');
const K2 = seeded('k2')(32).toString('base64');
const old = parseKeyring(new Sensitive(`v1:${K1}`));
const rotated = parseKeyring(new Sensitive(`v1:${K1}\nv2:${K2}`));
const broken = expect.objectContaining({ class: 'Terminal', reason: 'SealBroken' });

describe('sealing', () => {
  it('opens what it sealed, with the same context', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.string(), (bytes, context) => {
        const sealed = seal(rotated, new Sensitive(bytes), context, seeded('a'));
        expect(sealed.version).toBe(2);
        expect(open(rotated, sealed, context).reveal()).toEqual(Buffer.from(bytes));
      }),
    );
  });

  it('opens rows of before a master key rotation', () => {
    const sealed = seal(old, new Sensitive('value'), 'row', seeded('b'));
    expect(open(rotated, sealed, 'row').revealText()).toBe('value');
  });

  it('refuses a blob that was moved to another row', () => {
    const sealed = seal(old, new Sensitive('value'), 'row 1', seeded('c'));
    expect(() => open(old, sealed, 'row 2')).toThrow(broken);
  });

  it('refuses any changed bit and any cut', () => {
    const sealed = seal(old, new Sensitive('value'), 'row', seeded('d'));
    for (let i = 0; i < sealed.blob.length; i += 1) {
      const changed = Uint8Array.from(sealed.blob);
      changed[i] = (changed[i] ?? 0) ^ 1;
      expect(() => open(old, { ...sealed, blob: changed }, 'row')).toThrow(broken);
      expect(() => open(old, { ...sealed, blob: sealed.blob.subarray(0, i) }, 'row')).toThrow(
        broken,
      );
    }
  });

  it('refuses another version, and says so when the version is missing', () => {
    const sealed = seal(old, new Sensitive('value'), 'row', seeded('e'));
    expect(() => open(rotated, { ...sealed, version: 2 }, 'row')).toThrow(broken);
    expect(() => open(old, { ...sealed, version: 2 }, 'row')).toThrow(
      expect.objectContaining({ reason: 'MasterKeyVersionMissing' }),
    );
  });

  it('keeps what only the operator may open away from the gate', () => {
    const forOperator = seal(old, new Sensitive('value'), 'row', seeded('f'));
    const forGate = sealForGate(old, new Sensitive('value'), 'row', seeded('f'));
    expect(() => openAtGate(old, forOperator, 'row')).toThrow(broken);
    expect(() => open(old, forGate, 'row')).toThrow(broken);
    expect(openAtGate(old, forGate, 'row').revealText()).toBe('value');
  });

  it('shows nothing of the value in the blob', () => {
    const sealed = seal(old, new Sensitive('kw_secret_value'), 'row', seeded('g'));
    expect(Buffer.from(sealed.blob).toString('latin1')).not.toContain('secret');
  });
});
