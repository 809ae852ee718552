import type { KeyObject } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createMasterKeyText, parseKeyring } from '../../../src/keys/keyring.ts';
import { Sensitive } from '../../../src/kernel/sensitive.ts';
import { seeded } from './seeded.ts';

const K1 = seeded('k1')(32).toString('base64');
const K2 = seeded('k2')(32).toString('base64');
const parse = (text: string) => parseKeyring(new Sensitive(text));
const bytesOf = (each: Buffer | KeyObject): Buffer =>
  Buffer.isBuffer(each) ? each : each.export();

describe('the master key file', () => {
  it('has versions, of which the highest is current, whatever the order of lines', () => {
    const keyring = parse(`# rotated in May\n\nv2:${K2}\r\nv1:${K1}\n`);
    expect(keyring.currentVersion).toBe(2);
    expect(keyring.versions).toEqual([1, 2]);
  });

  it('may be a single bare key, which is v1', () => {
    const bare = parse(K1);
    expect(bare.versions).toEqual([1]);
    expect(bare.pepper(1)).toEqual(parse(`v1:${K1}`).pepper(1));
  });

  it('can be created, and what was created can be read', () => {
    const keyring = parseKeyring(createMasterKeyText(seeded('new')));
    expect(keyring.currentVersion).toBe(1);
  });

  it.each([
    ['nothing', '', 'contains no key'],
    ['only comments', '# a\n\n', 'contains no key'],
    ['31 bytes', `v1:${Buffer.alloc(31, 5).toString('base64')}`, 'line 1'],
    ['33 bytes', `\nv1:${Buffer.alloc(33, 5).toString('base64')}`, 'line 2'],
    ['no padding', `v1:${K1.slice(0, -1)}`, 'line 1'],
    ['base64url', `v1:${'_'.repeat(43)}=`, 'line 1'],
    [
      'set bits in the padding',
      `v1:${'A'.repeat(42)}B=`,
      'line 1 of the master key file is not canonical',
    ],
    ['version 0', `v0:${K1}`, 'line 1'],
    ['version with leading zero', `v01:${K1}`, 'line 1'],
    ['a version twice', `v1:${K1}\nv1:${K2}`, 'line 2 of the master key file repeats version v1'],
    ['v1 and a bare key', `v1:${K1}\n${K2}`, 'line 2 of the master key file repeats version v1'],
    [
      'one key under two versions',
      `v1:${K1}\nv2:${K1}`,
      'line 2 of the master key file repeats the key',
    ],
    [
      'zeros',
      `v1:${Buffer.alloc(32).toString('base64')}`,
      'line 1 of the master key file is not random',
    ],
    ['text', `v1:${K1}\nhello`, 'line 2'],
  ])('is refused with the line and without the content: %s', (_why, text, message) => {
    const refuse = () => parse(text);
    expect(refuse).toThrow(message);
    expect(refuse).toThrow(
      expect.objectContaining({ class: 'Terminal', reason: 'MasterKeyInvalid' }),
    );
    expect(refuse).not.toThrow(K1.slice(0, 8));
  });
});

describe('derived keys', () => {
  const keyring = parse(`v1:${K1}\nv2:${K2}`);

  it('differ by purpose and version, and have 32 bytes', () => {
    const all = [1, 2].flatMap((version) =>
      [keyring.pepper, keyring.sealing, keyring.mac, keyring.publication].map((f) =>
        bytesOf(f(version)),
      ),
    );
    expect(all.every((bytes) => bytes.length === 32)).toBe(true);
    expect(
      new Set([...all.map((bytes) => bytes.toString('base64url')), keyring.checkValue(1)]).size,
    ).toBe(9);
  });

  it('never change, or every stored row would be lost', () => {
    const pinned = parse(
      `v1:${Buffer.from(Array.from({ length: 32 }, (_, i) => i)).toString('base64')}`,
    );
    expect(
      [pinned.pepper(1), pinned.sealing(1), pinned.mac(1), pinned.publication(1)].map((each) =>
        bytesOf(each).toString('hex').slice(0, 16),
      ),
    ).toEqual(['647bedb6a1aaa9ae', 'baec0867b0012eb3', '66a8fc39b087313c', '5be0825b26062281']);
  });

  it('are missing with a reason when the file lacks the version', () => {
    expect(() => keyring.pepper(3)).toThrow(
      expect.objectContaining({ class: 'Terminal', reason: 'MasterKeyVersionMissing' }),
    );
    expect(() => keyring.mac(Number.NaN)).toThrow('version');
  });

  it('tell a wrong master key of the same version by the check value', () => {
    expect(parse(`v1:${K2}`).checkValue(1)).not.toBe(keyring.checkValue(1));
    expect(parse(`v1:${K1}`).checkValue(1)).toBe(keyring.checkValue(1));
  });

  it('are not printed with the keyring', () => {
    const printed = inspect(keyring, { depth: 9, showHidden: true }) + JSON.stringify(keyring);
    for (const each of [keyring.pepper(1), keyring.publication(1)]) {
      expect(printed).not.toContain(bytesOf(each).toString('hex').slice(0, 8));
    }
    expect(printed).not.toContain(K1.slice(0, 8));
  });
});
