import { describe, expect, test } from 'vitest';
import {
  addCredential,
  close,
  confirm,
  dropCredentials,
  end,
  forgetSecret,
  isRetireDue,
  regenerateSlot,
  retain,
  retainable,
  retireDue,
  setState,
  setTerms,
} from '../../../src/ledger/transitions.ts';
import {
  aBlankRecord,
  aCredential,
  aDualCredential,
  anOpenCredential,
  aRecord,
  aSecret,
  aSlot,
  NOW_MS,
  OPEN_TERMS,
  SEALED,
} from '../../support/world.ts';

const HOUR_MS = 3_600_000;
const NEXT = { oldValuesEnd: 'AtConfirm', lost: 'Nothing' } as const;
const CONFIRMATION = {
  secret: aSecret(),
  nowMs: NOW_MS,
  overlapMs: HOUR_MS,
  recoverable: false,
} as const;

const illegal = expect.objectContaining({ reason: 'IllegalTransition' });
const states = (record: {
  credentials: readonly { sequence: number; state: string }[];
}): string[] => record.credentials.map(({ sequence, state }) => `${sequence} ${state}`);

describe('a new credential', () => {
  test('of a blank record is its first, and its value is only in the ledger', () => {
    const record = addCredential(aBlankRecord(), { ...NEXT, credential: anOpenCredential() });
    expect(states(record)).toEqual(['1 Sealed']);
    expect(record.sequence).toBe(1);
  });

  test('leaves the value before it working until it is in the Secret', () => {
    const record = addCredential(aRecord(), {
      ...NEXT,
      credential: anOpenCredential({ sequence: 2 }),
    });
    expect(states(record)).toEqual(['1 Active', '2 Sealed']);
  });

  test('disables every value before it at once in an emergency', () => {
    const record = addCredential(aRecord(), {
      ...NEXT,
      oldValuesEnd: 'AtOnce',
      credential: anOpenCredential({ sequence: 2 }),
    });
    expect(states(record)).toEqual(['1 Disabled', '2 Sealed']);
  });

  test('ends an overlap that is still under way, so that never more than two are live (I4)', () => {
    const overlapping = aRecord({
      sequence: 2,
      credentials: [
        aCredential({ state: 'Retiring', retireAtMs: NOW_MS + HOUR_MS }),
        aCredential({ sequence: 2 }),
      ],
    });
    const record = addCredential(overlapping, {
      ...NEXT,
      credential: anOpenCredential({ sequence: 3 }),
    });
    expect(states(record)).toEqual(['1 Disabled', '2 Active', '3 Sealed']);
  });

  test('replaces one that never came into its Secret, beside the value people use', () => {
    const interrupted = aRecord({
      sequence: 2,
      credentials: [aCredential(), anOpenCredential({ sequence: 2 })],
    });
    const record = addCredential(interrupted, {
      ...NEXT,
      lost: 'Values',
      credential: anOpenCredential({ sequence: 3 }),
    });
    expect(states(record)).toEqual(['1 Active', '2 Disabled', '3 Sealed']);
    expect(record.credentials[0]?.valueLost).toBe(true);
  });

  test('after the loss of the Secret forgets it, and marks the old value as lost', () => {
    const record = addCredential(aRecord(), {
      ...NEXT,
      lost: 'Secret',
      credential: anOpenCredential({ sequence: 2 }),
    });
    expect(record.secret).toBeUndefined();
    expect(record.credentials[0]).toMatchObject({ state: 'Active', valueLost: true });
  });

  test('after the loss of the Secret keeps what signatures of the old pair are checked with, and nothing else', () => {
    const sealed = { version: 1, blob: new Uint8Array(60) };
    const slots = aCredential().slots.map((slot) => ({ ...slot, sealed }));
    const lost = (name: 'apiSecret' | 'apiKey') =>
      addCredential(
        aRecord({
          credentials: [aCredential({ slots: slots.map((slot) => ({ ...slot, name })) })],
        }),
        { ...NEXT, lost: 'Secret', credential: anOpenCredential({ sequence: 2 }) },
      ).credentials[0]?.slots.map((slot) => slot.sealed);
    expect(lost('apiSecret')).toEqual([sealed]);
    expect(lost('apiKey')).toEqual([undefined]);
  });

  test('remembers the request that asked for it', () => {
    const record = addCredential(aRecord(), {
      ...NEXT,
      requestId: 'r1',
      credential: anOpenCredential({ sequence: 2 }),
    });
    expect(record.lastRotationRequestId).toBe('r1');
  });

  test.each([
    ['while one is open', aRecord({ sequence: 1, credentials: [anOpenCredential()] }), 2],
    ['under a sequence that is not the next', aRecord(), 3],
    ['of a key that is ending', aRecord({ phase: 'Ending' }), 2],
  ])('is refused %s', (_why, record, sequence) => {
    const credential = anOpenCredential({ sequence });
    expect(() => addCredential(record, { ...NEXT, credential })).toThrow(illegal);
  });
});

