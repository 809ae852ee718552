import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Sensitive } from '../../../src/kernel/sensitive.ts';
import { builtinDriver } from '../../../src/stores/builtin/driver.ts';
import type { LocalHandle } from '../../../src/stores/contract.ts';

const PEPPER = Buffer.alloc(32, 7);

function open(member: Record<string, unknown>): LocalHandle {
  const handle = builtinDriver.open(member);
  if ('problem' in handle) throw new Error(handle.problem);
  if (handle.type !== 'Local') throw new Error('not a local store');
  return handle;
}

describe('the built-in store', () => {
  test('without settings makes opaque keys with the prefix kw', () => {
    const handle = open({});
    const minted = handle.mint(handle.defaultFormat, randomBytes);
    expect(minted.values.apiKey?.revealText()).toMatch(/^kw_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}$/);
  });

  test('digests a value so that the same value has the same digest and no other has', () => {
    const handle = open({ keyPrefix: 'demo' });
    const { keyId, values } = handle.mint('Opaque', randomBytes);
    const identity = { keyId, slot: 'apiKey' } as const;
    const value = values.apiKey ?? new Sensitive('');
    const other = handle.mintSlot(identity, randomBytes);
    const digest = handle.digest(identity, value, PEPPER);
    expect(handle.digest(identity, value, PEPPER)).toEqual(digest);
    expect(handle.digest(identity, other, PEPPER)).not.toEqual(digest);
  });

  test('answers no digest for a text that is no value of its own', () => {
    const identity = { keyId: 'a'.repeat(16), slot: 'apiKey' } as const;
    expect(open({}).digest(identity, new Sensitive('abc'), PEPPER)).toBeUndefined();
  });

  test('offers key pairs only where it can recover their secrets', () => {
    expect(open({}).capabilities.formats).not.toContain('KeyPair');
    expect(open({ recovery: 'Sealed' }).capabilities.formats).toContain('KeyPair');
  });

  test.each([
    ['Keyward', 'Opaque', ['Opaque', 'Dual'], false],
    ['VisitSeoul', 'Opaque', ['Opaque'], false],
    ['Naver', 'Dual', ['Dual'], false],
    ['Solapi', 'KeyPair', ['KeyPair'], true],
    ['DigiRunner', 'KeyPair', ['KeyPair', 'Opaque'], true],
  ] as const)(
    'with profile %s gives %s by itself, and offers %j',
    (profile, format, formats, recoverable) => {
      const { defaultFormat, capabilities, ...handle } = open({ profile });
      expect([handle.profile, defaultFormat]).toEqual([profile, format]);
      expect(capabilities).toMatchObject({ formats, recoverable });
    },
  );

  test('has the layout of Keyward in every profile', () => {
    const handle = open({ profile: 'Solapi', keyPrefix: 'sol' });
    const { publicName } = handle.mint(handle.defaultFormat, randomBytes);
    expect(publicName).toMatch(/^sol_[0-9A-Za-z]{16}$/);
  });

  test('with profile Naver takes names of 20 and descriptions of 50 characters (R35)', () => {
    const { displayNameMax, descriptionMax } = open({ profile: 'Naver' }).capabilities;
    expect([displayNameMax, descriptionMax]).toEqual([20, 50]);
  });

  test('shows the public half of a pair, and of other values only the ends', () => {
    const handle = open({ recovery: 'Sealed' });
    const pair = handle.mint('KeyPair', randomBytes);
    const secret = pair.values.apiSecret ?? new Sensitive('');
    expect(handle.hint({ keyId: pair.keyId, slot: 'apiSecret' }, secret)).toBe(pair.publicName);
  });

  test.each([
    [{ profile: 'Other' }, 'spec.builtin.profile "Other" is unknown'],
    [{ recovery: 'Maybe' }, 'spec.builtin.recovery "Maybe" is unknown'],
    [{ format: 'Triple' }, 'spec.builtin.format is Opaque or Dual or KeyPair, not "Triple"'],
    [{ profile: 'Naver', format: 'Opaque' }, 'with profile Naver is Dual, not "Opaque"'],
    [{ profile: 'VisitSeoul', format: 'Dual' }, 'with profile VisitSeoul is Opaque'],
    [{ profile: 'DigiRunner', format: 'Dual' }, 'with profile DigiRunner is KeyPair or Opaque'],
    [{ profile: 'Solapi', recovery: 'None' }, 'KeyPair needs recovery: Sealed'],
    [{ keyPrefix: 'Not-a-prefix' }, 'spec.builtin.keyPrefix'],
    [{ format: 'KeyPair' }, 'recovery: Sealed'],
  ])('says in a sentence what is wrong with %j', (member, part) => {
    expect(builtinDriver.open(member)).toMatchObject({ problem: expect.stringContaining(part) });
  });
});
