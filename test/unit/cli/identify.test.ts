import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { identify, type IdentifyDeps } from '../../../src/cli/identify.ts';
import { Sensitive } from '../../../src/kernel/sensitive.ts';
import { digestForeign, digestSecret } from '../../../src/keys/digest.ts';
import { secretBytes } from '../../../src/keys/format.ts';
import { createMasterKeyText, parseKeyring } from '../../../src/keys/keyring.ts';
import { mintCredential } from '../../../src/keys/mint.ts';
import type { KeyRecord } from '../../../src/ledger/record.ts';
import { aCredential, aRecord, NOW_MS } from '../../support/world.ts';

const keyring = parseKeyring(createMasterKeyText(randomBytes));
const minted = mintCredential(randomBytes, { prefix: 'kw', format: 'Opaque' });
const value = minted.values.apiKey ?? new Sensitive('');

function knownRecord(change: Partial<KeyRecord> = {}): KeyRecord {
  const { keyId } = minted;
  const digest = digestSecret({ pepper: keyring.pepper(1), keyId, secret: secretBytes(value) });
  const credential = aCredential({ keyId, state: 'Active' });
  const slots = credential.slots.map((slot) => ({ ...slot, digest, pepperVersion: 1 }));
  return aRecord({ credentials: [{ ...credential, slots }], ...change });
}

const AT_VENDOR = { account: 'tenant', id: 'remote-1', facts: {} };

/** The value in a slot that ends then. */
function withSlotEnd(retireAtMs: number, remote?: typeof AT_VENDOR): KeyRecord {
  const record = knownRecord();
  const credentials = record.credentials.map((credential) => ({
    ...credential,
    ...(remote === undefined ? {} : { remote }),
    slots: credential.slots.map((slot) => ({ ...slot, retireAtMs })),
  }));
  return { ...record, credentials };
}