describe('a confirmed Secret', () => {
  const rotating = aRecord({
    sequence: 2,
    credentials: [aCredential(), anOpenCredential({ sequence: 2 })],
  });

  test('makes the open credential Active and erases its sealed copy', () => {
    const [, current] = confirm(rotating, CONFIRMATION).credentials;
    expect(current).toMatchObject({ state: 'Active' });
    expect(current?.slots[0]).not.toHaveProperty('sealed');
  });

  test('keeps the sealed copy where the store can recover values', () => {
    const [, current] = confirm(rotating, { ...CONFIRMATION, recoverable: true }).credentials;
    expect(current?.slots[0]?.sealed).toEqual(SEALED);
  });

  test('lets the value before it go on for the overlap', () => {
    const [previous] = confirm(rotating, CONFIRMATION).credentials;
    expect(previous).toMatchObject({ state: 'Retiring', retireAtMs: NOW_MS + HOUR_MS });
  });

  test('ends the value before it at once when nothing may overlap', () => {
    expect(states(confirm(rotating, { ...CONFIRMATION, overlapMs: 0 }))).toEqual(['2 Active']);
  });

  test('drops what an emergency disabled', () => {
    const disabled = aRecord({
      sequence: 2,
      credentials: [aCredential({ state: 'Disabled' }), anOpenCredential({ sequence: 2 })],
    });
    expect(states(confirm(disabled, CONFIRMATION))).toEqual(['2 Active']);
  });

  test('of a Dual key swaps the roles, and the value that was active retires later', () => {
    const [primary, secondary] = aDualCredential().slots;
    const next = aDualCredential({
      state: 'Sealed',
      slots: [{ ...primary! }, { ...secondary!, role: 'Next', sealed: SEALED }],
    });
    const record = confirm(aRecord({ format: 'Dual', credentials: [next] }), CONFIRMATION);
    expect(record.credentials[0]?.slots).toMatchObject([
      { name: 'primaryKey', role: 'Standby', retireAtMs: NOW_MS + HOUR_MS },
      { name: 'secondaryKey', role: 'Active' },
    ]);
  });

  test('that was only repaired changes no credential', () => {
    expect(confirm(aRecord(), CONFIRMATION).credentials).toEqual(aRecord().credentials);
  });
});

describe('a slot', () => {
  const value = {
    name: 'secondaryKey',
    sequence: 1,
    digest: new Uint8Array(32),
    pepperVersion: 1,
    sealed: SEALED,
    hint: 'kw_…9',
    atMs: NOW_MS + 1,
  } as const;

  test('gets its next generation, and the other one is untouched', () => {
    const before = aRecord({ format: 'Dual', credentials: [aDualCredential()] });
    const [credential] = regenerateSlot(before, value).credentials;
    expect(credential).toMatchObject({
      state: 'Sealed',
      slots: [
        { name: 'primaryKey', generation: 1 },
        { name: 'secondaryKey', generation: 2, sealed: SEALED },
      ],
    });
  });

  test('that was waiting to retire waits no more', () => {
    const [primary, secondary] = aDualCredential().slots;
    const waiting = aDualCredential({ slots: [primary!, { ...secondary!, retireAtMs: NOW_MS }] });
    const before = aRecord({ format: 'Dual', credentials: [waiting] });
    const [credential] = regenerateSlot(before, value).credentials;
    expect(credential?.slots[1]).not.toHaveProperty('retireAtMs');
  });

  test('is not touched while another value is on its way', () => {
    const open = aRecord({ credentials: [anOpenCredential()] });
    expect(() => regenerateSlot(open, value)).toThrow(illegal);
  });
});

describe('an overlap', () => {
  const retiring = aCredential({ state: 'Retiring', retireAtMs: NOW_MS });

  test.each([
    ['is over at its instant', NOW_MS, true],
    ['is not over a millisecond before', NOW_MS - 1, false],
  ])('%s', (_why, atMs, isDue) => {
    expect(isRetireDue(retiring, atMs)).toBe(isDue);
  });

  test('that is over takes its credential away and no other', () => {
    const record = aRecord({ sequence: 2, credentials: [retiring, aCredential({ sequence: 2 })] });
    expect(states(retireDue(record, NOW_MS))).toEqual(['2 Active']);
  });
});

