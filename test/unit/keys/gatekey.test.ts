import { describe, expect, it } from 'vitest';
import { Sensitive } from '../../../src/kernel/sensitive.ts';
import { createGateKeyText, parseGateKeyring } from '../../../src/keys/gatekey.ts';
import { parseKeyring } from '../../../src/keys/keyring.ts';
import { open, openAtGate, seal, sealForGate } from '../../../src/keys/sealing.ts';

const line = (version: number, fill: string): string =>
  `v${version}:${Buffer.from(fill.repeat(16)).toString('base64')}\n`;
const MASTER = line(1, 'ab') + line(3, 'cd');
const entropy = (size: number): Buffer => Buffer.alloc(size, 7);
const master = () => parseKeyring(new Sensitive(MASTER));
const text = () => createGateKeyText(master()).revealText();
const reasonOf = (file: string): unknown => {
  try {
    parseGateKeyring(new Sensitive(file));
    return undefined;
  } catch (error) {
    return error;
  }
};

describe("the gate's key file", () => {
  it('verifies and opens what the master key file does, in all versions', () => {
    const [whole, gate] = [master(), parseGateKeyring(new Sensitive(text()))];
    expect(gate.versions).toEqual([1, 3]);
    for (const version of gate.versions) {
      expect(gate.pepper(version)).toEqual(whole.pepper(version));
      expect(gate.sealing(version).equals(whole.sealing(version))).toBe(true);
      expect(gate.checkValue(version)).toBe(whole.checkValue(version));
    }
    const sealed = sealForGate(whole, new Sensitive('a secret'), 'row', entropy);
    expect(openAtGate(gate, sealed, 'row').revealText()).toBe('a secret');
  });

  it('holds neither the master keys nor what only the operator may open', () => {
    const whole = master();
    for (const version of whole.versions) {
      for (const purpose of ['mac', 'publication'] as const) {
        const secret = whole[purpose](version).export();
        expect(Buffer.from(text()).includes(secret.toString('base64').slice(0, 40))).toBe(false);
      }
    }
    const gate = parseGateKeyring(new Sensitive(text()));
    expect(Object.keys(gate).toSorted()).toEqual(['checkValue', 'pepper', 'sealing', 'versions']);
    const sealed = seal(whole, new Sensitive('a value'), 'row', entropy);
    const borrowed = { publication: gate.sealing };
    expect(() => open(borrowed, sealed, 'row')).toThrow(/./);
  });

  it('may be a master key file', () => {
    expect(parseGateKeyring(new Sensitive(MASTER)).versions).toEqual([1, 3]);
  });

  it('may have comments and blank lines, and no line that is anything else', () => {
    expect(reasonOf(`# ours\n\n${text()}`)).toBeUndefined();
    const [first = ''] = text().split('\n');
    const broken = [
      '',
      'hunter2 and other words',
      `${first}\n${first}\n`,
      `${first}\n${MASTER}`,
      `${text()}gate-v4:short:check\n`,
      text().replace('gate-v1', 'gate-v0'),
      text().replace('==:', ':'),
      text().replace(/:[\w-]{43}$/m, ''),
    ];
    for (const file of broken) {
      const error = reasonOf(file);
      expect(error).toMatchObject({ class: 'Terminal', reason: 'GateKeyInvalid' });
      expect(String(error)).not.toContain(first.slice(10, 30));
    }
  });

  it('says which version it lacks', () => {
    const gate = parseGateKeyring(new Sensitive(text()));
    expect(() => gate.pepper(2)).toThrow(/no version v2/);
    expect(() => gate.sealing(2)).toThrow(/derive-gate/);
  });
});