describe('keyward identify', () => {
  let printed = '';
  beforeEach(() => {
    printed = '';
  });
  const depsFor = (record: KeyRecord | undefined): IdentifyDeps => ({
    ledger: {
      findByKeyId: (keyId) => Promise.resolve(keyId === minted.keyId ? record : undefined),
      scan: () =>
        Promise.resolve({ records: record === undefined ? [] : [record], next: undefined }),
    },
    keyring,
    nowMs: NOW_MS,
    output: { data: (text) => (printed += text), note: (text) => (printed += text) },
  });

  test('says whose a value is and how to contain it, and never prints it', async () => {
    await identify(depsFor(knownRecord()), new Sensitive(`  ${value.revealText()}\n`));
    expect(printed).toContain('ApiKey team/web');
    expect(printed).toContain('works now');
    expect(printed).toContain(
      '{"spec":{"rotation":{"urgency":"Emergency","requestId":"leak-1-apiKey-1","slot":null}}}',
    );
    expect(printed).not.toContain(value.revealText());
    expect(printed).not.toContain(secretBytes(value).toString());
  });

  test('says that a value of a suspended key does not work', async () => {
    await identify(depsFor(knownRecord({ state: 'Suspended' })), value);
    expect(printed).toContain('does not work (Suspended, Active)');
  });

  test.each([
    ['says that gates refuse', undefined, 'state         does not work (its time is over)'],
    [
      'says of a vendor that it may go on accepting',
      AT_VENDOR,
      'state         gates refuse it (its time is over); at the vendor it may still work',
    ],
  ])('%s a value whose time is over, and when it was', async (_what, remote, state) => {
    await identify(depsFor(withSlotEnd(NOW_MS, remote)), value);
    expect(printed).toContain(state);
    expect(printed).toContain('retires       2026-01-01T00:00:00Z');
    expect(printed).not.toContain('works now');
  });

  test.each([
    ['has ended', { endMs: NOW_MS }, 'does not work (the key has expired)'],
    ['has not begun', { notBeforeMs: NOW_MS + 1 }, 'does not work (the key is not valid yet)'],
  ])('says that a value of a key that %s does not work', async (_what, interval, state) => {
    const terms = { ...knownRecord().terms, ...interval };
    await identify(depsFor(knownRecord({ terms })), value);
    expect(printed).toContain(`state         ${state}`);
  });

  test.each([
    ['may work until the vendor has switched it off', true, 'at the vendor it may still work'],
    ['does not work once it has', false, 'does not work (Suspended, Active)'],
  ])('says that a value of a suspended key %s', async (_what, enabled, state) => {
    const credentials = knownRecord().credentials.map((credential) => ({
      ...credential,
      remote: { ...AT_VENDOR, enabled },
    }));
    await identify(depsFor(knownRecord({ state: 'Suspended', credentials })), value);
    expect(printed).toContain(state);
  });

  test('says of a value whose time will be over that it works now, and until when', async () => {
    await identify(depsFor(withSlotEnd(NOW_MS + 1_000)), value);
    expect(printed).toContain('works now');
    expect(printed).toContain('retires       2026-01-01T00:00:01Z');
  });

  test('sends who holds a key that was applied for to its form, where new values may need a review', async () => {
    const grant = { formUid: 'form-1', round: 1 };
    await identify(depsFor(knownRecord({ grant })), value);
    expect(printed).toContain(
      "keyward rotate web -n team --reason Exposed --message 'Its value leaked.'",
    );
    expect(printed).not.toContain('Emergency');
    expect(printed).not.toContain('at once');
    expect(printed).toMatch(
      /works until a reviewer approves, so suspend it first:\n {2}keyward suspend web -n team\n {2}keyward rotate/,
    );
    expect(printed).toContain('{"spec":{"state":"Suspended"}}');
  });

  test('names the command for a key whose object is gone', async () => {
    await identify(depsFor(knownRecord({ phase: 'Retained' })), value);
    expect(printed).toContain('keyward keys revoke');
  });

  test('answers the same for an unknown key and for a wrong secret', async () => {
    const wrong = mintCredential(randomBytes, { prefix: 'kw', format: 'Opaque' });
    const unknown = identify(depsFor(undefined), wrong.values.apiKey ?? new Sensitive(''));
    await expect(unknown).rejects.toMatchObject({ reason: 'UnknownKey' });
    const record = aRecord({ credentials: [aCredential({ keyId: minted.keyId })] });
    await expect(identify(depsFor(record), value)).rejects.toMatchObject({ reason: 'UnknownKey' });
  });

  test('shows nothing that a terminal would act on, whatever a vendor calls its keys', async () => {
    const record = knownRecord({ store: { ...aRecord().store, name: 'a\u001b[2J' } });
    await identify(depsFor(record), value);
    expect(printed).toContain('a\\x1b[2J');
    expect(printed).not.toContain('\u001b');
  });

  test.each(['', 'password1', `${'x'.repeat(5_000)}`])(
    'says that what nobody has is no key (%#)',
    async (text) => {
      const outcome = identify(depsFor(knownRecord()), new Sensitive(text));
      await expect(outcome).rejects.toMatchObject({ reason: 'NotAKey' });
    },
  );

  test('finds a value that a vendor made, by asking every key at a vendor', async () => {
    const made = '4sVgLq0Xh2mZ9kB7tR1cY6wN8pE3uJ5aD0fGiKoM';
    const record = knownRecord();
    const credentials = record.credentials.map((credential) => ({
      ...credential,
      remote: { account: 'tenant', id: 'remote-1', facts: {} },
      slots: credential.slots.map((slot) => ({
        ...slot,
        digest: digestForeign({ pepper: keyring.pepper(1), keyId: minted.keyId, value: made }),
      })),
    }));
    const atVendor = depsFor({ ...record, credentials });
    await identify(atVendor, new Sensitive(`${made}\n`));
    expect(printed).toContain('ApiKey team/web');
    expect(printed).toContain('at the vendor remote-1');
    expect(printed).not.toContain(made);
    const wrong = identify(atVendor, new Sensitive(made.replace('4', '5')));
    await expect(wrong).rejects.toMatchObject({ reason: 'NotAKey' });
  });
});