describe('the end', () => {
  test('by revocation kills every value and is final (I7)', () => {
    const revoked = setState(aRecord(), 'Revoked', NOW_MS);
    expect(revoked.credentials).toEqual([]);
    expect(() => setState(revoked, 'Active', NOW_MS)).toThrow(illegal);
  });

  test('by suspension keeps the values', () => {
    expect(setState(aRecord(), 'Suspended', NOW_MS).credentials).toEqual(aRecord().credentials);
  });

  test('by deletion kills every value, remembers the Secret, and may be repeated', () => {
    const ending = end(aRecord(), NOW_MS);
    expect(ending).toMatchObject({ phase: 'Ending', credentials: [], secret: { name: 'web' } });
    expect(end(ending, NOW_MS)).toBe(ending);
  });

  test('leaves a tombstone without a Secret', () => {
    const closed = close(end(aRecord(), NOW_MS));
    expect(closed.phase).toBe('Ended');
    expect(closed.secret).toBeUndefined();
  });

  test('cannot be closed while a credential exists', () => {
    expect(() => close(aRecord())).toThrow(illegal);
  });

  test('of the object alone retains the key with its values', () => {
    expect(retain(aRecord(), NOW_MS)).toMatchObject({
      phase: 'Retained',
      credentials: [{ sequence: 1 }],
    });
    expect(() => retain(end(aRecord(), NOW_MS), NOW_MS)).toThrow(illegal);
  });

  test('of the object alone keeps the values that somebody can have, before newer ones that nobody has seen', () => {
    const remote = { account: 'account-1', id: 'id', facts: {} };
    const used = aCredential({ remote });
    const unseen = anOpenCredential({ sequence: 2, remote });
    const { credentials } = retain(aRecord({ sequence: 2, credentials: [used, unseen] }), NOW_MS);
    expect(credentials).toMatchObject([
      { sequence: 1, state: 'Active' },
      { sequence: 2, state: 'Disabled' },
    ]);
  });

  test.each([
    ['were in a Secret', aCredential(), true],
    ['were replaced in place', anOpenCredential({ slots: [aSlot({ generation: 2 })] }), true],
    ['were brought by somebody', anOpenCredential({ origin: 'Imported' }), true],
    ['nobody has seen yet', anOpenCredential(), false],
    ['ended', aCredential({ state: 'Disabled' }), false],
  ] as const)(
    'leaves a key to go on whose values %s only if anybody can have them',
    (_, only, may) => {
      const kept = retainable(aRecord({ credentials: [only] }), NOW_MS);
      expect(kept).toBe(may ? only : undefined);
    },
  );

  test('of the time after expiry drops the values and leaves the key', () => {
    expect(dropCredentials(aRecord(), NOW_MS)).toMatchObject({ phase: 'Live', credentials: [] });
  });
});

test('a Secret that is gone takes the values that only it had', () => {
  const record = aRecord({
    sequence: 2,
    credentials: [
      aCredential(),
      anOpenCredential({ sequence: 2, slots: [aSlot({ sealed: SEALED })] }),
    ],
  });
  const forgotten = forgetSecret(record);
  expect(forgotten.secret).toBeUndefined();
  expect(forgotten.credentials[0]?.valueLost).toBe(true);
  expect(forgotten.credentials[1]).not.toHaveProperty('valueLost');
});

describe('What a key belongs to', () => {
  const grant = { formUid: 'form-1', round: 1 };

  test('is remembered with its terms, and left alone where nothing is said', () => {
    const record = setTerms(aRecord(), OPEN_TERMS, { grant, clientUid: 'client-1' });
    expect(record).toMatchObject({ grant, clientUid: 'client-1' });
    expect(setTerms(record, OPEN_TERMS)).toEqual(record);
    const next = setTerms(record, OPEN_TERMS, { grant: { ...grant, round: 2 } });
    expect(next).toMatchObject({ grant: { round: 2 }, clientUid: 'client-1' });
  });

  test.each([{ grant: { formUid: 'form-2', round: 1 } }, { clientUid: 'client-2' }])(
    'is never exchanged: %o',
    (other) => {
      const record = aRecord({ grant, clientUid: 'client-1' });
      expect(() => setTerms(record, OPEN_TERMS, other)).toThrow('stays with its');
    },
  );
});
